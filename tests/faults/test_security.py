"""What a user or a database supplies is data: it is never run, never part of a statement, and secrets stay secret."""

from __future__ import annotations

import os
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.faults.ledger import statuses
from tests.faults.nursery import shared_nursery
from tests.faults.processes import environment, start_command
from tests.faults.systems import FARM, write_farm, write_study
from tests.faults.test_paths_and_ids import command, insert

from ecosystemiser import DatabaseMetadataService, InputError

RUNS = {f"r{number}": "completed" for number in range(5)}
PAYLOADS = [
    "x' OR '1'='1",
    "x' OR 1=1 --",
    "' UNION SELECT run_id FROM simulation_runs --",
    "'; CREATE TABLE pasted (a); --",
    '" OR ""="',
    "%",
    "_0",
    "r0\0' OR 1=1",
]
"""Texts that would change a statement that they were pasted into."""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "runs.sqlite"
    with DatabaseMetadataService(path) as log:
        log.log_study({"study_id": "s", "study_type": "parametric"})
        for run_id in RUNS:
            row = {"run_id": run_id, "simulation_status": "completed", "study_id": "s", "system_id": "farm"}
            log.log_simulation_run({**row, "solver_type": "milp", "total_cost": 1.0})
    return path


def is_untouched(db: Path) -> bool:
    with closing(sqlite3.connect(db)) as connection:
        pasted = connection.execute("select name from sqlite_master where name = 'pasted'").fetchall()
    return statuses(db) == RUNS and not pasted


# Statements.


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("name", ["study_id", "solver_type", "system_id", "status"])
def test_a_filter_is_no_statement(name: str, payload: str, db: Path) -> None:
    with DatabaseMetadataService(db) as log:
        try:
            filters: dict[str, Any] = {name: payload}
            found = log.query_simulation_runs(**filters)
        except InputError:
            found = []
    assert found == []
    assert is_untouched(db)


@pytest.mark.parametrize(
    "query",
    [
        {"order_by": "total_cost; DROP TABLE simulation_runs"},
        {"order_by": "(SELECT run_id)"},
        {"order_by": "1"},
        {"min_total_cost) OR (1=1": 0},
        {"min_total_cost": "0 OR 1=1"},
        {"max_total_cost": "nan"},
        {"limit": "1; DROP TABLE simulation_runs"},
        {"offset": "0 UNION SELECT 1"},
        {"1=1 --": "x"},
        {"sqlite_master": "x"},
    ],
    ids=repr,
)
def test_what_is_no_column_and_no_number_is_refused(query: dict[str, Any], db: Path) -> None:
    with DatabaseMetadataService(db) as log, pytest.raises(InputError):
        log.query_simulation_runs(**query)
    assert is_untouched(db)


@pytest.mark.parametrize("option", ["--study", "--solver", "--system", "--status", "--sort", "--min", "--max"])
def test_an_option_of_the_command_line_is_no_statement(option: str, db: Path, tmp_path: Path) -> None:
    for payload in (PAYLOADS[0], PAYLOADS[3], PAYLOADS[5]):
        text = f"total_cost={payload}" if option in ("--min", "--max") else payload
        answer = command("runs", "list", "--db", db, option, text, "--format", "json", folder=tmp_path)
        assert answer.code == 2 or answer.out.strip() == "[]"
    assert is_untouched(db)


def test_what_is_logged_comes_back_as_it_was(db: Path) -> None:
    with DatabaseMetadataService(db) as log:
        for number, payload in enumerate(each for each in PAYLOADS if "\0" not in each):
            log.log_simulation_run({"run_id": f"n{number}", "system_id": payload})
            row = log.get_simulation_run(f"n{number}")
            assert row is not None
            assert row["system_id"] == payload
            assert [each["run_id"] for each in log.query_simulation_runs(system_id=payload)] == [f"n{number}"]


def test_the_payloads_do_change_a_statement_that_they_are_pasted_into(db: Path) -> None:
    """Negative control."""
    with closing(sqlite3.connect(db)) as connection:
        for payload in PAYLOADS[:2]:
            pasted = f"select run_id from simulation_runs where study_id = '{payload}'"
            assert len(connection.execute(pasted).fetchall()) == 5
        connection.executescript(f"select run_id from simulation_runs where study_id = '{PAYLOADS[3]}'")
    assert not is_untouched(db)


# Code.

TAGS = [
    '!!python/object/apply:os.system ["touch pwned"]',
    '!!python/object/new:os.system ["touch pwned"]',
    "!!python/name:os.system",
    "!!python/module:os",
    '!<tag:yaml.org,2002:python/object/apply:os.system> ["touch pwned"]',
]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_in_a_file_runs_nothing(tag: str, tmp_path: Path) -> None:
    farm, study = write_farm(tmp_path), write_study(tmp_path)
    for path, words in ((farm, ("check",)), (farm, ("run",)), (study, ("study", "run"))):
        path.write_text(f"{FARM}description: {tag}\n")
        answer = command(*words, path, folder=tmp_path)
        assert answer.code == 2
        assert str(path.name) in answer.err
    assert not (tmp_path / "pwned").exists()


