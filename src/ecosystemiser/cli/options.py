"""What several commands take, and the log that they work on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from ecosystemiser.cli.signals import Stop
from ecosystemiser.cli.tables import Format

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["DbOption", "FormatOption", "SetOption", "Settings", "SystemArgument", "log_of", "settings_of", "working"]

DbOption = Annotated[
    str | None,
    typer.Option("--db", metavar="PATH", help="Database; else ECOSYSTEMISER_DB, else data/simulation_index.sqlite."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Set a field, as battery.capacity_kwh=100; may be repeated."),
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
