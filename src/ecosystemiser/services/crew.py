"""Who works on a study's runs: this process, worker processes, or the workers of Dask, which must see what it sees."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.jobs.executors import DaskExecutor, Executor, InlineExecutor, Patience, ProcessExecutor
from ecosystemiser.services.orders import GivenSystem
from ecosystemiser.services.provenance import describe_system
from ecosystemiser.services.worker import packaged_systems, read_document
from ecosystemiser.store.files import file_error
from ecosystemiser.store.identifiers import new_run_id

__all__ = ["Crew", "crew_of", "usual_workers", "with_system_for_all"]

STOP_S = 3.0
"""How long a worker has to stop when asked, before it is killed: a stopped study ends within 5 s."""
SEEN_S = 10.0
"""How long a file that a worker wrote may take until it is seen here. [s]"""


@dataclass(frozen=True)
class Crew:
    """An executor, and how many of its workers solve at the same time."""

    executor: Executor
    workers: int


@contextmanager
def crew_of(study_config: StudyConfig, given: GivenSystem | None = None) -> Iterator[Crew]:
    """Give who is to work on a study, and let them go at the end.

    Raises InputError where Dask is not installed, no scheduler answers, it has no workers, or one of them is of another
    version, reads another system, or does not see the folder in which the hours are to be kept.
    """
    patience = Patience(cancel_grace_s=STOP_S)
    name, workers = study_config.executor, usual_workers(study_config)
    if name is None:
        name = "inline" if workers == 1 else "process"
    if name == "inline":
        yield Crew(InlineExecutor(), 1)
    elif name == "process":
        with ProcessExecutor(workers, patience=patience) as processes:
            yield Crew(processes, workers)
    else:
        with DaskExecutor(study_config.scheduler, study_config.workers, patience=patience) as dask:
            there = workers if study_config.scheduler is None else _checked(dask, study_config, given)
            yield Crew(dask, min(there, study_config.workers or there))


def usual_workers(study_config: StudyConfig) -> int:
    """Return how many workers a study asks for; else one a processor.

    Rule-based runs without hours go side by side through one kernel, so that one worker is enough, unless others are
    asked for.
    """
    is_batched = study_config.base_config.solver_type == "rule_based" and study_config.kept_hours != "all"
    is_enough = is_batched and study_config.executor is None
    return study_config.workers or (1 if is_enough else os.cpu_count() or 1)


def with_system_for_all(study_config: StudyConfig) -> StudyConfig:
    """Return a study whose system file has a name that leads to it from every folder: workers may have another one."""
    base = study_config.base_config
    if study_config.executor != "dask" or base.system in packaged_systems():
        return study_config
    located = base.model_copy(update={"system": Path(base.system).absolute()})
    return study_config.model_copy(update={"base_config": located})


@dataclass(frozen=True)
class _Question:
    """What each worker is to look at."""

    system: str | Path
    given: GivenSystem | None
    folder: Path | None
    """Where hours will be written; None: nowhere."""
    token: str


@dataclass(frozen=True)
class _Answer:
    """What a worker saw."""

    version: str
    system_sha: str | None
    trouble: str | None
    """Why it cannot read the system."""
    wrote: str | None
    """The file that it wrote into the folder of the hours; None: it does not find there what we wrote."""


def _checked(dask: DaskExecutor, study_config: StudyConfig, given: GivenSystem | None) -> int:
    """Return how many workers a scheduler has. Raises InputError where they do not see what this process sees."""
    folder = study_config.output_directory.absolute() if study_config.kept_hours == "all" else None
    question = _Question(study_config.base_config.system, given, folder, new_run_id())
    with _mark_in(question):
        answers = _asked(dask, study_config.scheduler or "", question)
        expected = _look(_Question(question.system, given, None, question.token))
        findings = [
            finding
            for worker, answer in sorted(answers.items())
            if (finding := _what_differs(worker, answer, expected, question)) is not None
        ]
        if findings:
            raise InputError(findings)
    return len(answers)


def _asked(dask: DaskExecutor, scheduler: str, question: _Question) -> Mapping[str, object]:
    try:
        answers = dask.on_each_worker(_look, question)
    except InputError as error:
        found = [Finding(each.message, each.remedy, "scheduler", scheduler) for each in error.findings]
        raise InputError(found) from None
    except Exception as error:
        remedy = "install the same version of ecosystemiser for its workers, and see what they print"
        message = f"has workers that cannot be asked ({type(error).__name__}: {error})"
        raise InputError([Finding(message, remedy, "scheduler", scheduler)]) from error
    if not answers:
        remedy = f"start some: dask worker {scheduler} --nthreads 1"
        raise InputError([Finding("has no workers", remedy, "scheduler", scheduler)])
    return answers


def _what_differs(worker: str, answer: object, expected: _Answer, question: _Question) -> Finding | None:
    if not isinstance(answer, _Answer):
        remedy = "install the same version of ecosystemiser for it"
        return Finding(f"is of no use ({type(answer).__name__}: {answer})", remedy, "Dask worker", worker)
    if answer.version != expected.version:
        remedy = f"install {expected.version} for it, as here"
        return Finding(f"has version {answer.version} of ecosystemiser", remedy, "Dask worker", worker)
    if answer.system_sha != expected.system_sha:
        why = f"cannot read it ({answer.trouble})" if answer.trouble else "reads another one, or other files for it"
        remedy = "put the system and the files that it names where all workers see them"
        message = f"is a system that is not shared: the Dask worker {worker} {why}"
        return Finding(message, remedy, "system", str(question.system))
    if question.folder is not None and not _is_shared(question.folder, answer):
        remedy = "set output_directory to a folder that all of them see, or keep no hours of all: --timeseries none"
        message = f"is a folder that is not shared: the Dask worker {worker} writes elsewhere"
        return Finding(message, remedy, "output_directory", str(question.folder))
    return None


def _is_shared(folder: Path, answer: _Answer) -> bool:
    """Return whether what a worker wrote is seen here; a network's file system may need a while."""
    if answer.wrote is None:
        return False
    end = time.monotonic() + SEEN_S
    while not (folder / answer.wrote).exists():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _look(question: _Question) -> _Answer:
    """Look at the system and at the folder of the hours. Runs in each worker."""
    sha, trouble = None, None
    try:
        document = read_document(question.system) if question.given is None else question.given.document
        sha = describe_system(document).sha256
    except InputError as error:
        trouble = str(error)
    wrote = None if question.folder is None else _answered_mark(question.folder, question.token)
    return _Answer(version("ecosystemiser"), sha, trouble, wrote)


def _answered_mark(folder: Path, token: str) -> str | None:
    """Write a file beside the mark of this token; return its name, None where there is no such mark or no writing."""
    own = f"{_mark(token)}.{new_run_id()}"
    try:
        if (folder / _mark(token)).read_text("utf-8") != token:
            return None
        (folder / own).write_text(token, "utf-8")
    except OSError:
        return None
    return own


def _mark(token: str) -> str:
    return f".shared-{token}"


@contextmanager
def _mark_in(question: _Question) -> Iterator[None]:
    """Within this there is a mark in the folder of the hours; it is taken away again with all answers to it."""
    folder = question.folder
    if folder is None:
        yield
        return
    created = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _mark(question.token)).write_text(question.token, "utf-8")
    except OSError as error:
        raise file_error(error, folder) from error
    is_fine = False
    try:
        yield
        is_fine = True
    finally:
        for mark in folder.glob(f"{_mark(question.token)}*"):
            mark.unlink(missing_ok=True)
        for place in created if not is_fine else ():
            with suppress(OSError):  # somebody else uses it
                place.rmdir()
