"""Look at the studies in the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, read_log_of
from ecosystemiser.cli.tables import Column, Format, as_csv, as_json, as_table, terminal_width
from ecosystemiser.cli.text import NOTHING, local_time, printable, sign, significant
from ecosystemiser.kpis import KPI_NAMES

if TYPE_CHECKING:
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["list_studies", "print_study", "settings_of_study", "show_study"]

STATUSES = ("running", "completed", "failed", "cancelled", "interrupted")
LISTED = (
    *("study_id", "study_type", "system_id", "status", "points", "runs", *STATUSES),
    *("best_total_cost", "currency", "best_run_id", "timestamp", "finished_at", "message"),
)
"""What CSV and JSON hold of each study."""


def list_studies(
    context: typer.Context,
    *,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Show at most N; 0 shows all.")] = 20,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """List the studies in the log, the newest first.

    \b
    Examples:
      ecosystemiser study list
      ecosystemiser study list --limit 0 --format csv > studies.csv
    """
    with read_log_of(context, db) as log:
        studies = log.query_studies()
        shown = [_summarised(log, study) for study in (studies[:limit] if limit else studies)]
        gone = _gone(log, [study["study_id"] for study in shown if study["status"] == "running"])
        place = log.location
    if style is Format.JSON:
        typer.echo(as_json(shown))
    elif style is Format.CSV:
        typer.echo(as_csv(shown, LISTED))
    elif not shown:
        typer.echo(
            f"No studies yet in {place}.\n"
            "Take the tour:  ecosystemiser demo\n"
            "Run a study:    ecosystemiser study run FILE"
        )
    else:
        more = f"\nOnly the first {len(shown)}: --limit 0 shows all." if len(shown) < len(studies) else ""
        typer.echo(f"{_table(shown, gone)}{more}")


def show_study(
    context: typer.Context,
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study's id, or `last`.", show_default=False)],
    *,
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="List at most N points; 0 lists all.")] = 50,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Show a study: its best point, its settings, all its points.

    CSV has one line a run, with a column for each field that varies.

    \b
    Examples:
      ecosystemiser study show last
      ecosystemiser study show battery-sizing --limit 0
      ecosystemiser study show battery-sizing --format csv > points.csv
    """
    with read_log_of(context, db) as log:
        from ecosystemiser.services.run_words import study_named

        found = study_named(log, study)
        if style is Format.TABLE:
            typer.echo(_page(log, found, limit))
        else:
            print_study(log, found["study_id"], style)


def settings_of_study(study: dict[str, Any]) -> dict[str, Any]:
    """Return what a study was asked to do; empty where its row does not say."""
    try:
        settings = json.loads(study.get("settings_json") or "{}")
    except ValueError:
        return {}
    return settings if isinstance(settings, dict) else {}


def print_study(log: DatabaseMetadataService, study_id: str, style: Format) -> None:
    """Print everything that the log holds of a study, for programs."""
    from ecosystemiser.cli.run_list import parameters_of
    from ecosystemiser.cli.study_points import mapping_in

    summary = log.get_study_summary(study_id)
    study = summary.pop("study") or {"study_id": study_id}
    rows = log.query_study_runs(study_id)
    settings = settings_of_study(study)
    if style is Format.JSON:
        plain = {key: value for key, value in study.items() if key != "settings_json"}
        points = [
            {"point": row["point"], "parameters": parameters_of(row)}
            | {key: value for key, value in row.items() if key not in ("point", "parameters_json")}
            for row in rows
        ]
        typer.echo(as_json({**plain, **summary, "settings": settings, "points": points}))
        return
    varied = list(mapping_in(settings, "parameters"))
    names = list(rows[0]) if rows else ["point", "run_id", "simulation_status", *KPI_NAMES]
    kept = [name for name in names if name not in ("point", "parameters_json")]
    typer.echo(as_csv(({**row, **_cells(parameters_of(row))} for row in rows), ["point", *varied, *kept]))


