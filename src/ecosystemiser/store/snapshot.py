"""A backup: one SQLite file that appears whole or not at all, with its checksum beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from ecosystemiser.errors import StoreError
from ecosystemiser.store.dialect import Dialect, OnProgress
from ecosystemiser.store.files import draft_of, file_error, publish, sha256_of, sync_file

__all__ = ["Backup", "write_backup"]


@dataclass(frozen=True)
class Backup:
    """A written backup: its file, the SHA-256 of its bytes in hex, and its size."""

    path: Path
    sha256: str
    bytes: int

    @property
    def checksum_path(self) -> Path:
        """The file beside it that holds the checksum, as `sha256sum --check` reads it."""
        return _checksum_path(self.path)


def write_backup(
    dialect: Dialect, connection: Connection, version: str, path: Path, on_progress: OnProgress | None = None
) -> Backup:
    """Write all that the transaction of `connection` found as a SQLite file `path`, and its checksum beside it.

    Both are on the disk when this returns; a file that is there is never replaced. `version` is the schema's.
    Raises StoreError.
    """
    checksum_path = _checksum_path(path)
    if not path.parent.is_dir():
        msg = f"{path}: the folder {path.parent} does not exist. Create it, or give another path."
        raise StoreError(msg)
    try:
        for taken in (path, checksum_path):
            if taken.exists():
                raise _taken(taken)
        with draft_of(path) as draft, draft_of(checksum_path) as checksum:
            dialect.write_snapshot(connection, draft, version, on_progress)
            sha256 = sha256_of(draft)
            size = draft.stat().st_size
            _write_checksum(checksum, f"{sha256}  {path.name}\n")
            if not publish(checksum, checksum_path, or_move=True):
                raise _taken(checksum_path)
            if not publish(draft, path, or_move=True):
                checksum_path.unlink()
                raise _taken(path)
    except OSError as error:
        raise file_error(error, path) from error
    return Backup(path, sha256, size)


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _write_checksum(path: Path, line: str) -> None:
    path.write_text(line, encoding="utf-8")
    sync_file(path)


def _taken(path: Path) -> StoreError:
    return StoreError(f"{path}: is there already; nothing was written. Give another name, or move it away.")
