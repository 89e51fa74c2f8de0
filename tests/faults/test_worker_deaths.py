"""Workers that die."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.workers import KILLED_WORKER, POISON

from ecosystemiser.jobs.executors import Patience
from ecosystemiser.jobs.executors.waiting_line import WaitingLine, Work


def test_a_worker_killed_among_a_hundred_jobs_loses_none(tmp_path: Path) -> None:
    facts = KILLED_WORKER.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert facts["jobs"] == 400
    assert facts["repeated"] >= 1


@pytest.mark.slow
def test_an_executor_that_repeats_nothing_is_found(tmp_path: Path) -> None:
    facts = KILLED_WORKER.tried_shortly(tmp_path, rounds=3, kinds=["process"], patience=Patience(deaths_alone=0))
    assert facts["lost"] >= 1, facts.complaint


def test_a_job_that_kills_its_worker_fails_alone_and_the_others_complete(tmp_path: Path) -> None:
    facts = POISON.tried_shortly(tmp_path)
    assert facts.broken == [], facts.complaint
    assert (facts["poisons"], facts["others"], facts["deaths"]) == (2, 198, 8)


@pytest.mark.slow
def test_an_executor_that_repeats_suspects_beside_others_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_back(line: WaitingLine, work: Work) -> bool:
        work.deaths_alone += 1
        if work.deaths_alone < 3:
            others = line.drop_all()
            for each in [*others[:20], work, *others[20:]]:  # by the time that 20 have run, both workers are up
                line.add(each)
        return work.deaths_alone < 3

    monkeypatch.setattr(WaitingLine, "take_back", take_back)
    facts = POISON.tried_shortly(tmp_path, kinds=["process"], seconds=0.1)
    assert facts["in company"] == 1
    assert facts["not said"] == 1  # it died twice again, not three times
