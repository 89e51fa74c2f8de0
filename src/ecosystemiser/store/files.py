"""Files that survive a power cut, and what the system says when they cannot be written."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from ecosystemiser.errors import StoreError

__all__ = ["DISK_FULL", "READ_ONLY", "file_error", "sync_folder", "write_durably"]

DISK_FULL = "the disk is full; nothing of this write was kept. Make room and try again"
READ_ONLY = "cannot be written: the file or its folder is read-only. Check the permissions"


def file_error(error: OSError, path: Path) -> StoreError:
    """Return what `error` means for the file or folder at `path`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StoreError(f"{path}: {DISK_FULL}.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StoreError(f"{path}: {READ_ONLY}.")
    return StoreError(f"{path}: {error.strerror or error}.")


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` as durable as its files are. Raises OSError."""
    if os.name == "nt":
        return  # Windows opens no folders, and needs none of this
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` as `path`, in the place of what is there; folders are created as needed.

    The file is on the disk when this returns, and its name never stands for part of it. Raises StoreError.
    """
    try:
        _make_folder(path.parent)
        _replace(path, content)
    except OSError as error:
        raise file_error(error, path) from error


def _make_folder(folder: Path) -> None:
    """Create `folder` with its parents, each name as durable as the file that will lie there."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        sync_folder(place.parent)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)
