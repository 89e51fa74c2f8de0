"""Run a study file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.oddities import tell_oddities
from ecosystemiser.cli.options import (
    DbOption,
    EventFormat,
    EventsOption,
    ExecutorChoice,
    ExecutorOption,
    FormatOption,
    ReuseOption,
    SchedulerOption,
    WorkersOption,
    YesOption,
    log_of,
    settings_of,
    working,
)
from ecosystemiser.cli.study_watch import Watcher, watched
from ecosystemiser.cli.tables import Format, terminal_width
from ecosystemiser.cli.text import duration
from ecosystemiser.errors import Finding, InputError

if TYPE_CHECKING:
    from ecosystemiser.config.study_config import StudyConfig
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.study_service import Agree, StudyResult, StudyService

__all__ = ["made", "resume_study", "run_study"]


def run_study(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A study file.", show_default=False)],
    *,
    around: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Vary the system of this run, with the fields that it set: a run id, its beginning, or last.",
        ),
    ] = None,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    scheduler: SchedulerOption = None,
    timeseries: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="Whose hours are kept: of all runs, of the best ten, or of none."),
    ] = None,
    reuse: ReuseOption = False,
    study_id: Annotated[str | None, typer.Option(metavar="ID", help="Name it so, to run a file once more.")] = None,
    yes: YesOption = False,
    events: EventsOption = None,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Run all points of the study in FILE, log each, and show the best.

    A run that fails stops no other. Ctrl-C keeps what was done: study
    resume goes on. Exits with 0 if all runs completed, with 1 if one failed.
    The first runs tell how long all will take: if more than 10 minutes or
    5 GB, it asks whether to go on, or ends with 2 where nobody can answer.

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
    Also: timesteps, solver: {end: cyclic}, workers, timeseries, executor,
    scheduler, around.

    \b
    Examples:
      ecosystemiser study run sizing.yaml
      ecosystemiser study run sizing.yaml --study-id sizing-2 --workers 2
      ecosystemiser study run sizing.yaml --timeseries none --format json
      ecosystemiser study run sizing.yaml --reuse
      ecosystemiser study run risk.yaml --around last
      ecosystemiser study run sizing.yaml --executor dask
      ecosystemiser study run sizing.yaml --yes --events json > events.jsonl
    """
    watcher = _watcher(context, style, events, yes=yes)
    said = {"timeseries": timeseries, "study_id": study_id, "around": around}
    settings = _work(workers, executor, scheduler) | {name: each for name, each in said.items() if each is not None}
    with log_of(context, db) as log:
        with working(f"Reading {file}"):
            config = _read(file, settings, log)
        if reuse:
            base = config.base_config.model_copy(update={"reuse": True})
            config = config.model_copy(update={"base_config": base})
        _tell_oddities(config)
        result = made(log, config, watcher)
        _tell(log, result, style, watcher)


def _tell_oddities(config: StudyConfig) -> None:
    """Say what is odd about the system of a study, once for all its runs."""
    from ecosystemiser.services.checking import oddities_of_config

    if config.around is None:
        with suppress(InputError):  # wrong as it stands: its variations may set it right, and say so if not
            tell_oddities(oddities_of_config(config.base_config), config.base_config.system)


