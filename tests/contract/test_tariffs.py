"""Bills computed by hand, to the cent, by every solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.tariffs import CASES, Case

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.results import SolvedSystem, bill_of
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, needs_hours, stack

SOLVERS = ("rule_based", "milp", "rolling_horizon", "hybrid")
CENT = 0.005


@pytest.fixture
def solved_by(system_from: Callable[..., Any]) -> Callable[[Case, str], SolvedSystem]:
    def solve(case: Case, solver: str) -> SolvedSystem:
        system = system_from(case.text())
        problem = compile_problem(system)
        return SolvedSystem(system, problem, prepare(solver, problem).solve(problem))

    return solve


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", CASES)
def test_a_bill_is_that_of_the_calculation_by_hand(
    name: str, solver: str, solved_by: Callable[[Case, str], SolvedSystem]
) -> None:
    case = CASES[name]
    solved = solved_by(case, solver)
    assert audit(solved).has_passed
    bill = bill_of(solved)
    assert sum(line.amount for line in bill) == pytest.approx(case.total, abs=CENT)
    if solved.report.objective is not None:
        assert solved.report.objective == pytest.approx(case.total, abs=CENT)
    for kind, amount in case.lines:
        assert sum(line.amount for line in bill if line.kind is kind) == pytest.approx(amount, abs=CENT)


@pytest.mark.parametrize("name", [name for name in CASES if "least bill" not in name and name != "two connections"])
def test_a_batch_bills_as_one_run_does(name: str, system_from: Callable[..., Any]) -> None:
    problem = compile_problem(system_from(CASES[name].text()))
    assert needs_hours(problem.layout) is None
    totals = RuleBasedSolver(problem, SolverOptions()).solve_batch(stack([problem, problem]))
    cost = totals.purchase_cost + totals.demand_charges + totals.standing_charges - totals.export_revenue
    assert cost == pytest.approx([CASES[name].total] * 2, abs=CENT)


def test_a_least_bill_needs_the_hours(system_from: Callable[..., Any]) -> None:
    problem = compile_problem(system_from(CASES["a least bill"].text()))
    assert "minimum bill" in str(needs_hours(problem.layout))


@pytest.mark.parametrize(
    ("solver", "unseen"),
    [
        ("rule_based", "the demand charge and the minimum bill"),
        ("rolling_horizon", "the minimum bill"),
        ("hybrid", None),
        ("milp", None),
    ],
)
def test_a_solver_names_the_charges_that_its_dispatch_did_not_see(
    solver: str, unseen: str | None, solved_by: Callable[[Case, str], SolvedSystem]
) -> None:
    """Windows know what peaks their month has seen; a program of all hours knows all."""
    notes = solved_by(CASES["fees, a fixed charge and tax"], solver).report.notes
    assert not any("did not see" in note for note in notes)
    notes = solved_by(CASES["a least bill after what is sold"], solver).report.notes
    said = [note for note in notes if "did not see" in note]
    assert said == ([] if unseen is None else [f"the bill of grid holds {unseen}, which dispatch did not see"])
