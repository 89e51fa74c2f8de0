"""Work that is started from a page goes on without it, is seen, and is stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Explorer, Visitor

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.services.stopping import stop_study

SLOW_STUDY = """study_id: slow
study_type: parametric
system: system.yaml
solver_type: milp
timesteps: 600
timeseries: none
workers: 1
parameters:
  battery.capacity_kwh: {from: 0, to: 100, count: 1000}
"""


@pytest.fixture(scope="module")
def fresh(start: Callable[..., Explorer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    """Give an explorer of a place where there is no database yet."""
    path = tmp_path_factory.mktemp("fresh") / "new.sqlite"
    yield start(path)
    with DatabaseMetadataService(path) as log:  # whatever happened to the test, its study ends
        if status(log) == "running":
            stop_study(log, "slow")


def test_a_run_is_started_watched_and_opened(visit: Callable[..., Visitor], fresh: Explorer) -> None:
    visitor = visit(fresh, "first")
    page = visitor.open("/")
    expect(page.get_by_text("There are no runs yet")).to_be_visible()
    visitor.shoot("overview-empty")
    page.get_by_role("link", name="Or begin here").click()
    visitor.settle()
    page.get_by_role("spinbutton").fill("24")
    page.get_by_role("spinbutton").press("Enter")
    visitor.settle()
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url("**/new?started=run*")
    link = page.get_by_role("link", name="Open the run")
    expect(link).to_be_visible(timeout=60_000)
    visitor.shoot("new-run-started")
    run_id = parse_qs(urlsplit(page.url).query)["started"][0].removeprefix("run:")
    row = fresh.log.get_simulation_run(run_id)
    assert row is not None
    assert (row["simulation_status"], row["timesteps"]) == ("completed", 24)
    link.click()
    page.wait_for_url(f"**/run?id={run_id}")


def test_a_study_goes_on_when_its_page_is_closed_and_is_stopped_from_another(
    visit: Callable[..., Visitor], fresh: Explorer
) -> None:
    first = visit(fresh, "first")
    page = first.open("/new?what=A+study")
    box = page.get_by_role("textbox", name="Study file")
    box.fill(SLOW_STUDY)
    box.press("Control+Enter")
    first.settle()
    page.get_by_role("button", name="Start the study").click()
    page.wait_for_url("**/new?started=study*")
    expect(page.get_by_text("It goes on when this page is closed.")).to_be_visible(timeout=60_000)
    first.shoot("new-study-running")
    page.goto("about:blank")
    before = ended(fresh.log)
    wait_for(lambda: ended(fresh.log) > before)
    second = visit(fresh, "second")
    other = second.open("/")
    expect(other.get_by_test_id("stProgress")).to_be_visible()
    second.shoot("overview-running")
    other.get_by_role("button", name="Stop").click()
    wait_for(lambda: status(fresh.log) == "cancelled")
    second.open("/study?id=slow")
    expect(other.get_by_text("ecosystemiser study resume slow")).to_be_visible()
    second.shoot("study-stopped")


BUSY_STUDY = """study_id: busy
study_type: parametric
system: riverside-community
solver_type: milp
timesteps: 12
timeseries: none
workers: 1
parameters:
  battery.capacity_kwh: {from: 0, to: 100, count: 1000}
"""


def test_pages_stay_right_while_a_study_writes_a_thousand_runs(
    visit: Callable[..., Visitor], start: Callable[..., Explorer], tmp_path: Path
) -> None:
    path, file = tmp_path / "busy.sqlite", tmp_path / "busy.yaml"
    file.write_text(f"{BUSY_STUDY}output_directory: {tmp_path / 'results'}\n")
    words = [sys.executable, "-m", "ecosystemiser.cli", "study", "run", str(file), "--yes", "--db", str(path)]
    explorer = start(path)
    visitor = visit(explorer, "first")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as writer:
        wait_for(lambda: path.exists() and ended(explorer.log, "busy") > 0)
        seen, looked = [], 0
        while writer.poll() is None:
            for address in ("/", "/runs?study=busy&sort=total_cost", "/study?id=busy", "/studies"):
                page = visitor.open(address)
                looked += writer.poll() is None
                expect(page.get_by_test_id("stException")).to_have_count(0)
                expect(page.get_by_text("database is locked")).to_have_count(0)
                expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
            seen.append(ended(explorer.log, "busy"))
        assert writer.returncode == 0
    assert looked >= 4, "the study was over before anybody looked"
    assert seen == sorted(seen)
    page = visitor.open("/study?id=busy")
    expect(page.get_by_text("1,000").first).to_be_visible()
    assert ended(explorer.log, "busy") == 1_000


def test_a_damaged_database_gets_a_page_that_says_what_to_do(
    visit: Callable[..., Visitor], start: Callable[..., Explorer], tmp_path: Path
) -> None:
    path = tmp_path / "damaged.sqlite"
    path.write_text("This is no database.")
    visitor = visit(start(path))
    page = visitor.open("/runs")
    alert = page.get_by_test_id("stAlert").first
    expect(alert).to_contain_text("is not a SQLite database")
    expect(page.get_by_text("ecosystemiser db check")).to_be_visible()
    visitor.shoot("damaged")
    assert path.read_text() == "This is no database."


def ended(log: DatabaseMetadataService, study: str = "slow") -> int:
    counts = log.get_study_summary(study)["by_status"]
    return sum(number for state, number in counts.items() if state != "running")


def status(log: DatabaseMetadataService) -> str:
    return str((log.get_study_summary("slow")["study"] or {}).get("status"))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.2)
