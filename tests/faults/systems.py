"""Systems and studies that are solved in a few milliseconds."""

from __future__ import annotations

from pathlib import Path

__all__ = ["FARM", "write_farm", "write_study"]

FARM = """\
system_id: farm
time: {start: 2018-01-01, steps: 6}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.08, co2_kg_per_kwh: 0.4}
  pv: {type: source, bus: electricity, power_kw: 1, profile: [0, 1, 3, 4, 1, 0]}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2}
  house: {type: electricity_demand, profile: [1, 1, 1, 2, 2, 1]}
"""

STUDY = """\
study_id: {study_id}
system: {system}
solver_type: milp
workers: {workers}
timeseries: all
parameters:
  battery.capacity_kwh: {{from: 0, to: 8, count: {points}}}
"""


def write_farm(folder: Path) -> Path:
    """Write the system file of six hours into `folder`, and return its path."""
    path = folder / "farm.yaml"
    path.write_text(FARM, encoding="utf-8")
    return path


def write_study(folder: Path, *, study_id: str = "sizing", points: int = 3, workers: int = 1) -> Path:
    """Write a study of the farm, with its system, into `folder`, and return its path; every run keeps its hours."""
    system = write_farm(folder)
    path = folder / f"{study_id}.yaml"
    text = STUDY.format(study_id=study_id, system=system.name, points=points, workers=workers)
    path.write_text(text, encoding="utf-8")
    return path
