"""Rows and entries of our matrix beside those of the matrix by hand, and whether both have the same optimum."""

from __future__ import annotations

from benchmarks import hand_matrix
from benchmarks.measure import Effort, Limit, Row
from benchmarks.optimum import audited, cyclic, running_cost
from benchmarks.systems import given, reference

from ecosystemiser.solver.milp.formulation import Formulation, formulate

__all__ = ["rows"]

MOST = 1.1


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    system = reference(effort.steps)
    problem = cyclic(system)
    ours = formulate(Formulation(problem), problem)
    by_hand = hand_matrix.build(given(system))
    hand_rows, hand_columns = by_hand.matrix.shape
    return [
        Row("matrix_size rows", len(ours.row_lower), hand_rows, "rows", MOST),
        Row("matrix_size entries", len(ours.values), by_hand.matrix.nnz, "entries", MOST),
        Row("matrix_size columns", len(ours.cost), hand_columns, "columns"),
        Row(
            "matrix_size objective",
            running_cost(audited(system, problem)),
            hand_matrix.solve(by_hand),
            "EUR",
            1e-6,
            Limit.DIFFERENCE,
        ),
    ]
