"""A run to be made, and how it ended: what travels between a study and its workers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ecosystemiser.analyser.audit import Audit
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import FailureCause
from ecosystemiser.results import SolvedSystem
from ecosystemiser.store.states import RunStatus

__all__ = ["Order", "Outcome", "failed_outcome"]


@dataclass(frozen=True)
class Order:
    """One run to be made."""

    run_id: str
    config: SimulationConfig
    folder: Path
    """Where its hours go."""
    keeps_hours: bool = True
    """Whether its hours are written, or its totals kept only."""
    point: int = 0
    """Its number within a study."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a run ended, as its row will say."""

    run_id: str
    status: RunStatus
    columns: dict[str, object] = field(default_factory=dict)
    """Columns of the row, status and cause among them."""
    kpis: dict[str, float | None] = field(default_factory=dict)
    cause: FailureCause | None = None
    error: str | None = None
    solved: SolvedSystem | None = None
    """Not sent between processes."""
    audit: Audit | None = None

    def for_sending(self) -> Outcome:
        """Return the outcome without its hours."""
        return Outcome(self.run_id, self.status, self.columns, self.kpis, self.cause, self.error)


def failed_outcome(order: Order, cause: FailureCause, message: str, stage: str, **details: str) -> Outcome:
    """Return `failed` with its cause and the stage it happened in; `details` go beside the message."""
    columns: dict[str, object] = {
        "simulation_status": RunStatus.FAILED,
        "failure_cause": cause,
        "failure_stage": stage,
        "metadata_json": json.dumps({"error": message, **details}),
    }
    return Outcome(order.run_id, RunStatus.FAILED, columns, cause=cause, error=message)
