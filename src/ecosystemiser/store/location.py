"""Where the database is: a file that SQLite keeps, or a database on a PostgreSQL server."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ecosystemiser.errors import Finding, InputError

__all__ = ["DEFAULT_PATH", "EngineName", "Location", "locate"]

DEFAULT_PATH = Path("data/simulation_index.sqlite")

_POSTGRES = {"postgresql", "postgres", "postgresql+psycopg"}
_SQLITE = {"sqlite", "sqlite+pysqlite"}
# What libpq reads, less what it would read in two ways: `@ / ? #` in a name or a password stand as %40 %2F %3F %23.
_HOST = r"(?:[^:@/?#,\[\]]*|\[[0-9a-fA-F:.]+\])(?::\d+)?"
_POSTGRES_URL = re.compile(
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)"
    r"(?:/(?P<database>[^@/?#]*))?(?:\?(?P<query>[a-z_]+=[^@?#&]*(?:&[a-z_]+=[^@?#&]*)*))?"
)
_LIKE_A_URL = re.compile(r"postgres(?:ql)?(?:\+\w+)?:", re.IGNORECASE)
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})|%00")
_SHOWN = ("host", "hostaddr", "port", "user", "dbname", "service")
"""Parameters of a URL that may be shown; the others may hold a password."""


class EngineName(StrEnum):
    """The engines that may keep the database."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Location:
    """Where a database is. `str()` of it is for people: a path, or a URL without its password.

    `address` is what opens it: an absolute path, or a URL as libpq takes it, with the password if it was given
    there. `chosen` says whether somebody chose the place; else it is the default.
    """

    engine: EngineName
    address: str = field(repr=False)
    chosen: bool

    @property
    def path(self) -> Path:
        """The absolute path of the file. Raises InputError for a database on a server, which is no file."""
        if self.engine is not EngineName.SQLITE:
            remedy = "give the path of a SQLite file"
            raise InputError([Finding("is on a server; here a file is needed", remedy, "db", str(self))])
        return Path(self.address)

    def __str__(self) -> str:
        return self.address if self.engine is EngineName.SQLITE else _without_password(self.address)

    def __repr__(self) -> str:
        return f"Location({str(self)!r}, chosen={self.chosen})"


def locate(path_or_url: str | Path | Location | None = None) -> Location:
    """Return where the database is: as given, else `ECOSYSTEMISER_DB`, else the default place.

    Takes a path, a URL `sqlite:///path`, or a URL `postgresql://user:password@host:port/database?...` with all
    that libpq allows in it; what it leaves out comes from libpq's environment (PGPASSWORD, PGSERVICE, ...) and
    files. A Location stays as it is. Raises InputError for anything else; it never shows a password.
    """
    if isinstance(path_or_url, Location):
        return path_or_url
    asked = path_or_url if path_or_url is not None else os.environ.get("ECOSYSTEMISER_DB") or None
    if asked is None:
        return _file(DEFAULT_PATH, chosen=False)
    text = os.fspath(asked)
    scheme, separator, rest = text.partition("://")
    if separator and scheme in _POSTGRES:
        return Location(EngineName.POSTGRESQL, _checked_url(rest), chosen=True)
    if separator and scheme not in _SQLITE:
        # Only the scheme is shown: what follows may hold a password.
        remedy = "give the path of a SQLite file, or a URL like postgresql://user@host/database"
        raise InputError([Finding("is not a kind of database that can be used", remedy, "db", f"{scheme}://…")])
    if not separator and _LIKE_A_URL.match(text):
        remedy = "write it as postgresql://user@host/database, with two slashes"
        raise InputError([Finding("cannot be read as a URL of PostgreSQL", remedy, "db", "postgresql:…")])
    name = rest.removeprefix("/") if separator else text
    if not name or ":memory:" in name or name.startswith("file:"):
        remedy = "give the path of a file: runs are kept, and shared between processes"
        raise InputError([Finding("does not name a file", remedy, "db", text)])
    return _file(Path(name), chosen=True)


def _file(path: Path, *, chosen: bool) -> Location:
    try:
        return Location(EngineName.SQLITE, str(path.expanduser().resolve()), chosen)
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a loop of symlinks, no home
        finding = Finding(f"is not a path ({error})", "give the path of a file", "db", str(path))
        raise InputError([finding]) from error


def _checked_url(rest: str) -> str:
    """Return the URL whose part after `://` is `rest`, if there is one way to read it."""
    if _POSTGRES_URL.fullmatch(rest) is None or _BAD_PERCENT.search(rest) or "\0" in rest:
        remedy = (
            "write it as postgresql://user:password@host:port/database?name=value, and in names and passwords "
            "%40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %25 for %"
        )
        raise InputError([Finding("cannot be read as a URL of PostgreSQL", remedy, "db", "postgresql://…")])
    return f"postgresql://{rest}"


def _without_password(url: str) -> str:
    read = _POSTGRES_URL.fullmatch(url.removeprefix("postgresql://"))
    if read is None:
        return "postgresql://…"
    user = f"{read['user']}@" if read["user"] else ""
    database = f"/{read['database']}" if read["database"] else ""
    shown = [part for part in (read["query"] or "").split("&") if part.partition("=")[0] in _SHOWN]
    return f"postgresql://{user}{read['hosts']}{database}{'?' if shown else ''}{'&'.join(shown)}"
