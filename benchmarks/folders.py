"""Where results and what is measured on a disk go."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["RESULTS", "disk_folder"]

RESULTS = Path(__file__).parents[1] / "bench-results"


@contextmanager
def disk_folder() -> Iterator[Path]:
    """Give a folder that goes away, beside the results: the one for temporary files may be memory."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        yield Path(folder)
