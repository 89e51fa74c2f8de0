"""Which folders are removed with a run: those that it wrote, wherever a row says they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.purging import Purged, purge_runs
from ecosystemiser.store.schema import run_details, runs


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DatabaseMetadataService]:
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as service:
        yield service


@pytest.fixture
def purged(log: DatabaseMetadataService) -> Callable[..., Purged]:
    """Return a function that logs a run with a results folder, deletes and purges it."""

    def purge(results_path: object, run_id: str = "r") -> Purged:
        log.log_simulation_run({"run_id": run_id, "simulation_status": "completed", "results_path": str(results_path)})
        log.delete_runs([run_id])
        return purge_runs(log, log.deleted_runs())

    return purge


def written(folder: Path) -> Path:
    """Write what a run writes."""
    folder.mkdir(parents=True)
    (folder / "hourly.parquet").write_bytes(b"12345678")
    (folder / "components.json").write_bytes(b"12")
    return folder


def test_a_folder_goes_with_its_run(tmp_path: Path, purged: Callable[..., Purged]) -> None:
    folder = written(tmp_path / "out" / "r")
    (folder / ".hourly.parquet.4711-0123abcd.new").write_bytes(b"1")  # its process died over it
    found = purged(folder)
    assert (found.runs, found.folders, found.bytes, found.left, found.in_use) == (1, 1, 11, (), ())
    assert not folder.exists()
    assert (tmp_path / "out").exists()


def test_a_run_without_files_has_none_to_remove(tmp_path: Path, purged: Callable[..., Purged]) -> None:
    found = purged(tmp_path / "out" / "r")
    assert (found.runs, found.folders, found.left) == (1, 0, ())


def test_the_results_folder_may_be_a_link(tmp_path: Path, purged: Callable[..., Purged]) -> None:
    folder = written(tmp_path / "disk" / "r")
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    assert purged(tmp_path / "out" / "r").folders == 1
    assert not folder.exists()


@pytest.mark.parametrize("path", ["victim", "out/../victim/r", "out/r/../../victim/r", "victim/r/.."])
def test_a_row_cannot_name_another_folder(path: str, tmp_path: Path, purged: Callable[..., Purged]) -> None:
    victim = written(tmp_path / "victim" / "r")
    written(tmp_path / "out" / "other")
    found = purged(f"{tmp_path}/{path}")
    assert (found.runs, found.folders, len(found.left)) == (1, 0, 1)
    assert (victim / "hourly.parquet").exists()


def test_a_row_cannot_name_the_folder_of_another_run(tmp_path: Path, purged: Callable[..., Purged]) -> None:
    folder = written(tmp_path / "out" / "r")
    assert len(purged(folder, "q").left) == 1
    assert (folder / "hourly.parquet").exists()


@pytest.mark.parametrize("path", ["r", "out/r", "./r"])
def test_a_relative_path_names_no_folder(
    path: str, tmp_path: Path, purged: Callable[..., Purged], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = written(tmp_path / path)
    assert len(purged(path).left) == 1
    assert (folder / "hourly.parquet").exists()


def test_a_folder_that_is_a_link_leads_out_and_stays(tmp_path: Path, purged: Callable[..., Purged]) -> None:
    victim = written(tmp_path / "victim" / "r")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "r").symlink_to(victim)
    (left,) = purged(tmp_path / "out" / "r").left
    assert "leads out of" in left.reason
    assert (victim / "hourly.parquet").exists()
    assert (tmp_path / "out" / "r").is_symlink()


@pytest.mark.parametrize("kind", ["file", "folder", "link", "draft"])
def test_a_folder_with_anything_else_in_it_stays_whole(
    kind: str, tmp_path: Path, purged: Callable[..., Purged]
) -> None:
    folder = written(tmp_path / "out" / "r")
    if kind == "file":
        (folder / "notes.txt").write_text("mine")
    elif kind == "folder":
        (folder / "more").mkdir()
    elif kind == "draft":
        (folder / ".notes.txt.1-0123abcd.new").write_text("mine")
    else:
        target = tmp_path / "precious.parquet"
        target.write_text("mine")
        (folder / "hourly.parquet").unlink()
        (folder / "hourly.parquet").symlink_to(target)
    before = sorted(each.name for each in folder.iterdir())
    (left,) = purged(folder).left
    assert "holds what no run wrote" in left.reason
    assert sorted(each.name for each in folder.iterdir()) == before


@pytest.mark.parametrize("run_id", ["..", "a/../../victim", "x'y", "a\x00b"])
def test_a_run_id_that_somebody_wrote_by_hand_leads_nowhere(
    run_id: str, tmp_path: Path, log: DatabaseMetadataService
) -> None:
    victim = written(tmp_path / "victim")
    log.log_simulation_run({"run_id": "r", "simulation_status": "completed"})
    log.delete_runs(["r"])
    with log.transaction() as connection:
        connection.execute(runs.update().values(run_id=run_id))
        connection.execute(run_details.update().values(results_path=f"{tmp_path}/out/{run_id}"))
    found = purge_runs(log, log.deleted_runs())
    assert found.folders == 0
    assert len(found.left) == 1
    assert (victim / "hourly.parquet").exists()


def test_purging_goes_on_where_it_was_cut_short(
    tmp_path: Path, log: DatabaseMetadataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files go before rows: a death between the two leaves nothing that nobody knows of."""
    folder = written(tmp_path / "out" / "r")
    log.log_simulation_run({"run_id": "r", "simulation_status": "completed", "results_path": str(folder)})
    log.delete_runs(["r"])

    def dies(_: object) -> int:
        raise KeyboardInterrupt

    deleted = log.deleted_runs()
    with monkeypatch.context() as patch:
        patch.setattr(log, "purge_runs", dies)
        with pytest.raises(KeyboardInterrupt):
            purge_runs(log, deleted)
    assert not folder.exists()
    assert purge_runs(log, log.deleted_runs()).runs == 1


def test_progress_counts_runs(log: DatabaseMetadataService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecosystemiser.services.purging.RUNS_AT_ONCE", 2)
    log.log_simulation_runs([{"run_id": f"r-{at}", "simulation_status": "completed"} for at in range(5)])
    log.delete_runs([f"r-{at}" for at in range(5)])
    told: list[tuple[int, int]] = []
    found = purge_runs(log, log.deleted_runs(), lambda done, total: told.append((done, total)))
    assert found.runs == 5
    assert told == [(2, 5), (4, 5), (5, 5)]
