"""How outcomes reach the log, also where its server is away for a while.

While it is away outcomes go to a spool: a file of JSON lines, each on the disk before the call returns. Once the
server answers again they are logged and the spool is removed. Nothing new is begun meanwhile: there is no run
without its row.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecosystemiser.errors import DatabaseUnreachableError, Finding, InputError, StoreError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.files import append_durably, file_error
from ecosystemiser.store.identifiers import check_identifier
from ecosystemiser.store.states import RunStatus

__all__ = ["OutcomeLog", "Replayed", "replay_spool", "spool_of"]

PATIENCE_S = 60.0
"""How long a server may be away before the work is given up. [s]"""
ASK_AGAIN_S = 1.0

Row = Mapping[str, Any]


@dataclass
class OutcomeLog:
    """Logs rows; where the server is away, keeps outcomes in `spool` until it is back."""

    database: DatabaseMetadataService
    spool: Path
    patience_s: float = field(default_factory=lambda: PATIENCE_S)
    _waiting: list[Row] = field(default_factory=list)

    @property
    def is_behind(self) -> bool:
        """Whether outcomes wait for the server."""
        return bool(self._waiting)

    def begin(self, rows: Sequence[Row]) -> None:
        """Log rows of runs that are about to start; wait for the server if need be. Raises StoreError."""
        self.catch_up()
        self._insist(rows)

    def write(self, rows: Sequence[Row]) -> None:
        """Log outcomes; where the server is away they are on the disk when this returns. Raises StoreError."""
        if not self.is_behind:
            try:
                self.database.log_simulation_runs(rows)
            except DatabaseUnreachableError:
                pass
            else:
                return
        append_durably(self.spool, "".join(f"{json.dumps(dict(row), default=str)}\n" for row in rows).encode())
        self._waiting += rows

    def catch_up(self) -> None:
        """Log what waits; wait for the server if need be. Raises StoreError, which names the command to replay."""
        if self._waiting:
            self._insist(self._waiting)
            self._waiting.clear()
            self.spool.unlink(missing_ok=True)

    def _insist(self, rows: Sequence[Row]) -> None:
        begin = time.monotonic()
        while True:
            try:
                self.database.log_simulation_runs(rows)
            except DatabaseUnreachableError as error:
                if time.monotonic() - begin >= self.patience_s:
                    raise DatabaseUnreachableError(self._given_up(error)) from error
                time.sleep(ASK_AGAIN_S)
            else:
                return

    def _given_up(self, error: StoreError) -> str:
        if not self._waiting:
            return f"{error} It was away for {self.patience_s:.0f} s; nothing new was begun."
        return (
            f"{error} It was away for {self.patience_s:.0f} s. {len(self._waiting)} finished runs are kept in "
            f"{self.spool}; once the server is back: ecosystemiser db replay {self.spool}"
        )


@dataclass(frozen=True)
class Replayed:
    """What became of the outcomes of a spool."""

    logged: int
    """Runs that took their outcome."""
    already: int
    """Runs whose outcome was in the log."""
    as_new_runs: tuple[str, ...]
    """Outcomes of runs that had been closed meanwhile: logged as attempts of their own."""


def replay_spool(database: DatabaseMetadataService, spool: Path) -> Replayed:
    """Log the outcomes that a spool holds, and remove it. Doing it twice changes nothing more.

    A run that was closed meanwhile keeps its state; its outcome is logged as another run, which names it in
    `retry_of`. Raises InputError for a file that is no spool, StoreError where the log cannot be written.
    """
    logged, already, new = 0, 0, []
    for row in _read(spool):
        known = database.get_simulation_run(row["run_id"])
        status = None if known is None else known["simulation_status"]
        if known is not None and status == RunStatus.INTERRUPTED != row.get("simulation_status"):
            attempt = _as_new_run(known, row)
            if database.get_simulation_run(attempt["run_id"]) is None:
                database.log_simulation_run(attempt)
                new.append(attempt["run_id"])
            else:
                already += 1
        elif status == row.get("simulation_status"):
            already += 1
        else:
            database.log_simulation_run(row)
            logged += 1
    spool.unlink()
    return Replayed(logged, already, tuple(new))


_REMEDY = "give the file that the message named"
_KEPT = (
    "study_id", "system_id", "timesteps", "timestamp", "solver_type", "currency", "point", "generation", "seed",
    "results_path", "parameters_json", "config_hash",
)  # fmt: skip


def _as_new_run(known: Row, row: Row) -> dict[str, Any]:
    """Return the row of another attempt of a run that was closed, with this outcome."""
    kept = {name: known[name] for name in _KEPT}
    return {**kept, **row, "run_id": f"{known['run_id']}.replayed", "retry_of": known["run_id"]}


def _read(spool: Path) -> list[dict[str, Any]]:
    try:
        lines = spool.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise file_error(error, spool) from error
        raise InputError([Finding("is no spool", _REMEDY, "FILE", str(spool))]) from error
    rows = []
    for at, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            check_identifier(row["run_id"], "run_id")
        except (ValueError, TypeError, KeyError, InputError) as error:
            if at == len(lines):  # cut short by the end of its process, before anybody was told that it was kept
                continue
            finding = Finding("is no outcome of a run", _REMEDY, "FILE", line, str(spool), at)
            raise InputError([finding]) from error
        rows.append(row)
    return rows


def spool_of(folder: Path, name: str) -> Path:
    """Return the file that keeps the outcomes of a study, or of a run, of this process."""
    return folder / f"{name}.{os.getpid()}.spool.jsonl"
