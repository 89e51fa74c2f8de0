"""Solve one system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecosystemiser.cli.oddities import tell_oddities
from ecosystemiser.cli.options import (
    DbOption,
    FormatOption,
    ReuseOption,
    SetOption,
    SystemArgument,
    log_of,
    settings_of,
    working,
)
from ecosystemiser.cli.tables import Format, as_csv, as_json, terminal_width
from ecosystemiser.cli.text import printable
from ecosystemiser.errors import Finding, InputError, StoreError

if TYPE_CHECKING:
    from ecosystemiser.config.simulation_config import SimulationConfig
    from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
    from ecosystemiser.services.simulation_service import SimulationResult

__all__ = ["OPTION_NAMES", "asked", "run"]

OPTION_NAMES = {
    "system": "SYSTEM",
    "solver_type": "--solver",
    "timesteps": "--steps",
    "solver.end": "--end",
    "solver.time_limit_s": "--time-limit",
    "solver.lookahead_h": "--lookahead",
    "solver.commit_h": "--commit",
    "solver.strategy": "--strategy",
    "solver.peak_kw": "--peak",
    "end": "--end",
    "output_directory": "--output",
    "run_id": "--run-id",
}
"""What the command line calls the fields of the configuration."""

STORE_HINT = (
    "The run could not be finished. Other places are chosen with --output and --db.\n"
    "If it could be logged, this shows it: ecosystemiser runs show last"
)

ALL = "all"
"""Each solver in turn."""
COMMIT_H = 24.0
"""What is kept of a window where nobody says."""

_FAILED, _WRONG_REQUEST = 1, 2


def run(
    context: typer.Context,
    system: SystemArgument,
    *,
    solver: Annotated[
        str, typer.Option(metavar="NAME", help="rule_based, rolling_horizon, hybrid, milp, or all: see above.")
    ] = "milp",
    values: SetOption = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Solve the first N steps; by default all.", show_default=False)
    ] = None,
    end: Annotated[
        str, typer.Option(metavar="RULE", help="Storages at the end: shortfall (paid for), cyclic, fixed or free.")
    ] = "shortfall",
    time_limit: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Longest time for the optimiser.", show_default=False)
    ] = None,
    lookahead: Annotated[
        float | None,
        typer.Option(metavar="HOURS", help="What a window of rolling_horizon sees; else 48."),
    ] = None,
    commit: Annotated[
        float | None, typer.Option(metavar="HOURS", help="What is kept of a window; else 24, at most what it sees.")
    ] = None,
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="Whom rule_based serves first, and from what: see above.")
    ] = "self_consumption",
    peak: Annotated[
        float | None,
        typer.Option(metavar="KW", help="What peak_shaving buys at most while storages can help.", show_default=False),
    ] = None,
    output: Annotated[str, typer.Option(metavar="DIR", help="Folder for the hours of all runs.")] = "data/results",
    reuse: ReuseOption = False,
    run_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Name the run so, to know it by.", show_default=False)
    ] = None,
    style: FormatOption = Format.TABLE,
    db: DbOption = None,
) -> None:
    """Solve SYSTEM, log the run and show its KPIs.

    The database gets a row, DIR a folder with every flow of every hour.

    \b
    Solvers:
      rule_based        a plain rule, hour by hour; the fastest
      rolling_horizon   the cheapest plan of 48 hours, again and again
      hybrid            near the cheapest plan of all hours, soon, with its gap
      milp              the cheapest plan of all hours at once
      all               each of them, and what they decide differently

    \b
    Strategies of rule_based:
      self_consumption  own sources, then storages, then what is bought
      time_of_use       storages charge in cheap hours, serve in the others
      peak_shaving      grids up to --peak, then storages
      load_following    units give what is missing, and charge nothing
      cycle_charging    units that run run at full power, and charge

    \b
    Examples:
      ecosystemiser run riverside-community
      ecosystemiser run my-system.yaml --solver rule_based --strategy time_of_use
      ecosystemiser run my-system.yaml --solver rolling_horizon --lookahead 72
      ecosystemiser run my-system.yaml --solver all
      ecosystemiser run my-system.yaml --set battery.capacity_kwh=100
      ecosystemiser run my-system.yaml --steps 168 --format json
      ecosystemiser run my-system.yaml --reuse
    """
    fields: dict[str, Any] = {
        "system": system,
        "solver_type": solver,
        "timesteps": steps,
        "output_directory": output,
        "reuse": reuse,
        "run_id": run_id,
        "solver": {"end": end, "time_limit_s": time_limit, "strategy": strategy, "peak_kw": peak}
        | _hours(lookahead, commit),
    }
    if solver == ALL:
        _run_all(context, fields, values, style, db)
        return
    with working("Starting"):
        config = asked(fields, values)
    row, notes = _solved(context, config, db)
    typer.echo(_shown(row, notes, style))
    if row["simulation_status"] != "completed":
        _tell_failure(row)
        raise typer.Exit(_WRONG_REQUEST if row["failure_cause"] == "data" else _FAILED)


def _run_all(
    context: typer.Context, fields: dict[str, Any], values: list[str] | None, style: Format, db: str | None
) -> None:
    """Solve with each solver, and show what each reached and what it decided differently."""
    from ecosystemiser.config.solver_options import SOLVER_TYPES

    if fields["run_id"] is not None:
        remedy = "leave it out: each solver's run gets an id of its own"
        raise InputError([Finding("names one run", remedy, "--run-id", fields["run_id"])])
    results: dict[str, SimulationResult] = {}
    refused: list[str] = []
    with log_of(context, db) as log:
        for name in SOLVER_TYPES:
            with working("Starting"):
                config = asked(fields | {"solver_type": name}, values)
            try:
                results[name] = _result(context, log, config)
            except InputError as error:
                if name == SOLVER_TYPES[-1] and not results:
                    raise  # what is wrong is not of the solvers
                refused += [f"{name}: {finding.message}; {finding.remedy}" for finding in error.findings]
        rows = [log.get_simulation_run(result.run_id) or {} for result in results.values()]
    tell_oddities(next(iter(results.values())).oddities, config.system)
    if style is not Format.TABLE:
        typer.echo(as_json(rows) if style is Format.JSON else as_csv(rows, list(rows[0])))
    else:
        from ecosystemiser.cli.solver_comparison import comparison, differences
        from ecosystemiser.cli.text import wrapped

        cannot = [wrapped(each, terminal_width()) for each in refused]
        told = [comparison(results, str(rows[0].get("currency") or "")), *differences(results), *cannot]
        ids = " ".join(result.run_id[:13] for result in results.values() if result.has_completed)
        typer.echo("\n".join(told) + (f"\n\nNext: ecosystemiser runs compare {ids}" if len(ids.split()) > 1 else ""))
    if not any(result.has_completed for result in results.values()):
        raise typer.Exit(_FAILED)


def _hours(lookahead: float | None, commit: float | None) -> dict[str, float]:
    """Return the options of windows that were given; a window that is cut short keeps no more than it sees."""
    given = {"lookahead_h": lookahead, "commit_h": commit}
    if commit is None and lookahead is not None and 0 < lookahead < COMMIT_H:
        given["commit_h"] = lookahead
    return {name: hours for name, hours in given.items() if hours is not None}


def asked(fields: dict[str, Any], values: list[str] | None) -> SimulationConfig:
    """Return the configuration of `fields` with the values of `--set`. Raises InputError in the command's words."""
    from ecosystemiser.services.checking import parsed_values, requested

    with _in_the_words_of_the_command():
        return requested(fields | {"parameters": parsed_values(values or ())})


