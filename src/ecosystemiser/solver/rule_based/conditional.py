"""The compiled dispatch of merit orders of which some steps hold under conditions: hours, a cap, units that run.

A kernel of its own: with the conditions in it, the plain one would be seven times slower, conditions or not.
"""

from __future__ import annotations

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.solver.rule_based.compiled import compiled, inlined
from ecosystemiser.solver.rule_based.kernel import close_step, move_along, open_step
from ecosystemiser.solver.rule_based.origin import carry_origin, trace_origin
from ecosystemiser.solver.rule_based.sums import Sums, add_amounts, add_metered, add_peaks, add_residuals, add_shortages
from ecosystemiser.solver.rule_based.tables import Numbers, Plan

__all__ = ["dispatch_hours_under", "dispatch_sums_under"]


@compiled
def dispatch_hours_under(plan: Plan, numbers: Numbers, flows: Floats, levels: Floats) -> None:
    """Dispatch one lane and keep its hours, as `kernel.dispatch_hours`."""
    left, moved = np.zeros((flows.shape[0], 1)), np.zeros((flows.shape[0], 1))
    ratio, level = np.zeros((len(plan.output_flow), 1)), numbers.initial_level.copy()
    there, aside = np.zeros_like(level), np.zeros((4, 1))
    levels[:, 0] = level[:, 0]
    for step in range(flows.shape[1]):
        open_step(plan, numbers, step, level, there, left, moved, ratio, 1)
        _move_under(plan, numbers, step, there, left, moved, ratio, aside, 1)
        close_step(plan, numbers, there, level, moved, 1)
        flows[:, step] = moved[:, 0]
        levels[:, step + 1] = level[:, 0]


@compiled
def dispatch_sums_under(plan: Plan, numbers: Numbers, sums: Sums) -> None:
    """Dispatch all lanes and add up their hours in `sums`, as `kernel.dispatch_sums`."""
    count, lanes = len(plan.limit_signal), numbers.limit.shape[1]
    left, moved = np.zeros((count, lanes)), np.zeros((count, lanes))
    ratio, level = np.zeros((len(plan.output_flow), lanes)), numbers.initial_level.copy()
    there, aside = np.zeros_like(level), np.zeros((4, lanes))
    share = np.zeros((2, level.shape[0], lanes))
    use, charge = np.zeros((2, plan.buses + 1, lanes)), np.zeros((2, plan.buses + 1, lanes))
    work = np.zeros((8, lanes))
    for step in range(plan.signals.shape[0]):
        open_step(plan, numbers, step, level, there, left, moved, ratio, lanes)
        _move_under(plan, numbers, step, there, left, moved, ratio, aside, lanes)
        close_step(plan, numbers, there, level, moved, lanes)
        add_amounts(plan, numbers, step, moved, level, sums)
        add_peaks(plan, step, moved, sums)
        add_metered(plan, step, moved, sums)
        add_shortages(plan, numbers, step, left, sums)
        add_residuals(plan, moved, sums, work)
        trace_origin(plan, numbers, moved, share, use, charge, work, sums)
        carry_origin(plan, numbers, moved, there, share, charge)
    sums.level_last[:] = level


@inlined
def _move_under(  # type: ignore[no-untyped-def]  # noqa: C901 - what it would call is inlined badly
    plan, numbers, step, there, left, moved, ratio, aside, lanes
):
    """Walk down the merit order; what a condition withholds of a supply or a use is put aside meanwhile.

    `aside` (4, lanes): of the supply what it has and what it may bring, of the use likewise. A step moves as in
    `kernel`, written here again: a function that both call is inlined badly.
    """
    for at in range(len(plan.step_supply)):
        supply, use = plan.step_supply[at], plan.step_use[at]
        first, last = plan.step_first[at], plan.step_first[at + 1]
        if plan.step_when[at] >= 0 and plan.when[plan.step_when[at], step] == 0.0:
            continue
        kind, storage, drawn = plan.step_kind[at], plan.step_storage[at], plan.step_drawn[at]
        if kind != 0:
            capped, fill = plan.step_capped[at] != 0, plan.step_fill[at]
            for lane in range(lanes):
                most = left[supply, lane]
                allowed = numbers.cap[0, lane] - moved[supply, lane] if capped else most
                allowed = allowed if allowed > 0.0 else 0.0
                aside[0, lane], aside[1, lane] = most, allowed if allowed < most else most
                aside[2, lane], aside[3, lane] = left[use, lane], left[use, lane]
            if drawn >= 0:
                for lane in range(lanes):
                    aside[1, lane] = aside[1, lane] if moved[drawn, lane] > 0.0 else 0.0
            if storage >= 0 and fill < 1.0:
                for lane in range(lanes):
                    goal = fill * numbers.capacity[storage, lane] - there[storage, lane]
                    fitting = goal / numbers.charge_efficiency[storage, lane] - moved[use, lane]
                    fitting = fitting if fitting > 0.0 else 0.0
                    room = left[use, lane]
                    aside[3, lane] = fitting if fitting < room else room
            for lane in range(lanes):
                left[supply, lane], left[use, lane] = aside[1, lane], aside[3, lane]
        if first == last:
            for lane in range(lanes):
                a, b = left[supply, lane], left[use, lane]
                amount = a if a < b else b
                left[supply, lane] = a - amount
                left[use, lane] = b - amount
                moved[supply, lane] += amount
                moved[use, lane] += amount
        elif last == first + 1:
            output = plan.step_output[first]
            drawn, given = plan.output_input[output], plan.output_flow[output]
            for lane in range(lanes):
                per_unit = ratio[output, lane]
                a, b, c = left[supply, lane], left[use, lane], left[drawn, lane]
                amount = a if a < c else c
                delivered = amount * per_unit
                if delivered > b:
                    delivered = b
                    amount = b / per_unit
                left[supply, lane] = a - amount
                left[drawn, lane] = c - amount
                left[use, lane] = b - delivered
                moved[supply, lane] += amount
                moved[drawn, lane] += amount
                moved[given, lane] += delivered
                moved[use, lane] += delivered
        else:
            for lane in range(lanes):
                move_along(plan, lane, supply, use, plan.step_output[first:last], left, moved, ratio)
        if kind != 0:
            for lane in range(lanes):
                had, might, has = aside[0, lane], aside[1, lane], left[supply, lane]
                left[supply, lane] = has if had == might else had - (might - has)  # both may be without limit
                had, might, has = aside[2, lane], aside[3, lane], left[use, lane]
                left[use, lane] = has if had == might else had - (might - has)
