"""Compare runs, make them again, verify them, hand them on."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import (
    RUN_WORDS,
    DbOption,
    FormatOption,
    RunArgument,
    WhereOption,
    log_of,
    read_log_of,
    settings_of,
    working,
)
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width
from ecosystemiser.cli.text import number_of
from ecosystemiser.errors import Finding, InputError

if TYPE_CHECKING:
    from ecosystemiser.services.run_history import RunHistory
    from ecosystemiser.services.verification import Verification

__all__ = ["compare_runs", "diff_runs", "export_runs", "rerun", "verify_runs"]

_FAILED, _WRONG_REQUEST = 1, 2

VERIFIED = ("run_id", "verdict", "reason", "hours", "kpis", "files", "versions", "seconds")
"""What CSV and JSON hold of each run that was verified."""


class FileFormat(StrEnum):
    """Kinds of files that runs are handed on in."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


def diff_runs(
    context: typer.Context,
    run_a: Annotated[str, typer.Argument(metavar="A", help=RUN_WORDS, show_default=False)],
    run_b: Annotated[str, typer.Argument(metavar="B", help="The run to compare with it.", show_default=False)],
    *,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Show what differs between two runs: inputs first, then KPIs.

    Series are compared by what their files held. Warns where neither run
    may be called better: other system, period, currency or demands.

    \b
    Examples:
      ecosystemiser runs diff last~1 last
      ecosystemiser runs diff 01a20690-6ff7 01a20690-73d6 --format json
    """
    from ecosystemiser.cli.history_report import diff_records, diff_report
    from ecosystemiser.services.run_history import RunHistory

    with read_log_of(context, db) as log:
        history = RunHistory(log)
        ids = [history.resolve(word) for word in (run_a, run_b)]
        found = history.diff(*ids)
        rows = [log.get_simulation_run(run_id) or {"run_id": run_id} for run_id in ids]
    if style is Format.JSON:
        records = diff_records(found)
        typer.echo(as_json({"run_a": found.run_a, "run_b": found.run_b, "warnings": found.warnings, **records}))
    elif style is Format.CSV:
        records = diff_records(found)
        cells = [{"what": what, **record} for what, group in records.items() for record in group]
        typer.echo(as_csv(cells, ["what", "name", "kind", "unit", "a", "b", "absolute", "relative", "better"]))
    else:
        typer.echo(diff_report(found, rows[0], rows[1], terminal_width()))


def compare_runs(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(metavar="A B...", help=f"Two to eight. {RUN_WORDS}", show_default=False)],
    *,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Show runs beside the first, the baseline: changed inputs, then KPIs.

    Warns where none may be called better than another: other system,
    period, currency or demands.

    \b
    Examples:
      ecosystemiser runs compare last~2 last~1 last
      ecosystemiser runs compare last~1 last --format csv
    """
    from ecosystemiser.cli.comparison_report import comparison_report
    from ecosystemiser.services.run_comparison import CSV_NAMES, comparison_cells, comparison_records
    from ecosystemiser.services.run_history import RunHistory

    with read_log_of(context, db) as log:
        found = RunHistory(log).compare(runs)
        rows = [log.get_simulation_run(run_id) or {"run_id": run_id} for run_id in found.runs]
    if style is Format.JSON:
        typer.echo(as_json(comparison_records(found)))
    elif style is Format.CSV:
        typer.echo(as_csv(comparison_cells(found), CSV_NAMES))
    else:
        typer.echo(comparison_report(found, rows, terminal_width()))
        typer.echo(f"\nNext: ecosystemiser report --compare {' '.join(found.names)} -o comparison.html")


def rerun(
    context: typer.Context,
    run: RunArgument,
    *,
    output: Annotated[str, typer.Option(metavar="DIR", help="Folder for the hours of all runs.")] = "data/results",
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Solve a logged run once more, as a new run.

    It is made from the description in the log, also where its system file
    has changed since. Series and weather files are read as they are now.

    \b
    Examples:
      ecosystemiser runs rerun last
      ecosystemiser runs rerun 01a20690-73d6 --output again
    """
    from ecosystemiser.services.run_history import RunHistory

    stop = settings_of(context).stop
    with log_of(context, db) as log:
        history = RunHistory(log)
        old = history.resolve(run)
        with working(f"Solving {old} again"), stop.asking():
            result = history.rerun(old, output_directory=output, should_stop=stop.is_asked)
        row = log.get_simulation_run(result.run_id) or {}
    if style is Format.TABLE:
        from ecosystemiser.cli.run_report import run_report

        typer.echo(run_report(row, terminal_width()))
        typer.echo(f"\nNext: ecosystemiser runs diff {old} {result.run_id}")
    else:
        typer.echo(as_json(row) if style is Format.JSON else as_csv([row], list(row)))
    if not result.has_completed:
        raise typer.Exit(_WRONG_REQUEST if row.get("failure_cause") == "data" else _FAILED)


def verify_runs(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help=RUN_WORDS, show_default=False)] = None,
    *,
    study: Annotated[
        str | None, typer.Option(metavar="ID", help="Verify every run of this study instead.", show_default=False)
    ] = None,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Solve logged runs again in memory, and tell whether they are the same.

    Nothing is logged. Exits with 1 where a run is not sound.

    \b
    Verdicts:
      same                   rule_based bit by bit; others to a millionth
      another optimum        as cheap, by another plan
      drift                  the same inputs give another result
      inputs changed         a file that it read is missing or different
      cannot be recomputed   the log says too little, or it did not end
    The hours on the disk are compared with the hash in the log.

    \b
    Examples:
      ecosystemiser runs verify last
      ecosystemiser runs verify --study battery-sizing
      ecosystemiser runs verify --study battery-sizing --format json
    """
    if (run is None) is (study is None):
        remedy = "write: ecosystemiser runs verify RUN, or: ecosystemiser runs verify --study ID"
        raise InputError([Finding("name one run, or one study", remedy)])
    from ecosystemiser.services.run_history import RunHistory

    with read_log_of(context, db) as log:
        history = RunHistory(log)
        if run is not None:
            found = [_verified_run(context, history, run, style)]
        else:
            found = _verified_study(context, history, str(study), style)
    if style is not Format.TABLE:
        records = [_record(each) for each in found]
        typer.echo(as_json(records) if style is Format.JSON else as_csv(map(_cells, records), VERIFIED))
    if not all(each.is_sound for each in found):
        raise typer.Exit(_FAILED)


def export_runs(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="File to write; an old one is replaced.")],
    *,
    where: WhereOption = None,
    style: Annotated[
        FileFormat | None, typer.Option("--format", help="Kind of file; else by its ending.", show_default=False)
    ] = None,
    db: DbOption = None,
) -> None:
    """Write the rows of runs into FILE: CSV, Parquet or JSON.

    All columns in full. In CSV no text is a formula to a spreadsheet.

    \b
    Examples:
      ecosystemiser runs export runs.csv
      ecosystemiser runs export sizing.parquet --where "study_id = 'sizing'"
      ecosystemiser runs export good.txt --format json --where "gap < 0.01"
    """
    from ecosystemiser.services.run_history import RowFormat, RunHistory

    with read_log_of(context, db) as log, working(f"Writing {file}"):
        count = RunHistory(log).export(Path(file), None if style is None else RowFormat(style.value), where=where)
    typer.echo(f"{number_of(count, 'run')} written to {file}")