@contextmanager
def _in_the_words_of_the_command() -> Iterator[None]:
    """Let findings about fields of the configuration name the option that sets them."""
    try:
        yield
    except InputError as error:
        named = [replace(found, key=OPTION_NAMES.get(found.key, found.key)) for found in error.findings]
        raise InputError(named) from None


def _solved(context: typer.Context, config: SimulationConfig, db: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Solve and return the run's row, with the solver's notes."""
    with log_of(context, db) as log:
        result = _result(context, log, config)
        row = log.get_simulation_run(result.run_id) or {}
    tell_oddities(result.oddities, config.system)
    notes = () if result.solved is None else (*result.solved.report.notes, *result.solved.notes)
    return row, notes


def _result(context: typer.Context, log: DatabaseMetadataService, config: SimulationConfig) -> SimulationResult:
    from ecosystemiser.services.simulation_service import SimulationService

    stop = settings_of(context).stop
    try:
        with (
            _in_the_words_of_the_command(),
            working(f"Solving {config.system} with {config.solver_type}"),
            stop.asking(),
        ):
            return SimulationService(log).run_simulation(config, should_stop=stop.is_asked)
    except StoreError:
        typer.echo(STORE_HINT, err=True)
        raise


def _shown(row: dict[str, Any], notes: tuple[str, ...], style: Format) -> str:
    if style is Format.JSON:
        return as_json({**row, "notes": list(notes)})
    if style is Format.CSV:
        return as_csv([row], list(row))
    from ecosystemiser.cli.run_report import run_report

    told = [run_report(row, terminal_width()), *(f"Note: {printable(note)}" for note in notes)]
    return "\n\n".join([*told, f"Next: ecosystemiser runs show {row['run_id']}"])


def _tell_failure(row: dict[str, Any]) -> None:
    """Say on the error stream what failed, for whoever reads only that."""
    from ecosystemiser.cli.run_report import REMEDIES, error_of

    cause = str(row["failure_cause"])
    typer.echo(f"ecosystemiser: failed ({cause}): {printable(error_of(row))}. {REMEDIES.get(cause, '')}", err=True)
