"""What explains a failure, in the words of whoever described the system."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.explaining.shortages import Endless, Explained, Limit, Shortage, limits_in

__all__ = ["told_endless", "told_limits", "told_shortages"]

When = Callable[[int], str]
"""How the time of a step is told."""


def told_shortages(problem: Problem, explained: Explained, when: When) -> tuple[str, ...]:
    """Return a sentence for each bus that is short and each storage that misses its end."""
    told = [_shortage(problem, one, when) for one in explained.shortages]
    told += [
        f"{missed.component} cannot end at the level that the end rule wants: it misses it by "
        f"{missed.amount:.4g}; take end: shortfall, or more supply before the end"
        for missed in explained.missed
    ]
    return tuple(told)


def _shortage(problem: Problem, one: Shortage, when: When) -> str:
    layout = problem.layout
    bus = layout.buses[one.bus]
    amount, rate = ("kWh", "kW") if bus.carrier.is_energy else ("m3", "m3/h")
    step_h = problem.step_h
    words = f"{bus.name}: short of {one.amount / step_h:.4g} {rate} on {when(one.step)}"
    if one.limits:
        words += f"; {_limits(problem, one.limits, rate)}"
    if one.steps > 1:
        words += f". In all {one.total:.4g} {amount} are short in {one.steps:,} steps"
    changes = [
        f"{limit.component} of {limit.amount / step_h * times:.4g} {_rate(problem, limit, rate)}"
        for limit, times in one.resized
    ]
    if one.steady is None:
        return words
    changes.append(f"a further {one.steady / step_h:.4g} {rate} of supply")
    return f"{words}. It would do with {' or '.join(changes)}"


def told_limits(problem: Problem, flows: Floats, levels: Floats, bus: int, step: int) -> str:
    """Return what gives no more to a bus in a step of a plan; empty where nothing is at a limit."""
    found = tuple(dict.fromkeys(limits_in(problem, flows, levels, bus, step)))
    return _limits(problem, found, "kW" if problem.layout.buses[bus].carrier.is_energy else "m3/h")


def _limits(problem: Problem, limits: Sequence[Limit], rate: str) -> str:
    told = [_limit(problem, limit, rate) for limit in limits]
    return " and ".join([*([", ".join(told[:-1])] if len(told) > 1 else []), *told[-1:]])


def _limit(problem: Problem, limit: Limit, rate: str) -> str:
    if limit.flow == "level":
        return f"{limit.component} is empty"
    if limit.amount <= 0:
        return f"{limit.component} has nothing"
    kinds = {"import": "import limit of ", "in": "input limit of ", "discharge": "discharge limit of "}
    what = kinds.get(limit.flow, "limit of ")
    return f"{limit.component} is at its {what}{limit.amount / problem.step_h:.4g} {_rate(problem, limit, rate)}"


def _rate(problem: Problem, limit: Limit, rate: str) -> str:
    layout = problem.layout
    for at, flow in enumerate(layout.flows):
        if (flow.component, flow.name) == (limit.component, limit.flow):
            return "kW" if layout.carrier(at).is_energy else "m3/h"
    return rate


def told_endless(problem: Problem, endless: Endless, when: When) -> str:
    """Return which flows make money without end, at which prices, and what to do."""
    layout = problem.layout
    parts = []
    for flow, cost in zip(endless.flows, endless.costs, strict=True):
        its = layout.flows[flow]
        word = {"import": "buys", "export": "sells", "in": "runs", "out": "gives"}.get(its.name, f"{its.name}s")
        price = -cost if its.name == "export" else cost
        parts.append(
            f"{its.component} {word}" + (f" at {price:.4g}" if price or its.name in ("import", "export") else "")
        )
    traded = [flow for flow in endless.flows if layout.flows[flow].name in ("import", "export")]
    limits = [f"{layout.flows[flow].component}.{layout.flows[flow].name}_limit_kw" for flow in traded]
    remedy = f"set {' or '.join(limits)}" if limits else "set a limit"
    return f"money is made without end on {when(endless.step)}: {', '.join(parts)}; {remedy}, or mend the price"
