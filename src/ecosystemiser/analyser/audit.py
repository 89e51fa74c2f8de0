"""The audit: every balance, bound and price of a solved system, recomputed from the system's kinds.

Nothing here reads the Problem that was solved, so a mistake in compiling, solving or reading back shows. The time it
takes is small beside any solve.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ecosystemiser.analyser.metered_cost import metered_cost
from ecosystemiser.analyser.switched import broken_times, load_bounds, output_shares, starts
from ecosystemiser.model.compiling import capital_recovery_factor
from ecosystemiser.model.kinds import Commitment, Converter, Exchange, Floats, Kind, Series, Sink, Source, Storage
from ecosystemiser.model.problem import EndRule
from ecosystemiser.results import SolvedSystem

__all__ = ["Audit", "Violation", "audit"]

TOLERANCE = 1e-6
"""Of the largest flow of a bus, or of a capacity."""
SMALL = 0.1
"""kWh or m3: where nothing larger flows, rounding is judged by this; HiGHS leaves a row open by up to 1e-7."""
COST_TOLERANCE = 1e-6
"""Of the objective."""


@dataclass(frozen=True)
class Violation:
    """One rule that the plan breaks, at its worst step (a level: the step at whose end it stands)."""

    what: str
    where: str
    step: int
    amount: float
    """How far beyond, in the unit of the thing."""
    is_shortage: bool = False
    """A demand that must be met and is not: the plan's failure rather than an error of arithmetic."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what} by {self.amount:.3g} at step {self.step}"


@dataclass(frozen=True)
class Audit:
    """What the audit found."""

    violations: tuple[Violation, ...]
    balance_residual: float
    """Largest imbalance of any bus, as a share of its largest flow."""
    simultaneous_hours: dict[str, int] = field(default_factory=dict)
    """Steps in which a storage charges and discharges, or an exchange buys and sells, where there are any."""

    @property
    def has_passed(self) -> bool:
        """Whether the plan breaks no rule."""
        return not self.violations

    @property
    def is_short_only(self) -> bool:
        """Whether the plan is sound but leaves a demand short that must be met."""
        return bool(self.violations) and all(violation.is_shortage for violation in self.violations)


def audit(solved: SolvedSystem) -> Audit:
    """Return every rule that the plan of `solved` breaks."""
    auditor = _Auditor(solved)
    with np.errstate(invalid="ignore"):  # what is no number is found, not warned of
        balance, residual = auditor.balances()
        violations = [*balance, *(found for kind in solved.system.kinds for found in auditor.check(kind))]
        violations += [*auditor.cost(), *auditor.emissions()]
        return Audit(tuple(violations), residual, auditor.simultaneous())


