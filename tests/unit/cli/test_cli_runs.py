"""The log of runs, listed and shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.runs import ALL_COLUMNS

RUNS = (
    {"run_id": "01a20690-6ff7-7ef7-b4ba-9deff3e85ad7", "solver_type": "rule_based", "total_cost": 24000.0},
    {"run_id": "01a20690-73d6-78e7-8f50-caaa62630945", "total_cost": 21254.9, "total_co2": 22047.0, "mip_gap": 0.0}
    | {"self_sufficiency_rate": 0.4636, "study_id": "sizing"},
    {"run_id": "01a20691-0000-7000-8000-000000000001", "simulation_status": "failed", "failure_cause": "infeasible"}
    | {"failure_stage": "solve", "metadata_json": {"currency": "EUR", "error": "no plan"}, "system_id": "town"},
)


@pytest.fixture
def three(log_runs: Callable[..., None]) -> None:
    log_runs(*RUNS)


def ids(said: Any) -> list[str]:
    return [row["run_id"][:13] for row in json.loads(said.out)]


def test_an_empty_database_says_how_to_fill_it(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list")
    assert said.code == 0
    assert "ecosystemiser demo" in said.out
    assert "ecosystemiser run SYSTEM" in said.out
    assert not Path("data").exists()


def test_an_empty_database_is_an_empty_list_to_programs(eco: Callable[..., Any]) -> None:
    assert json.loads(eco("runs", "list", "--format", "json").out) == []
    (head,) = csv.reader(io.StringIO(eco("runs", "list", "--format", "csv").out))
    assert set(KPI_NAMES) <= set(head)


@pytest.mark.usefixtures("three")
def test_the_list_shows_the_newest_first_in_80_columns(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list")
    assert said.widest <= 80
    assert [line[:1] for line in said.out.splitlines()[-3:]] == ["✕", "✓", "✓"]
    assert "21,300" in said.out
    assert "46.4 %" in said.out
    assert "cost [EUR]" in said.out
    assert "01a20690-6ff7 " in said.out


@pytest.mark.usefixtures("three")
def test_what_all_runs_share_stands_once(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list", "--system", "farm")
    assert said.out.startswith("All of system farm, 8,760 steps:\n")
    assert "farm" not in said.out.split("\n", 1)[1]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--study", "sizing"), ["01a20690-73d6"]),
        (("--solver", "rule_based"), ["01a20690-6ff7"]),
        (("--status", "failed"), ["01a20691-0000"]),
        (("--system", "town"), ["01a20691-0000"]),
        (("--min", "total_cost=22000"), ["01a20690-6ff7"]),
        (("--max", "cost=22000"), ["01a20690-73d6"]),
        (("--min", "co2=1", "--max", "gap=0.1"), ["01a20690-73d6"]),
        (("--sort", "cost"), ["01a20690-73d6", "01a20690-6ff7", "01a20691-0000"]),
        (("--sort", "-cost"), ["01a20690-6ff7", "01a20690-73d6", "01a20691-0000"]),
        (("--limit", "1"), ["01a20691-0000"]),
        (("--limit", "0"), ["01a20691-0000", "01a20690-73d6", "01a20690-6ff7"]),
    ],
)
def test_filters_order_and_limit(arguments: tuple[str, ...], found: list[str], eco: Callable[..., Any]) -> None:
    assert ids(eco("runs", "list", "--format", "json", *arguments)) == found


@pytest.mark.usefixtures("three")
def test_a_cut_list_says_so(eco: Callable[..., Any]) -> None:
    assert "--limit 0 shows all" in eco("runs", "list", "--limit", "2").out
    assert "--limit 0" not in eco("runs", "list", "--limit", "3").out


@pytest.mark.usefixtures("three")
def test_filters_that_nothing_passes_say_how_many_there_are(eco: Callable[..., Any]) -> None:
    assert "None of the 3 runs passes" in eco("runs", "list", "--min", "cost=1e9").out


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--min", "totalcost=3"), "--min: 'totalcost' is no KPI; did you mean 'total_cost'?"),
        (("--max", "total_cost=much"), "--max: 'total_cost=much' holds no number"),
        (("--max", "total_cost=nan"), "is not finite"),
        (("--sort", "total_cots"), "--sort: 'total_cots' is not a column of runs; did you mean 'total_cost'?"),
        (("--status", "done"), "--status: 'done' is not a status; use one of running, completed"),
        (("--limit", "-1"), "--limit"),
        (("--format", "xml"), "--format"),
    ],
)
def test_a_wrong_filter_is_a_wrong_request(arguments: tuple[str, ...], words: str, eco: Callable[..., Any]) -> None:
    said = eco("runs", "list", *arguments)
    assert said.code == 2
    assert words in said.err


def test_all_wrong_filters_are_told_at_once(eco: Callable[..., Any]) -> None:
    assert len(eco("runs", "list", "--min", "a=1", "--max", "cost=x").err.splitlines()) == 3


@pytest.mark.usefixtures("three")
def test_csv_holds_every_column_in_full(eco: Callable[..., Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(eco("runs", "list", "--format", "csv").out)))
    assert list(rows[0]) == [column.name for column in ALL_COLUMNS]
    assert rows[1]["total_cost"] == "21254.9"


def test_csv_holds_no_formula(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs({"run_id": "a", "system_id": "=1+1", "total_cost": -5.0})
    (row,) = csv.DictReader(io.StringIO(eco("runs", "list", "--format", "csv").out))
    assert (row["system_id"], row["total_cost"]) == ("'=1+1", "-5.0")


def test_names_in_the_database_cannot_steer_the_terminal(
    log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    evil = {"system_id": "\x1b]0;owned\x07", "metadata_json": {"currency": "\x1b[2J", "error": "\x1b[2J"}}
    log_runs({"run_id": "a", "simulation_status": "failed", "failure_cause": "crash", **evil})
    for arguments in (("list",), ("show", "a")):
        assert "\x1b" not in eco("runs", *arguments).out


@pytest.mark.parametrize("width", ["60", "80", "120", "200"])
def test_many_different_runs_fit_the_terminal(
    width: str, log_runs: Callable[..., None], eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    numbers = {"total_cost": 123456789.0, "total_co2": 123456.0, "mip_gap": 0.123, "self_sufficiency_rate": 0.5}
    log_runs(
        *[
            {"run_id": f"01a20690-73d6-7{i:03}-8f50-caaa62630945", "system_id": f"a-rather-long-name-{i}"}
            | {"timesteps": i + 1, "solver_type": "rule_based", "study_id": f"study-{i}", **numbers}
            for i in range(3)
        ]
    )
    said = eco("runs", "list")
    assert said.widest <= int(width)
    assert all(f"01a20690-73d6-7{i:03}" in said.out for i in range(3))


def test_a_run_whose_owner_is_gone_says_so_and_is_left_as_it_is(
    log_of_the_dead: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log.log_simulation_run({"run_id": "alive"})
    log_of_the_dead("dead")
    said = eco("runs", "list")
    assert said.widest <= 80
    signs = {line.split()[1]: line.split()[0] for line in said.out.splitlines() if line[:1] in "●○"}
    assert signs == {"alive": "●", "dead": "○", "running": "○"}
    assert "○ running (owner gone): a run whose process has died." in said.out
    assert "ecosystemiser db check" in " ".join(said.out.split())
    shown = eco("runs", "show", "dead").out
    assert shown.startswith("○ running (owner gone): run dead\n")
    assert "Next: ecosystemiser db check" in shown
    assert "Next: ecosystemiser runs cancel alive" in eco("runs", "show", "alive").out
    assert {row["simulation_status"] for row in log.query_simulation_runs()} == {"running"}


@pytest.mark.parametrize(
    ("status", "commands"),
    [
        ("interrupted", ["runs rerun a", "study resume sizing"]),
        ("cancelled", ["runs rerun a", "study resume sizing"]),
        ("failed", ["runs rerun a"]),
        ("completed", ["runs verify a", "runs tag a --add WORD"]),
    ],
)
def test_a_run_says_what_can_be_done_about_it(
    status: str, commands: list[str], log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    log_runs({"run_id": "a", "study_id": "sizing", "simulation_status": status})
    end = eco("runs", "show", "a").out.partition("Next:")[2].splitlines()
    assert [line.strip() for line in end] == [f"ecosystemiser {command}" for command in commands]


def test_a_run_tells_its_tags_its_note_and_where_its_result_is_from(
    log_runs: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log_runs({"run_id": "a"}, {"run_id": "b", "reused_from": "a", "retry_of": "c", "note": "larger\n roof"})
    log.tag_runs(["b"], add=["good", "base"])
    said = " ".join(eco("runs", "show", "b").out.split())
    for words in ("tags base, good", "note larger roof", "retry_of c", "reused_from a", "Where the hours are run a"):
        assert words in said
    assert json.loads(eco("runs", "show", "b", "--format", "json").out)["tags"] == ["base", "good"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("name", ["01a20690-73d6-78e7-8f50-caaa62630945", "01a20690-73", "01a20690-73d6-78e7"])
def test_a_run_is_shown_by_its_id_or_its_beginning(name: str, eco: Callable[..., Any]) -> None:
    said = eco("runs", "show", name)
    assert said.code == 0
    assert said.out.startswith("✓ completed: run 01a20690-73d6-78e7-8f50-caaa62630945\n")


@pytest.mark.usefixtures("three")
def test_the_last_run_is_shown_with_why_it_failed(eco: Callable[..., Any]) -> None:
    said = eco("runs", "show", "last")
    assert said.widest <= 80
    assert "✕ failed: run 01a20691-0000" in said.out
    for words in ("infeasible", "solve", "no plan", "Raise the limits"):
        assert words in said.out


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("01a2069", "several runs; say which: 01a20690-6ff7-7ef7-b4ba-9deff3e85ad7, 01a20690-73d6"),
        ("01a20692", "is no run in"),
        ("zzz", "ecosystemiser runs list"),
        ("0", "several runs"),
        ("../../etc", "is not a valid run_id"),
        ("", "is not a valid run_id"),
    ],
)
def test_a_run_that_is_none_or_several_is_a_wrong_request(name: str, words: str, eco: Callable[..., Any]) -> None:
    said = eco("runs", "show", name)
    assert said.code == 2
    assert words in said.err


def test_no_last_run_says_how_to_make_one(eco: Callable[..., Any]) -> None:
    said = eco("runs", "show", "last")
    assert said.code == 2
    assert "ecosystemiser demo" in said.err


@pytest.mark.usefixtures("three")
def test_every_value_of_a_row_is_shown(eco: Callable[..., Any], log: DatabaseMetadataService) -> None:
    every: dict[str, Any] = dict.fromkeys(KPI_NAMES, 1.0)
    every |= {"solver_status": "optimal", "objective": 1.0, "bound": 1.0, "mip_gap": 0.0, "solve_seconds": 1.0}
    every |= {"wall_seconds": 1.0, "balance_residual": 0.0, "flows_path": "/a/hourly.parquet", "results_path": "/a"}
    every |= {
        "components_path": "/a/c.json",
        "hourly_sha256": "abc",
        "config_hash": "def",
        "note": "a note",
        "retry_of": "another",
    }
    log.log_simulation_run({"run_id": "01a20690-73d6-78e7-8f50-caaa62630945", **every})
    log.tag_runs(["01a20690-73d6-78e7-8f50-caaa62630945"], add=["good"])
    said = eco("runs", "show", "01a20690-73d6")
    row = json.loads(eco("runs", "show", "01a20690-73d6", "--format", "json").out)
    head = {"run_id", "study_id", "system_id", "timesteps", "timestamp", "simulation_status", "metadata_json"}
    shown = [name for name, value in row.items() if value is not None and name not in head | {"currency"}]
    assert [name for name in shown if name not in said.out] == []
    assert len(shown) > 45
    assert row["total_cost"] == 1.0


@pytest.mark.usefixtures("three")
def test_a_run_is_one_row_of_csv(eco: Callable[..., Any]) -> None:
    (row,) = csv.DictReader(io.StringIO(eco("runs", "show", "last", "--format", "csv").out))
    assert row["failure_cause"] == "infeasible"


def test_a_wide_terminal_has_room_for_what_each_kpi_means(
    log_runs: Callable[..., None], eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_runs(RUNS[1])
    monkeypatch.setenv("COLUMNS", "160")
    assert "Share of the electricity used here that is generated here" in eco("runs", "show", "last").out


def test_the_database_is_named_before_or_after_the_command_or_by_the_environment(
    folder: Path, eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with DatabaseMetadataService(folder / "other.sqlite") as other:
        other.log_simulation_run({"run_id": "there"})
    assert eco("--db", "other.sqlite", "runs", "show", "last").code == 0
    assert eco("runs", "show", "last", "--db", "other.sqlite").code == 0
    monkeypatch.setenv("ECOSYSTEMISER_DB", "other.sqlite")
    assert eco("runs", "show", "last").code == 0
    assert eco("runs", "show", "last", "--db", "none.sqlite").code == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"text\n", "is not a SQLite database"), (b"SQLite format 3\x00xx", "x.sqlite")],
)
def test_a_file_that_is_no_database_is_left_alone(
    content: bytes, words: str, folder: Path, eco: Callable[..., Any]
) -> None:
    (folder / "x.sqlite").write_bytes(content)
    said = eco("runs", "list", "--db", "x.sqlite")
    assert said.code == 1
    assert words in said.err
    assert (folder / "x.sqlite").read_bytes() == content
