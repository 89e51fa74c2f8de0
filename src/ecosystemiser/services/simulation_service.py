"""The one place where anything is solved: every solve stands in the log before it starts and after it ends."""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from ecosystemiser.analyser.audit import Audit, audit
from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import FailureCause, Finding, InputError, SolveError, StoreError
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.model.system import System
from ecosystemiser.reader import Document, parse_yaml, read_yaml
from ecosystemiser.results import SolvedSystem
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.solver.door import Prepared, prepare
from ecosystemiser.store.files import write_durably
from ecosystemiser.store.hourly import write_hourly
from ecosystemiser.store.identifiers import new_run_id, results_folder
from ecosystemiser.store.states import RunStatus

__all__ = ["SimulationResult", "SimulationService", "load", "packaged_systems", "read_document", "simulate"]

KEPT_PREPARED = 2
"""Prepared problems that a service keeps, so that variations of a system are solved warm."""


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """How a run ended: what stands in its row, and the solved system where there is one."""

    run_id: str
    status: RunStatus
    kpis: dict[str, float | None] = field(default_factory=dict)
    solved: SolvedSystem | None = None
    audit: Audit | None = None
    cause: FailureCause | None = None
    error: str | None = None
    results_path: Path | None = None
    wall_seconds: float = 0.0
    """From the row `running` to the end of the work."""

    @property
    def has_completed(self) -> bool:
        """Whether the run is `completed`."""
        return self.status is RunStatus.COMPLETED


def packaged_systems() -> list[str]:
    """Return the names of the example systems that come with the package."""
    folder = files("ecosystemiser") / "data" / "systems"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_document(system: str | Path) -> Document:
    """Return the document of a packaged system's name or of a system file's path. Raises InputError."""
    if isinstance(system, str) and system in packaged_systems():
        entry = files("ecosystemiser") / "data" / "systems" / f"{system}.yaml"
        return parse_yaml(entry.read_text("utf-8"), str(entry))
    path = Path(system)
    if not path.exists() and path.suffix not in (".yaml", ".yml"):
        remedy = f"give a system file's path, or one of {', '.join(packaged_systems())}"
        raise InputError([Finding("is no system file and no packaged system", remedy, "system", str(system))])
    return read_yaml(path)


def load(config: SimulationConfig) -> System:
    """Return the system that `config` names, with its parameters set. Raises InputError with all that is wrong."""
    document = with_values(read_document(config.system), config.parameters)
    return load_system(document, steps=config.timesteps)


def simulate(config: SimulationConfig | None = None) -> SimulationResult:
    """Run and log one simulation; with nothing said, a year of the packaged example system."""
    with DatabaseMetadataService() as database:
        return SimulationService(database).run_simulation(config or SimulationConfig())


class SimulationService:
    """Runs simulations and logs each one. One service keeps what it has prepared; use it for variations."""

    def __init__(self, database_service: DatabaseMetadataService | None = None) -> None:
        self.database_service = database_service or DatabaseMetadataService()
        self._prepared: OrderedDict[tuple[object, ...], Prepared] = OrderedDict()

    def run_simulation(
        self, config: SimulationConfig, *, should_stop: Callable[[], bool] | None = None
    ) -> SimulationResult:
        """Run one simulation. Its row says `running` before the solve and how it ended after.

        A solve that fails is a result with its cause, not an exception. Raises InputError before anything is logged,
        StoreError where the log or the hours cannot be written, KeyboardInterrupt when stopped (row: cancelled).
        """
        system = load(config)
        run = _Run(config, system, self.database_service)
        with run.ending_badly():
            run.begin()
            solved = self._solve(run, should_stop)
            run.stage = "audit"
            found = audit(solved)
            return run.end(solved, found)
        return run.result

    def _solve(self, run: _Run, should_stop: Callable[[], bool] | None) -> SolvedSystem:
        run.stage = "prepare"
        problem = compile_problem(run.system, EndRule(run.config.solver.end))
        solver = self._prepare(run.config, problem)
        run.stage = "solve"
        return SolvedSystem(run.system, problem, solver.solve(problem, should_stop=should_stop))

    def _prepare(self, config: SimulationConfig, problem: Problem) -> Prepared:
        key = (config.solver_type, config.solver, problem.layout)
        solver = self._prepared.pop(key, None) or prepare(config.solver_type, problem, config.solver)
        self._prepared[key] = solver
        while len(self._prepared) > KEPT_PREPARED:
            self._prepared.popitem(last=False)
        return solver


