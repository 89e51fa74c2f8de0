"""The command line as a process: what it loads, how signals and pipes end it, the tour."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.solver_options import SOLVER_TYPES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

MAIN = "import sys; from ecosystemiser.cli import main; main()"
LOADED = """
import json, sys
from ecosystemiser.cli.entry import exit_code
code = exit_code(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = {"numpy", "pandas", "scipy", "pyarrow", "numba", "highspy", "pvlib", "alembic", "ruamel", "rich"}
OF_SOLVES = {"ecosystemiser.config", "ecosystemiser.model", "ecosystemiser.solver", "ecosystemiser.reader"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts the command line."""

    def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen([sys.executable, "-c", MAIN, *arguments], text=True, **pipes)

    return begin


def loaded(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    return set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("run", "--help"),
        ("runs", "list", "--help"),
        ("study", "run", "--help"),
        ("db", "check", "--help"),
    ],
)
def test_help_loads_no_solver_no_database_and_no_model(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) & (HEAVY | OF_SOLVES | {"sqlalchemy"}) == set()


def test_the_first_help_does_without_pydantic() -> None:
    """Other commands have it from typer, whose newer versions read options with it."""
    assert "pydantic" not in loaded("--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "list"),
        ("runs", "show", "a"),
        ("runs", "list", "--format", "csv"),
        ("runs", "list", "--where", "cost < 5 and params.a = 3", "--count"),
        ("runs", "list", "--fields"),
        ("runs", "tag", "a", "--add", "good"),
        ("runs", "delete", "a", "--yes"),
    ],
)
def test_looking_at_runs_loads_the_database_alone(arguments: tuple[str, ...]) -> None:
    with DatabaseMetadataService() as log:
        log.log_simulation_run({"run_id": "a", "simulation_status": "completed", "total_cost": 1.0})
    width_of_signs = {"rich"}
    assert loaded(*arguments) & (HEAVY - width_of_signs | OF_SOLVES) == set()


def log_a_study() -> None:
    with DatabaseMetadataService() as log:
        settings = {"parameters": {"a.b": [1, 2]}, "base_config": {"solver_type": "milp"}}
        log.log_study({"study_id": "s", "study_type": "parametric", "settings_json": json.dumps(settings)})
        log.log_simulation_runs(
            [
                {"run_id": f"r-{at}", "study_id": "s", "point": at, "parameters_json": json.dumps({"a.b": at + 1})}
                for at in range(2)
            ]
        )
        log.log_simulation_run({"run_id": "r-0", "simulation_status": "completed", "total_cost": 1.0})


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "s"), ("show", "last", "--format", "csv"), ("list", "--format", "json")]
)
def test_looking_at_studies_loads_the_database_alone(arguments: tuple[str, ...]) -> None:
    log_a_study()
    width_of_signs = {"rich"}
    assert loaded("study", *arguments) & (HEAVY - width_of_signs | OF_SOLVES | {"pydantic"}) == set()


def test_the_script_is_installed_under_both_names() -> None:
    for name in ("ecosystemiser", "eco"):
        script = Path(sys.executable).with_name(name)
        if not script.exists():
            pytest.skip("the package is not installed")
        assert (
            "ecosystemiser" in subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout
        )


def wait_for_running(seconds: float = 60.0) -> str:
    """Wait until a run is in the log, and return its id."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with DatabaseMetadataService() as log:
            found = log.query_simulation_runs(status="running")
        if found:
            return str(found[0]["run_id"])
        time.sleep(0.05)
    raise AssertionError("no run began")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_is_cancelled_in_the_log(
    number: signal.Signals, code: int, start: Callable[..., subprocess.Popen[str]]
) -> None:
    with start("run", "riverside-community", "--set", "time.steps=8760") as process:
        run_id = wait_for_running()
        begin = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert time.monotonic() - begin < 5
    assert process.returncode == code
    assert "Stopped." in err
    assert "Traceback" not in err
    with DatabaseMetadataService() as log:
        row = log.get_simulation_run(run_id)
    assert row is not None
    assert (row["simulation_status"], row["metadata_json"]) == ("cancelled", None)


def test_a_run_is_cancelled_by_another_process(start: Callable[..., subprocess.Popen[str]]) -> None:
    with start("run", "riverside-community", "--set", "time.steps=8760") as process:
        run_id = wait_for_running()
        with start("runs", "cancel", run_id) as other:
            out, err = other.communicate(timeout=30)
        _, said = process.communicate(timeout=30)
    told = f"– cancelled: run {run_id}\nSee: ecosystemiser runs show {run_id}\n"  # noqa: RUF001
    assert (other.returncode, out, err) == (0, told, "")
    assert process.returncode == 130
    assert said.endswith("Stopped. What was done is in the log: ecosystemiser runs list\n")


STUDY = """\
study_id: sizing
system: riverside-community
solver_type: hybrid
workers: 2
parameters:
  battery.capacity_kwh: [0, 40, 80, 160]
  roof_pv.capacity_kw: {from: 20, to: 100, count: 10}
"""


def children_of(process_id: int) -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process_id:
            found.add(int(status.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_stopped_study_keeps_what_is_done_and_leaves_nothing_running(
    number: signal.Signals, code: int, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """40 runs with 2 workers, stopped after the first has completed."""
    Path("sizing.yaml").write_text(STUDY)
    with start("study", "run", "sizing.yaml") as process:
        wait_for_running()
        with DatabaseMetadataService() as log:
            until = time.monotonic() + 120
            while not log.query_simulation_runs(status="completed") and time.monotonic() < until:
                time.sleep(0.05)
        workers = children_of(process.pid)
        begin = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert time.monotonic() - begin < 5.5
    assert (process.returncode, out) == (code, "")
    assert "See it: ecosystemiser study show sizing" in err
    assert not re.search(r"^sizing: \d+ of", err.partition("The study was stopped")[2], re.MULTILINE)
    assert "Traceback" not in err
    assert len(workers) == 2
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []
    with DatabaseMetadataService() as log:
        summary = log.get_study_summary("sizing")
    assert set(summary["by_status"]) == {"completed", "cancelled"}
    assert f"{summary['by_status']['completed']} ✓ completed, {summary['by_status']['cancelled']} " in err
    assert summary["study"]["status"] == "cancelled"


def test_a_study_is_cancelled_by_another_process_and_goes_on(start: Callable[..., subprocess.Popen[str]]) -> None:
    Path("sizing.yaml").write_text(STUDY.replace("hybrid", "hybrid\ntimesteps: 2190").replace("count: 10", "count: 3"))
    with start("study", "run", "sizing.yaml", "--workers", "1") as process:
        wait_for_running()
        with start("study", "cancel", "sizing") as other:
            out, _ = other.communicate(timeout=30)
        _, err = process.communicate(timeout=30)
    assert other.returncode == 0
    assert "cancelled: study sizing" in out
    assert process.returncode == 130
    assert "Go on:  ecosystemiser study resume sizing" in err
    with start("study", "resume", "sizing") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "Study sizing: 12 ✓ completed" in out
    with DatabaseMetadataService() as log:
        rows = log.query_study_runs("sizing")
    done = [row for row in rows if row["simulation_status"] == "completed"]
    assert sorted(row["point"] for row in done) == list(range(12))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_what_a_killed_study_left_is_shown_closed_and_gone_on_with(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    Path("sizing.yaml").write_text(STUDY.replace("hybrid", "hybrid\ntimesteps: 168").replace("count: 10", "count: 3"))
    with start("study", "run", "sizing.yaml", "--workers", "1") as process:
        wait_for_running()
        process.kill()
        process.communicate(timeout=30)
    with start("runs", "list") as process:
        assert "○ running (owner gone)" in process.communicate(timeout=30)[0]
    with start("study", "list") as process:
        assert "running (owner gone)" in process.communicate(timeout=30)[0]
    with start("db", "check") as process:
        assert "closed as interrupted" in process.communicate(timeout=30)[0]
    with start("study", "list") as process:
        assert "interrupted" in process.communicate(timeout=30)[0]
    with start("study", "resume", "last") as process:
        assert "Study sizing: 12 ✓ completed" in process.communicate(timeout=120)[0]


def test_a_study_on_one_worker_is_stopped_between_its_runs(start: Callable[..., subprocess.Popen[str]]) -> None:
    Path("sizing.yaml").write_text(STUDY)
    with start("study", "run", "sizing.yaml", "--workers", "1") as process:
        wait_for_running()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    with DatabaseMetadataService() as log:
        assert "running" not in log.get_study_summary("sizing")["by_status"]


def test_a_signal_before_the_work_begins_ends_it_too(start: Callable[..., subprocess.Popen[str]]) -> None:
    with start("run", "riverside-community") as process:
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode in (143, -signal.SIGTERM)  # the latter: Python itself was still starting
    assert "Traceback" not in err


def test_a_reader_that_closes_early_hears_no_complaint(start: Callable[..., subprocess.Popen[str]]) -> None:
    with DatabaseMetadataService() as log:
        for number in range(300):
            log.log_simulation_run({"run_id": f"run-{number}"})
    with start("runs", "list", "--limit", "0", "--format", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_without_room_is_a_failure(start: Callable[..., subprocess.Popen[str]]) -> None:
    with Path("/dev/full").open("w") as full, start("runs", "list", stdout=full) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "could not be written" in err
    assert "Traceback" not in err


def test_a_terminal_of_ascii_is_no_error(start: Callable[..., subprocess.Popen[str]]) -> None:
    with DatabaseMetadataService() as log:
        log.log_simulation_run({"run_id": "a"})
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with start("runs", "list", env=environment) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "a" in out


@pytest.mark.slow
def test_the_tour(start: Callable[..., subprocess.Popen[str]]) -> None:
    with start("demo") as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0
    told = r"demo: (\d+ of 12 runs|\d+ more runs in about \S+ s, )"  # what it will take is told where it is long
    assert [line for line in err.splitlines() if not re.match(told, line)] == []
    assert max(len(line) for line in out.splitlines()) <= 80 or "/" in max(out.splitlines(), key=len)
    for solver in SOLVER_TYPES:
        assert re.search(rf"^✓  {solver} .* EUR .* kg .* % ", out, re.MULTILINE)
    assert "A composed year" in out
    assert re.search(r"^ +40 +24,400 .* 23,000 .* 22,500\*", out, re.MULTILINE)
    for command in ("runs show ", "study show demo", "runs list --study demo --sort", "check ", "--set "):
        assert command in out
    with DatabaseMetadataService() as log:
        rows = log.query_simulation_runs()
    assert {row["simulation_status"] for row in rows} == {"completed"}
    assert {row["solver_type"] for row in rows} == set(SOLVER_TYPES)
    shown = re.search(r"runs show (\S+)", out)
    assert shown is not None
    assert [row["study_id"] for row in rows if row["run_id"].startswith(shown[1])] == [None]
    assert sum(row["study_id"] == "demo" for row in rows) == 12
