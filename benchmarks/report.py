"""The table that is printed, and the file of all figures."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Effort, Limit, Row, Verdict

__all__ = ["WIDTH", "as_json", "has_missed", "machine", "table", "write_json"]

WIDTH = 80
COLUMNS = (28, 11, 11, 13, 8, 7)
"""Widths of: what, ours, peer, ratio, limit, verdict; one blank lies between two in the first place."""
PACKAGES = (
    "ecosystemiser", "numpy", "scipy", "numba", "highspy", "sqlalchemy", "mlflow-skinny", "optuna", "pypsa", "linopy",
    "pandas",
)  # fmt: skip
SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def table(rows: Sequence[Row], effort: Effort) -> str:
    """Return the table and its notes; no line is wider than 80 columns."""
    lines = [_line("what", "ours", "peer", "ratio", "limit", ""), "-" * WIDTH]
    lines += [
        _line(
            row.what,
            _amount(row.ours, row.unit),
            _amount(row.peer, row.unit),
            _ratio(row),
            _limit(row),
            row.verdict,
        )
        for row in rows
    ]
    notes = [(row.what, row.note) for row in rows if row.note]
    if not effort.is_full:
        notes.insert(0, ("quick", "a short run; its ratios are not those that the limits are meant for"))
    lines += [""] if notes else []
    for what, note in notes:
        lines += _wrapped(f"{what}: {note}")
    return "\n".join(lines)


def as_json(rows: Sequence[Row], effort: Effort) -> dict[str, Any]:
    """Return all figures, the machine and the date."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "effort": asdict(effort),
        "is_full": effort.is_full,
        "rows": [
            {**asdict(row), "holds": row.holds.value, "measured": row.measured, "verdict": row.verdict.value}
            for row in rows
        ],
    }


def write_json(rows: Sequence[Row], effort: Effort, path: Path) -> None:
    """Write all figures to `path`; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(rows, effort), indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, load, versions."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _line(*cells: str) -> str:
    what, *rest = (cell[:width] for cell, width in zip(cells, COLUMNS, strict=True))
    line = f"{what:<{COLUMNS[0]}}" + "".join(f"{cell:>{width}}" for cell, width in zip(rest, COLUMNS[1:], strict=True))
    return line.rstrip()


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit != "s":
        return f"{value:.0e}" if unit == "1" else f"{value:.7g}"
    scale, name = next(((s, n) for s, n in SCALES if abs(value) >= s), SCALES[-1])
    return f"{value / scale:.3g} {name}"


def _ratio(row: Row) -> str:
    if row.ours is None or row.peer is None:
        return ""
    if row.holds is Limit.DIFFERENCE:
        return f"diff {row.measured:.0e}"
    spread = "" if row.spread is None else f" ±{row.spread:.2f}"
    return f"{row.ours / row.peer:.3g}{spread}"


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    return _amount(row.limit, row.unit) if row.holds is Limit.VALUE else f"{row.limit:.3g}"


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = " "
        line = f"{line} {word}" if line else word
    return [*(piece[:WIDTH] for piece in (*lines, line))]


def has_missed(rows: Sequence[Row]) -> bool:
    """Return whether any limit is missed, or could not be measured for an error."""
    return any(row.verdict in (Verdict.MISSED, Verdict.FAILED) for row in rows)
