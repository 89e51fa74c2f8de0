"""The states of a run and of a study, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["RunStatus", "can_follow", "study_can_follow"]


class RunStatus(StrEnum):
    """Where a run stands. All but `running` are terminal: they never change."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    """The work failed; the row says with which cause."""
    CANCELLED = "cancelled"
    """Somebody asked for it to stop."""
    INTERRUPTED = "interrupted"
    """The process that owned it died."""

    @property
    def is_terminal(self) -> bool:
        """Whether a run in this state never changes its state again."""
        return self is not RunStatus.RUNNING


def can_follow(old: RunStatus, new: RunStatus) -> bool:
    """Return whether a run in state `old` may be logged as `new`; staying in a state is always allowed."""
    return new is old or not old.is_terminal


def study_can_follow(old: RunStatus, new: RunStatus) -> bool:
    """Return whether a study in state `old` may be logged as `new`.

    Other than a run, a study that did not complete may be resumed: it runs again.
    """
    resumed = new is RunStatus.RUNNING and old is not RunStatus.COMPLETED
    return resumed or can_follow(old, new)