class _Auditor:
    def __init__(self, solved: SolvedSystem) -> None:
        self.solved, self.system = solved, solved.system
        self.steps = solved.system.clock.steps
        self.end = solved.problem.end

    def check(self, kind: Kind) -> Iterator[Violation]:
        """Yield what a kind's plan breaks."""
        match kind:
            case Source():
                yield from self._within(kind.name, "out", kind.available)
            case Exchange():
                yield from self._within(kind.name, "import", kind.import_limit)
                yield from self._within(kind.name, "export", kind.export_limit)
            case Sink():
                yield from self._check_sink(kind)
            case Converter():
                yield from self._check_converter(kind)
            case Storage():
                yield from self._check_storage(kind)

    def balances(self) -> tuple[list[Violation], float]:
        """Return the buses that do not balance, and the largest relative imbalance."""
        violations: list[Violation] = []
        worst = 0.0
        for bus in self.system.buses:
            balance, largest = np.zeros(self.steps), 0.0
            for kind in self.system.kinds:
                for sign, flow in self._on_bus(kind, bus):
                    balance += sign * flow
                    largest = max(largest, float(np.abs(flow).max()))
            scale = max(largest, SMALL)
            violations += self._beyond("does not balance", f"bus {bus}", np.abs(balance), scale)
            worst = float(np.maximum(worst, np.abs(balance).max() / scale))  # a NaN counts as worst
        return violations, worst

    def simultaneous(self) -> dict[str, int]:
        """Return in how many steps things flow both ways, for each that does."""
        both = {}
        for kind in self.system.kinds:
            pairs = {Storage: ("charge", "discharge"), Exchange: ("import", "export")}.get(type(kind))
            if pairs is None:
                continue
            one, other = (self._flow(kind.name, name) for name in pairs)
            floor = TOLERANCE * max(float(one.max()), float(other.max()), SMALL)
            count = int(np.count_nonzero((one > floor) & (other > floor)))
            if count:
                both[kind.name] = count
        return both

    def cost(self) -> list[Violation]:
        """Return whether the solver's objective is not what the plan costs."""
        objective = self.solved.report.objective
        if objective is None:
            return []
        distance = abs(objective - self._total_cost())
        if distance <= COST_TOLERANCE * max(1.0, abs(objective), self._held_cost()) < np.inf:
            return []
        return [Violation("differs from what the plan costs", "objective", 0, distance)]

    def emissions(self) -> list[Violation]:
        """Return whether more CO2 is emitted than the system's limit."""
        limit = self.system.economics.co2_limit_kg
        if limit is None:
            return []
        embodied = sum(one.embodied_co2_kg / one.lifetime_years for one in self.system.investments().values())
        emitted = self.system.clock.year_share * embodied + sum(self._co2(kind) for kind in self.system.kinds)
        return list(
            self._beyond("is above co2_limit_kg", "total_co2", np.array([emitted - limit]), max(emitted, SMALL))
        )

    def _flow(self, component: str, name: str) -> Floats:
        return self.solved.flow(f"{component}.{name}")

    def _on_bus(self, kind: Kind, bus: str) -> Iterator[tuple[int, Floats]]:
        """Yield sign and amount of each flow of `kind` on `bus`."""
        if isinstance(kind, Converter):
            for at, output in enumerate(kind.outputs):
                if output.bus == bus:
                    yield +1, self._flow(kind.name, _output_name(kind, at))
        if kind.bus != bus:
            return
        names = {
            Source: [(+1, "out")],
            Exchange: [(+1, "import"), (-1, "export")],
            Sink: [(-1, "in")],
            Storage: [(-1, "charge"), (+1, "discharge")],
            Converter: [(-1, "in")],
        }[type(kind)]
        for sign, name in names:
            yield sign, self._flow(kind.name, name)

    def _within(self, component: str, name: str, limit: Series) -> Iterator[Violation]:
        """Yield where a flow is below 0 or above its limit."""
        flow, most = self._flow(component, name), limit.values(self.steps)
        scale = max(float(np.abs(flow).max()), SMALL)
        yield from self._beyond("is below 0", f"{component}.{name}", -flow, scale)
        yield from self._beyond("is above its limit", f"{component}.{name}", flow - most, scale)

    def _check_sink(self, kind: Sink) -> Iterator[Violation]:
        demand, received = kind.demand.values(self.steps), self._flow(kind.name, "in")
        scale = max(float(demand.max()), SMALL)
        yield from self._within(kind.name, "in", kind.demand)
        if kind.unmet_cost is None:
            for found in self._beyond("is left short", kind.name, demand - received, scale):
                yield replace(found, is_shortage=True)

    def _check_converter(self, kind: Converter) -> Iterator[Violation]:
        yield from self._within(kind.name, "in", kind.limit)
        drawn = shares = self._flow(kind.name, "in")
        if kind.commitment is not None:
            yield from self._check_switching(kind, kind.commitment, drawn)
            shares = output_shares(kind.commitment, self._on(kind), kind.limit.values(self.steps), drawn)
        for at, output in enumerate(kind.outputs):
            given = self._flow(kind.name, _output_name(kind, at))
            expected = shares * output.ratio.values(self.steps)
            scale = max(float(np.abs(given).max()), SMALL)
            yield from self._beyond("does not follow its ratio", f"{kind.name}.out", np.abs(given - expected), scale)

    def _check_switching(self, kind: Converter, one: Commitment, drawn: Floats) -> Iterator[Violation]:
        on, scale = self._on(kind), max(float(np.abs(drawn).max()), SMALL)
        least, most = load_bounds(one, on, kind.limit.values(self.steps))
        yield from self._beyond("runs below its least load", kind.name, least - drawn, scale)
        yield from self._beyond("runs above what is on", kind.name, drawn - most, scale)
        yield from self._beyond("has too few or too many units on", kind.name, np.maximum(-on, on - one.units), 1.0)
        for what, units in broken_times(one, on):
            yield from self._beyond(what, kind.name, units, 1.0)

    def _on(self, kind: Converter) -> NDArray[np.int64]:
        """Return how many units of a converter are on. (steps,)"""
        switched = [one.name for one in self.system.kinds if isinstance(one, Converter) and one.commitment is not None]
        return np.asarray(self.solved.on[switched.index(kind.name)])

    def _check_storage(self, kind: Storage) -> Iterator[Violation]:
        yield from self._within(kind.name, "charge", kind.charge_limit)
        yield from self._within(kind.name, "discharge", kind.discharge_limit)
        levels, scale = self.solved.level(kind.name), max(kind.capacity, SMALL)
        charged = kind.charge_efficiency * self._flow(kind.name, "charge")
        drawn = self._flow(kind.name, "discharge") / kind.discharge_efficiency
        expected = levels[:-1] * (1 - kind.loss) + charged - drawn
        gap = expected - levels[1:]
        if kind.overflows:
            gap = np.where(self._may_overflow(kind, levels), np.minimum(gap, 0.0), gap)
        yield from self._beyond("level does not follow", kind.name, np.abs(gap), scale)
        if kind.overflows:
            yield from self._beyond("overflows before it is full", kind.name, self._wasted(kind, levels), scale)
        yield from self._beyond("level is below 0", kind.name, -levels[1:], scale)
        yield from self._beyond("level is above its capacity", kind.name, levels[1:] - kind.capacity, scale)
        yield from self._check_ends(kind, levels, scale)

    def _may_overflow(self, kind: Storage, levels: Floats) -> NDArray[np.bool_]:
        """Return in which steps a tank may lose what does not fit: those that it ends full.

        That is rain, and what is bought at a price of 0 or below although rain has filled the tank. The last step
        also where the end level is given: what is above it.
        """
        may = levels[1:] >= kind.capacity - TOLERANCE * max(kind.capacity, SMALL)
        may[-1] |= self.end in (EndRule.CYCLIC, EndRule.FIXED)
        return may

    def _wasted(self, kind: Storage, levels: Floats) -> Floats:
        """Return what a storage could still have taken, by step, of what costless sources on its bus offered."""
        spare = np.zeros(self.steps)
        for source in self.system.kinds:
            if isinstance(source, Source) and source.bus == kind.bus and self._is_costless(source):
                spare += source.available.values(self.steps) - self._flow(source.name, "out")
        wasted = np.minimum(spare, kind.capacity - levels[1:])
        if self.end in (EndRule.CYCLIC, EndRule.FIXED):
            wasted[-1] = 0.0
        return wasted

    def _is_costless(self, source: Source) -> bool:
        emits = self.system.economics.co2_price_per_kg > 0 and source.co2_kg.highest() > 0
        costs = source.cost.highest() > 0 or source.variable_cost.highest() > 0
        return not (source.is_bought or emits or costs)

    def _check_ends(self, kind: Storage, levels: Floats, scale: float) -> Iterator[Violation]:
        initial = kind.initial_level * kind.capacity
        if self.end is EndRule.CYCLIC:
            yield from self._at_end("does not end as it began", kind, abs(levels[-1] - levels[0]), scale)
            return
        yield from self._beyond("does not begin at its initial level", kind.name, np.abs(levels[:1] - initial), scale)
        if self.end is EndRule.FIXED:
            yield from self._at_end("does not end at its initial level", kind, abs(levels[-1] - initial), scale)

    def _at_end(self, what: str, kind: Storage, drift: float, scale: float) -> Iterator[Violation]:
        """Yield a violation of the last step if a storage's drift is above tolerance."""
        for found in self._beyond(what, kind.name, np.array([drift]), scale):
            yield replace(found, step=self.steps - 1)

    def _beyond(self, what: str, where: str, excess: Floats, scale: float) -> Iterator[Violation]:
        """Yield a violation if any excess is above tolerance, or is no finite number."""
        worst = int(np.argmax(excess))
        if not excess[worst] <= TOLERANCE * scale < np.inf:
            yield Violation(what, where, worst, float(excess[worst]))

    def _total_cost(self) -> float:
        """Return what the plan costs, from the kinds' own prices."""
        cost = self._held_cost()
        for kind in self.system.kinds:
            cost += self._running_cost(kind) + self.system.economics.co2_price_per_kg * self._co2(kind)
        return cost

    def _held_cost(self) -> float:
        rate, share = self.system.economics.discount_rate, self.system.clock.year_share
        return share * sum(
            one.capital * capital_recovery_factor(rate, one.lifetime_years) + one.fixed_per_year
            for one in self.system.investments().values()
        )

    def _running_cost(self, kind: Kind) -> float:
        if isinstance(kind, Exchange):
            bought, sold = self._flow(kind.name, "import"), self._flow(kind.name, "export")
            traded = bought * kind.import_price.values(self.steps) - sold * kind.export_price.values(self.steps)
            cost = float(traded.sum() + bought @ kind.variable_cost.values(self.steps))
            return cost + metered_cost(kind, bought, sold, traded, self.system.clock.months)
        cost = float(self._delivered(kind) @ kind.cost.values(self.steps))
        if isinstance(kind, Source):
            cost += float(self._delivered(kind) @ kind.variable_cost.values(self.steps))
        if isinstance(kind, Sink) and kind.unmet_cost is not None:
            missing = kind.demand.values(self.steps) - self._flow(kind.name, "in")
            cost += kind.unmet_cost * float(missing.sum())
        if isinstance(kind, Converter) and kind.commitment is not None:
            cost += kind.commitment.start_cost * float(starts(self._on(kind)).sum())
        if isinstance(kind, Storage) and self.end is EndRule.SHORTFALL:
            levels = self.solved.level(kind.name)
            price = self.system.end_price(kind.bus) if kind.end_price is None else kind.end_price
            cost += (price or 0.0) * max(0.0, float(levels[0] - levels[-1]))
        return cost

    def _co2(self, kind: Kind) -> float:
        flow = self._flow(kind.name, "import") if isinstance(kind, Exchange) else self._delivered(kind)
        return float(flow @ kind.co2_kg.values(self.steps))

    def _delivered(self, kind: Kind) -> Floats:
        """Return the flow that a kind's cost and CO2 are counted on."""
        name = {Source: "out", Sink: "in", Storage: "discharge", Converter: "out"}[type(kind)]
        return self._flow(kind.name, name)


def _output_name(kind: Converter, at: int) -> str:
    return "out" if at == 0 else f"out_{kind.outputs[at].bus}"
