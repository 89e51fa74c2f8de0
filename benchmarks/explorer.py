"""The pages of the explorer in a real browser, on a million runs; and a run of a whole year."""

from __future__ import annotations

import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from benchmarks.folders import disk_folder
from benchmarks.many_runs import database_of
from benchmarks.measure import Effort, Limit, Row, peak_mb

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.simulation_service import SimulationService

__all__ = ["rows"]

FIRST_CONTENT_S, FILTERED_S, SERVER_MB, RUN_PAGE_S, ZOOM_S = 3.0, 1.5, 500.0, 3.0, 1.0
PAGES = {
    "/": "text=1,000,000",
    "/runs": '[data-testid="stDataFrame"]',
    "/studies": '[data-testid="stDataFrame"]',
    "/study?id=study-100": "h1:has-text('study-100')",
}
"""Addresses, each with what shows that the database was read."""
FILTERS = ("study_id = 'study-100'", "total_cost < 5000 and solver_type = 'milp'", "status = 'failed'")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SYSTEM = "riverside-community"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
DRAWN = ".js-plotly-plot .main-svg"
QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'
LONGEST_MS, TRIES = 60_000, 20


def rows(effort: Effort) -> list[Row]:
    """Measure; every page in a tab of its own, as when an address is opened."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return [Row("explorer", note=f"there is none of {', '.join(BROWSERS)} on PATH")]
    repeats = effort.long_repeats
    path = database_of(1_000_000 if effort.is_full else 5_000)
    with _explorer(path) as server, _tabs(browser, server.address) as tab:
        many = [*_first_contents(tab, repeats), _filtered(tab, repeats), _memory(server)]
    with disk_folder() as folder:
        run_id = _year_run(folder, effort.steps)
        with _explorer(folder / "runs.sqlite") as server, _tabs(browser, server.address) as tab:
            return [*many, *_run_page(tab, run_id, repeats)]


@dataclass(frozen=True)
class _Server:
    address: str
    pid: int


@contextmanager
def _explorer(database: Path) -> Iterator[_Server]:
    """Within this the explorer shows a database."""
    words = [sys.executable, "-m", "ecosystemiser.cli", "explore", "--no-browser", "--db", str(database)]
    command = [*words, "--port", str(_free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603
    try:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        if "is shown at" not in said[1]:
            raise RuntimeError(f"the explorer did not start: {''.join(said)}")
        yield _Server(said[1].split()[-1], process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Open = Callable[[str], AbstractContextManager[Any]]


@contextmanager
def _tabs(browser: str, address: str) -> Iterator[Open]:
    """Give what opens a path in a new tab of a browser that has loaded the explorer's own files before."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=browser, args=list(FLAGS))
        context = found.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(LONGEST_MS)

        @contextmanager
        def tab(path: str) -> Iterator[Any]:
            page = context.new_page()
            page.goto(f"{address}{path}", wait_until="commit")
            yield page
            page.close()

        with tab("/") as page:
            page.wait_for_selector(QUIET)
        yield tab
        found.close()


def _first_contents(tab: Open, repeats: int) -> Iterator[Row]:
    """Yield how long each page takes until something of the database is read on it."""
    for path, content in PAGES.items():
        seconds, whole = [], []
        for _ in range(repeats):
            begun = time.perf_counter()
            with tab(path) as page:
                page.wait_for_selector(content)
                seconds.append(time.perf_counter() - begun)
                page.wait_for_selector(QUIET)
                whole.append(time.perf_counter() - begun)
        note = f"all of it after {statistics.median(whole):.1f} s"
        name = path.partition("?")[0].strip("/") or "overview"
        yield _row(f"explorer, first of {name}", seconds, FIRST_CONTENT_S, note)


def _filtered(tab: Open, repeats: int) -> Row:
    """Return how long it takes from a filter to its table."""
    seconds = []
    with tab("/runs") as page:
        page.wait_for_selector(QUIET)
        for where in FILTERS * repeats:
            box = page.get_by_role("textbox", name="Filter")
            box.fill(where)
            begun = time.perf_counter()
            box.press("Enter")
            page.wait_for_url(lambda url, where=where: where in unquote_plus(url))
            page.wait_for_selector(QUIET)
            seconds.append(time.perf_counter() - begun)
    return _row("explorer, filter to table", seconds, FILTERED_S, f"{len(FILTERS)} filters")


def _year_run(folder: Path, steps: int) -> str:
    with DatabaseMetadataService(folder / "runs.sqlite") as log:
        asked = SimulationConfig(
            system=SYSTEM, solver_type="rule_based", timesteps=steps, output_directory=folder / "results"
        )
        return SimulationService(log).run_simulation(asked).run_id


def _run_page(tab: Open, run_id: str, repeats: int) -> Iterator[Row]:
    """Yield how long a run of a year takes until its first chart stands, and from one length of time to another."""
    seconds, zooms = [], []
    for _ in range(repeats):
        begun = time.perf_counter()
        with tab(f"/run?id={run_id}") as page:
            page.wait_for_selector(DRAWN)
            seconds.append(time.perf_counter() - begun)
            page.wait_for_selector(QUIET)
            zooms += [_zoomed(page, length) for length in ("whole run", "day", "month")]
    yield _row("explorer, first chart of a run", seconds, RUN_PAGE_S, "a year of the packaged community")
    yield _row("explorer, another span of time", zooms, ZOOM_S, "year, day and month by turns")


def _zoomed(page: Any, length: str) -> float:
    """Return how long it takes from a choice to its picture; a list that the page's own redrawing closed opens anew."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

    option = page.get_by_role("option", name=length, exact=True)
    for _ in range(TRIES):
        page.get_by_role("combobox", name="Length").click()
        try:
            option.wait_for(timeout=LONGEST_MS / TRIES)
            begun = time.perf_counter()
            option.click(timeout=LONGEST_MS / TRIES)
        except PlaywrightTimeoutError:
            continue
        page.wait_for_url(lambda url: f"length={length}" in unquote_plus(url))
        page.wait_for_selector(QUIET)
        return time.perf_counter() - begun
    raise RuntimeError(f"the page never offered {length}")


def _row(what: str, seconds: list[float], most: float, note: str) -> Row:
    told = f"median of {len(seconds)}, slowest {max(seconds):.2f} s; {note}"
    middle = statistics.median(seconds)
    return Row(what, middle, None, "s", most, Limit.VALUE, note=told, details={"seconds": seconds})


def _memory(server: _Server) -> Row:
    """Return the most memory that the explorer's processes have had, together."""
    peaks = [peak_mb(pid) for pid in (server.pid, *_children(server.pid))]
    return Row("explorer, memory of the server", sum(peaks), None, "MB", SERVER_MB, Limit.VALUE)


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    own = [int(each) for task in tasks for each in task.read_text().split()]
    return [*own, *(each for child in own for each in _children(child))]
