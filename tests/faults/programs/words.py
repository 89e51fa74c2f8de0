"""What the programs that are killed have in common: how they speak, and how they get ready."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecosystemiser import SimulationConfig

__all__ = ["get_ready", "say"]


def say(text: str) -> None:
    """Write a line at once and whole, so that it is there though the process is killed right after."""
    os.write(1, f"{text}\n".encode())


def get_ready(config: SimulationConfig) -> None:
    """Make a run on a database that nobody looks at, so that what comes after `begin` is work and no imports."""
    from ecosystemiser import DatabaseMetadataService, SimulationService

    with tempfile.TemporaryDirectory() as folder, DatabaseMetadataService(Path(folder) / "runs.sqlite") as log:
        SimulationService(log).run_simulation(config.model_copy(update={"output_directory": Path(folder)}))
