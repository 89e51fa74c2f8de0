"""Numba, set up once: where it keeps what it compiled, and how it compiles."""

from __future__ import annotations

import os
from pathlib import Path

import numba

__all__ = ["compiled", "inlined", "threads_of_numba"]

if not numba.config.CACHE_DIR:  # type: ignore[attr-defined]
    _CACHE = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    # Under the user's cache, so that a read-only install works.
    numba.config.CACHE_DIR = str(Path(_CACHE) / "ecosystemiser" / "numba")  # type: ignore[attr-defined]

compiled = numba.njit(cache=True, error_model="numpy", nogil=True)
inlined = numba.njit(cache=True, error_model="numpy", nogil=True, inline="always")
"""For what runs every step: a call would copy the tables' two hundred words of array headers."""


def threads_of_numba() -> int:
    """Return how many threads compiled code may take in this process: NUMBA_NUM_THREADS, else one a processor."""
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
