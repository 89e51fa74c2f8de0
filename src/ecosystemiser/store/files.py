"""Files that survive a power cut, and what the system says when they cannot be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ecosystemiser.errors import StoreError

__all__ = ["DISK_FULL", "READ_ONLY", "file_error", "sync_folder"]

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
