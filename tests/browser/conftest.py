"""A real browser before the real explorer, on a database that the real commands made."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.cli.entry import exit_code

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright  # noqa: E402
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError  # noqa: E402

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run"),
)
expect.set_options(timeout=20_000)  # a loaded machine
HOSTILE = "<img src=x onerror=alert(1)>"
QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'

PARAMETRIC = """
study_id: sizing
study_type: parametric
system: riverside-community
solver_type: rule_based
timesteps: 24
workers: 1
parameters:
  battery.capacity_kwh: [0, 40, 80]
  roof_pv.capacity_kw: {from: 20, to: 80, count: 4}
"""
GENETIC = """
study_id: cost-and-co2
study_type: genetic_algorithm
system: riverside-community
solver_type: rule_based
timesteps: 24
workers: 1
parameters:
  battery.capacity_kwh: {from: 0, to: 300}
  roof_pv.capacity_kw: {from: 0, to: 200}
objectives: {total_cost: minimise, total_co2: minimise}
population_size: 8
max_generations: 3
seed: 1
"""
MONTE_CARLO = """
study_id: price-risk
study_type: monte_carlo
system: riverside-community
solver_type: rule_based
timesteps: 24
workers: 1
distributions:
  economics.discount_rate: {distribution: uniform, minimum: 0.02, maximum: 0.08}
  roof_pv.capacity_kw: {distribution: normal, mean: 60, standard_deviation: 10}
n_samples: 32
sampling: sobol
sensitivity: true
seed: 1
"""
STUDIES = {"sizing": PARAMETRIC, "cost-and-co2": GENETIC, "price-risk": MONTE_CARLO}


def command(*words: str) -> int:
    """Run the command line here, and return its exit code."""
    return exit_code(list(words))


@pytest.fixture(scope="package")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with runs of two systems, a failed one, hostile text, and three studies."""
    folder = tmp_path_factory.mktemp("log")
    path = folder / "runs.sqlite"
    results, db = ("--output", str(folder / "results")), ("--db", str(path))
    community = ("run", "riverside-community", *results, *db)
    assert command(*community, "--steps", "48", "--solver", "rule_based") == 0
    assert command(*community, "--steps", "48", "--solver", "hybrid") == 0
    assert command("run", "greensboro-house", "--steps", "24", *results, *db) == 0
    assert command(*community, "--steps", "24", "--set", "grid.import_limit_kw=1", "--set", "boiler.power_kw=1") == 1
    assert command("runs", "note", "last", HOSTILE, *db) == 0
    assert command("runs", "tag", "last", "--add", HOSTILE, *db) in (0, 2)
    for name, text in STUDIES.items():
        file = folder / f"{name}.yaml"
        file.write_text(f"{text}output_directory: {folder / 'results'}\n")
        assert command("study", "run", str(file), *db) == 0
    return path


PATHS = {
    "Overview": ("/", "/overview"),
    "Runs": ("/runs",),
    "Compare": ("/compare",),
    "Studies": ("/studies",),
    "New run": ("/new",),
}
"""Where the navigation leads to."""


@dataclass
class Explorer:
    """A running explorer."""

    address: str
    process: subprocess.Popen[str]
    log: DatabaseMetadataService

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


