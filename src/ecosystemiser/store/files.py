"""Files that survive a power cut, and what the system says when they cannot be written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecosystemiser.errors import StoreError

__all__ = [
    "DISK_FULL",
    "READ_ONLY",
    "append_durably",
    "draft_of",
    "file_error",
    "publish",
    "sha256_of",
    "sync_file",
    "sync_folder",
    "write_durably",
]

DISK_FULL = "the disk is full; nothing of this write was kept. Make room and try again"
_NO_SECOND_NAMES = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
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


def sync_file(path: Path) -> None:
    """Make what stands in the file at `path` survive a power cut. Raises OSError."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the bytes of the file at `path`, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Give a free name beside `path` to write a new file under; at the end what has that name is removed.

    So is what SQLite writes beside a database of that name.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    try:
        yield draft
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                draft.with_name(draft.name + suffix).unlink()


def publish(draft: Path, path: Path, *, or_move: bool = False) -> bool:
    """Give the whole file `draft` the name `path` too; return False where that name is taken. Raises OSError.

    Of many processes that try at once one succeeds, and the name outlives a power cut as the file does. Some
    disks (FAT, many network disks) know no second names: with `or_move` the draft is moved there, for names
    which no other process wants at the same time.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError as error:
        if not or_move or error.errno not in _NO_SECOND_NAMES:
            raise
        if path.exists():
            return False
        draft.rename(path)
    sync_folder(path.parent)
    return True


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
    with draft_of(path) as draft:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(path.parent)


def append_durably(path: Path, content: bytes) -> None:
    """Add `content` to the end of the file at `path`, created if missing; it is on the disk when this returns.

    Raises StoreError.
    """
    try:
        is_new = not path.exists()
        _make_folder(path.parent)
        with path.open("ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise file_error(error, path) from error
