"""A study whose runs are solved by Dask workers: the same results, in the same log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecosystemiser import DatabaseMetadataService, SimulationConfig, StudyConfig, StudyService
from ecosystemiser.jobs.events import RunCompleted
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.store.states import RunStatus

SIZES = [20.0, 40.0, 60.0, 80.0, 100.0, 120.0]


@pytest.mark.parametrize("timeseries", ["all", "none"])
def test_a_study_on_dask_gives_what_it_gives_here(tmp_path: Path, timeseries: str) -> None:
    """Every run completed, told of, with its hours where they are kept, and the same cost."""
    costs: dict[str, list[float]] = {}
    for name in ("inline", "dask"):
        study = StudyConfig(
            study_id=name,
            base_config=SimulationConfig(solver_type="milp", timesteps=48),
            parameters={"battery.capacity_kwh": SIZES},
            workers=1 if name == "inline" else 2,
            timeseries=timeseries,
            output_directory=tmp_path / "results",
        )
        executor = "inline" if name == "inline" else "dask"
        with (
            DatabaseMetadataService(tmp_path / "runs.sqlite") as log,
            JobFacade(executor, workers=2) as facade,
            facade.bus.record() as seen,
        ):
            result = StudyService(log, facade).run_study(study)
            rows = sorted(log.query_study_runs(name), key=lambda row: row["point"])
        assert [run.status for run in result.runs] == [RunStatus.COMPLETED] * len(SIZES)
        assert sum(isinstance(event, RunCompleted) for event in seen) == len(SIZES)
        assert all((row["flows_path"] is not None) == (timeseries == "all") for row in rows)
        assert all(Path(row["flows_path"]).exists() for row in rows if row["flows_path"])
        costs[name] = [row["total_cost"] for row in rows]
    assert costs["dask"] == pytest.approx(costs["inline"], rel=1e-6)
    assert len(set(costs["dask"])) == len(SIZES)
