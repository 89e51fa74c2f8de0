"""Where the database is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.store.files import file_error

__all__ = ["DEFAULT_PATH", "Location", "check_is_database", "locate"]

DEFAULT_PATH = Path("data/simulation_index.sqlite")
_HEADER = b"SQLite format 3\x00"


@dataclass(frozen=True)
class Location:
    """The absolute path of a database, and whether somebody chose it (else it is the default)."""

    path: Path
    chosen: bool


def locate(path_or_url: str | Path | Location | None = None) -> Location:
    """Return where the database is: as given, else `ECOSYSTEMISER_DB`, else the default place.

    Takes a path or a URL `sqlite:///path`; a Location stays as it is. Raises InputError for anything else.
    """
    if isinstance(path_or_url, Location):
        return path_or_url
    asked = path_or_url if path_or_url is not None else os.environ.get("ECOSYSTEMISER_DB") or None
    given = DEFAULT_PATH if asked is None else _path_of(asked)
    try:
        return Location(given.expanduser().resolve(), chosen=asked is not None)
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a loop of symlinks, no home
        raise InputError(
            [Finding(f"is not a path ({error})", "give the path of a file", "db", str(asked))]
        ) from error


def _path_of(asked: str | Path) -> Path:
    text = os.fspath(asked)
    scheme, separator, rest = text.partition("://")
    if separator and scheme not in {"sqlite", "sqlite+pysqlite"}:
        # Only the scheme is shown: what follows may hold a password.
        remedy = "give the path of a SQLite file or a URL like sqlite:///data/runs.sqlite"
        raise InputError(
            [Finding("is not a kind of database that can be used", remedy, "db", f"{scheme}://…")]
        )
    path = rest.removeprefix("/") if separator else text
    if not path or ":memory:" in path or path.startswith("file:"):
        remedy = "give the path of a file: runs are kept, and shared between processes"
        raise InputError([Finding("does not name a file", remedy, "db", text)])
    return Path(path)


def check_is_database(path: Path) -> None:
    """Raise StoreError unless a file with the header of a SQLite database stands at `path`; only read it."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEADER))
    except OSError as error:
        raise file_error(error, path) from error
    if head == _HEADER:
        return
    found = "is empty (zero bytes): no database of ours is" if not head else "is not a SQLite database"
    msg = f"{path}: {found}. Nothing was changed; give another path, or move the file away."
    raise StoreError(msg)
