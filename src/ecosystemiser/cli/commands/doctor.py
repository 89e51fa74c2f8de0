"""What is wrong here, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, log_of
from ecosystemiser.cli.tables import Format, as_csv, as_json, as_pairs

if TYPE_CHECKING:
    from ecosystemiser.services.doctor import Diagnosis

__all__ = ["doctor"]

_SIGNS = {"ok": "✓", "warning": "!", "wrong": "✕"}


def doctor(context: typer.Context, *, style: FormatOption = Format.TABLE, db: DbOption = None) -> None:
    """Look at what the program needs: versions, solvers, database, disk.

    Each line is ok, a warning or wrong, and then says what to do. Exits
    with 1 if something is wrong. Changes nothing.

    \b
    Examples:
      ecosystemiser doctor
      ecosystemiser doctor --db runs.sqlite --format json
    """
    from ecosystemiser.services.doctor import Health, examine

    found = []
    with log_of(context, db) as log:
        for diagnosis in examine(log):
            found.append(diagnosis)
            if style is Format.TABLE:
                typer.echo(_line(diagnosis))
    if style is not Format.TABLE:
        rows = [asdict(diagnosis) for diagnosis in found]
        typer.echo(as_json(rows) if style is Format.JSON else as_csv(rows, list(rows[0])))
    wrong = sum(diagnosis.health is Health.WRONG for diagnosis in found)
    if style is Format.TABLE:
        typer.echo(f"\n{wrong} wrong: see above what to do." if wrong else "\nNothing is wrong.")
    if wrong:
        raise typer.Exit(1)


def _line(diagnosis: Diagnosis) -> str:
    remedy = f"; {diagnosis.remedy}" if diagnosis.remedy else ""
    word = "" if diagnosis.health == "ok" else f"{diagnosis.health}: "
    return as_pairs([(f"{_SIGNS[diagnosis.health]} {diagnosis.subject:<17}", f"{word}{diagnosis.found}{remedy}")], "")
