"""Does a logged run come out the same again? Solved anew from its description, in memory, and compared."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ecosystemiser.errors import FailureCause, InputError
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.environment import VersionChange, describe_environment, version_changes
from ecosystemiser.services.hours import HoursState, hours_of
from ecosystemiser.services.orders import Order, Outcome, failed_outcome
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.provenance import FileChange
from ecosystemiser.services.stored_runs import StoredRun, StoredSystems
from ecosystemiser.services.worker import Workbench
from ecosystemiser.store.states import RunStatus

__all__ = ["AGREE", "KpiDeviation", "Verdict", "Verification", "Verifier"]

Row = Mapping[str, Any]
Stop = Callable[[], bool] | None

COST_AGREES = 1e-6
"""Relative, for optimisers: their plan need not be the only one."""
BATCH_AGREES = 1e-9
"""Relative, for rule-based runs that were made side by side: their sums were added in another order."""
SMALL = 1e-6
"""kWh, m3, kg or units of money: what is less is nothing to an optimiser."""

_CIRCUMSTANCES = (FailureCause.TIMEOUT, FailureCause.MEMORY, FailureCause.CRASH, FailureCause.STORAGE)
"""Causes that lie in the machine or the moment, not in what was asked."""


class Verdict(StrEnum):
    """How a run compares with itself, solved again."""

    SAME = "same"
    ANOTHER_OPTIMUM = "another optimum"
    """total_cost agrees and other KPIs differ: more than one plan is the cheapest."""
    DRIFT = "drift"
    """The same inputs give another result."""
    INPUTS_CHANGED = "inputs changed"
    """A file that the run read is missing or holds something else."""
    CANNOT_BE_RECOMPUTED = "cannot be recomputed"


AGREE = (Verdict.SAME, Verdict.ANOTHER_OPTIMUM)
"""The run is as good as it was."""


@dataclass(frozen=True)
class KpiDeviation:
    """A KPI that comes out differently."""

    name: str
    then: float | None
    now: float | None


@dataclass(frozen=True)
class Verification:
    """What became of one run when it was solved again. Nothing of it is logged."""

    run_id: str
    verdict: Verdict
    reason: str
    """One sentence: what agrees or differs, and by how much."""
    hours: HoursState = HoursState.NOT_KEPT
    kpis: tuple[KpiDeviation, ...] = ()
    files: tuple[FileChange, ...] = ()
    versions: tuple[VersionChange, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def is_sound(self) -> bool:
        """Whether the run is as it was, hours included."""
        return self.verdict in AGREE and self.hours in (HoursState.INTACT, HoursState.NOT_KEPT)


@dataclass(frozen=True)
class _Judgement:
    verdict: Verdict
    reason: str
    kpis: tuple[KpiDeviation, ...] = ()
    files: tuple[FileChange, ...] = ()
    outcome: Outcome | None = None


class Verifier:
    """Solves logged runs again, one after the other; keeps what it has read and prepared for the next."""

    def __init__(self) -> None:
        self._bench, self._systems = Workbench(), StoredSystems()

    def verify(self, row: Row, should_stop: Stop = None) -> Verification:
        """Return how the run of `row` comes out again. Raises KeyboardInterrupt when stopped, nothing else."""
        return self.solve_again(row, should_stop)[0]

    def solve_again(self, row: Row, should_stop: Stop = None) -> tuple[Verification, Outcome | None]:
        """Do as `verify`, and return also how the new solve ended; None where there was none."""
        begin = time.perf_counter()
        hours, _ = hours_of(row)
        versions = version_changes(row.get("environment_json"), describe_environment()[0])
        found = self._judged(row, should_stop)
        told = (row["run_id"], found.verdict, found.reason, hours, found.kpis, found.files, versions)
        return Verification(*told, seconds=time.perf_counter() - begin), found.outcome

    def _judged(self, row: Row, should_stop: Stop) -> _Judgement:
        without = _why_not(row)
        if without is not None:
            return _Judgement(Verdict.CANNOT_BE_RECOMPUTED, without)
        try:
            stored = StoredRun.of(row)
        except InputError as error:
            return _Judgement(Verdict.CANNOT_BE_RECOMPUTED, error.findings[0].message)
        files = tuple(stored.changed_files())
        if any(change.now is None for change in files):
            return _Judgement(Verdict.INPUTS_CHANGED, _told(files), files=files)
        if not stored.is_as_hashed():
            return _altered(stored)
        outcome = self._made(stored, should_stop)
        found = _compared(row, outcome)
        return _with_changed_files(found, files) if files else found

    def _made(self, stored: StoredRun, should_stop: Stop) -> Outcome:
        order = Order(stored.run_id, stored.config, "", keeps_hours=False)
        try:
            system = self._systems.load(stored)
        except InputError as error:
            return failed_outcome(order, FailureCause.DATA, str(error), "prepare")
        return self._bench.make(order, system, should_stop=should_stop)


def _why_not(row: Row) -> str | None:
    """Return why there is nothing to compare with; None where there is."""
    status, cause = row["simulation_status"], row.get("failure_cause")
    if status not in (RunStatus.COMPLETED, RunStatus.FAILED):
        return f"the run is {status}: there is no result to compare with"
    if status == RunStatus.FAILED and cause in _CIRCUMSTANCES:
        return f"the run failed of {cause}, which depends on the machine and the moment"
    return None


def _altered(stored: StoredRun) -> _Judgement:
    named = stored.own_files()
    if named:
        return _Judgement(Verdict.INPUTS_CHANGED, f"a file that was set for this run changed: {', '.join(named)}")
    reason = "its description was changed after the run: the hash is another"
    return _Judgement(Verdict.CANNOT_BE_RECOMPUTED, reason)


def _told(files: tuple[FileChange, ...]) -> str:
    return "; ".join(map(str, files))


def _with_changed_files(found: _Judgement, files: tuple[FileChange, ...]) -> _Judgement:
    if found.verdict is Verdict.SAME:
        effect = "the result is the same all the same"
    else:
        effect = f"{len(found.kpis)} KPIs differ" if found.kpis else found.reason
    return replace(found, verdict=Verdict.INPUTS_CHANGED, reason=f"{_told(files)}; {effect}", files=files)


def _compared(row: Row, outcome: Outcome) -> _Judgement:
    then, now = _ending(row["simulation_status"], row.get("failure_cause")), _ending(outcome.status, outcome.cause)
    why = f": {outcome.error}" if outcome.error else ""
    if outcome.cause in _CIRCUMSTANCES or (outcome.cause is FailureCause.DATA and then != now):
        return _Judgement(Verdict.CANNOT_BE_RECOMPUTED, f"the new solve failed ({outcome.cause}){why}")
    if then != now:
        return _Judgement(Verdict.DRIFT, f"was {then}, is {now}{why}", outcome=outcome)
    deviations = tuple(_deviations(row, outcome))
    if not deviations:
        return _Judgement(Verdict.SAME, _agreement(row, outcome), outcome=outcome)
    if _is_ruled(row) or not _costs_agree(row, outcome):
        return _Judgement(Verdict.DRIFT, _worst(deviations), deviations, outcome=outcome)
    told = f"total_cost agrees, {len(deviations)} other KPIs differ"
    if deviations[0].name == "total_cost":
        told = f"total_cost agrees within the gap of {_gap(row, outcome):.2g}"
    return _Judgement(Verdict.ANOTHER_OPTIMUM, f"{told}: another plan is as good", deviations, outcome=outcome)


def _ending(status: object, cause: object) -> str:
    return f"{status} ({cause})" if cause else f"{status}"


def _is_ruled(row: Row) -> bool:
    return bool(row["solver_type"] == "rule_based")


def _are_equal(row: Row, then: float, now: float) -> bool:
    """Return whether two values of a KPI are the same to the run's solver."""
    if _is_ruled(row) and row.get("flows_path"):
        return then == now
    return math.isclose(then, now, rel_tol=BATCH_AGREES if _is_ruled(row) else COST_AGREES, abs_tol=SMALL)


