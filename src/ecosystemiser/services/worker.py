"""The work of a run, without its log: load, solve, audit, calculate, write the hours. Runs anywhere.

Whoever calls it owns the row: it stands as `running` before this starts and takes what this returns.
"""

from __future__ import annotations

import json
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from ecosystemiser.analyser.audit import Audit, audit
from ecosystemiser.analyser.kpi_calculator import KPICalculator
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import WARM_SOLVERS
from ecosystemiser.errors import FailureCause, Finding, InputError, SolveError, StoreError
from ecosystemiser.jobs.events import RunStarted
from ecosystemiser.jobs.executors import Context
from ecosystemiser.model.compiling import Compiler
from ecosystemiser.model.problem import EndRule, Problem
from ecosystemiser.model.system import System
from ecosystemiser.model.variations import Group, Variations
from ecosystemiser.reader import Document, parse_yaml, read_yaml
from ecosystemiser.results import SolvedSystem
from ecosystemiser.services.batch import BatchMaker, can_be_batched
from ecosystemiser.services.failure_words import explained, limits_told
from ecosystemiser.services.orders import GivenSystem, Order, Outcome, failed_outcome
from ecosystemiser.solver.door import Prepared, prepare
from ecosystemiser.store.files import write_durably
from ecosystemiser.store.hourly import write_hourly
from ecosystemiser.store.states import RunStatus

__all__ = ["Workbench", "load", "make_runs", "packaged_systems", "read_document"]

KEPT_PREPARED = 2
"""Prepared problems that a workbench keeps, so that variations of a system are solved warm."""


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
    return Workbench().load(config)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # a NUL in its name
        return None
    return status.st_mtime_ns, status.st_size


