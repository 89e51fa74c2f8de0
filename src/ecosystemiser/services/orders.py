"""A run to be made, and how it ended: what travels between a study and its workers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from ecosystemiser.analyser.audit import Audit
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import FailureCause
from ecosystemiser.reader import Document
from ecosystemiser.results import SolvedSystem
from ecosystemiser.store.states import RunStatus

__all__ = ["GivenSystem", "Order", "Outcome", "failed_outcome"]


@dataclass(frozen=True)
class GivenSystem:
    """A system that is not read from its file: the document that stands in the file's place."""

    document: Document = field(repr=False)
    sha256: str
    """Of its description: equal for equal systems."""


@dataclass(frozen=True)
class Order:
    """One run to be made."""

    run_id: str
    config: SimulationConfig
    results: str
    """The folder of all results. Text: a hundred thousand of it cost nothing."""
    keeps_hours: bool = True
    """Whether its hours are written, or its totals kept only."""
    point: int | None = None
    """Its number within a study."""
    generation: int | None = None
    """The generation of a genetic study that asked for it."""
    retry_of: str | None = None
    """The run that it attempts again."""
    base: SimulationConfig | None = None
    """What the study varies: a chunk of its runs starts from the optimum of this."""
    is_replayed: bool = False
    """Whether it was made before: solved again only because those after it in its chunk start from its answer."""
    given: GivenSystem | None = None
    """What stands in the place of the system file that the configuration names."""

    @property
    def folder(self) -> str:
        """Where its hours go."""
        return os.path.join(self.results, self.run_id)  # noqa: PTH118 - a Path takes ten times as long


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
