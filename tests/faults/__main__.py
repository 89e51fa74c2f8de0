"""`python -m tests.faults [NAME...]`: try the faults at full length, print figures wanted and reached.

Ends with 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tests.faults.facts import Facts, Fault

__all__ = ["FAULTS", "main"]

FAULTS = {
    "kill": ("kill", ("KILLED_STUDY", "KILLED_AT_A_CALL")),
    "owners": ("owners", ("ORPHANS", "REUSED", "LIVE", "FROZEN")),
    "signals": ("signals", ("STOPPED",)),
    "writers": ("writers", ("EIGHT_WRITERS", "FIRST_START")),
    "disk": ("disk", ("FULL_DISK", "FILE_SIZE", "READ_ONLY", "IO_ERROR", "READ_ERROR", "NO_ROOM_AT_A_CALL")),
    "hourly": ("hourly_damage", ("READ", "VERIFIED")),
    "database": ("database_damage", ("DAMAGED",)),
    "schema": ("schema_versions", ("KILLED_UPGRADE", "NEWER")),
    "clock": ("clock_jumps", ("DURATIONS", "STALE")),
    "limits": ("limits", ("IGNORED_LIMIT", "MEMORY_LIMIT")),
    "workers": ("workers", ("KILLED_WORKER", "POISON")),
    "parents": ("worker_parents", ("KILLED_PARENT", "STOPPED_PARENT", "ABANDONED")),
    "worker-limits": ("worker_limits", ("DEAF_WORKER", "SWOLLEN_WORKER")),
    "postgres": ("postgres", ("RESTARTED", "KEPT_DOWN")),
}
"""Module and faults of each name."""

SHOWN = 10
"""So many broken promises of a fault are printed in full."""


@dataclass(frozen=True)
class Row:
    """One fault as it was tried."""

    fault: Fault
    facts: Facts
    seconds: float
    missing: str | None = None

    @property
    def word(self) -> str:
        """Whether it held."""
        return "skipped" if self.missing else "BROKEN" if self.facts.broken else "holds"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the faults that are named, or all; print the table; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"what to try: {', '.join(FAULTS)}; else all")
    parser.add_argument("--short", action="store_true", help="only so often as `make test` does")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.name if name not in FAULTS]:
        parser.error(f"there is no {', '.join(unknown)}; names are {', '.join(FAULTS)}")
    rows = []
    for fault in (fault for name in asked.name or FAULTS for fault in _faults(name)):
        row = _tried(fault, is_short=asked.short)
        rows.append(row)
        _print(f"{row.word:<8}{fault.name} ({row.seconds:.0f} s): {row.missing or row.facts.reached}")
        for sentence in row.facts.broken[:SHOWN]:
            _print(f"        - {sentence}")
        if (more := len(row.facts.broken) - SHOWN) > 0:
            _print(f"        ... and {more:,} more")
    _print(_table(rows))
    return 1 if any(row.facts.broken for row in rows) else 0


def _faults(name: str) -> list[Fault]:
    module, names = FAULTS[name]
    return [getattr(import_module(f"tests.faults.{module}"), each) for each in names]


def _tried(fault: Fault, *, is_short: bool) -> Row:
    if missing := fault.lacks():
        return Row(fault, Facts(), 0.0, missing)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
        try:
            facts = fault.tried_shortly(Path(folder)) if is_short else fault.tried_long(Path(folder))
        except Exception as error:  # noqa: BLE001 - the others are tried all the same
            traceback.print_exc()
            facts = Facts(broken=[f"{type(error).__name__}: {error}"])
    return Row(fault, facts, time.perf_counter() - begin)


def _table(rows: Sequence[Row]) -> str:
    cells = [("", "fault", "figure wanted", "figure reached")]
    cells += [(row.word, row.fault.name, row.fault.wanted, row.missing or row.facts.reached) for row in rows]
    widths = [max(len(line[at]) for line in cells) for at in range(3)]
    return "\n".join(["", *("  ".join([*map(str.ljust, line[:3], widths), line[3]]) for line in cells)])


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
