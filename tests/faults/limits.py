"""A solver that ignores its time limit or takes all memory: ended from outside, told in its row; the study goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.facts import Facts, Fault
from tests.faults.ledger import judge
from tests.faults.programs.limit_tasks import HOLDS, SLEEPS, SWELLS
from tests.faults.systems import write_farm

from ecosystemiser import DatabaseMetadataService, SimulationConfig, SolverOptions, StudyConfig, StudyService
from ecosystemiser.jobs.events import RunFailed, RunStarted
from ecosystemiser.jobs.executors import Patience, ProcessExecutor
from ecosystemiser.jobs.states import Job
from ecosystemiser.services.job_facade import JobFacade

__all__ = ["IGNORED_LIMIT", "MEMORY_LIMIT", "exceed_limits", "exceed_memory"]

TASK = "tests.faults.programs.limit_tasks:make_runs_or_hang"
LIMIT_FACTOR, LIMIT_SLACK_S = 1.5, 10.0
"""What is promised: ended by 1.5 x limit + 10 s."""
MARGIN_S = 1.0
"""For a worker to be killed, and the news of it to arrive. [s]"""
GOOD = tuple(float(size) for size in range(1, 9))


class _BadSolvers(JobFacade):
    """Runs the jobs of a study with a task in which some runs go wrong."""

    def submit_job(self, task: object, payload: object, **more: Any) -> Job:
        return super().submit_job(TASK, payload, **more)


def _studied(
    folder: Path, sizes: Sequence[float], limit_s: float, patience: Patience, facts: Facts
) -> tuple[dict[float, dict[str, Any]], dict[str, float]]:
    """Run a study of these batteries; return the rows by battery, and what each failed run took from its start. [s]"""
    db, begun, took = folder / "runs.sqlite", dict[str, float](), dict[str, float]()

    def begin(event: RunStarted) -> None:
        begun.setdefault(str(event.run_id), time.monotonic())

    def end(event: RunFailed) -> None:
        if (start := begun.get(str(event.run_id))) is not None:  # else its worker died before it
            took[str(event.run_id)] = time.monotonic() - start

    study = StudyConfig(
        study_id="s",
        base_config=SimulationConfig(system=write_farm(folder), solver=SolverOptions(time_limit_s=limit_s)),
        parameters={"battery.capacity_kwh": list(sizes)},
        workers=2,
        output_directory=folder / "results",
    )
    with DatabaseMetadataService(db) as log, _BadSolvers(ProcessExecutor(2, patience=patience)) as facade:
        facade.bus.subscribe(RunStarted, begin)
        facade.bus.subscribe(RunFailed, end)
        StudyService(log, facade).run_study(study)
        rows = log.query_study_runs("s")
    judge(db, [row["run_id"] for row in rows if row["simulation_status"] == "completed"]).tell(facts, "afterwards")
    return {sizes[row["point"]]: row for row in rows}, took


def _judge(row: dict[str, Any], cause: str, what: str, facts: Facts) -> None:
    """Blame a run that went wrong and whose row does not say so."""
    facts.count("bad runs")
    if row["simulation_status"] != "failed":
        facts.blame("not ended", f"{what} is {row['simulation_status']}")
    elif row["failure_cause"] != cause:
        facts.blame("not said", f"{what}: {row['failure_cause']}: {row['metadata_json']}")


def _judge_others(rows: dict[float, dict[str, Any]], facts: Facts) -> None:
    for size in GOOD:
        facts.count("other runs")
        if (status := rows[size]["simulation_status"]) != "completed":
            facts.blame("others failed", f"{size}: {status}: {rows[size]['failure_cause']}")


def exceed_limits(
    folder: Path, *, limit_s: float, slack_s: float, bad: Sequence[float], patience: Patience | None = None
) -> Facts:
    """Run a study in which runs sleep, or hold the interpreter, far beyond their limit.

    `slack_s`: what the executor allows beyond 1.5 x limit; `patience`: that of one that keeps no promise.
    """
    facts = Facts({"bad runs": 0, "not ended": 0, "too late": 0, "not said": 0, "others failed": 0})
    kept = patience or Patience(limit_factor=LIMIT_FACTOR, limit_slack_s=slack_s)
    rows, took = _studied(folder, [*GOOD[:4], *bad, *GOOD[4:]], limit_s, kept, facts)
    end_s = LIMIT_FACTOR * limit_s + slack_s
    for size in bad:
        what = {SLEEPS: "the run that sleeps", HOLDS: "the run that holds the interpreter"}[size]
        _judge(rows[size], "timeout", what, facts)
        if (seconds := took.get(rows[size]["run_id"], 0.0)) > end_s + MARGIN_S:
            facts.blame("too late", f"{what} was ended after {seconds:.1f} s, with a limit of {limit_s:g} s")
    _judge_others(rows, facts)
    return facts


def exceed_memory(folder: Path, *, bad: float = SWELLS) -> Facts:
    """Run a study in which one run takes all the memory that its worker may have."""
    facts = Facts({"bad runs": 0, "not ended": 0, "not said": 0, "others failed": 0})
    rows, _ = _studied(folder, [*GOOD[:4], bad, *GOOD[4:]], 10.0, Patience(), facts)
    _judge(rows[bad], "memory", "the run that takes all memory", facts)
    _judge_others(rows, facts)
    return facts


IGNORED_LIMIT = Fault(
    "a solver ignores its time limit",
    "ended by 1.5 x limit + 10 s, others complete",
    exceed_limits,
    short={"limit_s": 2.0, "slack_s": 3.0, "bad": (HOLDS,)},
    long={"limit_s": 2.0, "slack_s": LIMIT_SLACK_S, "bad": (SLEEPS, HOLDS)},
)
MEMORY_LIMIT = Fault("a run takes all memory", "its row says memory, others complete", exceed_memory)
