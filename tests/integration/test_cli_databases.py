"""The command line on a database of either engine; a password is never shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.servers import PASSWORD

from ecosystemiser.cli.entry import exit_code
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

SYSTEM = """\
system_id: two-houses
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, import_limit_kw: 20}
  pv: {type: pv, capacity_kw: 5, profile: pv-potsdam-south-30, capex_per_kw: 1000}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""
STUDY = """\
study_id: sizes
system: two.yaml
workers: 1
parameters:
  pv.capacity_kw: [2, 4, 8]
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the commands find their database: named by the environment, nothing there yet."""
    url = str(tmp_path / "runs.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ECOSYSTEMISER_DB", url)
    Path("two.yaml").write_text(SYSTEM)
    Path("sizes.yaml").write_text(STUDY)
    return str(url)


@pytest.fixture
def eco(place: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that calls the command line and gives its exit code and all that it said."""

    def call(*arguments: str) -> tuple[int, str]:
        code = exit_code(arguments)
        said = capsys.readouterr()
        assert PASSWORD not in said.out + said.err
        return code, said.out + said.err

    return call


def rows() -> list[dict[str, Any]]:
    with DatabaseMetadataService() as log:
        return log.query_simulation_runs()


def test_runs_are_made_found_tagged_deleted_and_brought_back(eco: Callable[..., tuple[int, str]]) -> None:
    assert eco("runs", "list")[1].startswith("No runs yet in ")
    assert eco("study", "run", "sizes.yaml")[0] == 0
    assert eco("run", "two.yaml", "--set", "pv.capacity_kw=8", "--reuse")[0] == 0
    alone, third, *_ = rows()
    assert (alone["reused_from"], third["point"]) == (third["run_id"], 2)
    assert "sizes" in eco("study", "list")[1]
    assert "3 runs: 3 ✓ completed" in eco("study", "show", "sizes")[1]
    assert eco("runs", "list", "--where", "params.pv.capacity_kw >= 4", "--count") == (0, "3\n")
    assert eco("runs", "tag", "--where", "study_id is null", "--add", "alone")[0] == 0
    assert eco("runs", "list", "--where", "tag = 'alone'", "--count") == (0, "1\n")
    assert eco("runs", "note", "last", "larger roof")[0] == 0
    assert "larger roof" in eco("runs", "show", "last")[1]
    assert eco("runs", "delete", "--where", "study_id = 'sizes'", "--yes")[0] == 0
    assert eco("runs", "list", "--count") == (0, "1\n")
    assert eco("runs", "delete", "--undo") == (0, "3 runs brought back.\n")
    folders = {row["run_id"]: Path(row["results_path"]) for row in rows() if row["study_id"] == "sizes"}
    assert all(folder.exists() for folder in folders.values())
    eco("runs", "delete", "--where", "study_id = 'sizes'", "--yes")
    _, told = eco("runs", "delete", "--purge", "--yes")
    assert "2 runs removed for good, with 2 folders" in told
    assert "! kept: 1 run whose results others took over" in told
    assert [run_id for run_id, folder in folders.items() if folder.exists()] == [third["run_id"]]


def test_the_database_is_looked_after(place: str, eco: Callable[..., tuple[int, str]]) -> None:
    assert eco("db", "info")[0] == 2
    assert "Created" in eco("db", "upgrade")[1]
    assert "is up to date" in eco("db", "upgrade")[1]
    assert eco("study", "run", "sizes.yaml")[0] == 0
    code, told = eco("db", "info")
    assert code == 0
    assert "PostgreSQL" in told if "postgresql" in place else "SQLite" in told
    assert "3 runs: 3 ✓ completed" in told
    code, told = eco("db", "check", "--files")
    assert (code, told.count("✓")) == (0, 4)
    assert eco("db", "backup", "kept.sqlite")[0] == 0
    code, told = eco("db", "copy", place, "copied.sqlite")
    assert code == 0
    for other in ("kept.sqlite", "copied.sqlite"):
        assert eco("runs", "list", "--count", "--db", other) == (0, "3\n")
        assert eco("db", "check", "--db", other)[0] == 0


def test_a_server_that_is_away_is_told_without_its_password(
    eco: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOSYSTEMISER_DB", f"postgresql://tester:{PASSWORD}@127.0.0.1:1/energy")
    for arguments in (("runs", "list"), ("db", "info"), ("db", "check"), ("db", "backup"), ("runs", "tag", "a")):
        code, told = eco(*arguments)
        assert code == 1
        assert "postgresql://tester@127.0.0.1:1/energy" in told
    code, told = eco("doctor", "--format", "json")
    assert code == 1
    (database,) = [each for each in json.loads(told) if each["subject"] == "database"]
    assert database["health"] == "wrong"
    assert "--db" in database["remedy"]


def test_a_url_that_cannot_be_read_is_a_wrong_request(eco: Callable[..., tuple[int, str]]) -> None:
    for url in (f"mysql://tester:{PASSWORD}@server/energy", f"postgresql://tester:{PASSWORD}@@server/energy"):
        code, told = eco("runs", "list", "--db", url)
        assert code == 2
        assert "postgresql://" in told


def test_the_doctor_looks_at_either_engine(
    eco: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecosystemiser.config.solver_options.SOLVER_TYPES", ("rule_based",))
    found = {each["subject"]: each for each in json.loads(eco("doctor", "--format", "json")[1])}
    assert "none yet" in found["database"]["found"]
    assert eco("study", "run", "sizes.yaml")[0] == 0
    code, told = eco("doctor", "--format", "json")
    found = {each["subject"]: each for each in json.loads(told)}
    assert code == 0
    assert "3 runs, schema" in found["database"]["found"]
    assert found["runs left behind"]["found"] == "none"
