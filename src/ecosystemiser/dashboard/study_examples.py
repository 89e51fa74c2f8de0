"""Study files to begin with, one of each kind; their fields are those of the packaged community."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXAMPLES"]

EXAMPLES: Mapping[str, str] = {
    "parametric": """\
study_id: my-sizing
study_type: parametric
system: system.yaml
solver_type: hybrid
timesteps: 168
parameters:
  battery.capacity_kwh: [0, 40, 80, 160]
  roof_pv.capacity_kw: {from: 20, to: 100, count: 5}
""",
    "genetic_algorithm": """\
study_id: my-search
study_type: genetic_algorithm
system: system.yaml
solver_type: rule_based
timesteps: 168
parameters:
  battery.capacity_kwh: {from: 0, to: 300}
  roof_pv.capacity_kw: {from: 0, to: 200}
objectives: {total_cost: minimise, total_co2: minimise}
population_size: 20
max_generations: 10
seed: 1
""",
    "monte_carlo": """\
study_id: my-risk
study_type: monte_carlo
system: system.yaml
solver_type: rule_based
timesteps: 168
distributions:
  economics.discount_rate: {distribution: uniform, minimum: 0.02, maximum: 0.08}
  roof_pv.capacity_kw: {distribution: normal, mean: 60, standard_deviation: 10}
n_samples: 64
sampling: sobol
sensitivity: true
seed: 1
""",
}
"""By the study's type; a test reads and checks them."""
