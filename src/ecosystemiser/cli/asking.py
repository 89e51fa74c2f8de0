"""Asking before something is done that people may regret."""

from __future__ import annotations

import sys

import typer

from ecosystemiser.errors import Finding, InputError

__all__ = ["ask"]


def ask(question: str, *, is_agreed: bool) -> None:
    """Ask on a terminal, and end the command where the answer is no; nothing is asked where `is_agreed`.

    Raises InputError where nobody can answer.
    """
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise InputError([Finding(f"{question} Nobody can answer here", "say it with --yes")])
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(1)