def _named_files(node: object) -> Iterator[str]:
    """Yield what may be the name of a series or weather file in the data of a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("file", "weather") and isinstance(value, str):
                yield value
            else:
                yield from _named_files(value)


class _Source:
    """A system file as it was read, its variations, and the state of all files that these read."""

    def __init__(self, document: Document, steps: int | None) -> None:
        self._variations = Variations(document, steps)
        file = Path(document.file)
        self._folder, self._stamps = file.parent, {file: _stamp(file)}
        self._watch(document.data)

    def is_outdated(self) -> bool:
        """Return whether a file changed since it was read."""
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())

    def load(self, values: Mapping[str, object]) -> System:
        """Return the system with these fields set. Raises InputError."""
        self._watch_values(values)
        return self._variations.load(values)

    def load_many(self, points: Sequence[Mapping[str, object]]) -> tuple[list[Group], dict[int, InputError]]:
        """Return the systems with these fields set, and what is wrong with the others, by position."""
        for values in points:
            self._watch_values(values)
        return self._variations.load_many(points)

    def _watch_values(self, values: Mapping[str, object]) -> None:
        for name, value in values.items():
            if isinstance(value, str | dict):
                self._watch({name.rpartition(".")[2]: value})

    def _watch(self, data: object) -> None:
        """Note the state of files that `data` names, before they are read."""
        for name in _named_files(data):
            path = self._folder / name
            self._stamps.setdefault(path, _stamp(path))


class Workbench:
    """Makes runs, one after the other, and keeps what it has prepared."""

    def __init__(self) -> None:
        self.compiler = Compiler()
        self._sources: OrderedDict[tuple[object, ...], _Source] = OrderedDict()
        self._prepared: OrderedDict[tuple[object, ...], Prepared] = OrderedDict()
        self._batches = BatchMaker(self)
        self._base: tuple[SimulationConfig, Problem] | None = None

    def make(
        self, order: Order, system: System | None = None, *, should_stop: Callable[[], bool] | None = None
    ) -> Outcome:
        """Make one run. What fails in it, storage included, is an outcome; only KeyboardInterrupt leaves."""
        attempt = _Attempt(order)
        try:
            return attempt.outcome(*self._solved(attempt, system or self.load(order.config, order.given), should_stop))
        except SolveError as error:
            is_brief = order.config.study_id is not None
            said = str(error) if attempt.asked is None else explained(error, *attempt.asked, is_brief=is_brief)
            return attempt.failure(error.cause, said)
        except InputError as error:
            return attempt.failure(FailureCause.DATA, str(error))
        except StoreError as error:
            return attempt.failure(FailureCause.STORAGE, str(error))
        except MemoryError:
            self._prepared.clear()
            return attempt.failure(FailureCause.MEMORY, "the memory of this machine did not suffice")
        except Exception as error:
            if should_stop is not None and should_stop():
                raise KeyboardInterrupt from error
            self._prepared.clear()  # nobody knows in what state a crash left them
            message = f"{type(error).__name__}: {error}"
            return attempt.failure(FailureCause.CRASH, message, traceback=traceback.format_exc())

    def start_from(self, order: Order, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Let the runs that follow depend on the base of `order` and on each other alone, not on what was made before.

        Only `milp`, and `hybrid` of linear programs, have a memory, and are given a base.
        """
        for solver in self._prepared.values():
            solver.start_from(None)
        base = order.base
        if base is None or base.solver_type not in WARM_SOLVERS:
            return
        with suppress(InputError):  # its variations may be sound
            if self._base is None or self._base[0] != base:
                problem = self.compiler.compile(self.load(base, order.given), EndRule(base.solver.end))
                self._base = (base, problem)
            self._prepare(base, self._base[1]).start_from(self._base[1], should_stop=should_stop)

    def replay(self, order: Order, *, should_stop: Callable[[], bool] | None = None) -> None:
        """Solve what was made before, so that what follows starts from its answer."""
        config = order.config
        with suppress(InputError, SolveError):  # as it did then
            problem = self.compiler.compile(self.load(config, order.given), EndRule(config.solver.end))
            self._prepare(config, problem).solve(problem, should_stop=should_stop)

    def load(self, config: SimulationConfig, given: GivenSystem | None = None) -> System:
        """Return the system that `config` names, or of the one given in its place. Raises InputError.

        What variations of a file share is read once, and again when one of the files has changed.
        """
        return self._source(config, given).load(config.parameters)

    def load_many(self, orders: Sequence[Order]) -> tuple[list[Group], dict[int, InputError]]:
        """Return the systems of orders, side by side where they differ in numbers only, and what is wrong with the
        others, by position. Files are looked at once for all."""
        by_source: dict[tuple[object, ...], list[int]] = {}
        for position, order in enumerate(orders):
            given = order.config.system if order.given is None else order.given.sha256
            by_source.setdefault((given, order.config.timesteps), []).append(position)
        groups: list[Group] = []
        wrong: dict[int, InputError] = {}
        for positions in by_source.values():
            try:
                source = self._source(orders[positions[0]].config, orders[positions[0]].given)
            except InputError as error:
                wrong |= dict.fromkeys(positions, error)
                continue
            some, refused = source.load_many([orders[position].config.parameters for position in positions])
            groups += [replace(group, members=tuple([positions[at] for at in group.members])) for group in some]
            wrong |= {positions[at]: error for at, error in refused.items()}
        return groups, wrong

    def make_batch(self, orders: Sequence[Order]) -> list[Outcome]:
        """Make runs side by side, of which no hours are kept; return the outcomes in their order."""
        return self._batches.make(orders)

    def check(self, config: SimulationConfig, system: System) -> None:
        """Raise InputError for what the solver of `config` cannot do with `system`."""
        self._prepare(config, self.compiler.compile(system, EndRule(config.solver.end)))

    def _source(self, config: SimulationConfig, given: GivenSystem | None) -> _Source:
        key = (Path(config.system).absolute() if given is None else given.sha256, config.timesteps)
        source = self._sources.pop(key, None)
        if source is None or source.is_outdated():
            document = read_document(config.system) if given is None else given.document
            source = _Source(document, config.timesteps)
        self._sources[key] = source
        while len(self._sources) > KEPT_PREPARED:
            self._sources.popitem(last=False)
        return source

    def _solved(
        self, attempt: _Attempt, system: System, should_stop: Callable[[], bool] | None
    ) -> tuple[SolvedSystem, Audit]:
        config = attempt.order.config
        problem = self.compiler.compile(system, EndRule(config.solver.end))
        solver = self._prepare(config, problem)
        attempt.stage, attempt.asked = "solve", (system, problem)
        solved = SolvedSystem(system, problem, solver.solve(problem, should_stop=should_stop))
        attempt.stage = "audit"
        return solved, audit(solved)

    def _prepare(self, config: SimulationConfig, problem: Problem) -> Prepared:
        key = (config.solver_type, config.solver, problem.layout)
        solver = self._prepared.pop(key, None) or prepare(config.solver_type, problem, config.solver)
        self._prepared[key] = solver
        while len(self._prepared) > KEPT_PREPARED:
            self._prepared.popitem(last=False)
        return solver


