"""The page of all commands: the help of each as a terminal of 80 columns shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import typer

from ecosystemiser.cli.app import app

__all__ = ["INTRO", "command_helps"]

INTRO = """\
Each command as its `--help` tells it. `eco` is short for `ecosystemiser`. Listings take `--format table|csv|json`.
What a `FILTER` may ask for stands in [filters.md](filters.md), what lies in the database in [database.md](database.md).
"""


def command_helps() -> Iterator[tuple[str, str]]:
    """Yield each command's line and its help, groups before what is in them."""
    with mock.patch.dict(os.environ, {"COLUMNS": "80", "LINES": "24"}):
        yield from _helps(typer.main.get_command(app), "ecosystemiser", None)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=name, parent=parent)
    yield context.command_path, command.get_help(context).strip()
    for word, each in getattr(command, "commands", {}).items():
        yield from _helps(each, word, context)
