"""Events: frozen, picklable, JSON."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs import events
from ecosystemiser.jobs.events import Event, JobEvent, RunCompleted, RunEvent, StudyEvent, StudyProgress

SCOPES = {"Study": StudyEvent, "Run": RunEvent, "Job": JobEvent}
PHASES = ("Submitted", "Started", "Progress", "Completed", "Failed", "Cancelled")
NEEDED: dict[str, object] = {
    "done": 3,
    "cause": FailureCause.UNMET,
    "message": "short",
    "kpis": {"total_cost": 1.5, "self_sufficiency_rate": None},
    "task": "m:f",
    "attempt": 1,
    "number": 4,
    "evaluations": 200,
    "metrics": {"hypervolume": 0.5},
    "runs": 22,
    "seconds": 61.5,
    "disk_bytes": 2e6,
    "timed": 2,
}
KINDS = [each for _, each in inspect.getmembers(events, inspect.isclass) if issubclass(each, Event)]


def an_event(kind: type[Event]) -> Event:
    given = {each.name: NEEDED[each.name] for each in dataclasses.fields(kind) if each.name in NEEDED}
    return kind(study_id="s", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_has_every_phase(scope: str, phase: str) -> None:
    kind = getattr(events, scope + phase)
    assert issubclass(kind, SCOPES[scope])
    assert (scope + phase) in events.__all__


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_survives_pickle_and_json(kind: type[Event]) -> None:
    """And cannot be changed."""
    event = an_event(kind)
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - our own bytes
    read = json.loads(json.dumps(event.as_dict(), allow_nan=False))
    assert datetime.fromisoformat(read["at"]) == event.at
    assert (read["study_id"], read["run_id"], read["job_id"]) == ("s", None, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.study_id = "other"  # type: ignore[misc]


def test_as_dict_says_what_json_can_hold() -> None:
    """The name in words, causes as words, NaN and inf as null, mappings kept."""
    progress = StudyProgress(done=2, total=None, rate=float("nan"), seconds_left=float("inf"), best={"total_cost": 2.0})
    read = progress.as_dict()
    assert read["event"] == "study_progress"
    assert (read["done"], read["rate"], read["seconds_left"], read["best"]) == (2, None, None, {"total_cost": 2.0})
    assert RunCompleted(kpis={"a": None, "b": 1.0}).as_dict()["kpis"] == {"a": None, "b": 1.0}
    assert events.JobFailed(cause=FailureCause.CRASH, message="m").as_dict()["cause"] == "crash"


def test_an_event_is_of_now_in_utc() -> None:
    event = StudyProgress(done=1)
    assert event.at.tzinfo is UTC
    assert timedelta(0) <= datetime.now(UTC) - event.at < timedelta(minutes=1)
