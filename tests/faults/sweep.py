"""One call after the other goes wrong: a command line is run again and again, each time with the next call broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.faults.facts import Facts
from tests.faults.ledger import judge
from tests.faults.nursery import Answer, Breakage, Mode, Nursery, shared_nursery
from tests.faults.systems import write_farm, write_study

__all__ = ["SCENARIOS", "Scenario", "acknowledged_by", "sweep", "what_is_unclear"]


@dataclass(frozen=True)
class Scenario:
    """What is done while a call goes wrong."""

    name: str
    argv: Callable[[Path], Sequence[object]]
    """The command line, by the folder of its input."""
    has_run_before: bool = True
    """Whether there is a database already, with one run."""


def _run(inputs: Path) -> Sequence[object]:
    return ("run", write_farm(inputs), "--format", "json", "--output", "results")


def _study(inputs: Path) -> Sequence[object]:
    return ("study", "run", write_study(inputs), "--format", "json")


SCENARIOS = {
    "first run": Scenario("first run", _run, has_run_before=False),
    "later run": Scenario("later run", _run),
    "study": Scenario("study", _study),
    "list": Scenario("list", lambda _: ("runs", "list", "--format", "json")),
}


def sweep(
    folder: Path,
    *,
    modes: Iterable[Mode],
    scenarios: Iterable[str],
    samples: Mapping[str, int] | None = None,
    run: Callable[..., Answer] | None = None,
) -> Facts:
    """Break each call of each scenario in each mode, or as many as `samples` says; judge what is left each time.

    `run`: who runs the command lines instead of the nursery, in the tests of this.
    """
    facts = Facts({"calls broken": 0, "lost": 0, "torn": 0, "unclear": 0, "not working again": 0})
    for name in scenarios:
        place = folder / name.replace(" ", "-")
        place.mkdir()
        trial = _Trial(place, SCENARIOS[name], shared_nursery(), run)
        for mode in modes:
            calls = trial.calls(mode)
            numbers = np.arange(1, calls + 1)
            chosen = numbers if samples is None else numbers[np.linspace(0, calls - 1, samples[name]).astype(int)]
            for nth in sorted(set(chosen.tolist())):
                trial.judged(nth, mode, facts)
    return facts


class _Trial:
    """A scenario that is tried in a fresh copy of the same folder each time."""

    def __init__(self, place: Path, scenario: Scenario, nursery: Nursery, run: Callable[..., Answer] | None) -> None:
        self._name = scenario.name
        self._nursery, self._run = nursery, run or nursery.run
        self._before, self._work, inputs = place / "before", place / "work", place / "inputs"
        inputs.mkdir()
        self._argv, self._again = scenario.argv(inputs), _run(inputs)
        self._before.mkdir()
        self._acknowledged: set[str] = set()
        if scenario.has_run_before:
            self._acknowledged = acknowledged_by(self._done(self._again, self._before))

    def calls(self, mode: Mode) -> int:
        """Return how many calls there are to break."""
        counted = self._broken(0, mode)
        if counted.code != 0 or counted.calls == 0:
            raise RuntimeError(f"{self._name} does not work, or touches nothing: {counted}")
        return counted.calls

    def judged(self, nth: int, mode: Mode, facts: Facts) -> None:
        """Break the call `nth`, and judge what is left."""
        when = f"{self._name}, call {nth}, {mode.name}"
        answer = self._broken(nth, mode)
        if not answer.fired:  # the calls before it differed a little
            facts.count("not reached")
            return
        facts.count("calls broken")
        acknowledged = set(self._acknowledged)
        if answer.code == 0:
            acknowledged |= acknowledged_by(answer)
        elif mode not in (Mode.KILL, Mode.TEAR) and (unclear := what_is_unclear(answer, self._work)):
            facts.blame("unclear", f"{unclear} ({when})")
        db = self._work / "data" / "simulation_index.sqlite"
        verdict = judge(db, acknowledged)
        verdict.tell(facts, when)
        facts.count("left running", verdict.running)
        again = self._nursery.run(*self._again, folder=self._work)
        if again.code != 0:
            facts.blame("not working again", f"{again.err.strip()[-300:]} ({when})")
            return
        judge(db, acknowledged | acknowledged_by(again)).tell(facts, f"run again after {when}")

    def _broken(self, nth: int, mode: Mode) -> Answer:
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(self._before, self._work)
        return self._run(*self._argv, folder=self._work, breakage=Breakage(self._work, nth, mode))

    def _done(self, argv: Sequence[object], folder: Path) -> Answer:
        answer = self._nursery.run(*argv, folder=folder)
        if answer.code != 0:
            raise RuntimeError(f"{argv} does not work: {answer.err}")
        return answer


def acknowledged_by(answer: Answer) -> set[str]:
    """Return the runs that a command line has reported as completed."""
    told = json.loads(answer.out)
    rows = told if isinstance(told, list) else told.get("points", [told])
    return {row["run_id"] for row in rows if row.get("simulation_status", row.get("status")) == "completed"}


def what_is_unclear(answer: Answer, folder: Path) -> str | None:
    """Return what is wrong with how a command failed; None where it said which file, and ended with an error."""
    said = answer.err.strip()[-300:]
    if answer.code < 0 or answer.code == 124:
        return f"ended by {'a signal' if answer.code < 0 else 'force, it hung'} ({answer.code}): {said}"
    if "Traceback" in answer.err or "a fault of its own" in answer.err:
        return f"no message for people: {said}"
    if str(folder) not in answer.err + answer.out:  # a run of a study that could not be stored stands in its table
        return f"names no file: {said}"
    return None
