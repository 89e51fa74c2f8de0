"""What a study adds to its runs: how it came on, its fronts, distributions and sensitivities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from ecosystemiser.store.batches import execute_many
from ecosystemiser.store.clock import utc_now
from ecosystemiser.store.schema import (
    convergence_metrics,
    pareto_fronts,
    sensitivity_analysis,
    uncertainty_analysis,
)
from ecosystemiser.store.values import RowChecker

__all__ = ["ANALYSES", "log_analysis", "query_analysis"]

ANALYSES: Mapping[str, Table] = {
    table.name: table for table in (convergence_metrics, pareto_fronts, uncertainty_analysis, sensitivity_analysis)
}
"""The tables of this kind by name."""

_CHECKERS = {name: RowChecker(table.columns, name, "log_analysis") for name, table in ANALYSES.items()}


def log_analysis(
    connection: Connection,
    name: str,
    study_id: str,
    rows: Iterable[Mapping[str, object]],
    *,
    generation: int | None = None,
) -> None:
    """Write rows of one of `ANALYSES` for a study in the place of those that it has, or has of one generation.

    Raises InputError for unknown columns and values that are no numbers.
    """
    table, now = ANALYSES[name], utc_now()
    same = [table.c.study_id == study_id]
    if generation is not None:
        same.append(table.c.generation == generation)
    connection.execute(table.delete().where(*same))
    own = {"study_id": study_id} | ({} if generation is None else {"generation": generation})
    checked = [_CHECKERS[name].checked({**row, **own}) for row in rows]
    for keys in dict.fromkeys(tuple(row) for row in checked):
        execute_many(connection, table.insert(), [{**row, "created_at": now} for row in checked if tuple(row) == keys])


def query_analysis(connection: Connection, name: str, study_id: str) -> list[dict[str, Any]]:
    """Return the rows of one of `ANALYSES` for a study, in the order in which they were written."""
    table = ANALYSES[name]
    columns = [column for column in table.columns if column.name not in ("id", "study_id", "created_at")]
    chosen = select(*columns).where(table.c.study_id == study_id).order_by(table.c.id)
    return [dict(row) for row in connection.execute(chosen).mappings()]
