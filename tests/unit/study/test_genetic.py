"""Genetic studies on problems whose answer is known."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ecosystemiser.config import GeneticSettings, ValueRange
from ecosystemiser.study.fronts import hypervolume
from ecosystemiser.study.genetic import GeneticAlgorithm
from ecosystemiser.study.space import Space

TWO = {"total_cost": "minimise", "total_co2": "minimise"}
Kpis = dict[str, float | None]
Values = Mapping[str, Any]


def unit(count: int) -> Space:
    return Space.of({f"x{at}": ValueRange(first=0, to=1) for at in range(count)})


def searched(space: Space, solve: Callable[[Values], Kpis | None], **settings: Any) -> GeneticAlgorithm:
    made = {"objectives": TWO, "population_size": 40, "max_generations": 60, "seed": 1, "patience": None}
    search = GeneticAlgorithm(space, GeneticSettings.model_validate({**made, **settings}))
    for points in search.ask():
        for point in points:
            search.tell(point, solve(point.values))
    return search


def amounts(search: GeneticAlgorithm) -> np.ndarray[Any, Any]:
    return np.array([list(point.objectives.values()) for point in search.front])


def zdt1(values: Values) -> Kpis:
    """Zitzler, Deb and Thiele 2000: the front is f2 = 1 - sqrt(f1)."""
    first, *rest = values.values()
    g = 1 + 9 * sum(rest) / len(rest)
    return {"total_cost": first, "total_co2": g * (1 - math.sqrt(first / g))}


@pytest.mark.parametrize("algorithm", ["nsga2", "nsga3"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_front_of_zdt1_is_found_within_one_per_cent(algorithm: str, seed: int) -> None:
    """By hand: below (1.1, 1.1) the true front dominates 1.21 less the integral of 1 - sqrt(x), which is 1/3."""
    search = searched(unit(5), zdt1, algorithm=algorithm, seed=seed, max_generations=100)
    found = hypervolume(amounts(search), np.array([1.1, 1.1]))
    assert found == pytest.approx(1.21 - 1 / 3, rel=0.01)
    assert found < 1.21 - 1 / 3


def test_chance_alone_does_not_find_it() -> None:
    """A negative control of the test above, with as many runs."""
    search = searched(unit(5), zdt1, max_generations=1, population_size=2_000)
    assert hypervolume(amounts(search), np.array([1.1, 1.1])) < 0.9 * (1.21 - 1 / 3)


def test_a_limit_cuts_the_front() -> None:
    """By hand: where f1 must be 0.25 at least, the best f2 is 0.5."""
    search = searched(unit(3), zdt1, constraints=["total_cost >= 0.25"])
    front = amounts(search)
    assert front[:, 0].min() >= 0.25
    assert front[:, 1].max() == pytest.approx(0.5, abs=0.02)
    assert search.steps[0].metrics["infeasible"] > 0


def test_one_objective_over_mixed_fields_finds_the_one_best_design() -> None:
    """A bowl with its bottom at 30, 4 of a list, choice b."""
    space = Space.of(
        {
            "size": ValueRange(first=0, to=100),
            "count": ValueRange(first=1, to=9, integer=True),
            "kind": ["c", "b", "a"],
            "one": [7],
        }
    )

    def bowl(values: Values) -> Kpis:
        return {"total_cost": (values["size"] - 30) ** 2 + (values["count"] - 4) ** 2 + 5 * (values["kind"] != "b")}

    search = searched(space, bowl, objectives={"total_cost": "minimise"})
    assert [point.objectives["total_cost"] for point in search.front] == [pytest.approx(0.0, abs=1e-3)]
    assert search.front[0].crowding_distance is None
    highest = searched(space, bowl, objectives={"total_cost": "maximise"})
    assert highest.front[0].objectives["total_cost"] == pytest.approx(4900 + 25 + 5, rel=1e-3)


def test_maximising_is_minimising_with_the_sign_turned() -> None:
    """The same search, seen from the other side: the same designs, and numbers in the KPI's own sign."""

    def shared(values: Values) -> Kpis:
        return {"self_sufficiency_rate": -(zdt1(values)["total_cost"] or 0.0), "total_co2": zdt1(values)["total_co2"]}

    one = searched(unit(3), zdt1, max_generations=10)
    other = searched(
        unit(3), shared, max_generations=10, objectives={"self_sufficiency_rate": "maximise", "total_co2": "minimise"}
    )
    assert [point.number for point in one.front] == [point.number for point in other.front]
    for here, there in zip(one.steps, other.steps, strict=True):
        assert here.metrics["hypervolume"] == there.metrics["hypervolume"]
        assert here.metrics["total_cost.best"] == -there.metrics["self_sufficiency_rate.best"]
        assert here.metrics["total_cost.spread"] == pytest.approx(there.metrics["self_sufficiency_rate.spread"])


