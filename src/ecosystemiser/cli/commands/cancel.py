"""Stop what runs, in this process or any other."""

from __future__ import annotations

from typing import Annotated

import typer

from ecosystemiser.cli.options import DbOption, RunArgument, log_of, working
from ecosystemiser.cli.text import signed

__all__ = ["cancel_run", "cancel_study"]


def cancel_run(context: typer.Context, run: RunArgument, *, db: DbOption = None) -> None:
    """Ask whoever solves a run to stop, and say how it ended.

    Waits up to 5 s, and exits with 1 if it still runs then; the request
    stands. A run of a study is stopped with its study: study cancel.

    \b
    Examples:
      ecosystemiser runs cancel last
      ecosystemiser runs cancel 01a20690-73d6
    """
    from ecosystemiser.services.run_words import run_named
    from ecosystemiser.services.stopping import stop_run

    with log_of(context, db) as log:
        run_id = run_named(log, run)["run_id"]
        with working(f"Stopping run {run_id}"):
            status = stop_run(log, run_id)
    _tell("run", run_id, status, f"ecosystemiser runs show {run_id}")


def cancel_study(
    context: typer.Context,
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study's id, or last.", show_default=False)],
    *,
    db: DbOption = None,
) -> None:
    """Ask whoever runs a study to stop, and say how it ended.

    What is done is kept. Waits up to 5 s, and exits with 1 if it still runs
    then; the request stands.

    \b
    Examples:
      ecosystemiser study cancel battery-sizing
      ecosystemiser study cancel last
    """
    from ecosystemiser.services.run_words import study_named
    from ecosystemiser.services.stopping import stop_study

    with log_of(context, db) as log:
        study_id = study_named(log, study)["study_id"]
        with working(f"Stopping study {study_id}"):
            status = stop_study(log, study_id)
    _tell("study", study_id, status, f"ecosystemiser study show {study_id}")


def _tell(kind: str, name: str, status: str, command: str) -> None:
    if status == "running":
        typer.echo(f"{signed(status)}: {kind} {name} was asked to stop, and has not ended yet. See: {command}")
        raise typer.Exit(1)
    before = " before it could be stopped" if status in ("completed", "failed") else ""
    typer.echo(f"{signed(status)}{before}: {kind} {name}\nSee: {command}")
