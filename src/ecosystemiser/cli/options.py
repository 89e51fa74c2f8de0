"""What several commands take, and the log that they work on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ecosystemiser.cli.signals import Stop
from ecosystemiser.cli.tables import Format

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = [
    "RUN_WORDS",
    "DbOption",
    "EventFormat",
    "EventsOption",
    "ExecutorChoice",
    "ExecutorOption",
    "FormatOption",
    "ReuseOption",
    "RunArgument",
    "RunsArgument",
    "SchedulerOption",
    "SetOption",
    "Settings",
    "SystemArgument",
    "WhereOption",
    "WorkersOption",
    "YesOption",
    "log_of",
    "read_log_of",
    "settings_of",
    "working",
]

DbOption = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="PATH|URL",
        help="Database: a SQLite file, or postgresql://user@host/name; else ECOSYSTEMISER_DB, else "
        "data/simulation_index.sqlite.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a field, as battery.capacity_kwh=100; may be repeated."),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILTER",
        help='Only runs that pass, as "total_cost < 20000"; see runs list --fields.',
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


class ExecutorChoice(StrEnum):
    """Where the runs of a study are solved."""

    INLINE = "inline"
    PROCESS = "process"
    DASK = "dask"


class EventFormat(StrEnum):
    """How events are written."""

    JSON = "json"


WorkersOption = Annotated[
    int | None, typer.Option(metavar="N", help="Workers that solve at the same time; else one a core, or all of Dask.")
]
ExecutorOption = Annotated[
    ExecutorChoice | None,
    typer.Option(
        metavar="WORD",
        help="Where: inline (this process), process, or dask (pip install ecosystemiser[dask]).",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask's scheduler, as tcp://HOST:8786; else Dask starts one on this machine."),
]
EventsOption = Annotated[
    EventFormat | None,
    typer.Option(
        metavar="json", help="Print what happens as JSON, one object a line, and the answer on the error stream."
    ),
]
ReuseOption = Annotated[
    bool, typer.Option("--reuse", help="Take over results that the log has already, instead of solving them again.")
]
RUN_WORDS = "A run id, its beginning, last, or last~1."
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help=RUN_WORDS, show_default=False)]
RunsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Run ids, their beginnings, last, or last~1.", show_default=False),
]
SystemArgument = Annotated[
    str, typer.Argument(metavar="SYSTEM", help="A system file, or the name of a packaged system.", show_default=False)
]


@dataclass(frozen=True)
class Settings:
    """What was said before the command."""

    db: str | None = None
    stop: Stop = field(default_factory=Stop)
    """Who asks for the end."""


def log_of(context: typer.Context, db: str | None) -> DatabaseMetadataService:
    """Return the log that the command, or else the line before it, names. Raises InputError."""
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

    return DatabaseMetadataService(db if db is not None else settings_of(context).db)


def read_log_of(context: typer.Context, db: str | None) -> DatabaseMetadataService:
    """Return the same log for a command that only looks: nothing is upgraded, closed or created by it."""
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

    return DatabaseMetadataService(db if db is not None else settings_of(context).db, read_only=True)


def settings_of(context: typer.Context) -> Settings:
    """Return what was said before the command."""
    return context.find_object(Settings) or Settings()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that something is being done, and for how long."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield
