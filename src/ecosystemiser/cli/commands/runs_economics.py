"""The investment case of a run."""

from __future__ import annotations

from typing import Annotated

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, RunArgument, log_of, settings_of, working
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width

__all__ = ["show_economics"]


def show_economics(
    context: typer.Context,
    run: RunArgument,
    *,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Compare with this run; by default one is made.", show_default=False),
    ] = None,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Show the case for the investment: net present value, rate of return, payback, levelised costs, cash flow.

    Without --baseline the same demands are served from grids, boilers and
    mains alone: solved once, logged as a run with the tag 'baseline'.

    \b
    Examples:
      ecosystemiser runs economics last
      ecosystemiser runs economics last --baseline last~1
      ecosystemiser runs economics last --format csv
    """
    from ecosystemiser.services.run_economics import economics_of_run

    stop = settings_of(context).stop
    with log_of(context, db) as log, working("Reading the run and its baseline"), stop.asking():
        found = economics_of_run(log, run, baseline, stop.is_asked)
    if style is Format.TABLE:
        from ecosystemiser.cli.economics_report import economics_report

        typer.echo(economics_report(found, terminal_width()))
        return
    from ecosystemiser.cli.economics_report import CASH_NAMES, cash_rows, economics_record

    typer.echo(as_json(economics_record(found)) if style is Format.JSON else as_csv(cash_rows(found), CASH_NAMES))
