"""Run a study file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import DbOption, FormatOption, log_of, settings_of, working
from ecosystemiser.cli.tables import Format, terminal_width
from ecosystemiser.cli.text import duration
from ecosystemiser.errors import InputError, StoreError

if TYPE_CHECKING:
    from ecosystemiser.cli.signals import Stop
    from ecosystemiser.config.study_config import StudyConfig
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.study_service import StudyResult

__all__ = ["made", "run_study"]

BEST_LISTED = 10


def run_study(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A study file.", show_default=False)],
    *,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes that solve at the same time; else one a core.")
    ] = None,
    timeseries: Annotated[
        str | None, typer.Option(metavar="WORD", help="all keeps the hours of each run, none its totals only.")
    ] = None,
    study_id: Annotated[str | None, typer.Option(metavar="ID", help="Name it so, to run a file once more.")] = None,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Run all points of the study in FILE, log each, and show the best.

    A run that fails stops no other. Ctrl-C keeps what was done. Exits with
    0 if all runs completed, with 1 if one failed.

    \b
    A study file:
      study_id: battery-sizing
      study_type: parametric
      system: riverside-community     a packaged system, or a file beside it
      solver_type: hybrid
      parameters:
        battery.capacity_kwh: [0, 40, 80, 160]
        roof_pv.capacity_kw: {from: 20, to: 100, count: 5}
      combine: grid                   or zipped: first values, second ones
    Also: timesteps, solver: {end: cyclic}, workers, timeseries.

    \b
    Examples:
      ecosystemiser study run sizing.yaml
      ecosystemiser study run sizing.yaml --study-id sizing-2 --workers 2
      ecosystemiser study run sizing.yaml --timeseries none --format json
    """
    settings = {"workers": workers, "timeseries": timeseries, "study_id": study_id}
    with working(f"Reading {file}"):
        config = _read(file, {name: value for name, value in settings.items() if value is not None})
    with log_of(context, db) as log:
        result = made(log, config, settings_of(context).stop)
        if style is Format.TABLE:
            typer.echo(_page(log, result, terminal_width()))
        else:
            from ecosystemiser.cli.commands.studies import print_study

            print_study(log, result.study_id, style)
    if len(result.completed) < len(result.runs):
        raise typer.Exit(1)


def made(log: DatabaseMetadataService, config: StudyConfig, stop: Stop) -> StudyResult:
    """Run a study, telling how far it is; where it is stopped, tell what is kept."""
    from ecosystemiser.cli.study_progress import told_progress
    from ecosystemiser.services.study_service import EventBus, StudyService

    bus = EventBus()
    try:
        with told_progress(bus, config.study_id, stop.is_asked), stop.asking():
            return StudyService(log, bus=bus).run_study(config, should_stop=stop.is_asked)
    except KeyboardInterrupt:
        with suppress(StoreError):
            _tell_what_is_kept(log, config)
        raise
    except InputError as error:
        raise InputError([_named(found) for found in error.findings]) from None


def _read(file: str, settings: dict[str, Any]) -> StudyConfig:
    from ecosystemiser.services.study_file import read_study

    try:
        return read_study(file, settings)
    except InputError as error:
        options = [replace(found, key="") if (found.file or "").startswith("--") else found for found in error.findings]
        raise InputError(options) from None


def _named(found: Any) -> Any:
    """Let a study that is completed already be told with the option that helps."""
    if found.key != "study_id" or found.file is not None:
        return found
    return replace(found, remedy="give it another name: --study-id NAME")


def _tell_what_is_kept(log: DatabaseMetadataService, config: StudyConfig) -> None:
    counts = log.get_study_summary(config.study_id)["by_status"]
    if not counts:
        return
    from ecosystemiser.cli.study_report import statuses

    typer.echo(
        f"The study was stopped: {statuses(counts)}, the other points not begun. What was done is kept.\n"
        f"See it: ecosystemiser study show {config.study_id}",
        err=True,
    )


def _page(log: DatabaseMetadataService, result: StudyResult, width: int) -> str:
    from ecosystemiser.cli import study_report as report
    from ecosystemiser.cli.commands.studies import settings_of_study

    study = log.get_study_summary(result.study_id)["study"] or {"study_id": result.study_id, "status": "completed"}
    own = {run.run_id for run in result.runs}
    rows = [row for row in log.query_study_runs(result.study_id) if row["run_id"] in own]
    points = report.points_of(settings_of_study(study), rows)
    best = points.completed[:BEST_LISTED]
    listed = "All" if len(best) == len(points.rows) else f"The best {len(best)} of all {len(points.rows):,}"
    next_commands = [f"ecosystemiser study show {result.study_id}"]
    next_commands += [f"ecosystemiser runs show {points.ids[best[0]['run_id']]}"] if best else []
    next_commands.append(f"ecosystemiser runs list --study {result.study_id} --sort cost")
    parts = [
        f"{report.best_line(points, width)}\n{_how_it_ended(result)}",
        f"{listed} points, the cheapest first\n{report.points_table(points, best, width)}" if best else "",
        report.failures_by_cause(points, width),
        "\n".join([f"{'Next:':<6}{next_commands[0]}", *(f"{'':<6}{command}" for command in next_commands[1:])]),
    ]
    return "\n\n".join(part for part in parts if part)


def _how_it_ended(result: StudyResult) -> str:
    from ecosystemiser.cli.study_report import statuses

    rate = len(result.runs) / result.wall_seconds if result.wall_seconds else 0.0
    speed = f", {rate:,.1f} a second" if rate >= 0.05 else ""
    return f"Study {result.study_id}: {statuses(result.by_status())} in {duration(result.wall_seconds)}{speed}."
