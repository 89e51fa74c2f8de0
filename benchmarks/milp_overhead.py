"""From a Problem to its audited optimum, beside HiGHS alone on the same arrays."""

from __future__ import annotations

import highspy
from benchmarks.measure import Effort, Row, by_turns
from benchmarks.optimum import audited, cyclic
from benchmarks.systems import reference

from ecosystemiser.solver.milp.formulation import Formulation, Program, formulate

__all__ = ["rows"]

MOST = 1.5


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    system = reference(effort.steps)
    problem = cyclic(system)
    program = formulate(Formulation(problem), problem)
    pair = by_turns(lambda: audited(system, problem), lambda: bare(program), effort.long_repeats)
    return [Row("milp_overhead", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, details=pair.details())]


def bare(program: Program) -> highspy.Highs:
    """Load and solve a program with HiGHS alone, default options but for one thread. Raises RuntimeError."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.cost), len(program.row_lower)
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.lower, program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = program.starts, program.rows
    model.a_matrix_.value_ = program.values
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)  # noqa: FBT003 - HiGHS takes its options by position
    highs.setOptionValue("threads", 1)
    highs.passModel(model)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError("HiGHS alone finds no optimum")
    return highs
