"""What the process that serves the pages was told: by its environment, as a password has no place in a command line."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["DATABASE", "READ_ONLY", "Settings", "settings"]

DATABASE, READ_ONLY = "ECOSYSTEMISER_DB", "ECOSYSTEMISER_EXPLORE_READ_ONLY"
"""The variables of the environment that say what the pages show, and whether they may only show it."""


@dataclass(frozen=True)
class Settings:
    """Which database is shown, None for the default place, and whether the pages may only look."""

    db: str | None
    is_read_only: bool


def settings() -> Settings:
    """Return what this process was told."""
    return Settings(os.environ.get(DATABASE) or None, os.environ.get(READ_ONLY, "") not in ("", "0"))
