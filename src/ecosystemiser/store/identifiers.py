"""Names of runs and studies, and the folders that they may name."""

from __future__ import annotations

import os
import threading
import time
import uuid
from pathlib import Path

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.names import IDENTIFIER_RULE, is_identifier

__all__ = ["check_identifier", "new_run_id", "results_folder"]

_lock = threading.Lock()
_last_tick = 0


def check_identifier(value: object, key: str) -> str:
    """Return `value` if it may name a run or a study, else raise InputError; `key` says which it names."""
    if not isinstance(value, str):
        raise InputError([Finding("is not text", f"use {IDENTIFIER_RULE}", key, value)])
    if not is_identifier(value):
        raise InputError([Finding(f"is not a valid {key}", f"use {IDENTIFIER_RULE}", key, value)])
    return str(value)


def new_run_id() -> str:
    """Return a new unique run_id whose text sorts by time: a version 7 UUID (RFC 9562, 6.2, method 3).

    Within one process ids strictly increase, also when the clock is set back.
    """
    global _last_tick  # noqa: PLW0603  # the order of ids is a property of the process
    with _lock:
        tick = max((time.time_ns() << 12) // 1_000_000, _last_tick + 1)  # milliseconds and 12 bits of their fraction
        _last_tick = tick
    milliseconds, fraction = tick >> 12, tick & 0xFFF
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random))


def results_folder(output_directory: str | Path, run_id: str) -> Path:
    """Return the folder of a run, `output_directory`/`run_id`, with symlinks resolved; it need not exist.

    Raises InputError where the folder would lie elsewhere: for a run_id that is no identifier, and for a
    folder that is a symlink out of the output directory (which itself may be a symlink).
    """
    check_identifier(run_id, "run_id")
    try:
        base = Path(output_directory).resolve()
        folder = (base / run_id).resolve()
    except (ValueError, OSError, RuntimeError) as error:  # a NUL, a loop of symlinks
        remedy = "name a folder that can be written"
        raise InputError(
            [Finding(f"is not a folder ({error})", remedy, "output_directory", str(output_directory))]
        ) from error
    if folder != base / run_id:
        remedy = "remove the symlink, or choose another output directory"
        raise InputError([Finding(f"leads out of {base}, to {folder}", remedy, "run_id", run_id)])
    return folder
