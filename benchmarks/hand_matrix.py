"""The reference system as a linear program by hand: what a specialist writes with scipy and HiGHS, and nothing of ours.

Columns, a block of hours each: pv, import, export, charge, discharge, level, heat pump, heat charge, heat discharge,
heat level. Rows: balances of electricity and of heat, levels of the battery and of the heat store; both stores end as
they began.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse as sp
from benchmarks.systems import Given

from ecosystemiser.model.kinds import Floats

__all__ = ["HandMatrix", "build", "solve"]


@dataclass(frozen=True, eq=False)
class HandMatrix:
    """min cost x, 0 <= x <= upper, matrix x = right."""

    matrix: sp.csc_array
    cost: Floats
    upper: Floats
    right: Floats


def build(given: Given) -> HandMatrix:
    """Return the program of the reference system."""
    hours = len(given.load_kwh)
    one, cop = sp.eye_array(hours, format="csr"), sp.diags_array(given.cop)
    before = sp.eye_array(hours, k=-1, format="lil")
    before[0, hours - 1] = 1.0  # the hour before the first is the last
    efficiency = given.battery_efficiency
    battery = one - before
    store = one - (1 - given.store_loss) * before
    none = None
    matrix = sp.block_array(
        [
            [one, one, -one, -one, one, none, -one, none, none, none],
            [none, none, none, none, none, none, cop, -one, one, none],
            [none, none, none, -efficiency * one, one / efficiency, battery, none, none, none, none],
            [none, none, none, none, none, none, none, -one, one, store],
        ],
        format="csc",
    )
    most: list[Floats | float] = [
        given.pv_kwh, given.import_limit_kw, np.inf,
        given.battery_kw, given.battery_kw, given.battery_kwh,
        given.heat_pump_kw, np.inf, np.inf, given.store_kwh,
    ]  # fmt: skip
    cost = np.zeros(10 * hours)
    cost[hours : 2 * hours] = given.import_price
    cost[2 * hours : 3 * hours] = -given.export_price
    nothing = np.zeros(hours)
    return HandMatrix(
        matrix=matrix,
        cost=cost,
        upper=np.concatenate([np.broadcast_to(one_most, hours) for one_most in most]),
        right=np.concatenate([given.load_kwh, given.heat_kwh, nothing, nothing]),
    )


def solve(program: HandMatrix) -> float:
    """Return the least cost. Raises RuntimeError where HiGHS finds none."""
    rows, columns = program.matrix.shape
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, np.zeros(columns), program.upper
    model.row_lower_ = model.row_upper_ = program.right
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = program.matrix.indptr, program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)  # noqa: FBT003 - HiGHS takes its options by position
    highs.setOptionValue("threads", 1)
    highs.passModel(model)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError("HiGHS finds no optimum of the program by hand")
    return float(highs.getInfo().objective_function_value)
