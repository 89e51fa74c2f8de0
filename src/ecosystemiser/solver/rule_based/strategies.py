"""The named strategies of the rule: in words, and which ways from supply to use each of them takes, in order.

Within a line the merit order says which way comes first (`merit_order`). A line may hold in some hours only, up to a
power only, or while a unit runs; the kernel knows those conditions, so every strategy is dispatched by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from ecosystemiser.config.solver_options import SolverOptions, Strategy
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import CostCategory, Problem

__all__ = [
    "ALWAYS",
    "WORDS",
    "Condition",
    "Hours",
    "Line",
    "Supply",
    "Use",
    "check_strategy",
    "is_cheap",
    "lines_of",
]

WORTH_IT = 0.8
"""Charging pays where a price is at most this share of the day's highest: what is left after usual losses."""
DAY_H = 24.0


class Supply(Enum):
    """What a line draws from."""

    LOCAL = "local sources"
    STORED = "storages"
    BOUGHT = "what is bought"
    GRIDS = "grids"
    UNITS = "units that burn what is bought"


class Use(Enum):
    """What a line brings to."""

    DEMAND = "demands"
    STORAGE = "storages"
    SALE = "sales"


class Hours(Enum):
    """When a line holds."""

    ALWAYS = "always"
    CHEAP = "in cheap hours"
    DEAR = "outside cheap hours"


@dataclass(frozen=True)
class Condition:
    """Under what a line holds."""

    hours: Hours = Hours.ALWAYS
    is_capped: bool = False
    """Only up to `peak_kw` bought from each electricity grid."""
    while_running: bool = False
    """Only through units that run in the step."""
    to_setpoint: bool = False
    """Only up to `charge_setpoint` of a storage's capacity."""


ALWAYS = Condition()


@dataclass(frozen=True)
class Line:
    """From where to where, under what."""

    supply: Supply
    use: Use
    condition: Condition = ALWAYS


WORDS: dict[Strategy, str] = {
    "self_consumption": """
        Local sources serve demands, then storages do, then what is bought; what local sources have left is stored,
        then sold.""",
    "time_of_use": """
        As self_consumption, but storages are also charged from grids in the cheap hours of a day, and serve demands
        only outside them. An hour is cheap where its price is at most 80 % of the highest of its day (24 hours, counted
        from the first step); a day without such hours has none.""",
    "peak_shaving": """
        Demands are served by local sources, then from grids up to peak_kw, then by storages, then by whatever else can
        be bought; storages are charged by local sources, then from grids as long as these stay below peak_kw.""",
    "load_following": """
        Units that burn what is bought give what local sources and storages leave of the demands, and no more: they
        never charge storages. The order of self_consumption, under the name that it has for generators.""",
    "cycle_charging": """
        As load_following, but a unit that has to run runs at full power: what demands leave of it charges storages, up
        to charge_setpoint of their capacity.""",
}
"""What each strategy does, for people."""

_PLAIN = (
    Line(Supply.LOCAL, Use.DEMAND),
    Line(Supply.STORED, Use.DEMAND),
    Line(Supply.BOUGHT, Use.DEMAND),
    Line(Supply.LOCAL, Use.STORAGE),
    Line(Supply.LOCAL, Use.SALE),
)
_LINES: dict[Strategy, tuple[Line, ...]] = {
    "self_consumption": _PLAIN,
    "time_of_use": (
        Line(Supply.LOCAL, Use.DEMAND),
        Line(Supply.STORED, Use.DEMAND, Condition(Hours.DEAR)),
        Line(Supply.BOUGHT, Use.DEMAND),
        Line(Supply.STORED, Use.DEMAND, Condition(Hours.CHEAP)),
        Line(Supply.LOCAL, Use.STORAGE),
        Line(Supply.GRIDS, Use.STORAGE, Condition(Hours.CHEAP)),
        Line(Supply.LOCAL, Use.SALE),
    ),
    "peak_shaving": (
        Line(Supply.LOCAL, Use.DEMAND),
        Line(Supply.GRIDS, Use.DEMAND, Condition(is_capped=True)),
        Line(Supply.STORED, Use.DEMAND),
        Line(Supply.BOUGHT, Use.DEMAND),
        Line(Supply.LOCAL, Use.STORAGE),
        Line(Supply.GRIDS, Use.STORAGE, Condition(is_capped=True)),
        Line(Supply.LOCAL, Use.SALE),
    ),
    "load_following": _PLAIN,
    "cycle_charging": (
        Line(Supply.LOCAL, Use.DEMAND),
        Line(Supply.STORED, Use.DEMAND),
        Line(Supply.BOUGHT, Use.DEMAND),
        Line(Supply.LOCAL, Use.STORAGE),
        Line(Supply.UNITS, Use.STORAGE, Condition(while_running=True, to_setpoint=True)),
        Line(Supply.LOCAL, Use.SALE),
    ),
}


def lines_of(options: SolverOptions) -> tuple[Line, ...]:
    """Return the lines of a strategy, in order."""
    return _LINES[options.strategy]


def check_strategy(options: SolverOptions) -> None:
    """Raise InputError where a strategy lacks what it needs, or is given what means nothing to it."""
    if options.strategy == "peak_shaving" and options.peak_kw is None:
        remedy = "add what is bought at most from a grid while storages can help: solver.peak_kw (--peak)"
        raise InputError([Finding("is needed by peak_shaving", remedy, "solver.peak_kw")])
    if options.strategy != "peak_shaving" and options.peak_kw is not None:
        remedy = "use strategy: peak_shaving, or leave it out"
        raise InputError([Finding("means nothing to this strategy", remedy, "solver.peak_kw", options.peak_kw)])


def is_cheap(problem: Problem, flow: int, lane: int) -> Floats:
    """Return 1 in the steps in which what an exchange buys by `flow` is cheap, else 0. (steps,)"""
    layout = problem.layout
    term = next(
        at
        for at, (its, category) in enumerate(zip(layout.costs.flow, layout.costs.category, strict=True))
        if its == flow and category is CostCategory.PURCHASE
    )
    signals = problem.cost_signal
    signal = int(signals[term] if signals.ndim == 1 else signals[term, lane])
    prices = problem.signals[signal]
    day = max(1, round(DAY_H / problem.step_h))
    days = np.arange(problem.steps) // day
    highest = np.full(days[-1] + 1, -np.inf)
    np.maximum.at(highest, days, prices)
    return np.asarray((prices <= WORTH_IT * highest[days]) & (highest[days] > 0), dtype=np.float64)
