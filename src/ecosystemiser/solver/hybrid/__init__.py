"""The hybrid: a linear program says what energy is worth, a dynamic program decides what runs, both repeat."""

from ecosystemiser.solver.hybrid.solver import HybridSolver

__all__ = ["HybridSolver"]