def test_failed_runs_are_worse_than_any_other() -> None:
    """Half of the space fails; nothing of it is on the front or lives long."""

    def half(values: Values) -> Kpis | None:
        return None if values["x0"] < 0.5 else zdt1(values)

    search = searched(unit(3), half)
    assert amounts(search)[:, 0].min() == pytest.approx(0.5, abs=0.01)
    failed = [step.metrics["failed"] for step in search.steps]
    assert failed[0] > 10
    assert np.mean(failed[-10:]) < 5


def test_a_kpi_that_is_not_defined_counts_as_failed() -> None:
    search = searched(unit(2), lambda values: {**zdt1(values), "total_co2": None}, max_generations=3)
    assert search.front == ()
    assert [step.metrics["failed"] for step in search.steps] == [40, 40, 40]


def test_a_design_bred_again_takes_the_known_result() -> None:
    """Of 40 designs of a list none is asked twice, and the search goes on without asking where all are known."""
    space = Space.of({"a": list(range(8)), "b": ["u", "v", "w", "x", "y"]})
    asked = []

    def solve(values: Values) -> Kpis:
        asked.append(json.dumps(dict(values)))
        return {"total_cost": abs(values["a"] - 3), "total_co2": "vwuxy".index(values["b"])}

    search = searched(space, solve, population_size=8, max_generations=200)
    assert len(asked) == len(set(asked)) <= 40
    assert [point.objectives for point in search.front] == [{"total_cost": 0, "total_co2": 0}]
    assert sum(step.metrics["known_designs"] for step in search.steps) > 0
    assert search.stopped_because in (
        "all designs of the space were solved",
        "200 generations were bred (max_generations)",
        "no design can be bred that is not known",
    )


@pytest.mark.parametrize("parameters", [{"a": [1]}, {"a": [1, 2]}, {"a": [1, 2], "b": ["x", "y", "z"]}])
def test_a_space_smaller_than_a_generation_is_solved_whole(parameters: dict[str, list[Any]]) -> None:
    space = Space.of(parameters)
    search = searched(space, lambda values: {"total_cost": values["a"], "total_co2": 1.0})
    assert search.steps[-1].evaluations == space.size
    assert search.stopped_because == "all designs of the space were solved"


def test_the_budget_of_runs_is_kept_to_the_last() -> None:
    search = searched(unit(3), zdt1, max_evaluations=101)
    assert [step.metrics["new_evaluations"] for step in search.steps] == [40, 40, 21]
    assert search.stopped_because == "101 runs were made (max_evaluations)"


def test_it_ends_when_nothing_better_is_found() -> None:
    """One objective, and after the first generation nothing gets better: 5 more generations, no sixth."""
    search = searched(unit(2), lambda _: {"total_cost": 1.0}, objectives={"total_cost": "minimise"}, patience=5)
    assert len(search.steps) == 6
    assert search.stopped_because == "nothing better was found in 5 generations (patience)"


def test_the_front_of_zdt1_ends_by_patience_once_it_is_found() -> None:
    search = searched(unit(5), zdt1, patience=10, tolerance=1e-3, max_generations=500)
    assert 20 < len(search.steps) < 200
    assert search.stopped_because == "nothing better was found in 10 generations (patience)"
    assert hypervolume(amounts(search), np.array([1.1, 1.1])) == pytest.approx(1.21 - 1 / 3, rel=0.01)


def test_without_a_feasible_design_it_goes_on() -> None:
    """It must not take 'no front' for a front that stands still."""
    search = searched(unit(2), zdt1, constraints=["total_cost >= 5"], patience=2, max_generations=8)
    assert len(search.steps) == 8
    assert search.front == ()
    assert "hypervolume" not in search.steps[-1].metrics


