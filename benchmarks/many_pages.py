"""Pages, counts and study lists of a million runs; beside the SQL that they execute, by sqlite3 alone."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.many_runs import PARAMETERS, SOLVERS, STUDIES, database_of
from benchmarks.measure import Effort, Limit, Row, peak_mb
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

__all__ = ["rows"]

PAGES, ON_PAGE = 200, 100
INDEXED = (None, "timestamp", "-timestamp", "total_cost", "-total_cost")
OTHERS = ("-self_sufficiency_rate", "total_co2", "solve_seconds", "-capital_cost", "params.battery.capacity_kwh")
FEW_RUNS = 1e-3
"""Up to this share of all runs, few pass a filter."""
MOST_LOAD = 1.5
"""Above it others take part of what is measured."""
ON_INDEX, ANY_OTHER, LIST, OPENING, MEMORY_MB = 0.2, 1.0, 0.2, 0.3, 200.0


def rows(effort: Effort) -> list[Row]:
    """Measure in a process of its own, whose memory counts."""
    path = database_of(1_000_000 if effort.is_full else 5_000)
    pages = PAGES if effort.is_full else 20
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "benchmarks.many_pages", str(path), str(pages)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)  # noqa: S603 - our own module
    found = json.loads(done.stdout)
    busy = f"; the machine was busy, load {load:.1f}" if load > MOST_LOAD else ""
    made = []
    for what, limit in (("indexed order", ON_INDEX), ("other order", ANY_OTHER), ("few runs pass", ANY_OTHER)):
        each = found[what]
        note = f"p95 of {pages} pages; median {1e3 * each['median']:.0f} ms, cold p95 {1e3 * each['cold']:.0f} ms{busy}"
        made.append(
            Row(f"pages, {what}", each["p95"], each["bare"], "s", limit, Limit.VALUE, note=note, details=each)
        )
    made.append(Row("list of 200 studies", found["studies"], None, "s", LIST, Limit.VALUE))
    made.append(Row("opening the database", found["opening"], None, "s", OPENING, Limit.VALUE))
    made.append(Row("memory of the process", found["memory_mb"], None, "MB", MEMORY_MB, Limit.VALUE))
    return made


@dataclass
class Heard:
    """The statements that were executed."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within this every statement of SQLAlchemy is noted."""

        def note(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
            self.statements.append((statement, parameters))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", note)


def _ask(random: np.random.Generator, what: str) -> tuple[str | None, str | None]:
    """Return a random filter of up to three conditions, and an order."""
    orders = INDEXED if what == "indexed order" else OTHERS if what == "other order" else (*INDEXED, *OTHERS)
    order = orders[random.integers(len(orders))]
    common = [
        f"status = '{'failed' if random.random() < 0.2 else 'completed'}'",
        f"solver_type = '{SOLVERS[random.integers(4)]}'",
        f"total_cost < {random.uniform(2000, 40000):.0f}",
        f"self_sufficiency_rate >= {random.uniform(0, 0.8):.2f}",
        f"total_co2 between 1000 and {random.uniform(5000, 50000):.0f}",
        f"params.{PARAMETERS[random.integers(8)]} >= {random.uniform(0, 350):.0f}",
        f"study_id = 'study-{random.integers(STUDIES):03d}'",
        f"timestamp >= '2026-01-0{random.integers(1, 9)}'",
    ]
    few = [
        f"total_cost between 9000 and {9000 + random.uniform(0.1, 3):.2f}",
        f"params.{PARAMETERS[random.integers(8)]} = {random.uniform(0, 500):.2f}",
        f"self_sufficiency_rate between 0.5 and {0.5 + random.uniform(1e-6, 1e-4):.6f}",
        f"run_id = '{random.integers(1, 1000):08x}-75d2-7000-8000-000000000000'",
    ]
    chosen = [common[at] for at in random.permutation(8)[: random.integers(0, 4)]]
    if what == "few runs pass":
        chosen = [few[random.integers(4)], *chosen[:2]]
    return " and ".join(chosen) or None, order


def _measure(path: Path, pages: int) -> dict[str, Any]:
    begin = time.perf_counter()
    service = DatabaseMetadataService(path)
    service.page_simulation_runs(limit=1)
    found: dict[str, Any] = {"opening": time.perf_counter() - begin}
    for what in ("indexed order", "other order", "few runs pass"):
        found[what] = _pages(service, path, what, pages)
    service.query_studies()
    found["studies"] = statistics.median(_seconds(service.query_studies) for _ in range(5))
    service.close()
    found["memory_mb"] = peak_mb()
    return found


def _pages(service: DatabaseMetadataService, path: Path, what: str, pages: int) -> dict[str, Any]:
    asked = _asked(path, what, pages)

    def page(where: str | None, order: str | None) -> object:
        return service.page_simulation_runs(where, order_by=order, limit=ON_PAGE)

    for where, order in asked[:10]:
        page(where, order)
    times, bare = [], []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        for where, order in asked:
            heard = Heard()
            with heard.listening():
                times.append(_seconds(lambda: page(where, order)))  # noqa: B023 - called at once
            bare.append(_seconds(lambda: _execute(connection, heard)))  # noqa: B023
    cold = []
    for where, order in asked[:20]:
        service.close()
        _forget(path)
        cold.append(_seconds(lambda: page(where, order)))  # noqa: B023
    slowest = sorted(zip(times, asked, strict=True), reverse=True)[:5]
    return {
        "p95": _p95(times), "median": statistics.median(times), "bare": _p95(bare), "cold": _p95(cold),
        "slowest": [(seconds, where, order) for seconds, (where, order) in slowest],
    }  # fmt: skip


def _asked(path: Path, what: str, pages: int) -> list[tuple[str | None, str | None]]:
    """Return so many random questions of a kind; one that few runs pass is of the kind of its own."""
    random = np.random.default_rng(7)
    asked: list[tuple[str | None, str | None]] = []
    with DatabaseMetadataService(path) as service:
        few = FEW_RUNS * service.get_statistics()["runs"]
        while len(asked) < pages:
            where, order = _ask(random, what)
            if (service.count_simulation_runs(where, at_most=int(few) + 1) <= few) == (what == "few runs pass"):
                asked.append((where, order))
    return asked


def _execute(connection: sqlite3.Connection, heard: Heard) -> None:
    for statement, parameters in heard.statements:
        connection.execute(statement, parameters).fetchall()


def _forget(path: Path) -> None:
    """Let the system forget what it has read of the file."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _p95(values: list[float]) -> float:
    return float(np.quantile(values, 0.95))


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]).resolve(), int(sys.argv[2]))))