def resume_study(
    context: typer.Context,
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study's id, or last.", show_default=False)],
    *,
    workers: WorkersOption = None,
    executor: ExecutorOption = None,
    scheduler: SchedulerOption = None,
    yes: YesOption = False,
    events: EventsOption = None,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Go on with a study that was stopped or died: solve what is missing.

    Points that completed or failed keep their runs. The system file has to
    be as it was; who works on it may change. Asks and exits as study run
    does.

    \b
    Examples:
      ecosystemiser study resume battery-sizing
      ecosystemiser study resume last
      ecosystemiser study resume last --executor dask --yes
    """
    from ecosystemiser.services.run_words import study_named

    watcher = _watcher(context, style, events, yes=yes)
    said = _work(workers, executor, scheduler)
    with log_of(context, db) as log:
        study_id = study_named(log, study)["study_id"]

        def work(service: StudyService, agree: Agree | None) -> StudyResult:
            return service.resume_study(study_id, work=said, should_stop=watcher.stop.is_asked, agree=agree)

        _tell(log, watched(log, study_id, watcher, work), style, watcher)


def made(log: DatabaseMetadataService, config: StudyConfig, watcher: Watcher) -> StudyResult:
    """Run a study, telling how far it is; where it is stopped, tell what is kept."""

    def work(service: StudyService, agree: Agree | None) -> StudyResult:
        return service.run_study(config, should_stop=watcher.stop.is_asked, agree=agree)

    return watched(log, config.study_id, watcher, work)


def _watcher(context: typer.Context, style: Format, events: EventFormat | None, *, yes: bool) -> Watcher:
    """Return who watches. Raises InputError where two things are to be printed on one stream."""
    if events is not None and style is not Format.TABLE:
        remedy = "leave one out; study show prints the answer afterwards: ecosystemiser study show ID --format json"
        raise InputError([Finding("cannot be printed together with --format", remedy, "--events", events.value)])
    return Watcher(settings_of(context).stop, is_agreed=yes, wants_events=events is not None)


def _work(workers: int | None, executor: ExecutorChoice | None, scheduler: str | None) -> dict[str, Any]:
    """Return what was said of who works on a study, by the fields of its configuration."""
    said = {"workers": workers, "executor": None if executor is None else executor.value, "scheduler": scheduler}
    return {name: value for name, value in said.items() if value is not None}


def _tell(log: DatabaseMetadataService, result: StudyResult, style: Format, watcher: Watcher) -> None:
    """Print what a study found; exit with 1 where not all of its runs completed."""
    if style is Format.TABLE:
        typer.echo(_page(log, result, terminal_width()), err=watcher.wants_events)
    else:
        from ecosystemiser.cli.commands.studies import print_study

        print_study(log, result.study_id, style)
    if result.by_status().get("completed", 0) < len(result.runs):
        raise typer.Exit(1)


def _read(file: str, settings: dict[str, Any], log: DatabaseMetadataService) -> StudyConfig:
    from ecosystemiser.services.study_file import read_study

    try:
        return read_study(file, settings, log)
    except InputError as error:
        options = [replace(found, key="") if (found.file or "").startswith("--") else found for found in error.findings]
        raise InputError(options) from None


def _page(log: DatabaseMetadataService, result: StudyResult, width: int) -> str:
    from ecosystemiser.cli import study_report as report
    from ecosystemiser.cli.commands.studies import settings_of_study
    from ecosystemiser.cli.study_answer import answer_parts
    from ecosystemiser.cli.study_points import read_points

    study = log.get_study_summary(result.study_id)["study"] or {"study_id": result.study_id, "status": "completed"}
    points = read_points(log, result.study_id, settings_of_study(study))
    best = points.best
    listed = "All" if len(best) == points.number else f"The best {len(best)} of all {points.number:,}"
    next_commands = [f"ecosystemiser study show {result.study_id}"]
    next_commands += [f"ecosystemiser runs show {points.ids[best[0]['run_id']]}"] if best else []
    next_commands.append(f"ecosystemiser runs list --study {result.study_id} --sort cost")
    answer = answer_parts(log, study, width)
    table = f"{listed} points, the cheapest first\n{report.points_table(points, best, width)}" if best else ""
    ended = f"{_how_it_ended(result)}{report.taken_over(points)}"
    parts = [
        ended if answer else f"{report.best_line(points, width)}\n{ended}",
        *(answer or [table]),
        report.failures_by_cause(points, width),
        "\n".join([f"{'Next:':<6}{next_commands[0]}", *(f"{'':<6}{command}" for command in next_commands[1:])]),
    ]
    return "\n\n".join(part for part in parts if part)


def _how_it_ended(result: StudyResult) -> str:
    from ecosystemiser.cli.study_report import statuses

    rate = len(result.runs) / result.wall_seconds if result.wall_seconds else 0.0
    speed = f", {rate:,.1f} a second" if rate >= 0.05 else ""
    return f"Study {result.study_id}: {statuses(result.by_status())} in {duration(result.wall_seconds)}{speed}."
