"""A study of LP variations with two workers, hours kept: the time of one variation beside PyPSA's time for one."""

from __future__ import annotations

import os
import statistics
import time
from importlib.util import find_spec
from typing import Any, NamedTuple

from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Limit, Row, quartiles, seconds_of
from benchmarks.optimum import cyclic
from benchmarks.pypsa_objective import optimum, quieten
from benchmarks.studies import Bench, points, system_of
from benchmarks.systems import given

from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import RunCompleted

__all__ = ["rows"]

MOST, SAME = 1 / 30, 1e-6
WORKERS, VARIATIONS, PEERS = 2, 100, 3


class Study(NamedTuple):
    """How one study went."""

    seconds: float
    """From the call to the result. [s]"""
    first_s: float
    """From the call to the first run that completed: starting the workers, loading, solving cold. [s]"""
    workers_cpu_s: float
    """Processor time of all workers: what the study costs however busy the machine is. [s]"""
    objectives: list[float]
    """By point."""
    starts: dict[str, int]
    """How many runs were solved within 0.05, 0.1, ... s."""


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    number = VARIATIONS if effort.is_full else 6
    peers = list(range(0, number, number // PEERS + 1)) if effort.is_full else [0]
    values = points(number, "import")
    with disk_folder() as folder:
        bench = Bench.in_folder(folder)
        with bench.database:
            studies, theirs = _by_turns(bench, values, peers, effort.steps)
    each = [study.seconds / number for study in studies]
    running = [(study.seconds - study.first_s) / (number - 1) for study in studies]
    first = statistics.median(study.first_s for study in studies)
    cpu = statistics.median(study.workers_cpu_s for study in studies) / number
    details = {"studies": [study._asdict() for study in studies], "points": peers, "pypsa": theirs}
    if not theirs:
        note = "PyPSA is not installed; `make bench` installs it"
        return [Row("lp_study", note=note, details=details), _running(running, None, first)]
    peer = statistics.median(seconds for seconds, _ in theirs)
    low, high = quartiles([one / peer for one in each])
    note = (
        f"wall time of {number} variations over their number, workers started, {WORKERS} of them, hours written; "
        f"PyPSA: {len(peers)} of them, one by one, import not counted; the workers' processor time for one: {cpu:.3f} s"
    )
    pairs = [(studies[-1].objectives[at], cost) for at, (_, cost) in zip(peers, theirs, strict=True)]
    worst = max(pairs, key=lambda pair: abs(pair[0] - pair[1]) / abs(pair[1]))
    return [
        Row("lp_study", statistics.median(each), peer, "s", MOST, spread=(high - low) / 2, note=note, details=details),
        _running(running, peer, first),
        Row("lp_study objective", *worst, "EUR", SAME, Limit.DIFFERENCE),
    ]


def _running(seconds: list[float], peer: float | None, first: float) -> Row:
    note = f"what each further one takes after the first completed, {first:.1f} s after the call"
    return Row("lp_study, once started", statistics.median(seconds), peer, note=note)


def _by_turns(
    bench: Bench, values: dict[str, list[Any]], peers: list[int], steps: int
) -> tuple[list[Study], list[tuple[float, float]]]:
    """Return a study for each point of `peers`, by turns with PyPSA's (seconds, objective) at that point."""
    has_peer = find_spec("pypsa") is not None
    studies, theirs = [], []
    for turn, at in enumerate(peers):
        if has_peer:
            point = {name: listed[at] for name, listed in values.items()}
            theirs.append(_pypsa(point, steps, warms_up=turn == 0 and len(peers) > 1))
        studies.append(_study(bench, values, steps))
    return studies, theirs


def _study(bench: Bench, values: dict[str, list[Any]], steps: int) -> Study:
    bus, ended = EventBus(), []
    bus.subscribe(RunCompleted, lambda _: ended.append(time.perf_counter()))
    used, begin = _workers_cpu(), time.perf_counter()
    result = bench.run(values, "milp", "cyclic", steps, workers=WORKERS, timeseries="all", bus=bus)
    seconds = time.perf_counter() - begin
    logged = bench.database.query_study_runs(result.study_id)
    objectives = [row["objective"] for row in logged]
    return Study(seconds, ended[0] - begin, _workers_cpu() - used, objectives, _starts(logged))


def _workers_cpu() -> float:
    """Return the processor time of all processes that this one has started and seen end. [s]"""
    times = os.times()
    return times.children_user + times.children_system


def _starts(logged: list[dict[str, Any]]) -> dict[str, int]:
    limits = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
    return {f"<= {limit} s": sum(row["solve_seconds"] <= limit for row in logged) for limit in limits}


def _pypsa(values: dict[str, Any], steps: int, *, warms_up: bool) -> tuple[float, float]:
    """Return PyPSA's seconds and the objective with what no plan changes."""
    system = system_of(values, steps)
    series, fixed, found = given(system), cyclic(system).fixed_costs(), []
    quieten()
    if warms_up:
        optimum(series)
    seconds = seconds_of(lambda: found.append(optimum(series)))
    return seconds, found[0] + fixed
