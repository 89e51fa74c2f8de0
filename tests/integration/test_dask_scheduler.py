"""Studies on the workers of a Dask scheduler that is there: what they must see, and what is told where they do not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.dask_by_hand import OWN_MOUNTS, ByHand

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError, WorkersGoneError
from ecosystemiser.jobs.events import RunCompleted
from ecosystemiser.services import crew as crew_module
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_service import StudyService

SIZES = [20.0, 40.0, 60.0]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # workers are elsewhere: relative names must not lead there
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path / "here"


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[ByHand]:
    (tmp_path / "dask").mkdir()
    with ByHand(tmp_path / "dask") as cluster:
        yield cluster


@pytest.fixture
def service() -> Iterator[StudyService]:
    with DatabaseMetadataService() as log:
        yield StudyService(log)


def study(study_id: str, **fields: Any) -> StudyConfig:
    base = fields.pop("base_config", SimulationConfig(solver_type="milp", timesteps=24))
    values = {"battery.capacity_kwh": SIZES}
    return StudyConfig(study_id=study_id, base_config=base, parameters=values, **{"executor": "dask", **fields})


def test_a_study_runs_and_goes_on_at_a_scheduler(by_hand: ByHand, service: StudyService, folder: Path) -> None:
    """Its rows are written here, its hours by the workers; a relative system file is found by them, too."""
    packaged = Path(crew_module.__file__).parents[1] / "data" / "systems" / "riverside-community.yaml"
    Path("mine.yaml").write_text(packaged.read_text())
    for _ in range(2):
        by_hand.add_worker("--nthreads", "1")
    base = SimulationConfig(system="mine.yaml", solver_type="milp", timesteps=24)
    asked = study("far", base_config=base, scheduler=by_hand.address)
    with pytest.raises(KeyboardInterrupt):
        service.run_study(asked, should_stop=lambda: True)
    assert service.resume_study("far").by_status() == {"completed": 3}
    rows = service.database_service.query_study_runs("far")
    done = [row for row in rows if row["simulation_status"] == "completed"]
    assert all(Path(row["flows_path"]).is_relative_to(folder) for row in done)
    assert all(Path(row["flows_path"]).exists() for row in done)
    assert not list(Path("data/results").glob(".shared*"))


def test_it_goes_on_elsewhere_than_it_began(by_hand: ByHand, service: StudyService) -> None:
    with pytest.raises(KeyboardInterrupt):
        service.run_study(study("moved", executor="inline"), should_stop=lambda: True)
    by_hand.add_worker("--nthreads", "1")
    work = {"executor": "dask", "scheduler": by_hand.address}
    assert service.resume_study("moved", work=work).by_status() == {"completed": 3}
    row = service.database_service.get_study_summary("moved")["study"]
    settings = StudyConfig.model_validate_json(row["settings_json"])
    assert (settings.executor, settings.scheduler) == ("dask", by_hand.address)


@pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*OWN_MOUNTS, "true"], check=False, capture_output=True).returncode != 0,
    reason="this machine gives no process mounts of its own",
)
def test_a_worker_that_does_not_share_the_folder_of_results_is_refused(
    by_hand: ByHand, service: StudyService, folder: Path
) -> None:
    """One worker sees the folder, the other an empty one in its place: nothing is run, and nothing is left behind."""
    by_hand.add_worker("--nthreads", "1")
    by_hand.add_worker("--nthreads", "1", hidden=folder)
    message = r"output_directory: .* a folder that is not shared: the Dask worker tcp://\S+ writes"
    with pytest.raises(InputError, match=message):
        service.run_study(study("apart", scheduler=by_hand.address))
    assert service.database_service.query_studies() == []
    assert [*Path("data/results").rglob("*")] == []
    # of studies that keep no hours, workers write nothing
    assert service.run_study(study("apart", scheduler=by_hand.address, timeseries="none")).by_status() == {
        "completed": 3
    }


def test_a_scheduler_without_workers_is_refused(by_hand: ByHand, service: StudyService) -> None:
    with pytest.raises(InputError, match=r"has no workers; start some: dask worker tcp://\S+ --nthreads 1"):
        service.run_study(study("none", scheduler=by_hand.address))
    assert service.database_service.query_studies() == []


def test_no_scheduler_is_refused(service: StudyService) -> None:
    import dask

    refused = pytest.raises(InputError, match=r"scheduler: 'tcp://127\.0\.0\.1:9' is no Dask scheduler that answers")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), refused:
        service.run_study(study("nowhere", scheduler="tcp://127.0.0.1:9"))
    assert service.database_service.query_studies() == []


def test_a_scheduler_that_dies_is_told_soon(by_hand: ByHand, service: StudyService) -> None:
    """Killed once the first runs are done: within 20 s the study has ended, names the address, and can go on."""
    by_hand.add_worker("--nthreads", "1")
    killed: list[float] = []

    def kill_once_begun(_: RunCompleted) -> None:
        if not killed:
            by_hand.scheduler.kill()
            killed.append(time.monotonic())

    base = SimulationConfig(solver_type="milp", timesteps=2000)
    sizes = {"battery.capacity_kwh": [float(size) for size in range(1, 13)]}
    asked = StudyConfig(study_id="lost", base_config=base, parameters=sizes, executor="dask", scheduler=by_hand.address)
    service.bus.subscribe(RunCompleted, kill_once_begun)
    with pytest.raises(WorkersGoneError, match=f"the Dask scheduler at {by_hand.address} is gone .*start one"):
        service.run_study(asked)
    assert time.monotonic() - killed[0] < 20
    counts = service.database_service.get_study_summary("lost")["by_status"]
    assert counts["completed"] >= 1
    assert counts.keys() <= {"completed", "interrupted"}  # no run is to blame
    kept = counts["completed"]
    assert service.resume_study("lost", work={"executor": "inline", "scheduler": None}).by_status() == {"completed": 12}
    runs = service.database_service.query_study_runs("lost")
    assert sum(run["simulation_status"] == "completed" for run in runs) == 12
    assert kept < 12


def test_a_missing_extra_is_told_with_its_command(service: StudyService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"executor: 'dask' needs .*; install it: pip install ecosystemiser\[dask\]"):
        service.run_study(study("missing"))
    assert service.database_service.query_studies() == []


# What workers see. A worker that sees other folders is played by one that answers as such a worker would.


class Elsewhere:
    """Answers as workers do that look at a question otherwise."""

    def __init__(self, *answers: Callable[[Any], object]) -> None:
        self._answers = answers

    def on_each_worker(self, _function: object, question: Any) -> dict[str, object]:
        return {f"tcp://worker:{at}": answer(question) for at, answer in enumerate(self._answers)}


def looks(question: Any) -> Any:
    return crew_module._look(question)


def looks_elsewhere(question: Any) -> Any:
    """A worker with a folder of this name of its own, in which nothing lies."""
    return crew_module._look(replace(question, folder=question.folder / "of-the-worker"))


def answers_with(**changes: object) -> Callable[[Any], Any]:
    return lambda question: replace(crew_module._look(question), **changes)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (looks_elsewhere, "output_directory: .* a folder that is not shared: the Dask worker tcp://worker:1 writes"),
        (answers_with(wrote=".shared-gone"), "output_directory: .* is a folder that is not shared"),
        (answers_with(system_sha="another"), "system: .* is a system that is not shared: .* reads another one"),
        (answers_with(system_sha=None, trouble="no file"), r"system: .* cannot read it \(no file\)"),
        (answers_with(version="0.0.1"), "Dask worker: 'tcp://worker:1' has version 0.0.1 of ecosystemiser; install"),
        (lambda _: ModuleNotFoundError("no ecosystemiser"), "is of no use .*no ecosystemiser"),
    ],
)
def test_workers_that_do_not_see_the_same_are_refused(
    answer: Callable[[Any], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew_module, "SEEN_S", 0.3)
    asked: Any = Elsewhere(looks, answer)
    with pytest.raises(InputError, match=message):
        crew_module._checked(asked, study("far", scheduler="tcp://here:1"), None)
    assert not Path("data").exists()  # nothing is left where nothing was


def test_folders_matter_only_where_workers_write_hours() -> None:
    asked: Any = Elsewhere(looks, looks)
    for kept in ("best", "none"):
        assert crew_module._checked(asked, study("far", scheduler="tcp://here:1", timeseries=kept), None) == 2
        assert not Path("data").exists()
    assert crew_module._checked(asked, study("far", scheduler="tcp://here:1"), None) == 2
    assert list(Path("data/results").iterdir()) == []
