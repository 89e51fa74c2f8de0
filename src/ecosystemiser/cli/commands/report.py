"""Write what the explorer shows of a run, a study or a comparison as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecosystemiser.cli.options import DbOption, read_log_of, settings_of, working
from ecosystemiser.cli.text import printable, size
from ecosystemiser.errors import Finding, InputError

__all__ = ["report"]


def report(
    context: typer.Context,
    things: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|STUDY...",
            help="A run (its id, its beginning, last, last~1) or a study's id; with --compare two to eight runs.",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="HTML file; an old one is replaced.")],
    compare: Annotated[bool, typer.Option("--compare", help="Put runs side by side, the baseline first.")] = False,
    db: DbOption = None,
) -> None:
    """Write one HTML file with the charts of a run, a study or several runs.

    It opens in any browser and needs no network. Hours that were not kept
    are solved again in memory for it.

    \b
    Examples:
      ecosystemiser report last -o run.html
      ecosystemiser report battery-sizing -o study.html
      ecosystemiser report --compare last~1 last -o comparison.html
    """
    from ecosystemiser.services.report_service import ReportService

    if not compare and len(things) > 1:
        remedy = f"write: ecosystemiser report --compare {' '.join(map(printable, things))} -o {printable(output)}"
        raise InputError([Finding("names more than one thing", remedy, "RUN|STUDY", things[1])])
    stop = settings_of(context).stop
    with read_log_of(context, db) as log, working(f"Writing {printable(output)}"), stop.asking():
        reports = ReportService(log)
        reports.check_place(output)
        if compare:
            content = reports.of_comparison(things, should_stop=stop.is_asked)
        else:
            content = reports.of(things[0], should_stop=stop.is_asked)
        reports.write(content, output)
    typer.echo(f"{size(Path(output).stat().st_size)} written to {printable(output)}")
