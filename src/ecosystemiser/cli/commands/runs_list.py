"""Find runs in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, read_log_of
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width
from ecosystemiser.cli.text import OWNER_GONE, sign, wrapped
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.kpis import KPI_NAMES

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService, RunPage

__all__ = ["list_runs"]

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

COUNTED_TO = 10_000
ALL = 1 << 40
PARAMETER = "params."

_OPTIONS = {"order_by": "--sort", "status": "--status", "after": "--after"}
"""What the command line calls what the log finds fault with."""


def list_runs(
    context: typer.Context,
    *,
    where: Annotated[
        str | None, typer.Option(metavar="FILTER", help="Only runs that pass; --fields says what it may ask for.")
    ] = None,
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
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Order by a column or params.FIELD, falling with a - before it; else the newest come first.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Show at most N; 0 shows all.")] = 20,
    after: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Go on where a list in the same order said it ended.")
    ] = None,
    counts: Annotated[
        bool, typer.Option("--count", help=f"Print how many runs pass, counting to {COUNTED_TO:,}, and no list.")
    ] = False,
    fields: Annotated[
        bool, typer.Option("--fields", help="Print all that a filter may ask for, and how it is written.")
    ] = False,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """List the runs in the log, the newest first.

    All filters have to pass. CSV and JSON hold all columns in full.

    \b
    Examples:
      ecosystemiser runs list --solver milp --sort cost
      ecosystemiser runs list --where "cost < 20000 and status = 'completed'"
      ecosystemiser runs list --where "params.battery.capacity_kwh >= 40"
      ecosystemiser runs list --sort -params.battery.capacity_kwh
      ecosystemiser runs list --where "tag = 'good'" --count
      ecosystemiser runs list --limit 0 --format csv > runs.csv
    """
    with read_log_of(context, db) as log:
        if fields:
            typer.echo(_filter_help(log))
            return
        named = {"study_id": study, "solver_type": solver, "status": status, "system_id": system}
        bounds = _bounds({"min": least or [], "max": most or []})
        try:
            text = _filter(where, named | bounds)
            if counts:
                typer.echo(_counted(log.count_simulation_runs(text, at_most=COUNTED_TO + 1), style))
                return
            page = _page(log, text, sort, after, limit)
        except InputError as error:
            raise InputError([_in_the_words_of_the_command(found) for found in error.findings]) from None
        _show(log, page, style)


def _filter(where: str | None, filters: dict[str, Any]) -> str | None:
    from ecosystemiser.services.run_filters import filter_text

    return filter_text(where, filters)


def _filter_help(log: DatabaseMetadataService) -> str:
    from ecosystemiser.services.run_filters import filter_help, varied_fields

    told = ", ".join(varied_fields(log)) or "none yet; a study, or run --set, varies some"
    return f"{filter_help()}\n\nVaried by runs in this log:\n{wrapped(told, terminal_width(), '  ')}"


def _counted(number: int, style: Format) -> str:
    is_all = number <= COUNTED_TO
    number = min(number, COUNTED_TO)
    if style is Format.JSON:
        return as_json({"runs": number, "is_all": is_all})
    if style is Format.CSV:
        return as_csv([{"runs": number, "is_all": is_all}], ["runs", "is_all"])
    return f"{number:,}{'' if is_all else '+'}"


def _page(log: DatabaseMetadataService, where: str | None, sort: str | None, after: str | None, limit: int) -> RunPage:
    """Return the page that was asked for; without a limit all that follow, sorted once."""
    return log.page_simulation_runs(where, order_by=_column(sort), after=after, limit=limit or ALL)


def _column(sort: str | None) -> str | None:
    """Return the column to order by under its name in the database."""
    if sort is None:
        return None
    falling, name = sort.startswith("-"), sort.removeprefix("-")
    return f"{'-' if falling else ''}{SHORT_NAMES.get(name, name)}"


def _in_the_words_of_the_command(found: Finding) -> Finding:
    key = _OPTIONS.get(found.key, found.key)
    is_field = key == "--sort" and "." in str(found.value) and found.key == "order_by"
    remedy = f"a varied field is written {PARAMETER}{found.value}" if is_field else found.remedy
    return replace(found, key=key, remedy=remedy)


def _show(log: DatabaseMetadataService, page: RunPage, style: Format) -> None:
    """Print the page; a list for programs is told on the error stream to be cut."""
    rows = page.rows
    if style is Format.TABLE:
        typer.echo(_table(log, rows))
    elif style is Format.JSON:
        typer.echo(as_json(rows))
    else:
        typer.echo(as_csv(rows, list(rows[0]) if rows else HEAD))
    if page.next is not None:
        told = f"Only the first {len(rows):,}: --limit 0 shows all, --count counts them. The next ones:"
        typer.echo(f"{told}\n  --after {page.next}", err=style is not Format.TABLE)


def _table(log: DatabaseMetadataService, rows: list[dict[str, Any]]) -> str:
    if rows:
        from ecosystemiser.cli.run_list import runs_table

        is_running = any(row["simulation_status"] == "running" for row in rows)
        gone = log.runs_of_the_dead() if is_running else set()
        table = runs_table(rows, gone=gone)
        return f"{table}\n{_about_gone(len(gone))}" if gone & {row["run_id"] for row in rows} else table
    known = log.get_statistics()["runs"]
    if known:
        return f"None of the {known:,} runs passes. All of them: ecosystemiser runs list"
    return (
        f"No runs yet in {log.location}.\n"
        "Take the tour:    ecosystemiser demo\n"
        "Solve a system:   ecosystemiser run SYSTEM"
    )


def _about_gone(count: int) -> str:
    whose = "a run whose process has" if count == 1 else f"{count:,} runs whose processes have"
    told = f"{sign(OWNER_GONE)} {OWNER_GONE}: {whose} died. Close as interrupted: ecosystemiser db check"
    return wrapped(told, terminal_width())


def _bounds(asked: dict[str, list[str]]) -> dict[str, float]:
    """Return the filters that `KPI=VALUE` asks for. Raises InputError with all that is wrong."""
    from difflib import get_close_matches

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
