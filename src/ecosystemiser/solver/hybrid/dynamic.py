"""The dynamic program of one device: over its states (how long on, how long off) and the level of its storage.

Backward, the value of every state and level at every step; forward, the choices from the first level. What others bring
to the bus, beyond what they must, is chosen with it, so a boiler helps where it is cheaper.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ecosystemiser.model.kinds import Floats
from ecosystemiser.model.problem import Ints
from ecosystemiser.solver.rule_based.compiled import compiled, inlined

__all__ = ["Course", "Device", "course_of"]


class Device(NamedTuple):
    """What the dynamic program knows of a device, its bus and its storage."""

    drawn: Floats
    """Inputs to choose from: 0, then some from the least to the most. (steps, loads)"""
    drawn_cost: Floats
    """What each costs, but for what it brings to the bus. (steps, loads)"""
    given: Floats
    """What each brings to the bus. (steps, loads)"""
    base: Floats
    """What others leave on the bus at least, demands taken off. (steps,)"""
    cost: Floats
    """Of more from others, per amount, rising. (steps, segments)"""
    width: Floats
    """(steps, segments)"""
    fill_limit: Floats
    draw_limit: Floats
    """Of the storage, at the bus. (steps,)"""
    fill_efficiency: float
    draw_efficiency: float
    keep: float
    levels: Floats
    """Even, from 0 to the capacity; one of 0 where there is no storage. (levels,)"""
    end_values: Floats
    """What is to be paid at the end at each level. (levels,)"""
    first_level: float
    start_cost: float
    min_up: int
    min_down: int
    penalty: float
    """Of each amount that is short, or too much."""


class Course(NamedTuple):
    """What the device does."""

    on: Ints
    """(steps,)"""
    drawn: Floats
    level: Floats
    """At each step's start, and at the end. (steps + 1,)"""
    cost: float
    """By the prices that it was given."""


def course_of(device: Device) -> Course:
    """Return the cheapest course of a device that has been off for long."""
    values = np.zeros((len(device.drawn) + 1, device.min_up + device.min_down, len(device.levels)))
    _backward(device, values)
    on, drawn, level = np.zeros(len(device.drawn), np.int64), np.zeros(len(device.drawn)), np.zeros(len(values))
    _forward(device, values, on, drawn, level)
    first = np.interp(device.first_level, device.levels, values[0, device.min_up + device.min_down - 1])
    return Course(on, drawn, level, float(first))


@inlined
def _at(values: Floats, level: float, spacing: float) -> float:
    """Return a value between the levels."""
    if spacing == 0.0:
        return values[0]  # type: ignore[no-any-return]
    place = level / spacing
    below = min(int(place), len(values) - 2)
    return values[below] + (place - below) * (values[below + 1] - values[below])  # type: ignore[no-any-return]


@inlined
def _settle(device: Device, step: int, level: float, net: float) -> tuple[float, float]:
    """Return the next level when `net` is left on the bus, and the penalty of what does not fit."""
    capacity, lost = device.levels[-1], 0.0
    after = level * device.keep
    if net >= 0.0:
        taken = min(net, device.fill_limit[step], (capacity - after) / device.fill_efficiency)
        taken = max(taken, 0.0)
        lost = net - taken
        after = after + device.fill_efficiency * taken
    else:
        brought = max(min(-net, device.draw_limit[step], after * device.draw_efficiency), 0.0)
        lost = -net - brought
        after = after - brought / device.draw_efficiency
    return min(max(after, 0.0), capacity), device.penalty * lost


@inlined
def _others(device: Device, step: int, amount: float) -> tuple[float, float]:
    """Return what others bring when asked for `amount` beyond their base, and its cost."""
    cost, brought = 0.0, 0.0
    for segment in range(device.cost.shape[1]):
        part = min(max(amount - brought, 0.0), device.width[step, segment])
        cost += part * device.cost[step, segment]
        brought += part
    return brought, cost


@inlined
def _best(device: Device, values: Floats, step: int, level: float, load: int) -> tuple[float, float]:
    """Return the least cost from here on at `load`, others chosen best, and the next level.

    `values` are those of the state that follows, at the levels. What others bring is tried at the ends of their
    segments, and where it just keeps the storage from being empty or full.
    """
    spacing = device.levels[1] if len(device.levels) > 1 else 0.0
    own = device.given[step, load] + device.base[step]
    after = level * device.keep
    best, best_level = np.inf, 0.0
    reach = 0.0
    attempts = device.cost.shape[1] + 3 if device.cost.shape[1] else 1
    for attempt in range(attempts):
        if attempt <= device.cost.shape[1]:
            asked = reach
            if attempt < device.cost.shape[1]:
                reach += device.width[step, attempt]
        elif attempt == device.cost.shape[1] + 1:
            asked = -own - min(after * device.draw_efficiency, device.draw_limit[step])
        else:
            asked = -own + min((device.levels[-1] - after) / device.fill_efficiency, device.fill_limit[step])
        brought, cost = _others(device, step, asked)
        next_level, lost = _settle(device, step, level, own + brought)
        total = cost + lost + _at(values, next_level, spacing)
        if total < best:
            best, best_level = total, next_level
    return best + device.drawn_cost[step, load], best_level


@compiled
def _backward(device: Device, values: Floats) -> None:
    """Fill the values of all states, from the end to the first step."""
    steps, loads = device.drawn.shape
    up, states = device.min_up, device.min_up + device.min_down
    follow = np.zeros(states)
    for state in range(states):
        for place in range(len(device.levels)):
            values[steps, state, place] = device.end_values[place]
    for back in range(steps):
        step = steps - 1 - back
        for place in range(len(device.levels)):
            level = device.levels[place]
            for state in range(states):
                if state < up:
                    follow[state] = np.inf
                    for load in range(1, loads):
                        follow[state] = min(follow[state], _best(device, values[step + 1, state], step, level, load)[0])
                else:
                    follow[state] = _best(device, values[step + 1, state], step, level, 0)[0]
            for state in range(states):
                values[step, state, place] = _over(device, follow, state)[0]


@inlined
def _over(device: Device, follow: Floats, state: int) -> tuple[float, int]:
    """Return the least cost of what may follow a state, and the state that does.

    States: on for 1, 2, ... min_up steps or more, then off for 1, 2, ... min_down steps or more.
    """
    up, states = device.min_up, device.min_up + device.min_down
    if state < up:
        stay = min(state + 1, up - 1)
        if state == up - 1 and follow[up] < follow[stay]:
            return follow[up], up
        return follow[stay], stay
    stay = min(state + 1, states - 1)
    if state == states - 1 and device.start_cost + follow[0] < follow[stay]:
        return device.start_cost + follow[0], 0
    return follow[stay], stay


@compiled
def _forward(device: Device, values: Floats, on: Ints, drawn: Floats, levels: Floats) -> None:
    """Follow the choices from the first level and the state of being off for long."""
    steps, loads = device.drawn.shape
    up, states = device.min_up, device.min_up + device.min_down
    follow, chosen, reached = np.zeros(states), np.zeros(states, np.int64), np.zeros(states)
    state = states - 1
    levels[0] = device.first_level
    for step in range(steps):
        for after in range(states):
            follow[after] = np.inf
            for load in range(1 if after < up else 0, loads if after < up else 1):
                cost, level = _best(device, values[step + 1, after], step, levels[step], load)
                if cost < follow[after]:
                    follow[after], chosen[after], reached[after] = cost, load, level
        _, state = _over(device, follow, state)
        on[step] = 1 if state < up else 0
        drawn[step] = device.drawn[step, chosen[state]]
        levels[step + 1] = reached[state]
