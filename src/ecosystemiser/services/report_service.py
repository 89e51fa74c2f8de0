"""Reports of runs, studies and comparisons: one HTML file each, with the explorer's charts, that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ecosystemiser.charts import RunCurves
from ecosystemiser.errors import EcoSystemiserError, Finding, InputError
from ecosystemiser.names import is_identifier
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.report_comparison import parts_of_comparison
from ecosystemiser.services.report_page import page
from ecosystemiser.services.report_run import parts_of_run, subtitle_of
from ecosystemiser.services.report_study import parts_of_study, study_subtitle
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.run_words import run_named
from ecosystemiser.store.files import write_durably
from ecosystemiser.wording import number_of

__all__ = ["ReportService"]

Stop = Callable[[], bool] | None


class ReportService:
    """Makes reports. Runs are named as in `RunHistory`; hours that were not kept are solved again in memory.

    Every method raises InputError for what names nothing, StoreError where the log or the file cannot be used.
    """

    def __init__(self, log: DatabaseMetadataService) -> None:
        self._log, self._history = log, RunHistory(log)

    def of(self, word: str, *, should_stop: Stop = None) -> str:
        """Return the report of the study, or else of the run, that a word names."""
        if is_identifier(word) and self._log.get_study_summary(word)["study"] is not None:
            return self.of_study(word)
        return self.of_run(word, should_stop=should_stop)

    def of_run(self, run: str, *, should_stop: Stop = None) -> str:
        """Return the report of a run as HTML; one without curves says why."""
        row = run_named(self._log, run)
        curves, why_none = self._curves(str(row["run_id"]), should_stop)
        return page(f"Run {row['run_id']}", subtitle_of(row), parts_of_run(row, curves, why_none))

    def of_study(self, study_id: str) -> str:
        """Return the report of a study as HTML."""
        summary = self._log.get_study_summary(study_id)
        if summary["study"] is None:
            remedy = "see which there are: ecosystemiser study list"
            raise InputError([Finding(f"is no study in {self._log.location}", remedy, "STUDY", study_id)])
        return page(f"Study {study_id}", study_subtitle(summary["study"]), parts_of_study(self._log, summary))

    def of_comparison(self, runs: Sequence[str], *, should_stop: Stop = None) -> str:
        """Return the report of two to eight runs as HTML, the first of them the baseline."""
        found = self._history.compare(runs)
        rows = [run_named(self._log, run) for run in found.runs]
        curves, missing = [], []
        for run in found.runs:
            own, why_none = self._curves(run, should_stop)
            curves.append(own)
            missing += [why_none] if own is None else []
        title = f"{number_of(len(runs), 'run')} of {rows[0].get('system_id')} compared"
        parts = parts_of_comparison(found, rows, curves, missing)
        return page(title, f"Baseline: {found.runs[0]}", parts)

    def check_place(self, path: str | Path) -> None:
        """Raise InputError where no report can be written, before it is made."""
        file = Path(path)
        if "\0" in str(path):
            raise InputError([Finding("is no name of a file", "name an HTML file", "--output", str(path))])
        if file.is_dir():
            raise InputError([Finding("is a folder", "name a file in it", "--output", str(path))])
        if not file.absolute().parent.is_dir():
            remedy = "create it first"
            raise InputError([Finding("lies in a folder that does not exist", remedy, "--output", str(path))])

    def write(self, content: str, path: str | Path) -> None:
        """Write a report as the file at `path`; an old one is replaced. Raises InputError, StoreError."""
        self.check_place(path)
        write_durably(Path(path).absolute(), content.encode())

    def _curves(self, run: str, should_stop: Stop) -> tuple[RunCurves | None, str]:
        """Return the curves of a run, or None and the reason."""
        try:
            return self._history.curves(run, may_solve=True, should_stop=should_stop), ""
        except EcoSystemiserError as error:
            return None, str(error)
