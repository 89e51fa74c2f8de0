"""Stopping what another process runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ecosystemiser.services import stopping
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService


@contextmanager
def obeying(log: DatabaseMetadataService, run_id: str, status: str) -> Iterator[None]:
    """Within this somebody ends a run, once asked to stop it, in this status."""

    def obey() -> None:
        until = time.monotonic() + 20
        while not log.is_cancel_requested(run_id=run_id) and time.monotonic() < until:
            time.sleep(0.02)
        log.log_simulation_run({"run_id": run_id, "simulation_status": status})

    owner = threading.Thread(target=obey)
    owner.start()
    try:
        yield
    finally:
        owner.join()


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("cancelled", "– cancelled: run a\nSee: ecosystemiser runs show a\n"),  # noqa: RUF001
        ("completed", "✓ completed before it could be stopped: run a\nSee: ecosystemiser runs show a\n"),
    ],
)
def test_a_run_is_stopped_and_how_it_ended_is_told(
    status: str, told: str, log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log.log_simulation_run({"run_id": "a"})
    with obeying(log, "a", status):
        said = eco("runs", "cancel", "a")
    assert (said.code, said.out, said.err) == (0, told, "")


def test_who_does_not_stop_in_time_is_told_so(
    log: DatabaseMetadataService, eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping.stop_run, "__defaults__", (0.2,))
    log.log_simulation_run({"run_id": "a"})
    said = eco("runs", "cancel", "last")
    assert said.code == 1
    assert "● running: run a was asked to stop, and has not ended yet." in said.out
    assert log.is_cancel_requested(run_id="a")


def test_a_study_is_stopped(
    log: DatabaseMetadataService, eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping.stop_study, "__defaults__", (0.2,))
    log.log_study({"study_id": "sizing"})
    said = eco("study", "cancel", "last")
    assert said.code == 1
    assert "study sizing was asked to stop" in said.out
    assert log.is_cancel_requested(study_id="sizing")


def test_what_runs_no_more_cannot_be_stopped(
    log_runs: Callable[..., None],
    log_of_the_dead: Callable[..., None],
    log: DatabaseMetadataService,
    eco: Callable[..., Any],
) -> None:
    log_runs({"run_id": "a"})
    log_of_the_dead("dead", study_id="sizing")
    said = eco("runs", "cancel", "a")
    assert said.code == 2
    assert "RUN: 'a' is completed, not running; there is nothing to stop" in said.err
    assert "'dead' is interrupted, not running" in eco("runs", "cancel", "dead").err
    assert "'sizing' is interrupted, not running" in eco("study", "cancel", "sizing").err
    assert "is no run in" in eco("runs", "cancel", "zzz").err
    assert "is no study in" in eco("study", "cancel", "zzz").err


def test_a_run_of_a_study_is_stopped_with_its_study(log: DatabaseMetadataService, eco: Callable[..., Any]) -> None:
    log.log_study({"study_id": "sizing"})
    log.log_simulation_run({"run_id": "a", "study_id": "sizing"})
    said = eco("runs", "cancel", "a")
    assert said.code == 2
    assert "stop the study: ecosystemiser study cancel sizing" in said.err
