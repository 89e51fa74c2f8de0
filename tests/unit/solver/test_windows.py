"""A horizon cut into windows, by hand."""

import numpy as np
import pytest

from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.solver.windows import Past, Window, window_problem, windows_of

SYSTEM = """
system_id: windows
time: {start: 2018-01-31 22:00:00, steps: 4}
components:
  grid: {type: grid, import_price_per_kwh: [0.1, 0.2, 0.3, 0.4]}
  battery: {type: battery, capacity_kwh: 4, power_kw: 4, initial_level: 0.25, end_price: 0.7}
  load: {type: electricity_demand, profile: [1.0, 2.0, 3.0, 4.0]}
"""


PAST = Past(np.array([3.0]), np.zeros((0, 1), dtype=np.int64), np.zeros((5, 1)))


def problem_of(end=EndRule.SHORTFALL):
    return compile_problem(load_system(parse_yaml(SYSTEM, "windows.yaml")), end)


@pytest.mark.parametrize(
    ("steps", "lookahead", "commit", "expected"),
    [
        (10, 4, 3, [(0, 3, 4), (3, 6, 7), (6, 10, 10)]),
        (10, 4, 4, [(0, 4, 4), (4, 8, 8), (8, 10, 10)]),
        (10, 4, 1, [(0, 1, 4), (1, 2, 5), (2, 3, 6), (3, 4, 7), (4, 5, 8), (5, 6, 9), (6, 10, 10)]),
        (3, 1, 1, [(0, 1, 1), (1, 2, 2), (2, 3, 3)]),
        (3, 3, 1, [(0, 3, 3)]),
        (3, 48, 24, [(0, 3, 3)]),
        (1, 1, 1, [(0, 1, 1)]),
    ],
)
def test_what_each_window_sees_and_keeps(steps, lookahead, commit, expected):
    """First step, end of what is kept, end of what is seen; a window that sees the end keeps all."""
    assert list(windows_of(steps, lookahead, commit)) == [Window(*window) for window in expected]


@pytest.mark.parametrize("steps", range(1, 14))
@pytest.mark.parametrize(("lookahead", "commit"), [(1, 1), (3, 1), (5, 2), (6, 6)])
def test_every_step_is_kept_once(steps, lookahead, commit):
    windows = list(windows_of(steps, lookahead, commit))
    assert [step for one in windows for step in range(one.first, one.committed)] == list(range(steps))
    assert all(one.first < one.committed <= one.seen <= steps for one in windows)


def test_a_window_holds_its_steps_and_its_levels():
    """Steps 1 and 2 start at 3 kWh and are asked to leave 2.5; months count from the first one that it holds."""
    problem = problem_of()
    part = window_problem(problem, Window(1, 2, 3), PAST, np.array([2.5]))
    assert part.steps == 2
    assert part.limits(3).tolist() == problem.limits(3)[1:3].tolist()
    assert part.signals.tolist() == problem.signals[:, 1:3].tolist()
    assert (part.coefficients.initial_level.tolist(), part.coefficients.end_level.tolist()) == ([3], [2.5])
    assert part.coefficients.end_price.tolist() == [0.7]
    assert problem.months.tolist() == [0, 0, 1, 1]
    assert part.months.tolist() == [0, 1]
    assert window_problem(problem, Window(2, 4, 4), PAST, np.array([2.5])).months.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("end", "within", "last"),
    [
        (EndRule.SHORTFALL, EndRule.SHORTFALL, EndRule.SHORTFALL),
        (EndRule.FREE, EndRule.SHORTFALL, EndRule.FREE),
        (EndRule.FIXED, EndRule.SHORTFALL, EndRule.FIXED),
        (EndRule.CYCLIC, EndRule.SHORTFALL, EndRule.FIXED),
    ],
)
def test_the_end_rule_is_that_of_the_last_window(end, within, last):
    """It is asked to end at the level of the horizon's start (1 of 4 kWh), whatever level it begins at."""
    problem = problem_of(end)
    parts = [window_problem(problem, window, PAST, np.array([2.5])) for window in windows_of(4, 2, 2)]
    assert [part.end for part in parts] == [within, last]
    assert [part.coefficients.end_level.tolist() for part in parts] == [[2.5], [1]]


def test_the_problem_itself_stays():
    problem = problem_of(EndRule.CYCLIC)
    window_problem(problem, Window(0, 2, 2), PAST, np.array([2.5]))
    assert (problem.steps, problem.end, problem.coefficients.initial_level.tolist()) == (4, EndRule.CYCLIC, [1])