def _agreement(row: Row, outcome: Outcome) -> str:
    if not any(value is not None for value in outcome.kpis.values()):
        return f"ends as it did: {_ending(outcome.status, outcome.cause)}"
    if _is_ruled(row) and row.get("flows_path"):
        return "all KPIs agree bit by bit"
    return f"all KPIs agree to {BATCH_AGREES if _is_ruled(row) else COST_AGREES:.0e}"


def _deviations(row: Row, outcome: Outcome) -> Iterator[KpiDeviation]:
    is_same_program = _is_same_program(row)
    for name in KPI_NAMES:
        then, now = row.get(name), outcome.kpis.get(name)
        if then is None or now is None:
            # Where another version of the program declares other KPIs, their columns say nothing.
            if then is not now and (is_same_program or name == "total_cost"):
                yield KpiDeviation(name, then, now)
        elif not _are_equal(row, then, now):
            yield KpiDeviation(name, then, now)


def _is_same_program(row: Row) -> bool:
    then, now = mapping_in(row.get("environment_json")), mapping_in(describe_environment()[0])
    return all(then.get(name) == now.get(name) for name in ("ecosystemiser", "commit"))


def _costs_agree(row: Row, outcome: Outcome) -> bool:
    then, now = row.get("total_cost"), outcome.kpis.get("total_cost")
    if then is None or now is None:
        return then is now
    return math.isclose(then, now, rel_tol=max(COST_AGREES, _gap(row, outcome)), abs_tol=SMALL)


def _gap(row: Row, outcome: Outcome) -> float:
    """Return the distance to the best bound that either plan may have."""
    gaps = (row.get("mip_gap"), outcome.columns.get("mip_gap"))
    return max((gap for gap in gaps if isinstance(gap, float)), default=0.0)


def _worst(deviations: tuple[KpiDeviation, ...]) -> str:
    cost = next((each for each in deviations if each.name == "total_cost"), deviations[0])
    more = f", and {len(deviations) - 1} other KPIs differ" if len(deviations) > 1 else ""
    return f"{cost.name} was {_number(cost.then)} and is {_number(cost.now)}{more}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value!r}"
