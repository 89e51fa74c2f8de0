"""Outcomes reach the log, also where its server is away for a while."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.errors import DatabaseUnreachableError, InputError, StoreError
from ecosystemiser.services import outcome_log as module
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.outcome_log import OutcomeLog, replay_spool
from ecosystemiser.store.owners import close_runs_of, running_owners

DONE = {"simulation_status": "completed", "total_cost": 5.0}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[DatabaseMetadataService]:
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as opened:
        yield opened


@pytest.fixture
def away(log: DatabaseMetadataService, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that lets the next so many writes find no server; nobody waits really."""
    monkeypatch.setattr(module, "ASK_AGAIN_S", 0.0)
    real, left = log.log_simulation_runs, [0]

    def write(rows: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise DatabaseUnreachableError("the server shuts down.")
        real(rows)

    def leave(writes: int) -> None:
        left[0] = writes

    monkeypatch.setattr(log, "log_simulation_runs", write)
    return leave


def statuses(log: DatabaseMetadataService) -> dict[str, str]:
    return {row["run_id"]: row["simulation_status"] for row in log.query_simulation_runs()}


def test_outcomes_wait_in_a_file_while_the_server_is_away(
    log: DatabaseMetadataService, away: Callable[[int], None], tmp_path: Path
) -> None:
    outcomes = OutcomeLog(log, tmp_path / "results" / "s.spool.jsonl")
    outcomes.begin([{"run_id": "a"}, {"run_id": "b"}])
    away(1)
    outcomes.write([{"run_id": "a", **DONE}])
    outcomes.write([{"run_id": "b", **DONE}])  # the server is back, but one thing after the other
    assert outcomes.is_behind
    assert statuses(log) == {"a": "running", "b": "running"}
    assert [json.loads(line)["run_id"] for line in outcomes.spool.read_text().splitlines()] == ["a", "b"]
    outcomes.catch_up()
    assert statuses(log) == {"a": "completed", "b": "completed"}
    assert not outcomes.spool.exists()
    assert not outcomes.is_behind


def test_nothing_new_begins_before_what_waits_is_logged(
    log: DatabaseMetadataService, away: Callable[[int], None], tmp_path: Path
) -> None:
    outcomes = OutcomeLog(log, tmp_path / "s.spool.jsonl")
    outcomes.begin([{"run_id": "a"}])
    away(3)
    outcomes.write([{"run_id": "a", **DONE}])
    outcomes.begin([{"run_id": "b"}])
    assert statuses(log) == {"a": "completed", "b": "running"}


def test_a_server_that_stays_away_ends_the_work_with_the_command_that_helps(
    log: DatabaseMetadataService, away: Callable[[int], None], tmp_path: Path
) -> None:
    outcomes = OutcomeLog(log, tmp_path / "s.spool.jsonl", patience_s=0.05)
    outcomes.begin([{"run_id": "a"}])
    away(10**9)
    outcomes.write([{"run_id": "a", **DONE}])
    with pytest.raises(StoreError, match=r"1 finished runs are kept.*db replay .*s\.spool\.jsonl"):
        outcomes.catch_up()
    away(0)
    replayed = replay_spool(log, outcomes.spool)
    assert (replayed.logged, replayed.already, replayed.as_new_runs) == (1, 0, ())
    assert statuses(log) == {"a": "completed"}
    assert not outcomes.spool.exists()


def test_other_failures_of_the_log_are_no_absence(log: DatabaseMetadataService, tmp_path: Path) -> None:
    outcomes = OutcomeLog(log, tmp_path / "s.spool.jsonl")
    outcomes.begin([{"run_id": "a"}])
    outcomes.write([{"run_id": "a", "simulation_status": "failed"}])
    with pytest.raises(StoreError, match="keeps its state"):
        outcomes.write([{"run_id": "a", **DONE}])
    assert not outcomes.spool.exists()


def spool_with(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_run_that_was_closed_meanwhile_keeps_its_state_and_its_outcome_is_not_lost(
    log: DatabaseMetadataService, tmp_path: Path
) -> None:
    log.log_simulation_run({"run_id": "a", "study_id": "s", "point": 2, "solver_type": "milp"})
    with log.transaction() as connection:
        (owner,) = running_owners(connection)
        close_runs_of(connection, [owner])
    line = json.dumps({"run_id": "a", **DONE})
    for _ in range(2):  # twice is once
        replay_spool(log, spool_with(tmp_path / "x.jsonl", line))
    assert statuses(log) == {"a": "interrupted", "a.replayed": "completed"}
    row = log.get_simulation_run("a.replayed")
    assert row is not None
    assert (row["retry_of"], row["study_id"], row["point"], row["total_cost"]) == ("a", "s", 2, 5.0)


def test_replaying_what_is_in_the_log_changes_nothing(log: DatabaseMetadataService, tmp_path: Path) -> None:
    log.log_simulation_run({"run_id": "a", **DONE})
    replayed = replay_spool(log, spool_with(tmp_path / "x.jsonl", json.dumps({"run_id": "a", **DONE})))
    assert (replayed.logged, replayed.already) == (0, 1)


def test_a_line_cut_short_by_the_end_of_its_process_was_never_acknowledged(
    log: DatabaseMetadataService, tmp_path: Path
) -> None:
    log.log_simulation_run({"run_id": "a"})
    spool = spool_with(tmp_path / "x.jsonl", json.dumps({"run_id": "a", **DONE}), '{"run_id": "b", "simul')
    assert replay_spool(log, spool).logged == 1


@pytest.mark.parametrize("first", ["not json", "[1]", '{"run_id": "../x"}', '{"total_cost": 1}'])
def test_a_file_that_is_no_spool_is_refused_and_stays(log: DatabaseMetadataService, tmp_path: Path, first: str) -> None:
    spool = spool_with(tmp_path / "x.jsonl", first, json.dumps({"run_id": "a", **DONE}))
    with pytest.raises(InputError, match=r"x\.jsonl:1"):
        replay_spool(log, spool)
    assert spool.exists()


def test_a_spool_that_is_missing_is_named(log: DatabaseMetadataService, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone\.jsonl"):
        replay_spool(log, tmp_path / "gone.jsonl")
