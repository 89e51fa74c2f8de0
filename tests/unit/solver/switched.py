"""Systems with devices that are switched on and off, solved and audited."""

import pytest

from ecosystemiser.analyser.audit import audit
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.kpis import KPIS, kpi_value
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.problem import EndRule
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results import SolvedSystem
from ecosystemiser.solver.door import prepare

TOTAL_COST = next(kpi for kpi in KPIS if kpi.name == "total_cost")

HEATED = """
  grid: {type: grid, import_price_per_kwh: 0.1, export_limit_kw: 0}
  rooms: {type: heat_demand, profile: [1.0, 1.0, 1.0]}
  boiler: {type: electric_boiler, power_kw: 4, efficiency: 1.0, minimum_load: 0.5, start_cost: 0.5}
  store: {type: heat_storage, capacity_kwh: 4, initial_level: 0, loss_per_hour: 0, end_price: 0}
"""


def near(value):
    return pytest.approx(value, abs=1e-8)


def switched(components, steps, change=None):
    document = parse_yaml(f"system_id: switched\ntime: {{steps: {steps}}}\ncomponents:\n{components}", "switched.yaml")
    return load_system(with_values(document, change) if change else document)


def solved_by(solver, components, steps, *, end="shortfall", change=None, **options):
    """Return the solved system, after the audit and after total_cost was found equal to the objective.

    `components`: their text, or a system.
    """
    system = switched(components, steps, change) if isinstance(components, str) else components
    problem = compile_problem(system, EndRule(end))
    solved = SolvedSystem(system, problem, prepare(solver, problem, SolverOptions(end=end, **options)).solve(problem))
    assert audit(solved).violations == ()
    assert kpi_value(TOTAL_COST, solved.totals) == pytest.approx(solved.report.objective, abs=1e-7)
    return solved
