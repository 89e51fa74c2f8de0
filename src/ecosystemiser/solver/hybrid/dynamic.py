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
    steps, states = len(device.drawn), device.min_up + device.min_down
    zero = np.zeros((steps, 1))
    ends = np.concatenate([zero, np.cumsum(device.width, axis=1)], axis=1)
    costs = np.concatenate([zero, np.cumsum(device.width * device.cost, axis=1)], axis=1)
    values = np.zeros((steps + 1, len(device.levels), states))
    values[-1] = device.end_values[:, None]
    _backward(device, ends, costs, values)
    on, drawn, level = np.zeros(steps, np.int64), np.zeros(steps), np.zeros(steps + 1)
    _forward(device, ends, costs, values, on, drawn, level)
    first = np.interp(device.first_level, device.levels, values[0, :, states - 1])
    return Course(on, drawn, level, float(first))


@inlined
def _cost_of(ends: Floats, costs: Floats, step: int, amount: float) -> tuple[float, float]:
    """Return what others bring when asked for `amount` beyond their base, and its cost."""
    last = ends.shape[1] - 1
    for segment in range(last):
        if amount <= ends[step, segment + 1]:
            width = ends[step, segment + 1] - ends[step, segment]
            share = (amount - ends[step, segment]) / width if width > 0.0 else 0.0
            return amount, costs[step, segment] + share * (costs[step, segment + 1] - costs[step, segment])
    return ends[step, last], costs[step, last]


@inlined
def _over(start_cost: float, up: int, states: int, follow: Floats, state: int) -> tuple[float, int]:
    """Return the least cost of what may follow a state, and the state that does.

    States: on for 1, 2, ... min_up steps or more, then off for 1, 2, ... min_down steps or more.
    """
    last = up - 1 if state < up else states - 1
    stay = min(state + 1, last)
    cost, after = follow[stay], stay
    if state == up - 1 and follow[up] < cost:
        cost, after = follow[up], up
    if state == states - 1 and start_cost + follow[0] < cost:
        cost, after = start_cost + follow[0], 0
    return cost, after


@inlined
def _follow(
    device: Device, ends: Floats, costs: Floats, values: Floats, step: int, level: float,
    follow: Floats, chosen: Ints, reached: Floats,
) -> None:  # fmt: skip
    """Fill, for each state that may follow, the least cost from here on, the load and the next level.

    What others bring is tried at the ends of their segments, and where it leaves the storage full, as it is, or empty.
    """
    up, states, loads = device.min_up, device.min_up + device.min_down, device.drawn.shape[1]
    places, choices = len(device.levels), ends.shape[1]
    capacity = device.levels[places - 1]
    spacing = device.levels[1] if places > 1 else 1.0
    kept = level * device.keep
    most_in = min(device.fill_limit[step], (capacity - kept) / device.fill_efficiency)
    most_out = min(device.draw_limit[step], kept * device.draw_efficiency)
    for state in range(states):
        follow[state] = np.inf
    for load in range(loads):
        first, last = (up, states) if load == 0 else (0, up)
        own = device.given[step, load] + device.base[step]
        for number in range(choices + 3 if choices > 1 else 1):
            if number < choices:
                brought, cost = ends[step, number], costs[step, number]
            else:
                asked = -own + (most_in if number == choices else 0.0 if number == choices + 1 else -most_out)
                if asked <= 0.0:
                    continue
                brought, cost = _cost_of(ends, costs, step, asked)
            net = own + brought
            cost += device.drawn_cost[step, load]
            if net >= 0.0:
                taken = max(min(net, most_in), 0.0)
                cost += device.penalty * (net - taken)
                after = kept + device.fill_efficiency * taken
            else:
                given = max(min(-net, most_out), 0.0)
                cost += device.penalty * (-net - given)
                after = kept - given / device.draw_efficiency
            after = min(max(after, 0.0), capacity)
            place = after / spacing
            below = min(int(place), max(places - 2, 0))
            share = place - below
            above = min(below + 1, places - 1)
            for state in range(first, last):
                low = values[step + 1, below, state]
                total = cost + low + share * (values[step + 1, above, state] - low)
                if total < follow[state]:
                    follow[state], chosen[state], reached[state] = total, load, after


@compiled
def _backward(device: Device, ends: Floats, costs: Floats, values: Floats) -> None:
    """Fill the values of all states, from the end to the first step. (steps + 1, levels, states)"""
    steps = device.drawn.shape[0]
    up, states = device.min_up, device.min_up + device.min_down
    follow, chosen, reached = np.zeros(states), np.zeros(states, np.int64), np.zeros(states)
    for back in range(steps):
        step = steps - 1 - back
        for place in range(len(device.levels)):
            _follow(device, ends, costs, values, step, device.levels[place], follow, chosen, reached)
            for state in range(states):
                values[step, place, state] = _over(device.start_cost, up, states, follow, state)[0]


@compiled
def _forward(
    device: Device, ends: Floats, costs: Floats, values: Floats, on: Ints, drawn: Floats, levels: Floats
) -> None:
    """Follow the choices from the first level and the state of being off for long."""
    up, states = device.min_up, device.min_up + device.min_down
    follow, chosen, reached = np.zeros(states), np.zeros(states, np.int64), np.zeros(states)
    state = states - 1
    levels[0] = device.first_level
    for step in range(device.drawn.shape[0]):
        _follow(device, ends, costs, values, step, levels[step], follow, chosen, reached)
        _, state = _over(device.start_cost, up, states, follow, state)
        on[step] = 1 if state < up else 0
        drawn[step] = device.drawn[step, chosen[state]]
        levels[step + 1] = reached[state]
