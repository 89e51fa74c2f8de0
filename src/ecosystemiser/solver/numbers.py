"""Whether the numbers of a Problem are numbers: the same refusals for every solver."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from ecosystemiser.errors import FailureCause, SolveError
from ecosystemiser.model.problem import Coefficients, Problem

__all__ = ["check_coefficients", "check_signals"]


MAY_BE_INFINITE = ("limit", "co2_limit")


def check_coefficients(problem: Problem) -> None:
    """Raise SolveError (data) for a coefficient that is not finite; only limits may be infinite."""
    for one in fields(Coefficients):
        values = getattr(problem.coefficients, one.name)
        if np.isnan(values).any() or (one.name not in MAY_BE_INFINITE and np.isinf(values).any()):
            raise SolveError(FailureCause.DATA, f"{one.name} holds what is not a finite number")


def check_signals(problem: Problem) -> None:
    """Raise SolveError (data) for a signal that is not finite."""
    if not np.all(np.isfinite(problem.signals)):
        raise SolveError(FailureCause.DATA, "a profile or price holds what is not a finite number")
