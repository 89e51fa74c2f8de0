"""Two workers beside one, of the process executor and of Dask: a study of MILP weeks, their start, empty jobs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import numpy as np
from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Row, by_turns, seconds_of
from benchmarks.worker_tasks import nothing, spin

from ecosystemiser.config import SimulationConfig, SolverOptions, StudyConfig
from ecosystemiser.jobs.executors import DaskExecutor, Executor, ProcessExecutor
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.job_facade import JobFacade
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.store.states import RunStatus

__all__ = ["rows"]

WEEKS, EMPTY_JOBS = 240, 1000
TURNS = 20_000_000
ENOUGH = 1.85
"""Below this, two loops that share nothing do not have two processors: other programs are at work."""

MEMBERS: dict[str, tuple[Callable[[int], Executor], float]] = {
    "process": (ProcessExecutor, 1.7),
    "dask": (lambda workers: DaskExecutor(workers=workers), 1.5),
}
"""Executors, and how many times as fast two workers are to be as one."""


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    found: list[Row] = []
    for name, (make, times) in MEMBERS.items():
        if name == "dask" and find_spec("distributed") is None:
            found.append(Row("two_workers, dask", note="distributed is not installed: pip install ecosystemiser[dask]"))
            continue
        found += [_study(name, make, times, effort), *_jobs(name, make, effort)]
    return found


def _study(name: str, make: Callable[[int], Executor], times: float, effort: Effort) -> Row:
    weeks = WEEKS if effort.is_full else 24
    with _bench(make, weeks) as bench:
        before = _machine_gives(bench.two)
        pair = by_turns(lambda: bench.run(2), lambda: bench.run(1), effort.short_repeats if effort.is_full else 1)
        gives = min(before, _machine_gives(bench.two))
    note = f"a study of {weeks} weeks, workers up; two are {1 / pair.ratio:.2f} times one, two bare loops {gives:.2f}"
    if busy := gives < ENOUGH:
        note += "; no verdict, other programs were at work"
    return Row(
        f"two_workers, {name}",
        pair.ours_s,
        pair.peer_s,
        limit=None if busy else 1 / times,
        spread=pair.spread,
        note=note,
        details={**pair.details(), "machine_gives": gives},
    )


def _machine_gives(two: JobFacade) -> float:
    """Return how many times as fast two workers count as one."""

    def count_with(workers: int) -> float:
        return seconds_of(
            lambda: list(two.wait([two.submit_job(spin, 2 * TURNS // workers) for _ in range(workers)])), tidy=False
        )

    count_with(2)
    return statistics.median(count_with(1) / count_with(2) for _ in range(3))


@dataclass(frozen=True)
class _Bench:
    """Studies of weeks, with one worker and with two, that are up."""

    folder: Path
    weeks: int
    services: dict[int, StudyService]
    two: JobFacade
    numbers: Iterator[int]

    def run(self, workers: int) -> None:
        """Run the study. Raises RuntimeError where a run of it does not complete."""
        random = np.random.default_rng(20260303)
        battery, sun = random.uniform((20, 20), (200, 120), (self.weeks, 2)).T
        config = StudyConfig(
            study_id=f"weeks-{next(self.numbers)}",
            base_config=SimulationConfig(solver_type="milp", timesteps=168, solver=SolverOptions(threads=1)),
            parameters={"battery.capacity_kwh": battery.tolist(), "roof_pv.capacity_kw": sun.tolist()},
            combine="zipped",
            workers=workers,
            timeseries="none",
            output_directory=self.folder / "results",
        )
        result = self.services[workers].run_study(config)
        if failed := [run.error for run in result.runs if run.status is not RunStatus.COMPLETED]:
            raise RuntimeError(f"{len(failed)} of {self.weeks} runs failed, the first of: {failed[0]}")


@contextmanager
def _bench(make: Callable[[int], Executor], weeks: int) -> Iterator[_Bench]:
    with (
        disk_folder() as folder,
        DatabaseMetadataService(folder / "runs.sqlite") as database,
        JobFacade(make(1)) as one,
        JobFacade(make(2)) as two,
    ):
        services = {1: StudyService(database, one), 2: StudyService(database, two)}
        yield _Bench(folder, weeks, services, two, count())


def _jobs(name: str, make: Callable[[int], Executor], effort: Effort) -> list[Row]:
    """Measure the start of two workers, and an empty job."""
    number = EMPTY_JOBS if effort.is_full else 50
    starts, jobs = [], []
    for _ in range(effort.long_repeats):
        with JobFacade(make(2)) as facade:
            starts.append(seconds_of(lambda facade=facade: _run(facade, 2)))
            jobs.append(seconds_of(lambda facade=facade: _run(facade, number)) / number)
    note = f"{number} empty jobs, two workers that are up"
    return [
        Row(f"start of two, {name}", statistics.median(starts), details={"s": starts}),
        Row(f"empty job, {name}", statistics.median(jobs), note=note, details={"s": jobs}),
    ]


def _run(facade: JobFacade, number: int) -> None:
    for _ in range(number):
        facade.submit_job(nothing, None)
    for job in facade.wait():
        facade.forget(job.job_id)
