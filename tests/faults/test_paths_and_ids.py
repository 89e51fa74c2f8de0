"""Ids, paths and rows that would lead out of the results folder: a clear error, and nothing is written anywhere."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.faults.ledger import statuses
from tests.faults.nursery import Answer, shared_nursery
from tests.faults.systems import write_farm, write_study

from ecosystemiser import DatabaseMetadataService, InputError, SimulationConfig, SimulationService, StudyConfig

BAD_IDS = [
    "..",
    "../x",
    "a/../b",
    "a/b",
    "/etc/x",
    "a\\b",
    ".",
    ".hidden",
    "",
    "a\0b",
    "a..b",
    "-x",
    "a\nb",
    "a b",
    "~root",
    "x" * 129,
    "ä",
    "$(touch x)",
    "'; drop table simulation_runs; --",
]
"""What may name neither a run nor a study."""

each_bad_id = pytest.mark.parametrize("bad", BAD_IDS, ids=[repr(bad)[:20] for bad in BAD_IDS])


def everything(folder: Path) -> list[str]:
    """Return all paths below a folder, and what lies beside it that is no folder of another test.

    What SQLite keeps beside a database that is looked at does not count.
    """
    found = [*folder.rglob("*"), *(path for path in folder.parent.iterdir() if not path.name.startswith("test_"))]
    return sorted(str(path) for path in found if not path.name.endswith(("-wal", "-shm")))


def command(*words: object, folder: Path) -> Answer:
    answer = shared_nursery().run(*words, folder=folder)
    assert "Traceback" not in answer.err
    assert "a fault of its own" not in answer.err
    return answer


# Ids.


@each_bad_id
def test_a_bad_id_in_a_configuration_is_refused(bad: str) -> None:
    for make in (
        lambda: SimulationConfig(run_id=bad),
        lambda: SimulationConfig(study_id=bad),
        lambda: StudyConfig(study_id=bad),
    ):
        with pytest.raises(ValueError, match=r"(?s)(run_id|study_id).*(is no id|letters, digits)"):
            make()


@each_bad_id
def test_a_bad_id_in_the_log_is_refused(bad: str, tmp_path: Path) -> None:
    db = tmp_path / "runs.sqlite"
    with DatabaseMetadataService(db) as log:
        log.log_simulation_run({"run_id": "good"})
        calls: list[Callable[[], Any]] = [
            lambda: log.log_simulation_run({"run_id": bad}),
            lambda: log.log_simulation_run({"run_id": "new", "study_id": bad}),
            lambda: log.log_study({"study_id": bad}),
            lambda: log.get_simulation_run(bad),
            lambda: log.query_study_runs(bad),
            lambda: log.get_study_summary(bad),
        ]
        for call in calls:
            with pytest.raises(InputError, match=r"(run_id|study_id): .* is not a valid"):
                call()
    assert statuses(db) == {"good": "running"}


@each_bad_id
def test_a_bad_id_on_the_command_line_is_refused(bad: str, tmp_path: Path) -> None:
    study = write_study(tmp_path)
    before = everything(tmp_path)
    answer = command("study", "run", study, f"--study-id={bad}", folder=tmp_path)
    assert answer.code == 2
    assert "study-id" in answer.err or "study_id" in answer.err
    assert everything(tmp_path) == before


@pytest.mark.parametrize("words", [("runs", "show"), ("study", "show")])
def test_a_bad_id_is_not_looked_for(words: tuple[str, ...], tmp_path: Path) -> None:
    command("run", write_farm(tmp_path), folder=tmp_path)
    before = everything(tmp_path)
    for bad in ("../x", "/etc/passwd", "a\0b", "..", "'; drop table simulation_runs; --"):
        answer = command(*words, bad, folder=tmp_path)
        assert answer.code == 2, bad
        assert answer.err.strip()
    assert everything(tmp_path) == before


def test_a_good_id_is_taken(tmp_path: Path) -> None:
    """Negative control: it is the id that was refused above."""
    study = write_study(tmp_path, points=1)
    assert command("study", "run", study, "--study-id", "a.b-c_1", folder=tmp_path).code == 0
    with DatabaseMetadataService(tmp_path / "data" / "simulation_index.sqlite") as log:
        assert [row["study_id"] for row in log.query_simulation_runs()] == ["a.b-c_1"]


# Links.


def test_a_run_folder_that_is_a_link_out_is_refused(tmp_path: Path) -> None:
    outside, results, db = tmp_path / "outside", tmp_path / "results", tmp_path / "runs.sqlite"
    outside.mkdir()
    results.mkdir()
    (results / "r1").symlink_to(outside)
    config = SimulationConfig(system=write_farm(tmp_path), run_id="r1", output_directory=results)
    with DatabaseMetadataService(db) as log, pytest.raises(InputError, match=r"run_id: .*leads out of"):
        SimulationService(log).run_simulation(config)
    assert list(outside.iterdir()) == []
    assert statuses(db) == {}


@pytest.mark.parametrize("name", ["hourly.parquet", "components.json"])
def test_a_result_is_not_written_through_a_link(name: str, tmp_path: Path) -> None:
    victim, results = tmp_path / "victim", tmp_path / "results"
    victim.write_text("precious")
    (results / "r1").mkdir(parents=True)
    (results / "r1" / name).symlink_to(victim)
    config = SimulationConfig(system=write_farm(tmp_path), run_id="r1", output_directory=results)
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        assert SimulationService(log).run_simulation(config).has_completed
    assert victim.read_text() == "precious"
    assert not (results / "r1" / name).is_symlink()


def test_a_results_folder_may_be_a_link(tmp_path: Path) -> None:
    """Negative control: whoever asks for a place may reach it by a link."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "elsewhere")
    config = SimulationConfig(system=write_farm(tmp_path), run_id="r1", output_directory=tmp_path / "results")
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        assert SimulationService(log).run_simulation(config).has_completed
    assert (tmp_path / "elsewhere" / "r1" / "hourly.parquet").exists()