class _Attempt:
    """One run on its way: which stage it is in, and what its row will say."""

    def __init__(self, order: Order) -> None:
        self.order, self.stage = order, "prepare"
        self.asked: tuple[System, Problem] | None = None
        """What was to be solved."""
        self._begin = time.perf_counter()

    def outcome(self, solved: SolvedSystem, found: Audit) -> Outcome:
        """Write the hours and return `completed`, or `failed` where the audit found something."""
        kpis = KPICalculator().calculate_from_system(solved) if found.has_passed or found.is_short_only else {}
        self.stage = "store"
        columns = _report_columns(solved, found) | kpis
        if self.order.keeps_hours:
            columns |= self._written(solved)
        if found.has_passed:
            columns |= {
                "simulation_status": RunStatus.COMPLETED,
                "wall_seconds": self._seconds(),
            }
            return Outcome(self.order.run_id, RunStatus.COMPLETED, columns, kpis, solved=solved, audit=found)
        self.stage = "audit"
        cause, message = _what_the_audit_says(solved, found)
        failed = self.failure(cause, message)
        return Outcome(self.order.run_id, failed.status, columns | failed.columns, kpis, cause, message, solved, found)

    def failure(self, cause: FailureCause, message: str, **details: str) -> Outcome:
        """Return `failed` with its cause and the stage it happened in; `details` go beside the message."""
        outcome = failed_outcome(self.order, cause, message, self.stage, **details)
        outcome.columns["wall_seconds"] = self._seconds()
        return outcome

    def _written(self, solved: SolvedSystem) -> dict[str, object]:
        """Write the hours and the resolved components; return the columns that name them."""
        folder, system = Path(self.order.folder), solved.system
        clock = system.clock
        metadata = {
            "run_id": self.order.run_id,
            "system_id": system.system_id,
            "timezone": clock.timezone,
            "columns": solved.column_facts(),
        }
        described = json.dumps(system.described(), indent=1, default=str).encode()
        write_durably(folder / "components.json", described)
        hourly = write_hourly(folder, solved.hourly(), clock.start_utc, clock.step_s, metadata)
        return {
            "flows_path": str(hourly.path),
            "hourly_sha256": hourly.sha256,
            "components_path": str(folder / "components.json"),
        }

    def _seconds(self) -> float:
        return time.perf_counter() - self._begin


def _report_columns(solved: SolvedSystem, found: Audit) -> dict[str, object]:
    report = solved.report
    return {
        "timesteps": solved.system.clock.steps,  # a variation may have changed them
        "currency": solved.system.economics.currency,
        "solver_status": report.status,
        "objective": report.objective,
        "bound": report.bound,
        "mip_gap": report.gap,
        "solve_seconds": report.solve_seconds,
        "balance_residual": found.balance_residual,
    }


def _what_the_audit_says(solved: SolvedSystem, found: Audit) -> tuple[FailureCause, str]:
    if not found.is_short_only:
        shown = "; ".join(str(violation) for violation in found.violations[:3])
        return FailureCause.BALANCE, f"the plan breaks {len(found.violations)} rule(s): {shown}"
    clock = solved.system.clock
    worst = max(found.violations, key=lambda violation: violation.amount)
    when = str(clock.local[worst.step]).replace("T", " ")[:16]
    short = worst.amount / clock.step_h
    limits = limits_told(solved, worst.where, worst.step)
    message = (
        f"{worst.where} is left short of {short:.4g} kW on {when}, and must be met{'; ' + limits if limits else ''}"
    )
    return FailureCause.UNMET, f"{message}; raise what supplies it, or give it an unmet cost"


_WORKBENCH = Workbench()
"""A process's own: variations that come to it later find what it has prepared."""


def make_runs(orders: Sequence[Order], context: Context) -> None:
    """Make runs, one after the other, and send the outcome of each; the task that a study's jobs run."""
    if can_be_batched(orders):
        context.send(tuple(_started(order, context) for order in orders))
        context.send(_WORKBENCH.make_batch(orders))
        return
    _WORKBENCH.start_from(orders[0], should_stop=context.should_stop)
    for order in orders:
        context.begin_part()
        if context.should_stop():
            return
        if order.is_replayed:
            _WORKBENCH.replay(order, should_stop=context.should_stop)
            continue
        context.send(_started(order, context))
        context.send([_WORKBENCH.make(order, should_stop=context.should_stop).for_sending()])


def _started(order: Order, context: Context) -> RunStarted:
    return RunStarted(study_id=order.config.study_id, run_id=order.run_id, job_id=context.job_id)
