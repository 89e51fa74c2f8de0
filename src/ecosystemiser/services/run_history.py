"""What can be asked of runs that were made: compare, make again, verify, read their hours, hand on.

What solves is loaded when it is asked for: looking at runs needs no solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_export import RowFormat, export_runs
from ecosystemiser.services.run_words import run_named
from ecosystemiser.store.states import RunStatus

if TYPE_CHECKING:
    from ecosystemiser.analyser.comparison import Value
    from ecosystemiser.charts import RunCurves
    from ecosystemiser.results import SolvedSystem
    from ecosystemiser.services.run_comparison import RunComparison
    from ecosystemiser.services.run_diff import RunDiff
    from ecosystemiser.services.simulation_service import SimulationResult
    from ecosystemiser.services.verification import Verification
    from ecosystemiser.store.hourly import HourlySeries

__all__ = ["DEFAULT_OUTPUT", "RowFormat", "RunHistory", "VerifiedRun"]

Stop = Callable[[], bool] | None

DEFAULT_OUTPUT = Path("data/results")


@dataclass(frozen=True)
class VerifiedRun:
    """One run of a study that was verified, and how far that is."""

    done: int
    total: int
    verification: Verification


class RunHistory:
    """Questions about runs in a log. A run is named by its id, an unambiguous beginning of it, `last` or `last~1`.

    Every method raises InputError where a word names no run, or more than one; StoreError where the log cannot be used.
    """

    def __init__(self, log: DatabaseMetadataService) -> None:
        self._log = log

    def resolve(self, word: str) -> str:
        """Return the id of the run that `word` names; `last~1` is the one before the last."""
        return str(run_named(self._log, word)["run_id"])

    def diff(self, run_a: str, run_b: str) -> RunDiff:
        """Return what differs between two runs: inputs, KPIs, and what speaks against ranking them."""
        from ecosystemiser.services.run_diff import diff_of

        return diff_of(run_named(self._log, run_a), run_named(self._log, run_b))

    def compare(self, runs: Sequence[str]) -> RunComparison:
        """Return two to eight runs beside the first of them, the baseline: inputs, KPIs, and what speaks against
        ranking them. Raises InputError for fewer or more, and for a run that is named twice."""
        from ecosystemiser.services.run_comparison import check_number, compare_rows

        check_number(runs)
        return compare_rows([run_named(self._log, run) for run in runs])

    def inputs(self, run: str) -> dict[str, Value]:
        """Return all inputs of a run by path, its variation included."""
        from ecosystemiser.services.run_diff import inputs_of

        return inputs_of(run_named(self._log, run))

    def comparison_csv(self, found: RunComparison) -> str:
        """Return a comparison as CSV, a line for each input or KPI of each run."""
        from ecosystemiser.services.run_comparison import CSV_NAMES, comparison_cells
        from ecosystemiser.store.row_files import csv_text

        return csv_text(comparison_cells(found), CSV_NAMES)

    def curves(self, run: str, *, may_solve: bool = False, should_stop: Stop = None) -> RunCurves:
        """Return the curves of a run for charts: of its stored hours or, with `may_solve`, of hours solved again.

        Raises StoreError where there are none, InputError where the system that they belong to can no longer be read.
        """
        from ecosystemiser.services.run_curves import curves_of_row

        row = self._row_with_hours(run)
        solve_again = partial(self.hourly, row["run_id"], should_stop=should_stop) if may_solve else None
        return curves_of_row(row, solve_again)

    def solved(self, run: str, *, may_solve: bool = False, should_stop: Stop = None) -> SolvedSystem:
        """Return the solved system of a run, as `curves` reads it. Raises as `curves` does."""
        from ecosystemiser.services.run_curves import hours_of_row, solved_of_row

        row = self._row_with_hours(run)
        solve_again = partial(self.hourly, row["run_id"], should_stop=should_stop) if may_solve else None
        return solved_of_row(row, hours_of_row(row, solve_again)[0])

    def _row_with_hours(self, run: str) -> dict[str, Any]:
        """Return the row of a run; of one that was taken over, the row where its hours are."""
        row = run_named(self._log, run)
        if row.get("reused_from"):
            return {**(self._log.get_simulation_run(row["reused_from"]) or row), "title": row["run_id"]}
        return row

    def rerun(
        self, run: str, *, output_directory: str | Path = DEFAULT_OUTPUT, should_stop: Stop = None
    ) -> SimulationResult:
        """Solve what a run was made from once more, as a new run whose `retry_of` names it.

        Its system file may have changed or be gone; series and weather files are read as they lie now. Raises as
        `SimulationService.run_simulation` does, and InputError where the log does not describe the run.
        """
        from ecosystemiser.services.rerunning import run_stored
        from ecosystemiser.services.stored_runs import StoredRun

        return run_stored(self._log, StoredRun.of(run_named(self._log, run)), Path(output_directory), should_stop)

    def verify(self, run: str, *, should_stop: Stop = None) -> Verification:
        """Solve a run again in memory and return how it compares; nothing is logged."""
        from ecosystemiser.services.verification import Verifier

        return Verifier().verify(run_named(self._log, run), should_stop)

    def verify_study(self, study_id: str, *, should_stop: Stop = None) -> Iterator[VerifiedRun]:
        """Yield each run of a study that completed or failed, once it is verified, in the order of the points.

        Others have no result that could be verified. Raises InputError where the log knows no such study.
        """
        from ecosystemiser.services.verification import Verifier

        if self._log.get_study_summary(study_id)["study"] is None:
            remedy = "see which there are: ecosystemiser study list"
            raise InputError([Finding(f"is no study in {self._log.location}", remedy, "STUDY", study_id)])
        rows = self._log.query_study_runs(study_id)
        ended = (RunStatus.COMPLETED, RunStatus.FAILED)
        ids = [row["run_id"] for row in rows if row["simulation_status"] in ended]
        verifier = Verifier()
        for done, run_id in enumerate(ids, 1):
            yield VerifiedRun(done, len(ids), verifier.verify(run_named(self._log, run_id), should_stop))

    def hourly(self, run: str, *, should_stop: Stop = None) -> HourlySeries:
        """Return the hours of a run: the stored ones where they are intact, else recomputed in memory.

        `metadata["source"]` is `stored` or `recomputed`. Recomputed hours may be those of another optimum, which
        `metadata["verdict"]` says. Raises StoreError where they are neither there nor come out as they were.
        """
        from ecosystemiser.services.hours import hours_of

        row = run_named(self._log, run)
        if row.get("reused_from"):  # the hours lie where they were made
            row = self._log.get_simulation_run(row["reused_from"]) or row
        state, stored = hours_of(row)
        if stored is not None:
            return replace(stored, metadata={**stored.metadata, "source": "stored"})

        from ecosystemiser.services.verification import AGREE, Verifier

        found, outcome = Verifier().solve_again(row, should_stop)
        if found.verdict not in AGREE or outcome is None or outcome.solved is None:
            message = f"run {row['run_id']}: its hours are {state} and cannot be had again: {found.reason}."
            raise StoreError(message)
        told = {"source": "recomputed", "verdict": found.verdict.value, "stored": state.value}
        return _series(outcome.solved, {"run_id": row["run_id"], "system_id": row["system_id"], **told})

    def export(self, path: str | Path, style: RowFormat | None = None, *, where: str | None = None) -> int:
        """Write the rows of all runs that pass the filter text as a file, and return how many.

        An old file is replaced, once the new one is whole. The kind of file follows its ending where `style` is None;
        CSV holds no formulas. The newest runs come first; one that is logged meanwhile may be missing, none stands
        twice. Raises InputError for a wrong name or filter, StoreError where the file cannot be written.
        """
        return export_runs(self._log, Path(path), style, where)


def _series(solved: SolvedSystem, metadata: dict[str, Any]) -> HourlySeries:
    import numpy as np

    from ecosystemiser.store.hourly import HourlySeries

    clock = solved.system.clock
    start = np.datetime64(round(clock.start_utc.timestamp() * 1000), "ms")
    time = start + np.arange(clock.steps) * np.timedelta64(clock.step_s * 1000, "ms")
    return HourlySeries(time, clock.step_s, solved.hourly(), {"timezone": clock.timezone, **metadata})
