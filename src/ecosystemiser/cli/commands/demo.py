"""The tour: the packaged year with every solver, and a small study of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.options import DbOption, log_of, settings_of, working
from ecosystemiser.cli.run_list import runs_table, short_ids
from ecosystemiser.cli.solver_comparison import comparison
from ecosystemiser.cli.tables import terminal_width
from ecosystemiser.cli.text import NOTHING, duration, wrapped

if TYPE_CHECKING:
    from ecosystemiser.cli.signals import Stop
    from ecosystemiser.config.study_config import ValueRange
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.simulation_service import SimulationResult
    from ecosystemiser.services.study_service import StudyResult

__all__ = ["demo"]

LISTED = 5
STUDY_SOLVER = "hybrid"
VARIED: dict[str, list[Any] | ValueRange] = {
    "battery.capacity_kwh": [0, 40, 80, 160],
    "roof_pv.capacity_kw": [30, 60, 90],
}
"""What the study of the tour varies: 12 points."""


def demo(
    context: typer.Context,
    *,
    output: Annotated[str, typer.Option(metavar="DIR", help="Folder for the hours of all runs.")] = "data/results",
    db: DbOption = None,
) -> None:
    """Take the tour: a packaged year, solved with every solver, and a study.

    Ten houses and all their energy and water, 8,760 hours; then 12 sizes of
    battery and PV. The runs are logged as any other.

    \b
    Examples:
      ecosystemiser demo
      ecosystemiser demo --db tour.sqlite --output tour
    """
    from ecosystemiser.config.simulation_config import DEFAULT_SYSTEM
    from ecosystemiser.config.solver_options import SOLVER_TYPES
    from ecosystemiser.services.checking import explain, requested

    width = terminal_width()
    with log_of(context, db) as log:
        told = explain(requested({"system": DEFAULT_SYSTEM}))
        typer.echo(wrapped(f"{told.system_id}: {told.description}.", width))
        solvers = f"{', '.join(SOLVER_TYPES[:-1])} and {SOLVER_TYPES[-1]}"
        typer.echo(f"{wrapped(f'{told.steps:,} hours from {told.start} on, solved with {solvers}.', width)}\n")
        if told.composed_year:
            typer.echo(f"{wrapped(told.composed_year, width)}\n")
        stop = settings_of(context).stop
        results: dict[str, SimulationResult] = {s: _result(log, s, output, stop) for s in SOLVER_TYPES}
        typer.echo(f"{comparison(results, told.currency)}\n")
        study = _study(log, output, stop)
        typer.echo(f"{_answer(log, study, width)}\n")
        rows = log.query_simulation_runs(system_id=told.system_id, order_by="total_cost", limit=LISTED)
        typer.echo(f"The cheapest runs in {log.db_path}:\n{runs_table(rows)}\n")
    typer.echo(_further([result.run_id for result in results.values()], told.system_id, study.study_id))
    if not all(result.has_completed for result in results.values()) or len(study.completed) < len(study.runs):
        raise typer.Exit(1)


def _result(log: DatabaseMetadataService, solver: str, output: str, stop: Stop) -> SimulationResult:
    from ecosystemiser.services.checking import requested
    from ecosystemiser.services.simulation_service import SimulationService

    config = requested({"solver_type": solver, "output_directory": output})
    with working(f"Solving the year with {solver}"), stop.asking():
        return SimulationService(log).run_simulation(config, should_stop=stop.is_asked)


def _study(log: DatabaseMetadataService, output: str, stop: Stop) -> StudyResult:
    """Run the small study of the tour, under a name that is new."""
    from ecosystemiser.cli.commands.study_run import made
    from ecosystemiser.cli.study_watch import Watcher
    from ecosystemiser.config.study_config import StudyConfig
    from ecosystemiser.services.checking import requested

    base = requested({"solver_type": STUDY_SOLVER, "output_directory": output})
    name = next(name for name in _names() if log.get_study_summary(name)["study"] is None)
    config = StudyConfig(study_id=name, base_config=base, parameters=VARIED, output_directory=base.output_directory)
    return made(log, config, Watcher(stop))


def _names() -> Iterator[str]:
    yield "demo"
    yield from (f"demo-{number}" for number in count(2))


def _answer(log: DatabaseMetadataService, study: StudyResult, width: int) -> str:
    """Return what the study found: the costs as a map, and the cheapest."""
    from ecosystemiser.cli.study_points import MAPPED, read_points
    from ecosystemiser.cli.study_report import best_line, cost_map, failures_by_cause

    points = read_points(log, study.study_id, {"parameters": VARIED}, first=MAPPED)
    seconds = duration(study.wall_seconds)
    head = f"Study {study.study_id}: {len(study.runs)} variations of the year with {STUDY_SOLVER}, in {seconds}."
    parts = (head, cost_map(points, width), best_line(points, width), failures_by_cause(points, width))
    return "\n".join(part for part in parts if part)


def _further(run_ids: list[str], system: str, study: str) -> str:
    commands = [
        ("ecosystemiser explore", "all runs and studies, in a browser"),
        (f"ecosystemiser runs show {short_ids(run_ids)[-1] if run_ids else NOTHING}", "all of one run"),
        (f"ecosystemiser study show {study}", "all points of the study"),
        (f"ecosystemiser runs list --study {study} --sort cost", "its runs, the cheapest first"),
        ('ecosystemiser runs list --where "params.battery.capacity_kwh >= 80"', "the runs with a large battery"),
        (f"ecosystemiser check {system}", "what the system consists of"),
        (f"ecosystemiser run {system} --set battery.capacity_kwh=160", "another battery"),
    ]
    return "Look further:\n" + "\n".join(f"  {command}\n      {what}" for command, what in commands)
