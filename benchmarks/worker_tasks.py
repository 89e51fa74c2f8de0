"""Tasks that cost what a job costs, or a processor; the module imports nothing, as it comes up with each worker."""

from __future__ import annotations

__all__ = ["nothing", "spin"]


def nothing(_payload: object, _context: object) -> None:
    """Do nothing."""


def spin(turns: int, _context: object) -> int:
    """Count: work that needs a processor and nothing else."""
    return sum(range(turns))
