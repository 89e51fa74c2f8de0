"""What is odd about a system, told beside the work on it."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from ecosystemiser.cli.text import printable
from ecosystemiser.errors import Finding

__all__ = ["odd_line", "tell_oddities"]

MOST_TOLD = 5


def odd_line(found: Finding) -> str:
    """Return a finding as a sentence: line, key, what is odd, what to do."""
    line = f"line {found.line}, " if found.line is not None else ""
    return printable(f"{line}{found.key} {found.message}. To do: {found.remedy}.")


def tell_oddities(oddities: Sequence[Finding], system: object) -> None:
    """Say on the error stream what is odd, the first few; `check` tells all."""
    for found in oddities[:MOST_TOLD]:
        typer.echo(f"Worth a second look: {odd_line(found)}", err=True)
    if len(oddities) > MOST_TOLD:
        left = len(oddities) - MOST_TOLD
        typer.echo(f"... and {left} more: ecosystemiser check {printable(str(system))}", err=True)