@pytest.fixture(scope="package")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Explorer]]:
    """Give what starts an explorer of a database; all of them end with the session, by Ctrl-C."""
    started: list[subprocess.Popen[str]] = []

    def begin(database: Path, *options: str) -> Explorer:
        words = [sys.executable, "-m", "ecosystemiser.cli", "explore", "--no-browser", "--db", str(database), *options]
        process = subprocess.Popen(
            [*words, "--port", str(free_port())],
            cwd=tmp_path_factory.mktemp("explorer"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(3)]
        assert "is shown at" in said[1], "".join(said)
        return Explorer(said[1].split()[-1], process, DatabaseMetadataService(database, read_only=True))

    yield begin
    for process in started:
        process.send_signal(signal.SIGINT)
    for process in started:
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in said


@pytest.fixture(scope="package")
def explorer(start: Callable[..., Explorer], database: Path, browser: Browser) -> Explorer:
    """Return an explorer of the database of this session."""
    return start(database)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Give the machine's own chromium; skip without one, or fail where ECOSYSTEMISER_REQUIRE names browser."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        if "browser" in os.environ.get("ECOSYSTEMISER_REQUIRE", "").split(","):
            pytest.fail("no chromium on PATH: install it")
        pytest.skip("needs chromium")
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield found
        found.close()


@dataclass
class Visitor:
    """Somebody with a browser of their own. What the console reports as an error is kept."""

    page: Page
    address: str
    shots: Path
    errors: list[str] = field(default_factory=list)
    keeps_all: bool = "ECOSYSTEMISER_SCREENSHOTS" in os.environ

    def listen(self) -> None:
        """Keep what the console reports as an error, and dialogs: no page opens any."""
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.errors.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def open(self, path: str) -> Page:
        """Open an address of the explorer, and wait until all of it is there."""
        self.page.goto(f"{self.address}{path}")
        return self.settle()

    def settle(self) -> Page:
        """Wait until the page has answered to what was done."""
        self.page.wait_for_timeout(150)
        self.page.wait_for_selector(QUIET, timeout=30_000)
        return self.page

    def walk(self, title: str) -> Page:
        """Go to a page by the navigation, as people do; it opens anew, without a filter."""
        if self.page.url == "about:blank":
            self.open("/")
        if title != "Compare":  # the page that is open already stays as it is, and its address may yet change
            self._follow("Compare")
        return self._follow(title)

    def _follow(self, title: str) -> Page:
        """Click on a page's name; a click that the page's own redrawing has lost is made anew."""
        for _ in range(5):
            self.page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
            try:
                self.page.wait_for_url(lambda url: urlsplit(url).path in PATHS[title], timeout=3_000)
            except PlaywrightTimeoutError:
                continue
            return self.settle()
        raise AssertionError(f"{title} never opened")

    def choose(self, box: str, option: str) -> Page:
        """Choose in a box; a list that the page's own redrawing has closed, or a choice it has lost, is asked anew."""
        choice = self.page.get_by_role("option", name=option, exact=True)
        found = self.page.get_by_role("combobox", name=box)
        for _ in range(10):
            found.click()
            try:
                choice.click(timeout=3_000)
            except PlaywrightTimeoutError:
                continue
            self.settle()
            try:
                expect(found).to_have_value(option)
            except AssertionError:
                continue
            return self.page
        raise AssertionError(f"{box} never showed {option}")

    def comes_to(self, found: Callable[[], object], wanted: object) -> None:
        """Wait until something is as wanted: an address changes a moment after what was done."""
        for _ in range(200):
            if found() == wanted:
                return
            self.page.wait_for_timeout(100)
        assert found() == wanted

    def resize(self, width: int, height: int = 900) -> Page:
        self.page.set_viewport_size({"width": width, "height": height})
        return self.settle()

    def shoot(self, name: str) -> None:
        """Keep a picture of the whole page; of what is in sight where nobody asked for pictures."""
        size = self.page.viewport_size or {"width": 1280, "height": 900}
        if self.keeps_all:
            height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            self.resize(size["width"], min(4_000, height + 70))
            self.page.wait_for_timeout(500)
        self.page.screenshot(path=self.shots / f"{name}.png")
        if self.keeps_all:
            self.resize(size["width"], size["height"])


@pytest.fixture(scope="package")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for screenshots: that of ECOSYSTEMISER_SCREENSHOTS, else a temporary one."""
    chosen = os.environ.get("ECOSYSTEMISER_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """Give browsers by name, each of which keeps what it has loaded."""
    kept: dict[str, BrowserContext] = {}

    def of(name: str) -> BrowserContext:
        if name not in kept:
            scheme: Literal["light", "dark"] = "dark" if name == "dark" else "light"
            kept[name] = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        return kept[name]

    yield of
    for context in kept.values():
        context.close()


@pytest.fixture
def visit(contexts: Callable[[str], BrowserContext], shots: Path) -> Iterator[Callable[..., Visitor]]:
    """Give what makes a visitor with a browser of some name; none of them may see an error."""
    visitors: list[Visitor] = []

    def begin(explorer: Explorer, name: str = "second") -> Visitor:
        visitor = Visitor(contexts(name).new_page(), explorer.address, shots)
        visitor.listen()
        visitors.append(visitor)
        return visitor

    yield begin
    told = [error for visitor in visitors for error in visitor.errors]
    for visitor in visitors:
        visitor.page.close()
    assert told == []


@pytest.fixture(scope="package")
def regular(contexts: Callable[[str], BrowserContext], explorer: Explorer, shots: Path) -> Visitor:
    """Return one visitor of the explorer of this session, who stays."""
    visitor = Visitor(contexts("first").new_page(), explorer.address, shots)
    visitor.listen()
    return visitor


@pytest.fixture
def visitor(regular: Visitor) -> Iterator[Visitor]:
    """Give the visitor who stays; in this test they may see no error. To load a page anew takes seconds: walk."""
    regular.errors.clear()
    yield regular
    assert regular.errors == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
