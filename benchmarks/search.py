"""Genetic searches of years by rule: two thousand evaluations, and a front beside that of a whole grid."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Limit, Row, seconds_of

from ecosystemiser.config import SimulationConfig, StudyConfig
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_service import StudyResult, StudyService
from ecosystemiser.study.fronts import hypervolume, non_dominated
from ecosystemiser.study.sampling import Floats

__all__ = ["rows"]

MOST_S, MOST_MISSING = 10.0, 0.01
"""Seconds of a search of 50 x 40; share of the grid's hypervolume that a search of half its runs may lack."""
OBJECTIVES = ("total_cost", "total_co2")
GRID = {
    "battery.capacity_kwh": {"from": 0, "to": 190, "count": 20},
    "roof_pv.capacity_kw": {"from": 10, "to": 100, "count": 10},
    "heat_pump.power_kw": {"from": 5, "to": 41, "count": 10},
}


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    with disk_folder() as folder, DatabaseMetadataService(folder / "runs.sqlite") as database:
        service = StudyService(database)
        return [_seconds(service, folder, effort), _front(service, folder, effort)]


def _seconds(service: StudyService, folder: Path, effort: Effort) -> Row:
    population, generations = (50, 40) if effort.is_full else (8, 3)
    space = {
        "battery.capacity_kwh": {"from": 0.0, "to": 200.0},
        "roof_pv.capacity_kw": {"from": 10.0, "to": 100.0},
        "heat_pump.power_kw": {"from": 5.0, "to": 45.0},
    }

    def search(seed: int) -> StudyResult:
        settings = {
            "objectives": {"total_cost": "minimise"}, "population_size": population, "max_generations": generations,
            "patience": None, "seed": seed,
        }  # fmt: skip
        return service.run_study(_study(f"ga-{seed}", folder, effort, space, genetic_algorithm=settings))

    search(0)
    times = [seconds_of(lambda seed=seed: search(seed)) for seed in range(1, 4)]
    note = f"{population} x {generations} evaluations of a year, the service called, every one logged"
    return Row("genetic", statistics.median(times), None, "s", MOST_S, Limit.VALUE, note=note, details={"s": times})


def _front(service: StudyService, folder: Path, effort: Effort) -> Row:
    designs = {name: {**spec, "count": spec["count"] if effort.is_full else 3} for name, spec in GRID.items()}
    grid = _study("grid", folder, effort, designs, study_type="parametric")
    points = _objectives(service.run_study(grid))
    evaluations = len(points) // 2
    settings = {
        "objectives": dict.fromkeys(OBJECTIVES, "minimise"), "population_size": 50 if effort.is_full else 8,
        "max_evaluations": evaluations, "patience": None, "seed": 1,
    }  # fmt: skip
    found = _objectives(service.run_study(_study("nsga2", folder, effort, designs, genetic_algorithm=settings)))
    reference = points.max(axis=0) * 1.01
    whole, reached = (_volume(these, reference) for these in (points, found))
    note = f"hypervolume of the front after {len(found):,} runs, and of that of all {len(points):,} designs"
    return Row("genetic, front", 1 - reached / whole, None, "", MOST_MISSING, Limit.VALUE, note=note)


def _study(
    study_id: str,
    folder: Path,
    effort: Effort,
    parameters: dict[str, dict[str, float]],
    *,
    study_type: str = "genetic_algorithm",
    **settings: object,
) -> StudyConfig:
    base = SimulationConfig(solver_type="rule_based", timesteps=effort.steps)
    asked = {
        "study_id": study_id, "study_type": study_type, "base_config": base, "parameters": parameters,
        "timeseries": "none", "output_directory": folder / "results", **settings,
    }  # fmt: skip
    return StudyConfig.model_validate(asked, strict=False)


def _objectives(result: StudyResult) -> Floats:
    return np.array([[run.kpis[name] for name in OBJECTIVES] for run in result.completed], dtype=float)


def _volume(points: Floats, reference: Floats) -> float:
    return hypervolume(points[non_dominated(points)], reference)
