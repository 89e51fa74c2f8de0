"""The bills of a run's suppliers."""

from __future__ import annotations

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, RunArgument, read_log_of, settings_of, working
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width

__all__ = ["bill_run"]


def bill_run(
    context: typer.Context, run: RunArgument, *, style: FormatOption = Format.TABLE, db: DbOption = None
) -> None:
    """Show what each supplier bills in each month: amounts, peaks, charges, tax.

    A run of which no hours were kept is solved again for it; nothing is
    logged.

    \b
    Examples:
      ecosystemiser runs bill last
      ecosystemiser runs bill 01a20690-73d6 --format csv
    """
    from dataclasses import asdict

    from ecosystemiser.services.run_history import RunHistory

    stop = settings_of(context).stop
    with read_log_of(context, db) as log, working(f"Reading the hours of {run}"), stop.asking():
        curves = RunHistory(log).curves(run, may_solve=True, should_stop=stop.is_asked)
    if style is Format.TABLE:
        from ecosystemiser.cli.bill_report import bill_report

        typer.echo(bill_report(curves.months, curves.currency, terminal_width()))
        return
    rows = [{**asdict(line), "currency": curves.currency} for line in curves.months]
    names = ["component", "month", "item", "quantity", "unit", "amount", "tax", "currency"]
    typer.echo(as_json(rows) if style is Format.JSON else as_csv(rows, names))
