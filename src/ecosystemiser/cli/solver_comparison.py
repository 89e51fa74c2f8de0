"""One system solved by several solvers: what each reached, and what each decided differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecosystemiser.cli.tables import Column, as_table, terminal_width
from ecosystemiser.cli.text import amount, duration, money, printable, share, sign, wrapped

if TYPE_CHECKING:
    from ecosystemiser.services.simulation_service import SimulationResult

__all__ = ["comparison", "differences"]

MOST_NAMED = 3
"""Flows that are named of each solver."""
NOTABLE = 0.005
"""Share of the largest sum of its carrier by which a flow must differ to be named."""


def comparison(results: Mapping[str, SimulationResult], currency: str) -> str:
    """Return what each solver reached, against the best bound that any of them proved."""
    bounds = [result.solved.report.bound for result in results.values() if result.solved is not None]
    bound = max((each for each in bounds if each is not None), default=None)
    found = list(results.values())
    columns = [
        Column("", [sign(result.status) for result in found]),
        Column("solver", list(results)),
        Column("cost", [money(result.kpis.get("total_cost"), currency) for result in found], is_number=True),
        Column("CO2", [amount(result.kpis.get("total_co2"), "kg") for result in found], is_number=True),
        Column("self-suff.", [share(result.kpis.get("self_sufficiency_rate")) for result in found], is_number=True),
        Column("over the optimum", [share(_gap(result, bound)) for result in found], is_number=True),
        Column("time", [duration(result.wall_seconds) for result in found], is_number=True),
    ]
    failures = [f"{name}: {result.cause}: {result.error}" for name, result in results.items() if result.error]
    return "\n".join([as_table(columns), *(wrapped(printable(failure), terminal_width()) for failure in failures)])


def _gap(result: SimulationResult, bound: float | None) -> float | None:
    """Return how far a plan's cost lies above the proved bound."""
    cost: Any = result.kpis.get("total_cost")
    return None if cost is None or not bound else max(0.0, (cost - bound) / abs(bound))


def differences(results: Mapping[str, SimulationResult]) -> list[str]:
    """Return a line for each solver: what flows more and what less than in the cheapest plan, the largest first."""
    plans = {name: result for name, result in results.items() if result.has_completed and result.solved is not None}
    if len(plans) < 2:
        return []
    cheapest = min(plans, key=lambda name: plans[name].kpis["total_cost"] or 0.0)
    best = _sums(plans[cheapest])
    lines = [f"Beside {cheapest}, the cheapest:"]
    for name, result in plans.items():
        if name != cheapest:
            told = ", ".join(_changes(_sums(result), best)) or "nothing of note"
            lines.append(wrapped(f"{name}: {told}", terminal_width(), "  "))
    return lines


def _sums(result: SimulationResult) -> dict[tuple[str, str], float]:
    """Return what flows over the run, by name and unit; starts of what is switched with it."""
    solved = result.solved
    assert solved is not None  # noqa: S101 - asked for plans only
    layout = solved.problem.layout
    found = {
        (flow.path, "kWh" if layout.carrier(at).is_energy else "m3"): float(solved.tally.flow[at])
        for at, flow in enumerate(layout.flows)
    }
    for one, starts in zip(layout.committed, solved.tally.starts, strict=True):
        found[layout.flows[layout.inputs[one.converter]].component, "starts"] = float(starts)
    return found


def _changes(sums: dict[tuple[str, str], float], best: dict[tuple[str, str], float]) -> Sequence[str]:
    largest: dict[str, float] = {}
    for (_, unit), value in (*sums.items(), *best.items()):
        largest[unit] = max(largest.get(unit, 0.0), abs(value))
    changes = [(key, sums.get(key, 0.0) - best.get(key, 0.0)) for key in dict.fromkeys((*sums, *best))]
    notable = [(key, change) for key, change in changes if abs(change) > NOTABLE * max(largest[key[1]], 1e-9)]
    notable.sort(key=lambda each: -abs(each[1]) / largest[each[0][1]])
    return [f"{name} {change:+,.0f} {unit}" for (name, unit), change in notable[:MOST_NAMED]]
