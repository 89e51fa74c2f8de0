"""`study run` and `resume` watched by people and programs: events, questions, executors, a run to stand around."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli import study_progress
from ecosystemiser.cli.entry import exit_code
from ecosystemiser.services import budget
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

SYSTEM = """\
system_id: two-houses
time: {start: 2018-06-01, steps: 24}
economics: {currency: CHF}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, co2_kg_per_kwh: 0.4}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2, capex_per_kwh: 400}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""
STUDY = """\
study_id: sizes
system: two.yaml
solver_type: rule_based
workers: 1
parameters:
  battery.capacity_kwh: {from: 0, to: 23, count: 24}
"""
MAIN = """
import sys
from ecosystemiser.cli import study_progress
from ecosystemiser.services import budget
budget.LARGE_S = float(sys.argv[1])
study_progress.TOLD_S = 0.0
sys.argv[1:] = sys.argv[2:]
from ecosystemiser.cli import main
main()
"""
Eco = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    (tmp_path / "two.yaml").write_text(SYSTEM)
    (tmp_path / "sizes.yaml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def eco(capsys: pytest.CaptureFixture[str]) -> Eco:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        return (code, *capsys.readouterr())

    return call


def events_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def counts() -> dict[str, int]:
    with DatabaseMetadataService() as log:
        return dict(log.get_study_summary("sizes")["by_status"])


# Events.


def test_events_are_one_object_a_line_and_nothing_else(eco: Eco) -> None:
    """Of the study and its runs, in their order; the answer for people is on the error stream."""
    code, out, err = eco("study", "run", "sizes.yaml", "--events", "json")
    assert code == 0
    events = events_of(out)
    names = [event["event"] for event in events]
    assert names[:2] == ["study_submitted", "study_started"]
    assert names[-1] == "study_completed"
    assert {event["study_id"] for event in events} == {"sizes"}
    assert [names.count(name) for name in ("run_submitted", "run_started", "run_completed")] == [24, 24, 24]
    (estimated,) = [event for event in events if event["event"] == "study_estimated"]
    assert (estimated["runs"], estimated["timed"]) == (22, 2)
    assert not any(name.startswith("job_") for name in names)
    runs = {event["run_id"]: event["kpis"]["total_cost"] for event in events if event["event"] == "run_completed"}
    with DatabaseMetadataService() as log:
        assert runs == {row["run_id"]: row["total_cost"] for row in log.query_simulation_runs()}
    assert "Best: " in err
    assert "more runs in about" not in err
    assert max(len(line) for line in err.splitlines()) <= 80


def test_generations_are_told_too(eco: Eco) -> None:
    own = "objectives: {total_cost: minimise}\npopulation_size: 4\nmax_generations: 3\nseed: 1\n"
    Path("ga.yaml").write_text(f"study_type: genetic_algorithm\n{own}{STUDY.replace(', count: 24', '')}")
    code, out, _ = eco("study", "run", "ga.yaml", "--events", "json")
    generations = [event for event in events_of(out) if event["event"] == "generation_completed"]
    assert code == 0
    assert [event["number"] for event in generations] == [0, 1, 2]
    assert all(event["metrics"]["total_cost.best"] > 0 for event in generations)


def test_events_and_a_format_cannot_share_a_stream(eco: Eco) -> None:
    code, out, err = eco("study", "run", "sizes.yaml", "--events", "json", "--format", "csv")
    assert (code, out) == (2, "")
    assert "--events: 'json' cannot be printed together with --format; leave one out" in err
    assert not Path("data").exists()


def start(*arguments: str, large_s: float = 600.0, **pipes: Any) -> subprocess.Popen[str]:
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **pipes}
    return subprocess.Popen([sys.executable, "-c", MAIN, str(large_s), *arguments], text=True, **given)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_the_last_event_of_a_stopped_study_is_that_it_was_cancelled(number: signal.Signals) -> None:
    slow = STUDY.replace("two.yaml", "riverside-community").replace("rule_based", "milp")
    Path("sizes.yaml").write_text(slow.replace("workers: 1", "workers: 2"))
    process = start("study", "run", "sizes.yaml", "--events", "json")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"run_completed"' in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    events = events_of("".join(lines) + out)
    assert process.returncode == 128 + number
    assert events[-1]["event"] == "study_cancelled"
    assert {event["event"] for event in events} >= {"run_completed", "run_cancelled"}
    assert "Go on:  ecosystemiser study resume sizes\n" in err


