"""A study of years by rule, without hours: beside the kernel alone and sqlite3 alone, which leave the same rows."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Row, by_turns, seconds_of
from benchmarks.run_logging import Values, bare
from benchmarks.studies import Bench, points, system_of

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack
from ecosystemiser.study.points import chunks_of

__all__ = ["rows"]

MOST, VARIATIONS = 5.0, 500
OWN = ("run_id", "simulation_status", "created_at", "updated_at")
"""Columns that every write sets anew."""
BEFORE = (
    "study_id", "system_id", "timesteps", "timestamp", "solver_type", "results_path", "parameters_json", "config_hash",
)  # fmt: skip
"""Columns of a row that stand before the work; the others come with its end."""


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    number = VARIATIONS if effort.is_full else 40
    values = points(number, "export")
    singles = [
        compile_problem(system_of({name: listed[at] for name, listed in values.items()}, effort.steps))
        for at in range(number)
    ]
    with disk_folder() as folder:
        bench = Bench.in_folder(folder)

        def study(workers: int) -> None:
            bench.run(values, "rule_based", "shortfall", effort.steps, workers=workers, timeseries="none")

        with bench.database:
            study(1)
            logged = bench.database.query_simulation_runs()
            with bare(folder / "runs.sqlite", folder / "bare.sqlite") as connection:
                peer = Peer(connection, logged, stack(singles))
                pair = by_turns(lambda: study(1), peer.run, effort.short_repeats)
                kernel = statistics.median(seconds_of(peer.solve) for _ in range(effort.short_repeats))
                inserts = statistics.median(seconds_of(peer.log) for _ in range(effort.short_repeats))
            two = [seconds_of(lambda: study(2)) for _ in range(effort.long_repeats if effort.is_full else 1)]
    note = (
        f"{number} years, one worker within this process; the peer: {1e3 * kernel:.0f} ms in the kernel, "
        f"{1e3 * inserts:.0f} ms in sqlite3"
    )
    details = {**pair.details(), "kernel_s": kernel, "inserts_s": inserts, "two_workers_s": two}
    return [
        Row("rule_study", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=details),
        Row("rule_study, two workers", statistics.median(two), pair.peer_s, note="with the start of two processes"),
    ]


@dataclass
class Peer:
    """What a programmer writes who needs the sums of these years in this table."""

    connection: sqlite3.Connection
    logged: Sequence[Values]
    """Rows as our study has left them: the columns and values to write."""
    batch: Problem
    numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._solver = RuleBasedSolver(self.batch, SolverOptions())
        kept = [name for name, value in self.logged[0].items() if value is not None and name not in OWN]
        self._before = [name for name in kept if name in BEFORE]
        self._after = [name for name in kept if name not in BEFORE]

    def run(self) -> None:
        """Dispatch and log."""
        self.log(self.solve)

    def solve(self) -> None:
        """Dispatch all years."""
        self._solver.solve_batch(self.batch)

    def log(self, between: Callable[[], None] = lambda: None) -> None:
        """Insert running rows, do what is to be done, update them; in pieces as large as ours, each on the disk."""
        turn = next(self.numbers)
        pieces = [[(f"{row['run_id']}-{turn}", row) for row in piece] for piece in chunks_of(self.logged)]
        for piece in pieces:
            self._insert(piece)
        between()
        for piece in pieces:
            self._update(piece)

    def _insert(self, piece: Sequence[tuple[str, Values]]) -> None:
        now = datetime.now(UTC).isoformat()
        columns = [*OWN, *self._before]
        rows = [(run_id, "running", now, now, *(row[name] for name in self._before)) for run_id, row in piece]
        marks = ", ".join("?" * len(columns))
        self._execute(f"INSERT INTO simulation_runs ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608

    def _update(self, piece: Sequence[tuple[str, Values]]) -> None:
        now = datetime.now(UTC).isoformat()
        changes = ", ".join(f"{name} = ?" for name in ("simulation_status", "updated_at", *self._after))
        rows = [("completed", now, *(row[name] for name in self._after), run_id) for run_id, row in piece]
        self._execute(f"UPDATE simulation_runs SET {changes} WHERE run_id = ?", rows)  # noqa: S608

    def _execute(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(statement, rows)
        self.connection.execute("COMMIT")
