"""The one place that talks to HiGHS: load a program, change it in place, run it, read what came out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.milp.formulation import Program

__all__ = ["HighsSession", "Outcome"]

MOST_CHANGED_ENTRIES = 20_000
"""Above this many changed matrix entries, loading anew beats changing one by one."""
SMALLEST_ENTRY, LARGEST_NUMBER = 1e-9, 1e15
"""HiGHS drops matrix entries not above the first; the second leaves no digits for the rest."""
DUAL_SIMPLEX, PRIMAL_SIMPLEX = 1, 4
"""Values of HiGHS' option `simplex_strategy`; the first is its default."""
POLL_S = 0.1

Status = highspy.HighsModelStatus
CAUSES: dict[highspy.HighsModelStatus, FailureCause] = {
    Status.kInfeasible: FailureCause.INFEASIBLE,
    Status.kUnbounded: FailureCause.UNBOUNDED,
    Status.kUnboundedOrInfeasible: FailureCause.INFEASIBLE,
    Status.kTimeLimit: FailureCause.TIMEOUT,
    Status.kIterationLimit: FailureCause.TIMEOUT,
    Status.kMemoryLimit: FailureCause.MEMORY,
    Status.kModelEmpty: FailureCause.DATA,
    Status.kModelError: FailureCause.DATA,
    Status.kLoadError: FailureCause.DATA,
}
"""Everything else that is not optimal is a failure of the solver."""
ENDED_EARLY = (Status.kTimeLimit, Status.kIterationLimit, Status.kSolutionLimit)
FEASIBLE = 2
"""HiGHS' value of `primal_solution_status`."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """An optimal answer of HiGHS."""

    columns: Floats
    column_duals: Floats
    row_duals: Floats
    objective: float
    bound: float
    """No plan costs less; the objective where all columns may take any number."""
    iterations: int
    seconds: float
    is_proved: bool = True
    """Whether no plan is cheaper than this by more than the gap that was asked for; else time ended the search."""


class HighsSession:
    """One HiGHS model that lives as long as its variations are solved."""

    def __init__(self, options: SolverOptions) -> None:
        self._options, self._time_limit_s = options, options.time_limit_s
        self._begin_anew()

    def _begin_anew(self) -> None:
        options = self._options
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its stubs miss half of its calls
        self._loaded: Program | None = None
        self._start: Any = None
        self._goes_back = False
        self._highs.HandleUserInterrupt = True
        for name, value in (("output_flag", False), ("threads", options.threads), ("mip_rel_gap", options.gap)):
            self._highs.setOptionValue(name, value)

    @property
    def is_warm(self) -> bool:
        """Whether a solved model of the same structure is there to start from."""
        return self._loaded is not None or self._goes_back

    def forget(self) -> None:
        """Drop basis, solution and program, so that the next one is loaded whole and solved cold."""
        self._highs.clearSolver()
        self._loaded, self._goes_back = None, False

    def keep_start(self) -> None:
        """Keep the last optimal basis as the one that `rewind` goes back to."""
        self._start = self._highs.getBasis()

    def rewind(self) -> None:
        """Let the next program start from the basis that was kept; without one, cold."""
        if self._start is None:
            self.forget()
        else:
            self._highs.clearSolver()
            self._goes_back = True

    def load(self, program: Program) -> None:
        """Load `program`, by changing in place what differs from the one before. Raises SolveError for bad numbers."""
        _check_numbers(program)
        if self._loaded is None or not self._change(self._loaded, program):
            self._pass(program)
        self._loaded = program
        if self._goes_back:
            self._highs.setBasis(self._start)
            self._goes_back = False

    def run(self, should_stop: Callable[[], bool] | None = None) -> Outcome:
        """Solve what is loaded. Raises SolveError with its cause, KeyboardInterrupt when stopped."""
        self._highs.setOptionValue("presolve", "off" if self._highs.getBasis().valid else "choose")
        if self._time_limit_s is not None:  # the clock of HiGHS runs on from one run to the next
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + self._time_limit_s)
        begin = time.perf_counter()
        self._run_stoppable(should_stop)
        status = self._highs.getModelStatus()
        if status == Status.kUnknown:
            self._run_by_primal_simplex(should_stop)
            status = self._highs.getModelStatus()
        seconds = time.perf_counter() - begin
        is_proved = status == Status.kOptimal
        if not is_proved and not self._has_found(status):
            raise self._failure(status)
        info = self._highs.getInfo()
        bound = float(info.mip_dual_bound) if self._holds_integers else float(info.objective_function_value)
        if self._holds_integers:
            self._fix_integers(should_stop)
            info = self._highs.getInfo()
        solution = self._highs.getSolution()
        columns = np.array(solution.col_value)
        if not (np.isfinite(info.objective_function_value) and np.all(np.isfinite(columns))):
            raise SolveError(FailureCause.SOLVER, "HiGHS called an answer optimal that is not finite")
        return Outcome(
            columns=columns,
            column_duals=np.array(solution.col_dual),
            row_duals=np.array(solution.row_dual),
            objective=float(info.objective_function_value),
            bound=min(bound, float(info.objective_function_value)),
            iterations=max(0, int(info.simplex_iteration_count)),
            seconds=seconds,
            is_proved=is_proved,
        )

    def _has_found(self, status: highspy.HighsModelStatus) -> bool:
        """Return whether a search over integers that time ended has found a plan: without one HiGHS returns zeros."""
        found = self._highs.getInfo().primal_solution_status == FEASIBLE
        return self._holds_integers and status in ENDED_EARLY and found

    @property
    def _holds_integers(self) -> bool:
        return self._loaded is not None and len(self._loaded.integers) > 0

    def _fix_integers(self, should_stop: Callable[[], bool] | None) -> None:
        """Solve again with the whole numbers that were found, as a linear program: it alone has prices.

        Raises SolveError where it has no optimum.
        """
        assert self._loaded is not None  # noqa: S101 - it holds them
        columns = self._loaded.integers
        found = np.round(np.array(self._highs.getSolution().col_value)[columns])
        self._highs.changeColsIntegrality(len(columns), columns, np.zeros(len(columns), dtype=np.uint8))
        self._highs.changeColsBounds(len(columns), columns, found, found)
        self._loaded = None  # what is loaded is another program now
        self._highs.setOptionValue("time_limit", np.inf)  # a plan is there: the time that its prices take is small
        self._run_stoppable(should_stop)
        status = self._highs.getModelStatus()
        if status != Status.kOptimal:
            raise self._failure(status)

    def _run_by_primal_simplex(self, should_stop: Callable[[], bool] | None) -> None:
        """Run anew by the other method, for a program on which the dual simplex has lost its way."""
        self._highs.clearSolver()
        self._highs.setOptionValue("simplex_strategy", PRIMAL_SIMPLEX)
        self._run_stoppable(should_stop)
        self._highs.setOptionValue("simplex_strategy", DUAL_SIMPLEX)

    def _run_stoppable(self, should_stop: Callable[[], bool] | None) -> None:
        """Run in a thread of HiGHS, so that Ctrl-C and `should_stop` end it."""
        self._highs.startSolve()
        try:
            is_done = False
            while not is_done:
                is_done = self._highs.wait(POLL_S)[0]
                _stop_if(should_stop)  # once at least, however short the solve
        except KeyboardInterrupt:
            self._highs.cancelSolve()
            self._highs.wait()
            self._begin_anew()  # HiGHS interrupts every later run of a model that was interrupted once
            raise

    def _failure(self, status: highspy.HighsModelStatus) -> SolveError:
        cause = CAUSES.get(status, FailureCause.SOLVER)
        if status == Status.kUnboundedOrInfeasible:
            cause = self._unbounded_or_infeasible()
        word = self._highs.modelStatusToString(status).lower()
        return SolveError(cause, f"{SENTENCES.get(cause, 'the optimiser ended without an answer')} (HiGHS: {word})")

    def _unbounded_or_infeasible(self) -> FailureCause:
        """Tell the two apart by solving without an objective."""
        columns = self._highs.getNumCol()
        indices = np.arange(columns, dtype=np.int32)
        self._highs.changeColsCost(columns, indices, np.zeros(columns))
        self._loaded = None
        self._highs.setOptionValue("presolve", "off")
        self._highs.run()
        status = self._highs.getModelStatus()
        return FailureCause.UNBOUNDED if status == Status.kOptimal else CAUSES.get(status, FailureCause.SOLVER)

    def _pass(self, program: Program) -> None:
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(program.cost), len(program.row_lower)
        model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.lower, program.upper
        model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = program.starts, program.rows
        model.a_matrix_.value_ = program.values
        model.offset_ = program.offset
        if len(program.integers):
            kinds = [highspy.HighsVarType.kContinuous] * len(program.cost)
            for column in program.integers.tolist():
                kinds[column] = highspy.HighsVarType.kInteger
            model.integrality_ = kinds
        if self._highs.passModel(model) == highspy.HighsStatus.kError:
            raise SolveError(FailureCause.DATA, "HiGHS refused the program; the system holds numbers it cannot take")

    def _change(self, old: Program, new: Program) -> bool:
        """Change what differs; False where too much of the matrix does."""
        entries = np.flatnonzero(old.values != new.values)
        if len(entries) > MOST_CHANGED_ENTRIES:
            return False
        highs = self._highs
        changed = _differing(old.cost, new.cost)
        if len(changed):
            highs.changeColsCost(len(changed), changed, new.cost[changed])
        changed = _differing(np.stack([old.lower, old.upper]), np.stack([new.lower, new.upper]))
        if len(changed):
            highs.changeColsBounds(len(changed), changed, new.lower[changed], new.upper[changed])
        changed = _differing(np.stack([old.row_lower, old.row_upper]), np.stack([new.row_lower, new.row_upper]))
        if len(changed):
            highs.changeRowsBounds(len(changed), changed, new.row_lower[changed], new.row_upper[changed])
        columns = np.searchsorted(new.starts, entries, side="right") - 1
        for entry, column in zip(entries, columns, strict=True):
            highs.changeCoeff(int(new.rows[entry]), int(column), float(new.values[entry]))
        highs.changeObjectiveOffset(new.offset)
        return True


SENTENCES = {
    FailureCause.INFEASIBLE: "no plan meets every demand and limit",
    FailureCause.UNBOUNDED: (
        "a price makes money without end: set import_limit_kw or export_limit_kw, or mend the price"
    ),
    FailureCause.TIMEOUT: "the time limit ended the search before an answer; raise time_limit_s",
    FailureCause.MEMORY: "the optimiser ran out of memory",
    FailureCause.DATA: "the optimiser refused the numbers of the system",
}


def _stop_if(should_stop: Callable[[], bool] | None) -> None:
    if should_stop is not None and should_stop():
        raise KeyboardInterrupt


def _differing(old: Floats, new: Floats) -> NDArray[np.int32]:
    differs = old != new
    return np.flatnonzero(differs if differs.ndim == 1 else differs.any(axis=0)).astype(np.int32)


def _check_numbers(program: Program) -> None:
    """Refuse what HiGHS would take silently and answer wrongly: NaN, and entries that it drops."""
    named = {
        "a price": program.cost,
        "a limit": np.concatenate([program.lower, program.upper]),
        "a demand": np.concatenate([program.row_lower, program.row_upper]),
        "an efficiency or ratio": program.values,
        "a fixed cost": np.array([program.offset]),
    }
    for name, numbers in named.items():
        if np.isnan(numbers).any():
            raise SolveError(FailureCause.DATA, f"{name} is not a number")
    demands = program.row_lower[program.row_lower != -np.inf]
    finite = {"a price": program.cost, "a demand": demands, "a fixed cost": np.array([program.offset])}
    for name, numbers in finite.items():
        if not np.all(np.abs(numbers) < LARGEST_NUMBER):
            raise SolveError(FailureCause.DATA, f"{name} is beyond {LARGEST_NUMBER:g}")
    size = np.abs(program.values)
    if np.any((size <= SMALLEST_ENTRY) & (size > 0)) or not np.all(size < LARGEST_NUMBER):
        limits = f"{SMALLEST_ENTRY:g} and {LARGEST_NUMBER:g}"
        message = f"an efficiency or ratio is not within {limits}; the optimiser would drop it"
        raise SolveError(FailureCause.DATA, message)