# Paths.


@pytest.mark.parametrize(
    "words",
    [
        ("--db", "a\0b"),
        ("--db", "missing/folder/runs.sqlite"),
        ("--db", "."),
        ("--db", "loop"),
        ("--db", ""),
        ("--db", "file:x?mode=memory"),
        ("--db", ":memory:"),
        ("--output", "a\0b"),
        ("--output", "loop"),
        ("--output", "farm.yaml"),
    ],
    ids=repr,
)
def test_a_path_that_leads_nowhere_is_told(words: tuple[str, str], tmp_path: Path) -> None:
    farm = write_farm(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    before = everything(tmp_path)
    answer = command("run", farm, *words, folder=tmp_path)
    assert answer.code in (1, 2)
    assert answer.err.strip()
    made = {Path(path).name for path in set(everything(tmp_path)) - set(before)}
    assert made <= {"data", "simulation_index.sqlite"}, "nothing but the log of a run that could not be stored"


# Rows that somebody else has put into the database.


def insert(db: Path, **columns: object) -> None:
    times = dict.fromkeys(("timestamp", "created_at", "updated_at"), "2018-01-01T00:00:00.000000Z")
    row = {"simulation_status": "completed", "total_cost": 1.0, **times, **columns}
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with closing(sqlite3.connect(db)) as connection:
        connection.execute(f"insert into simulation_runs ({names}) values ({marks})", list(row.values()))
        connection.commit()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Return a database with one run that is as it should be."""
    path = tmp_path / "runs.sqlite"
    where = ("--db", path, "--output", tmp_path / "results")
    assert command("run", write_farm(tmp_path), *where, folder=tmp_path).code == 0
    return path


def test_rows_with_odd_ids_are_shown_and_harm_no_terminal(db: Path, tmp_path: Path) -> None:
    odd = ["../../x", "a\nb", "\x1b[2J\x1b]0;title\x07", "=1+1", "a\u202eb", "/etc/passwd"]
    for run_id in odd:
        insert(db, run_id=run_id, system_id=run_id)
    for style in ("table", "csv", "json"):
        answer = command("runs", "list", "--db", db, "--format", style, folder=tmp_path)
        assert answer.code == 0, answer.err
        assert "passwd" in answer.out
        assert not {"\x1b", "\x07", "\u202e"} & set(answer.out) or style != "table"
    csv = command("runs", "list", "--db", db, "--format", "csv", folder=tmp_path).out
    assert "'=1+1" in csv
    assert ",=1+1" not in csv


def test_a_nul_is_kept_out_of_the_log(tmp_path: Path) -> None:
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as log:
        for name in ("results_path", "flows_path", "components_path", "system_id"):
            with pytest.raises(InputError, match="holds a NUL"):
                log.log_simulation_run({"run_id": "r1", name: "a\0b"})
    assert statuses(tmp_path / "runs.sqlite") == {}


def lead_out(db: Path, way: str, tmp_path: Path) -> tuple[str, Path]:
    """Let the row of the good run name an hourly file outside of its folder, with the same content.

    Returns the run's id and that file.
    """
    with DatabaseMetadataService(db) as log:
        (good,) = log.query_simulation_runs()
    run_id, sound = good["run_id"], Path(good["flows_path"])
    outside = tmp_path / "elsewhere" / run_id / "hourly.parquet"
    outside.parent.mkdir(parents=True)
    outside.write_bytes(sound.read_bytes())
    named = {
        "absolute": outside,
        "upwards": sound.parent / ".." / ".." / "elsewhere" / run_id / "hourly.parquet",
        "linked file": sound,
        "linked folder": sound,
        "another's": tmp_path / "results" / "another" / "hourly.parquet",
    }[way]
    if way == "linked file":
        sound.unlink()
        sound.symlink_to(outside)
    elif way == "linked folder":
        shutil.rmtree(sound.parent)
        sound.parent.symlink_to(outside.parent)
    elif way == "another's":
        named.parent.mkdir()
        shutil.copyfile(sound, named)
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("update simulation_runs set flows_path = ? where run_id = ?", (str(named), run_id))
        connection.commit()
    return run_id, outside


each_way = pytest.mark.parametrize("way", ["absolute", "upwards", "linked file", "linked folder", "another's"])


@each_way
def test_a_row_whose_file_lies_outside_is_found_by_runs_verify(way: str, db: Path, tmp_path: Path) -> None:
    sound = command("runs", "verify", "last", "--db", db, folder=tmp_path)
    assert sound.code == 0, sound.err  # negative control: before, it passes
    lead_out(db, way, tmp_path)
    answer = command("runs", "verify", "last", "--db", db, "--format", "json", folder=tmp_path)
    assert (answer.code, json.loads(answer.out)[0]["hours"]) == (1, "damaged")


@each_way
def test_runs_delete_removes_nothing_outside_of_the_folder_of_a_run(way: str, db: Path, tmp_path: Path) -> None:
    run_id, outside = lead_out(db, way, tmp_path)
    answer = command("runs", "delete", run_id, "--yes", "--db", db, folder=tmp_path)
    assert answer.code == 0, answer.err
    assert outside.exists()
    assert run_id not in command("runs", "list", "--db", db, "--format", "json", folder=tmp_path).out