def _cells(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as cells: lists and mappings as JSON."""
    return {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in values.items()}


def _gone(log: DatabaseMetadataService, running: list[str]) -> dict[str, frozenset[str]]:
    """Return those of the running studies whose process has died, each with the runs that it left running."""
    died = log.studies_of_the_dead() & set(running) if running else set()
    dead = log.runs_of_the_dead() if died else set()
    return {
        study_id: frozenset(row["run_id"] for row in log.query_simulation_runs(study_id, status="running")) & dead
        for study_id in died
    }


def _summarised(log: DatabaseMetadataService, study: dict[str, Any]) -> dict[str, Any]:
    """Return what the list says of a study."""
    from ecosystemiser.cli.run_list import currency_of

    best = log.get_simulation_run(study["best_run_id"]) if study["best_run_id"] is not None else None
    counts = {status: study["by_status"].get(status, 0) for status in STATUSES}
    told = {**study, **counts, "currency": None if best is None else currency_of(best)}
    return {name: told.get(name) for name in LISTED}


def _table(studies: list[dict[str, Any]], gone: dict[str, frozenset[str]]) -> str:
    from ecosystemiser.cli.study_report import study_status

    currencies = {study["currency"] for study in studies if study["best_total_cost"] is not None}
    shared = currencies.pop() if len(currencies) == 1 else None
    statuses = [study_status(study, gone.get(study["study_id"])) for study in studies]
    words = [] if {"completed"} >= set(statuses) else [Column("status", statuses, drop=2)]
    columns = [
        Column("", [sign(status) for status in statuses]),
        Column("study", [study["study_id"] for study in studies], least=20),
        *words,
        Column("kind", [study["study_type"] or NOTHING for study in studies], drop=4),
        Column("system", [study["system_id"] or NOTHING for study in studies], least=12, drop=1),
        Column("points", [_count(study["points"]) for study in studies], is_number=True, drop=5),
        Column("done", [_count(study["completed"]) for study in studies], is_number=True),
        Column("failed", [_count(study["failed"]) for study in studies], is_number=True),
        Column(
            f"best [{shared}]" if shared else "best cost",
            [_cost(study, None if shared else study["currency"]) for study in studies],
            is_number=True,
        ),
        Column("when", [local_time(study["timestamp"], is_short=True) for study in studies], drop=3),
    ]
    return as_table(columns)


def _count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def _cost(study: dict[str, Any], currency: str | None) -> str:
    cost = study["best_total_cost"]
    return NOTHING if cost is None else f"{significant(cost)} {printable(currency or '')}".strip()


def _page(log: DatabaseMetadataService, study: dict[str, Any], limit: int) -> str:
    from ecosystemiser.cli import study_report as report
    from ecosystemiser.cli.study_answer import answer_parts
    from ecosystemiser.cli.study_points import MAPPED, read_points
    from ecosystemiser.cli.tables import as_pairs

    width = terminal_width()
    study_id = study["study_id"]
    summary, settings = log.get_study_summary(study_id), settings_of_study(study)
    gone = _gone(log, [study_id] if study["status"] == "running" else []).get(study_id)
    points = read_points(log, study_id, settings, first=max(MAPPED, limit) if limit else None, gone=gone or ())
    answer = answer_parts(log, study, width)
    shown = points.rows[:limit] if limit else points.rows
    more = f"\nOnly the first {len(shown)} of {points.number:,}: --limit 0 lists all."
    parts = [
        report.heading(study, summary["runs"], gone) + ("" if answer else f"\n{report.best_line(points, width)}"),
        *answer,
        report.how_to_go_on(study, gone, width),
        f"Settings\n{as_pairs(report.settings_pairs(study, settings))}",
        report.cost_map(points, width),
        f"Points\n{report.points_table(points, shown, width)}" if shown else "",
        report.failures_by_cause(points, width),
    ]
    page = "\n\n".join(part for part in parts if part)
    counts = f"{report.counted(summary['by_status'], len(gone or ()))}{report.taken_over(points)}"
    return f"{page}{more if len(shown) < points.number else ''}\n\n{counts}"
