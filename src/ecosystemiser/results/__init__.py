"""What a solve gives: Solution, Tally and Totals, SolvedSystem."""

from ecosystemiser.results.solution import Solution, SolvedSystem, SolverReport
from ecosystemiser.results.tally import Tally, tally_of
from ecosystemiser.results.totals import Totals

__all__ = ["Solution", "SolvedSystem", "SolverReport", "Tally", "Totals", "tally_of"]