def test_a_reader_that_goes_away_stops_nothing() -> None:
    process = start("study", "run", "sizes.yaml", "--events", "json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        err = process.stderr.read()
    process.wait(timeout=30)
    assert counts() == {"completed": 24}
    assert "Traceback" not in err
    assert "Best: " in err


# What it will take.


def test_people_are_told_what_it_will_take(eco: Eco, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_progress, "TOLD_S", 0.0)
    code, _, err = eco("study", "run", "sizes.yaml")
    (told,) = [line for line in err.splitlines() if "more runs" in line]
    assert code == 0
    assert told.startswith("sizes: 22 more runs in about ")
    assert told.endswith(" of disk (2 runs timed)")
    assert len(told) <= 80


def test_of_what_is_over_at_once_nothing_is_told(eco: Eco) -> None:
    assert eco("study", "run", "sizes.yaml")[2] == ""


def test_a_large_study_ends_where_nobody_can_answer_and_goes_on_with_yes(
    eco: Eco, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "LARGE_S", 0.0)
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        code, out, err = eco("study", "run", "sizes.yaml")
    assert (code, out) == (2, "")
    assert "That is more than 0 minutes or 5 GB, and nobody can answer here." in err
    assert "2 ✓ completed, the other points not begun." in err
    assert "Go on:  ecosystemiser study resume sizes --yes\n" in err
    assert max(len(line) for line in err.splitlines()) <= 80
    assert counts() == {"completed": 2}
    code, out, _ = eco("study", "resume", "sizes", "--yes")
    assert (code, counts()) == (0, {"completed": 24})
    assert "24 ✓ completed" in out


@pytest.mark.parametrize(("answer", "code", "done"), [("y\n", 0, 24), ("n\n", 1, 2), ("\x03", 130, 2), ("\x04", 1, 2)])
def test_a_person_is_asked(answer: str, code: int, done: int) -> None:
    """On a terminal: yes, no, Ctrl-C, the end of the input."""
    ours, theirs = pty.openpty()
    process = start(
        "study", "run", "sizes.yaml", large_s=0.0, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=_own_terminal
    )
    os.close(theirs)
    said = _read(ours, until="[y/N]: ")
    assert "22 more runs in about " in said
    assert counts() == {"completed": 2}
    begin = time.monotonic()
    os.write(ours, answer.encode())
    rest = _read(ours)
    assert process.wait(timeout=30) == code, said + rest
    assert code != 130 or time.monotonic() - begin < 3.0
    assert counts() == {"completed": done}
    assert ("study resume sizes" in rest) is (done == 2)
    os.close(ours)


def _own_terminal() -> None:
    """Make the terminal that is standard input this process's own, so that Ctrl-C typed there reaches it."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read(terminal: int, until: str | None = None) -> str:
    said, end = "", time.monotonic() + 60
    while until is None or until not in said:
        assert time.monotonic() < end, said
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:  # closed at the other end
                break
            if not data:
                break
            said += data.decode()
    return said


# Who works on it, and what it stands around.


def test_a_run_to_stand_around_by_command(eco: Eco) -> None:
    eco("run", "two.yaml", "--solver", "rule_based", "--set", "battery.capacity_kwh=9")
    Path("prices.yaml").write_text("study_id: prices\nparameters:\n  grid.import_price_per_kwh: [0.2, 0.4]\n")
    code, _, err = eco("study", "run", "prices.yaml", "--around", "last")
    assert code == 0, err
    _, shown, _ = eco("study", "show", "prices")
    with DatabaseMetadataService() as log:
        first = log.query_simulation_runs(order_by="timestamp")[0]["run_id"]
    assert ["around", "run", first] in [line.split() for line in shown.splitlines()]
    assert ["battery.capacity_kwh", "=", "9"] in [line.split() for line in shown.splitlines()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scheduler", "tcp://x:1"], "--scheduler: belongs to executor: dask; set that, or leave it out"),
        (["--executor", "inline", "--workers", "2"], "--workers: is more than executor: inline has"),
        (["--around", "nix"], "--around: 'nix' is no run in"),
        (["--executor", "threads"], "'threads' is not one of 'inline', 'process', 'dask'"),
    ],
)
def test_what_does_not_go_together_is_a_wrong_request(words: list[str], message: str, eco: Eco) -> None:
    code, _, err = eco("study", "run", "sizes.yaml", *words)
    assert code == 2
    assert message in " ".join(err.split())
    assert not Path("data").exists()


@pytest.mark.slow
def test_every_executor_finds_the_same_whether_named_in_the_file_or_by_command(eco: Eco) -> None:
    text = STUDY.replace("count: 24", "count: 4").replace("workers: 1\n", "")
    Path("few.yaml").write_text(text)
    Path("dask.yaml").write_text(f"executor: dask\n{text}")
    found = []
    for words in (["few.yaml", "--executor", "inline"], ["few.yaml", "--executor", "process"], ["dask.yaml"]):
        name = f"s-{len(found)}"
        code, _, err = eco("study", "run", *words, "--study-id", name)
        assert code == 0, err
        with DatabaseMetadataService() as log:
            found.append([row["total_cost"] for row in log.query_study_runs(name)])
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 4


def test_a_study_that_goes_on_elsewhere_must_say_so_rightly(eco: Eco) -> None:
    with DatabaseMetadataService() as log:
        settings = '{"study_id": "sizes", "base_config": {"system": "two.yaml"}}'
        log.log_study({"study_id": "sizes", "settings_json": settings})
        log.log_study({"study_id": "sizes", "status": "interrupted"})
    code, _, err = eco("study", "resume", "sizes", "--scheduler", "tcp://x:1")
    assert code == 2
    assert "scheduler: belongs to executor: dask; set that, or leave it out" in err
