"""What holds for any system: conservation, bounds, and that the optimum costs no more than the rule."""

import functools

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from ecosystemiser.analyser.audit import audit
from ecosystemiser.errors import FailureCause, InputError, SolveError
from ecosystemiser.kpis import KPIS
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.kinds import Storage
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import SolvedSystem, Totals
from ecosystemiser.solver.door import prepare
from ecosystemiser.solver.rule_based.nodes import has_circle
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack
from tests.property.strategies import system_texts
from tests.reference.plain_checks import broken_rules

SOLVERS = ["rule_based", "milp"]
any_system = settings(deadline=None, max_examples=40)
"""Under CI, Hypothesis derandomizes by its own profile."""


def load(text):
    """Return the system; a text that asks for more than all supply limits is drawn anew."""
    try:
        return load_system(parse_yaml(text, "generated.yaml"))
    except InputError as error:
        assert all("above all supply limits" in finding.message for finding in error.findings), error
        return None


def solve(system, solver, end=EndRule.SHORTFALL):
    """Return the solved system; None where the optimiser proved that nothing meets every demand."""
    problem = compile_problem(system, end)
    try:
        return SolvedSystem(system, problem, prepare(solver, problem).solve(problem))
    except SolveError as error:
        assert (solver, error.cause) == ("milp", FailureCause.INFEASIBLE), error
        return None


def total_cost(solved):
    return float(KPIS[0].numerator(solved.totals))


def on_any_system(**choices):
    """Run a test on the System of each generated text."""

    def decorate(test):
        @functools.wraps(test)
        def run(text, **arguments):
            system = load(text)
            event("refused" if system is None else "loaded")
            if system is not None:
                test(system, **arguments)

        run.__wrapped__ = None
        del run.__wrapped__
        return any_system(given(text=system_texts(**choices))(run))

    return decorate
