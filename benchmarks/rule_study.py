"""A study of years by rule, without hours: beside the kernel alone and sqlite3 alone, which leave the same rows."""

from __future__ import annotations

import json
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from benchmarks.bare_log import BareLog
from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Row, by_turns, seconds_of
from benchmarks.run_logging import Values, bare
from benchmarks.studies import Bench, Points, points, system_of

from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.problem import Problem
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack
from ecosystemiser.study.points import chunks_of

__all__ = ["rows"]

MOST, VARIATIONS = 4.0, 500
OWN = ("created_at", "updated_at")
"""Columns that every write sets anew."""
BEFORE = (
    "run_id", "study_id", "system_id", "timesteps", "timestamp", "solver_type", "currency", "point", "results_path",
    "parameters_json", "config_hash",
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

        def study(workers: int, varied: Points = values) -> None:
            bench.run(varied, "rule_based", "shortfall", effort.steps, workers=workers, timeseries="none")

        with bench.database:
            study(1)
            logged = bench.database.query_simulation_runs()
            with bare(folder / "runs.sqlite", folder / "bare.sqlite") as connection:
                peer = Peer(connection, logged, stack(singles))
                pair = by_turns(lambda: study(1), peer.run, effort.short_repeats)
                kernel = statistics.median(seconds_of(peer.solve) for _ in range(effort.short_repeats))
                inserts = statistics.median(seconds_of(peer.log) for _ in range(effort.short_repeats))
            two = [seconds_of(lambda: study(2)) for _ in range(effort.long_repeats if effort.is_full else 1)]
            tariffs = points(number, "import")
            study(1, tariffs)
            priced = [seconds_of(lambda: study(1, tariffs)) for _ in range(effort.long_repeats)]
    note = (
        f"{number} years, one worker within this process; the peer: {1e3 * kernel:.0f} ms in the kernel, "
        f"{1e3 * inserts:.0f} ms in sqlite3"
    )
    details = {**pair.details(), "kernel_s": kernel, "inserts_s": inserts, "two_workers_s": two, "tariffs_s": priced}
    return [
        Row("rule_study", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=details),
        Row("rule_study, two workers", statistics.median(two), pair.peer_s, note="with the start of two processes"),
        Row("rule_study, tariffs", statistics.median(priced), pair.peer_s, note="every run with a tariff of its own"),
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
        self._after = ["run_id", *(name for name in kept if name not in BEFORE)]
        self._parameters = [json.loads(row["parameters_json"]) for row in self.logged]
        self._log = BareLog(self.connection)

    def run(self) -> None:
        """Dispatch and log."""
        self.log(self.solve)

    def solve(self) -> None:
        """Dispatch all years."""
        self._solver.solve_batch(self.batch)

    def log(self, between: Callable[[], None] = lambda: None) -> None:
        """Insert running rows, do what is to be done, update them; in pieces as large as ours, each on the disk."""
        turn = next(self.numbers)
        pieces = [[{**row, "run_id": f"{row['run_id']}-{turn}"} for row in piece] for piece in chunks_of(self.logged)]
        for piece, parameters in zip(pieces, chunks_of(self._parameters), strict=True):
            running = [{**{name: row[name] for name in self._before}, "simulation_status": "running"} for row in piece]
            self._log.begin(running, parameters)
        between()
        for piece in pieces:
            self._log.end([{name: row[name] for name in self._after} for row in piece])