class _Run:
    """One run's way through the log."""

    def __init__(self, config: SimulationConfig, system: System, database: DatabaseMetadataService) -> None:
        self.config, self.system, self._database = config, system, database
        self.run_id = config.run_id or new_run_id()
        self.folder = results_folder(config.output_directory, self.run_id)
        self.stage = "begin"
        self._begin = time.perf_counter()
        self.result = SimulationResult(self.run_id, RunStatus.RUNNING)

    def begin(self) -> None:
        """Commit the row `running`."""
        config = self.config
        description = config.model_dump_json(exclude={"run_id", "study_id", "output_directory"})
        self._log({
            "study_id": config.study_id,
            "system_id": config.system_id or self.system.system_id,
            "timesteps": self.system.clock.steps,
            "timestamp": datetime.now(UTC).isoformat(),
            "solver_type": config.solver_type,
            "simulation_status": RunStatus.RUNNING,
            "results_path": str(self.folder),
            "parameters_json": json.dumps(config.parameters, sort_keys=True, default=str),
            "config_hash": hashlib.sha256(description.encode()).hexdigest(),
            "metadata_json": json.dumps(self._metadata()),
        })

    def end(self, solved: SolvedSystem, found: Audit) -> SimulationResult:
        """Write the hours, then the row: `completed`, or `failed` where the audit found something."""
        kpis = KPICalculator().calculate_from_system(solved) if found.has_passed or found.is_short_only else {}
        self.stage = "store"
        row = self._written(solved) | _report_columns(solved, found) | kpis
        failure = None if found.has_passed else _failure(solved, found)
        self.result = self._ended(failure, row, kpis, solved, found)
        return self.result

    @contextmanager
    def ending_badly(self) -> Iterator[None]:
        """Close the row for whatever ends the work: a failed solve is swallowed, everything else is raised again."""
        try:
            yield
        except SolveError as error:
            self.result = self._ended(error, {}, {})
        except KeyboardInterrupt:
            with suppress(StoreError):  # a run that ended at this moment keeps its state
                self._log({"simulation_status": RunStatus.CANCELLED, "wall_seconds": self._seconds()})
            raise
        except MemoryError:
            self._failed(FailureCause.MEMORY, "the memory of this machine did not suffice")
            raise
        except StoreError as error:
            self._failed(FailureCause.STORAGE, str(error))
            raise
        except InputError as error:
            self._failed(FailureCause.DATA, str(error))
            raise
        except Exception as error:
            self._failed(FailureCause.CRASH, f"{type(error).__name__}: {error}")
            raise

    def _failed(self, cause: FailureCause, message: str) -> None:
        """Close the row; a run whose row could not be written has none to close."""
        if self.stage != "begin":
            self._ended(SolveError(cause, message), {}, {})

    def _ended(
        self,
        failure: SolveError | None,
        row: Mapping[str, object],
        kpis: dict[str, float | None],
        solved: SolvedSystem | None = None,
        found: Audit | None = None,
    ) -> SimulationResult:
        status = RunStatus.FAILED if failure else RunStatus.COMPLETED
        seconds = self._seconds()
        reasons: dict[str, object] = {}
        if failure is not None:
            reasons = {
                "failure_cause": failure.cause,
                "failure_stage": self.stage,
                "metadata_json": json.dumps({**self._metadata(), "error": str(failure)}),
            }
        self._log({**row, **reasons, "simulation_status": status, "wall_seconds": seconds})
        return SimulationResult(
            self.run_id,
            status,
            kpis,
            solved,
            found,
            failure.cause if failure else None,
            str(failure) if failure else None,
            self.folder,
            seconds,
        )

    def _written(self, solved: SolvedSystem) -> dict[str, object]:
        """Write the hours and the resolved components; return the columns that name them."""
        clock = self.system.clock
        metadata = {"run_id": self.run_id, "system_id": self.system.system_id, "timezone": clock.timezone}
        hourly = write_hourly(self.folder, solved.hourly(), clock.start_utc, clock.step_s, metadata)
        described = json.dumps(self.system.described(), indent=1, default=str).encode()
        write_durably(self.folder / "components.json", described)
        return {
            "flows_path": str(hourly.path),
            "hourly_sha256": hourly.sha256,
            "components_path": str(self.folder / "components.json"),
        }

    def _metadata(self) -> dict[str, str]:
        """Return what a reader of the row needs to know besides its columns."""
        return {"currency": self.system.economics.currency}

    def _log(self, columns: Mapping[str, object]) -> None:
        self._database.log_simulation_run({"run_id": self.run_id, **columns})

    def _seconds(self) -> float:
        return time.perf_counter() - self._begin


def _report_columns(solved: SolvedSystem, found: Audit) -> dict[str, object]:
    report = solved.report
    return {
        "solver_status": report.status,
        "objective": report.objective,
        "bound": report.bound,
        "mip_gap": report.gap,
        "solve_seconds": report.solve_seconds,
        "balance_residual": found.balance_residual,
    }


def _failure(solved: SolvedSystem, found: Audit) -> SolveError:
    if not found.is_short_only:
        shown = "; ".join(str(violation) for violation in found.violations[:3])
        return SolveError(FailureCause.BALANCE, f"the plan breaks {len(found.violations)} rule(s): {shown}")
    clock = solved.system.clock
    worst = max(found.violations, key=lambda violation: violation.amount)
    when = str(clock.local[worst.step]).replace("T", " ")[:16]
    short = worst.amount / clock.step_h
    message = f"{worst.where} is left short of {short:.4g} kW on {when}, and must be met"
    return SolveError(FailureCause.UNMET, f"{message}; raise what supplies it, or give it an unmet cost")