def test_initial_designs_come_first_and_chance_adds_the_others() -> None:
    initial = [{"x0": 0.25, "x1": 0.0}, {"x0": 0.5, "x1": 0.0}]
    search = GeneticAlgorithm(
        unit(2), GeneticSettings.model_validate({"objectives": TWO, "population_size": 10, "initial_designs": initial})
    )
    points = sorted(next(search.ask()), key=lambda point: point.number)
    assert [dict(point.values) for point in points[:2]] == initial
    assert len(points) == 10


def test_a_good_start_is_kept() -> None:
    """Points of the true front as initial designs: the first front lies on it."""
    initial = [{f"x{at}": share if at == 0 else 0.0 for at in range(10)} for share in (0.0, 0.25, 0.5, 1.0)]
    search = searched(unit(10), zdt1, initial_designs=initial, max_generations=1)
    first = {json.dumps(dict(point.objectives)) for point in search.steps[0].front}
    assert json.dumps({"total_cost": 0.25, "total_co2": 0.5}) in first


def test_the_numbers_of_a_generation_by_hand() -> None:
    """Four designs of a list, all in the first generation: costs 0, 1, 2, 3 and CO2 3, 1, 2, 0.

    The front is 0, 1, 3 (1 beats 2). The reference lies at 3.3, 3.3 (a tenth of the range beyond the worst), so that
    the front dominates 3.3 x 0.3 + 2.3 x 2 + 0.3 x 1 of 3.3 x 3.3.
    """
    co2 = [3.0, 1.0, 2.0, 0.0]
    search = searched(
        Space.of({"a": [0, 1, 2, 3]}), lambda values: {"total_cost": values["a"], "total_co2": co2[values["a"]]}
    )
    (step,) = search.steps
    costs = {point.objectives["total_cost"] for point in step.front}
    assert costs == {0, 1, 3}
    assert {name: step.metrics[name] for name in step.metrics if name.startswith("total_cost")} == {
        "total_cost.best": 0.0,
        "total_cost.mean": 1.5,
        "total_cost.worst": 3.0,
        "total_cost.spread": pytest.approx(1.25**0.5),
    }
    assert step.metrics["hypervolume"] == pytest.approx((3.3 * 0.3 + 2.3 * 2 + 0.3 * 1) / 3.3**2)
    # Distances of each two of 0, 1/3, 2/3, 1: three of 1/3, two of 2/3, one of 1.
    assert step.metrics["diversity"] == pytest.approx((3 / 3 + 4 / 3 + 1) / 6)
    assert (step.evaluations, step.metrics["failed"], step.metrics["infeasible"]) == (4, 0, 0)


def test_the_hypervolume_of_the_log_never_falls_and_has_the_given_corner() -> None:
    search = searched(unit(4), zdt1, reference_point={"total_cost": 1.1, "total_co2": 1.1}, max_generations=40)
    logged = [step.metrics["hypervolume"] for step in search.steps]
    assert all(now >= before for before, now in pairwise(logged))
    assert logged[-1] == pytest.approx(hypervolume(amounts(search), np.array([1.1, 1.1])))


def test_the_front_of_a_generation_is_no_larger_than_its_population_and_unbeaten() -> None:
    search = searched(unit(4), zdt1, max_generations=40)
    last = search.steps[-1]
    assert 0 < len(last.front) <= 40 < len(search.front)
    assert {point.number for point in last.front} <= {point.number for point in search.front}
    costs = [point.objectives["total_cost"] for point in search.front]
    assert costs == sorted(costs)


def test_three_objectives_or_two_go_to_nsga2_more_to_nsga3() -> None:
    def chosen(count: int) -> str:
        names = ["total_cost", "total_co2", "unmet_kwh", "peak_import_kw"][:count]
        return GeneticSettings.model_validate({"objectives": dict.fromkeys(names, "minimise")}).chosen_algorithm

    assert [chosen(count) for count in (1, 2, 3, 4)] == ["ga", "nsga2", "nsga2", "nsga3"]


def test_pymoo_and_scipy_stats_are_loaded_when_needed_not_before() -> None:
    program = (
        "import sys, ecosystemiser.study.strategies, ecosystemiser.services.study_file\n"
        "print(sorted({'pymoo', 'matplotlib', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
