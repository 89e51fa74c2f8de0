"""What a filter fixes, and its conditions turned into their opposites."""

import pytest
from tests.unit.store.filtering.cases import FIELDS

from ecosystemiser.store.filtering.normalising import normalised, simple_equalities
from ecosystemiser.store.filtering.parsing import parse


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        ("not cost >= 40", "total_cost < 40"),
        ("not not cost >= 40", "total_cost >= 40"),
        ("not cost = 40", "total_cost != 40"),
        ("not cost in (1, 2)", "total_cost not in (1, 2)"),
        ("not cost not between 1 and 2", "total_cost between 1 and 2"),
        ("not solver_type like 'a%'", "solver_type not like 'a%'"),
        ("not cost is null", "total_cost is not null"),
        ("not (cost < 1 and not steps > 2)", "total_cost >= 1 or steps > 2"),
        ("steps = 1 and not (cost < 1 or cost > 2)", "steps = 1 and total_cost >= 1 and total_cost <= 2"),
        ("not (steps = 1 or not (cost < 1 or cost > 2))", "steps != 1 and (total_cost < 1 or total_cost > 2)"),
    ],
)
def test_negations_go_into_the_conditions(text, pushed):
    assert str(normalised(parse(text, FIELDS))) == pushed


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("status = 'failed'", {"simulation_status": "failed"}),
        (
            "status = 'failed' and cost < 5 and solver_type = 'milp'",
            {"simulation_status": "failed", "solver_type": "milp"},
        ),
        ("status in ('failed') and (steps = 1 or steps = 2)", {"simulation_status": "failed"}),
        ("not (status != 'failed' or cost > 5)", {"simulation_status": "failed"}),
        ("(steps = 1 and (cost = 2))", {"steps": 1, "total_cost": 2}),
        ("steps = 1 and steps = 2", {"steps": 1}),
        ("status = 'failed' or steps = 1", {}),
        ("status in ('failed', 'running') and steps not in (1) and cost between 1 and 1", {}),
        ("not status = 'failed'", {}),
    ],
)
def test_what_a_filter_fixes_to_one_value(text, fixed):
    assert simple_equalities(parse(text, FIELDS)) == fixed