def _verified_run(context: typer.Context, history: RunHistory, word: str, style: Format) -> Verification:
    stop = settings_of(context).stop
    run_id = history.resolve(word)
    with working(f"Solving {run_id} again"), stop.asking():
        found = history.verify(run_id, should_stop=stop.is_asked)
    if style is Format.TABLE:
        from ecosystemiser.cli.history_report import verification_report

        typer.echo(verification_report(found, terminal_width()))
    return found


def _verified_study(context: typer.Context, history: RunHistory, study: str, style: Format) -> list[Verification]:
    """Verify the runs of a study; in a table each is told as soon as it is known."""
    from ecosystemiser.cli.history_report import verdict_line, verdicts_counted

    stop = settings_of(context).stop
    found = []
    with stop.asking():
        for each in history.verify_study(study, should_stop=stop.is_asked):
            found.append(each.verification)
            if style is Format.TABLE:
                typer.echo(verdict_line(each, terminal_width()))
            stop.check()
    if style is Format.TABLE:
        typer.echo(f"\n{verdicts_counted(found)}" if found else f"No run of {study} has come to an end yet.")
    return found


def _record(found: Verification) -> dict[str, Any]:
    """Return a verification as JSON can hold it."""
    record = asdict(found)
    record["files"] = [{**change, "path": str(change["path"])} for change in record["files"]]
    return {name: record[name] for name in VERIFIED}


def _cells(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as cells of CSV: names of what differs, as a list."""
    names = {key: " ".join(str(each["name"]) for each in record[key]) for key in ("kpis", "files", "versions")}
    return record | names
