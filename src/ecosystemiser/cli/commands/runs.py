"""Look at the log of all runs."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, log_of
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.kpis import KPI_NAMES

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["list_runs", "show_run"]

SHORT_NAMES = {
    "cost": "total_cost",
    "co2": "total_co2",
    "gap": "mip_gap",
    "self-suff.": "self_sufficiency_rate",
    "steps": "timesteps",
    "when": "timestamp",
    "run": "run_id",
    "study": "study_id",
    "system": "system_id",
    "solver": "solver_type",
    "status": "simulation_status",
}
"""What the table calls the columns of the database."""

HEAD = ("run_id", "study_id", "system_id", "timesteps", "timestamp", "solver_type", "simulation_status", *KPI_NAMES)
"""The head of a CSV without rows."""

NUMBERS = (*KPI_NAMES, "timesteps", "mip_gap", "solve_seconds", "wall_seconds")
"""What --min and --max may name."""


def list_runs(
    context: typer.Context,
    *,
    study: Annotated[str | None, typer.Option(metavar="ID", help="Only runs of this study.")] = None,
    solver: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this solver.")] = None,
    status: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="Only running, completed, failed, cancelled or interrupted."),
    ] = None,
    system: Annotated[str | None, typer.Option(metavar="ID", help="Only runs of this system.")] = None,
    least: Annotated[
        list[str] | None, typer.Option("--min", metavar="KPI=VALUE", help="At least so much; may be repeated.")
    ] = None,
    most: Annotated[
        list[str] | None, typer.Option("--max", metavar="KPI=VALUE", help="At most so much; may be repeated.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Order by it, falling with a - before; else newest first.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Show at most N; 0 shows all.")] = 20,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """List the runs in the log, the newest first.

    Filters add up. CSV and JSON hold all columns in full.

    \b
    Examples:
      ecosystemiser runs list --solver milp --sort cost
      ecosystemiser runs list --min self_sufficiency_rate=0.5 --max cost=20000
      ecosystemiser runs list --status failed
      ecosystemiser runs list --limit 0 --format csv > runs.csv
    """
    filters: dict[str, Any] = {"study_id": study, "solver_type": solver, "status": status, "system_id": system}
    filters |= _bounds({"min": least or [], "max": most or []})
    with log_of(context, db) as log:
        rows = _queried(log, filters, sort, limit + 1 if limit else None)
        is_cut = 0 < limit < len(rows)
        rows = rows[:limit] if limit else rows
        if style is Format.TABLE:
            typer.echo(_table(rows, log, is_cut=is_cut))
        elif style is Format.JSON:
            typer.echo(as_json(rows))
        else:
            typer.echo(as_csv(rows, list(rows[0]) if rows else HEAD))


def show_run(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, its beginning, or `last`.", show_default=False)],
    *,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Show everything that the log holds of a run.

    \b
    Examples:
      ecosystemiser runs show last
      ecosystemiser runs show 01a20690-73d6
      ecosystemiser runs show last --format json
    """
    with log_of(context, db) as log:
        row = _found(log, run)
    if style is Format.JSON:
        typer.echo(as_json(row))
    elif style is Format.CSV:
        typer.echo(as_csv([row], list(row)))
    else:
        from ecosystemiser.cli.run_report import run_report

        typer.echo(run_report(row, terminal_width()))


def _table(rows: list[dict[str, Any]], log: DatabaseMetadataService, *, is_cut: bool) -> str:
    if rows:
        from ecosystemiser.cli.run_list import runs_table

        more = f"\nOnly the first {len(rows)}: --limit 0 shows all." if is_cut else ""
        return f"{runs_table(rows)}{more}"
    known = log.get_statistics()["runs"]
    if known:
        return f"None of the {known:,} runs passes. All of them: ecosystemiser runs list"
    return (
        f"No runs yet in {log.db_path}.\n"
        "Take the tour:    ecosystemiser demo\n"
        "Solve a system:   ecosystemiser run SYSTEM"
    )


def _column(sort: str | None) -> str | None:
    """Return the column to order by under its name in the database."""
    if sort is None:
        return None
    falling, name = sort.startswith("-"), sort.removeprefix("-")
    return f"{'-' if falling else ''}{SHORT_NAMES.get(name, name)}"


def _queried(
    log: DatabaseMetadataService, filters: dict[str, Any], sort: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """Return the rows. Raises InputError in the command's words."""
    try:
        return log.query_simulation_runs(**filters, order_by=_column(sort), limit=limit)
    except InputError as error:
        named = {"order_by": "--sort", "status": "--status"}
        raise InputError([replace(found, key=named.get(found.key, found.key)) for found in error.findings]) from None


def _bounds(asked: dict[str, list[str]]) -> dict[str, float]:
    """Return the filters that `KPI=VALUE` asks for. Raises InputError with all that is wrong."""
    bounds: dict[str, float] = {}
    findings: list[Finding] = []
    for end, text in ((end, text) for end, texts in asked.items() for text in texts):
        given, _, value = (part.strip() for part in text.partition("="))
        name = SHORT_NAMES.get(given, given)
        if name not in NUMBERS:
            near = get_close_matches(given, [*NUMBERS, "cost", "co2", "gap"], 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(NUMBERS)}"
            findings.append(Finding("is no KPI", remedy, f"--{end}", given))
            continue
        try:
            bounds[f"{end}_{name}"] = float(value)
        except ValueError:
            findings.append(Finding("holds no number", f"write {given}=VALUE, as {given}=0.5", f"--{end}", text))
    if findings:
        raise InputError(findings)
    return bounds


def _found(log: DatabaseMetadataService, text: str) -> dict[str, Any]:
    """Return the row of the run that `text` names. Raises InputError where none, or more than one, is meant."""
    if text == "last":
        newest = log.query_simulation_runs(limit=1)
        if newest:
            return newest[0]
        remedy = "make one: ecosystemiser demo, or ecosystemiser run SYSTEM"
        raise InputError([Finding(f"there are no runs in {log.db_path} yet", remedy, "RUN")])
    row = log.get_simulation_run(text)
    if row is not None:
        return row
    beginning = _beginning_with(log, text)
    if len(beginning) == 1:
        return beginning[0]
    if not beginning:
        remedy = "see which there are: ecosystemiser runs list"
        raise InputError([Finding(f"is no run in {log.db_path}", remedy, "RUN", text)])
    ids = ", ".join(each["run_id"] for each in beginning[:MOST_NAMED])
    more = ", …" if len(beginning) > MOST_NAMED else ""
    raise InputError([Finding("is the beginning of several runs", f"say which: {ids}{more}", "RUN", text)])


MOST_NAMED = 5


def _beginning_with(log: DatabaseMetadataService, prefix: str) -> list[dict[str, Any]]:
    """Return some of the runs whose ids begin with `prefix`: halve the ordered ids until its place is found."""
    first, beyond = 0, int(log.get_statistics()["runs"])
    while first < beyond:
        middle = (first + beyond) // 2
        rows = log.query_simulation_runs(order_by="run_id", limit=1, offset=middle)
        if rows and rows[0]["run_id"] < prefix:
            first = middle + 1
        else:
            beyond = middle
    rows = log.query_simulation_runs(order_by="run_id", limit=MOST_NAMED + 1, offset=first)
    return [row for row in rows if row["run_id"].startswith(prefix)]