def test_the_tag_would_run_where_tags_are_obeyed(tmp_path: Path) -> None:
    """Negative control."""
    with pytest.warns(PendingDeprecationWarning):
        YAML(typ="unsafe", pure=True).load(f"a: {TAGS[0]}")
    assert (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("run", "FARM", "--set", "battery.capacity_kwh=__import__('os').system('touch pwned')"),
        ("run", "FARM", "--set", "battery.capacity_kwh=$(touch pwned)"),
        ("run", "FARM", "--set", "__class__.__init__.__globals__=1"),
        ("run", "$(touch pwned)"),
        ("run", "; touch pwned"),
        ("check", "`touch pwned`.yaml"),
        ("runs", "list", "--min", "total_cost=__import__('os').system('touch pwned')"),
        ("study", "run", "$(touch pwned).yaml"),
    ],
    ids=repr,
)
def test_a_value_is_never_evaluated(words: tuple[str, ...], tmp_path: Path) -> None:
    farm = write_farm(tmp_path)
    answer = command(*[str(farm) if word == "FARM" else word for word in words], folder=tmp_path)
    assert answer.code == 2
    assert not (tmp_path / "pwned").exists()


class _Pwned:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


def test_what_a_database_holds_is_never_unpickled(db: Path, tmp_path: Path) -> None:
    pickled = pickle.dumps(_Pwned(), protocol=0).decode("ascii")
    columns = dict.fromkeys(("metadata_json", "parameters_json", "system_id", "solver_type"), pickled)
    insert(db, run_id="bad", study_id="s", **columns)
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("update studies set settings_json = ?", (pickled,))
        connection.commit()
    for words in (("runs", "show", "bad"), ("runs", "list"), ("study", "show", "s"), ("study", "list")):
        command(*words, "--db", db, folder=tmp_path)
    assert not (tmp_path / "pwned").exists()
    pickle.loads(pickled.encode())  # noqa: S301 - negative control: it would run
    assert (tmp_path / "pwned").exists()


# Secrets.

SECRET = "never-to-be-shown"  # noqa: S105 - of no server

URLS = [
    f"postgresql://tester:{SECRET}@127.0.0.1:1/runs",
    f"postgres://tester:{SECRET}@127.0.0.1:1/runs",
    f"postgresql+psycopg://tester:{SECRET}@127.0.0.1:1/runs",
    f"POSTGRESQL://tester:{SECRET}@127.0.0.1:1/runs",
    f"postgresql://127.0.0.1:1/runs?user=tester&password={SECRET}",
    f"mysql://tester:{SECRET}@127.0.0.1:1/runs",
    f"postgresql://tester:{SECRET}@[::1:1/runs",
    f"postgresql:/tester:{SECRET}@127.0.0.1:1/runs",
]


@pytest.mark.parametrize(
    ("words", "url"),
    [
        *((("--traceback", "runs", "list"), url) for url in URLS),
        (("runs", "list"), URLS[0]),
        (("doctor",), URLS[0]),
        (("study", "list"), URLS[0]),
    ],
    ids=repr,
)
def test_a_password_is_never_shown(words: tuple[str, ...], url: str, tmp_path: Path) -> None:
    answer = shared_nursery().run(*words, "--db", url, folder=tmp_path)
    assert (answer.out + answer.err).strip()
    assert SECRET not in answer.out + answer.err
    assert [path for path in tmp_path.rglob("*") if SECRET in str(path)] == []


def test_a_password_from_the_environment_is_never_shown(tmp_path: Path) -> None:
    variables = environment(ECOSYSTEMISER_DB=URLS[0])
    with (tmp_path / "said").open("wb") as said:
        process = start_command("runs", "list", cwd=tmp_path, env=variables, stdout=said, stderr=said)
        assert process.wait(timeout=60) != 0
    text = (tmp_path / "said").read_text()
    assert "ostgres" in text  # it was the address that was looked at
    assert SECRET not in text


# Modes of files.


@pytest.mark.parametrize(("umask", "forbidden"), [(0o022, 0o022), (0o077, 0o077)])
def test_files_are_for_whom_the_umask_says(umask: int, forbidden: int, tmp_path: Path) -> None:
    answer = shared_nursery().run("run", write_farm(tmp_path), folder=tmp_path, umask=umask)
    assert answer.code == 0, answer.err
    made = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {"simulation_index.sqlite", "hourly.parquet", "components.json"} <= {path.name for path in made}
    for path in made:
        assert path.stat().st_mode & (forbidden | 0o111) == 0, path
    for path in {path.parent for path in made}:
        assert path.stat().st_mode & forbidden == 0, path
