"""Studies of the reference system, as two measurements run them: a system file, points, a database of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from benchmarks.systems import REFERENCE

from ecosystemiser.config import SimulationConfig, SolverOptions, SolverType, StudyConfig
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.system import System
from ecosystemiser.reader import parse_yaml
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_service import StudyResult, StudyService
from ecosystemiser.store.states import RunStatus

__all__ = ["Bench", "Points", "points", "system_of"]

Points = dict[str, list[Any]]


def points(number: int, price: Literal["import", "export"]) -> Points:
    """Return values of battery, PV and heat pump sizes and of a price level, to be taken side by side.

    Seeded. The level scales the whole tariff of import, hour by hour, or the one price of export. Every point can meet
    its demands, by rule too.
    """
    random = np.random.default_rng(20260202)
    battery, sun, pump, level = random.uniform((0.1, 0.2, 0.9, 0.7), (2.5, 2.0, 1.4, 1.5), (number, 4)).T
    varied: Points = {
        "battery.capacity_kwh": (80 * battery).tolist(),
        "roof_pv.capacity_kw": (60 * sun).tolist(),
        "heat_pump.power_kw": (45 * pump).tolist(),
    }
    if price == "import":
        return {**varied, "grid.import_price_per_kwh": [tariff(float(one)) for one in level]}
    return {**varied, "grid.export_price_per_kwh": (0.08 * level).tolist()}


def tariff(level: float) -> dict[str, Any]:
    """Return the time-of-use price of the reference system times `level`."""
    periods = [{"price": 0.18 * level, "hours": "22-06"}, {"price": 0.38 * level, "days": "mon-fri", "hours": "17-21"}]
    return {"default": 0.28 * level, "periods": periods}


def system_of(values: Mapping[str, Any], steps: int) -> System:
    """Return the reference system at one point."""
    return load_system(with_values(parse_yaml(REFERENCE, "reference.yaml"), values), steps=steps)


@dataclass(frozen=True)
class Bench:
    """Runs studies of the reference system in a folder, all into one database."""

    folder: Path
    database: DatabaseMetadataService
    numbers: count[int]

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Write the system file; the database comes with the first study."""
        (folder / "reference.yaml").write_text(REFERENCE, encoding="utf-8")
        return cls(folder, DatabaseMetadataService(folder / "runs.sqlite"), count())

    def run(
        self,
        values: Points,
        solver: SolverType,
        end: Literal["cyclic", "shortfall"],
        steps: int,
        *,
        workers: int,
        timeseries: Literal["all", "none"],
        bus: EventBus | None = None,
    ) -> StudyResult:
        """Run a study of its own name. Raises RuntimeError where a run of it does not complete."""
        config = StudyConfig(
            study_id=f"bench-{next(self.numbers)}",
            base_config=SimulationConfig(
                system=self.folder / "reference.yaml",
                solver_type=solver,
                timesteps=steps,
                solver=SolverOptions(end=end, threads=1),
            ),
            parameters={**values},
            combine="zipped",
            workers=workers,
            timeseries=timeseries,
            output_directory=self.folder / "results",
        )
        result = StudyService(self.database, bus=bus).run_study(config)
        failed = [run for run in result.runs if run.status is not RunStatus.COMPLETED]
        if failed:
            raise RuntimeError(f"{len(failed)} of {len(result.runs)} runs failed, the first of: {failed[0].error}")
        return result
