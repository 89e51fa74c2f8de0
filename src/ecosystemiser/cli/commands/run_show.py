"""Look at one run."""

from __future__ import annotations

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, RunArgument, read_log_of
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width

__all__ = ["show_run"]


def show_run(
    context: typer.Context, run: RunArgument, *, style: FormatOption = Format.TABLE, db: DbOption = None
) -> None:
    """Show everything that the log holds of a run, and what can be done next.

    \b
    Examples:
      ecosystemiser runs show last
      ecosystemiser runs show 01a20690-73d6
      ecosystemiser runs show last~1 --format json
    """
    from ecosystemiser.services.run_words import run_named

    with read_log_of(context, db) as log:
        row = run_named(log, run)
        tags = log.get_tags([row["run_id"]])[row["run_id"]]
        gone = log.runs_of_the_dead() if row["simulation_status"] == "running" else set()
    if style is Format.JSON:
        typer.echo(as_json({**row, "tags": tags}))
    elif style is Format.CSV:
        typer.echo(as_csv([{**row, "tags": " ".join(tags)}], [*row, "tags"]))
    else:
        from ecosystemiser.cli.run_report import next_steps, run_report

        told = [run_report(row, terminal_width(), tags=tags, gone=gone), next_steps(row, gone)]
        typer.echo("\n\n".join(part for part in told if part))
