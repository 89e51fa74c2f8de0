"""What differs between two runs: their inputs, their KPIs, and why their results may not be comparable."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from ecosystemiser.kpis import KPIS, Kpi

__all__ = [
    "InputDifference",
    "KpiDifference",
    "RunFacts",
    "SeriesContent",
    "Value",
    "flat_inputs",
    "input_differences",
    "kpi_differences",
    "warnings",
]

LONGEST_SHOWN = 12
"""Lists of more values are series: compared by their hash."""
ROUNDING = 1e-9
"""Relative, and of one unit: sums of the same numbers in another order differ by less."""


@dataclass(frozen=True)
class SeriesContent:
    """A series by what it holds: equal where the values are, whatever the file is called."""

    name: str = field(compare=False)
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} (sha {self.sha256[:12]})"


Scalar = str | float | bool | date | None
Value = Scalar | tuple[Scalar, ...] | SeriesContent
"""One input: what stands at a path, short lists whole, series by their content."""


@dataclass(frozen=True)
class InputDifference:
    """An input that only one of two runs has, or that differs; None where a run does not have it."""

    path: str
    kind: Literal["changed", "added", "removed"]
    a: Value
    b: Value


@dataclass(frozen=True)
class KpiDifference:
    """One KPI of two runs; None where it has no value."""

    kpi: Kpi
    a: float | None
    b: float | None
    absolute: float | None
    """b - a."""
    relative: float | None
    """(b - a) / |a|; None where a is 0."""
    better: Literal["a", "b"] | None
    """By the KPI's direction; None where they agree, or where neither direction is better."""

    @property
    def agrees(self) -> bool:
        """Whether the values are the same, or differ by rounding only."""
        return _agree_to_rounding(self.a, self.b)


@dataclass(frozen=True)
class RunFacts:
    """What two runs must share for one of them to be called better."""

    system_id: str | None
    period: str | None
    currency: str | None
    demand_kwh: float | None
    demand_m3: float | None
    status: str = "completed"


def flat_inputs(data: Mapping[str, Any], files: Mapping[str, str | None] | None = None) -> dict[str, Value]:
    """Return the inputs in a document's data by path, in the order of the file: `battery.capacity_kwh`.

    `files` holds the SHA-256 of what series and weather files held. A component's path begins with its name, as it
    is typed, except where a section of the file has that name.
    """
    return dict(_flattened(data, (), files or {}))


def input_differences(a: Mapping[str, Value], b: Mapping[str, Value]) -> tuple[InputDifference, ...]:
    """Return what differs between the inputs of two runs, in the order of the system file.

    Numbers are compared exactly (40 is 40.0), series by what they hold. What only `b` has stands after what it
    follows in `b`.
    """
    found = []
    for path in _in_order(list(a), list(b)):
        if path not in b:
            found.append(InputDifference(path, "removed", a[path], None))
        elif path not in a:
            found.append(InputDifference(path, "added", None, b[path]))
        elif not _are_same(a[path], b[path]):
            found.append(InputDifference(path, "changed", a[path], b[path]))
    return tuple(found)


def kpi_differences(a: Mapping[str, float | None], b: Mapping[str, float | None]) -> tuple[KpiDifference, ...]:
    """Return every declared KPI of two runs side by side, in the order in which tables show them."""
    return tuple(_kpi_difference(kpi, a.get(kpi.name), b.get(kpi.name)) for kpi in KPIS)


def warnings(a: RunFacts, b: RunFacts, names: tuple[str, str] = ("a", "b")) -> tuple[str, ...]:
    """Return why neither run may be called better than the other; empty where they may be ranked.

    Rankings hold only within the same system, period, currency and demands, among completed runs. `names`: what the
    two are called.
    """
    told = [
        f"run {name} is {facts.status}, not completed: it stands in no ranking"
        for name, facts in zip(names, (a, b), strict=True)
        if facts.status != "completed"
    ]
    pairs = (
        ("systems", a.system_id, b.system_id, "costs of different systems are no ranking"),
        ("periods", a.period, b.period, "sums over different hours are no ranking"),
        ("currencies", a.currency, b.currency, "nothing is converted"),
    )
    told += [
        f"the {what} differ ({one or 'unknown'} and {other or 'unknown'}): {why}"
        for what, one, other, why in pairs
        if one != other
    ]
    amounts = (("energy", a.demand_kwh, b.demand_kwh, "kWh"), ("water", a.demand_m3, b.demand_m3, "m3"))
    told += [
        f"the {what} demands differ ({_amount(one, unit)} and {_amount(other, unit)}): they serve different needs"
        for what, one, other, unit in amounts
        if not _agree_to_rounding(one or 0.0, other or 0.0)  # no demand is one of 0
    ]
    return tuple(told)


def _amount(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:,.6g} {unit}"


def _agree_to_rounding(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING)


def _kpi_difference(kpi: Kpi, a: float | None, b: float | None) -> KpiDifference:
    if a is None or b is None:
        return KpiDifference(kpi, a, b, None, None, None)
    absolute = b - a
    relative = absolute / abs(a) if a else None
    if _agree_to_rounding(a, b) or kpi.better == "neither":
        return KpiDifference(kpi, a, b, absolute, relative, None)
    return KpiDifference(kpi, a, b, absolute, relative, "b" if (absolute > 0) == (kpi.better == "higher") else "a")


def _flattened(
    node: Any, path: tuple[str, ...], files: Mapping[str, str | None], taken: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Value]]:
    if isinstance(node, dict) and (node or not path):
        taken = taken if path else frozenset(node)
        for key, value in node.items():
            yield from _flattened(value, (*path, f".{key}"), files, taken)
    elif isinstance(node, list) and any(isinstance(entry, dict | list) for entry in node):
        for at, value in enumerate(node):
            yield from _flattened(value, (*path, f"[{at}]"), files, taken)
    else:
        yield _dotted(path, taken), _leaf(node, path, files)


def _dotted(path: tuple[str, ...], sections: frozenset[str]) -> str:
    """Return a path as it is typed: `components.` is left out where what follows names no section."""
    if len(path) > 1 and path[0] == ".components" and path[1].removeprefix(".") not in sections:
        path = path[1:]
    return "".join(path).removeprefix(".")


def _leaf(node: Any, path: tuple[str, ...], files: Mapping[str, str | None]) -> Value:
    if isinstance(node, list):
        if len(node) > LONGEST_SHOWN:
            return SeriesContent(f"list of {len(node)} values", _list_sha256(node))
        return tuple(node)
    if isinstance(node, dict):  # an empty one
        return None
    if isinstance(node, str) and (path[-1] == ".file" or path == (".site", ".weather")):
        sha256 = files.get(node)
        return node if sha256 is None else SeriesContent(node, sha256)
    value: Scalar = node
    return value


def _list_sha256(values: Sequence[Any]) -> str:
    """Return a hash of the values that is the same for 1 and 1.0."""
    texts = (repr(int(value) if _is_whole(value) else value) for value in values)
    return hashlib.sha256(",".join(texts).encode()).hexdigest()


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


def _are_same(one: Value, other: Value) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_are_same(a, b) for a, b in zip(one, other, strict=True))
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _in_order(a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Return the paths of `a`, and those of `b` alone each after the path that it follows in `b`."""
    known = set(a)
    after: dict[str | None, list[str]] = {}
    last: str | None = None
    for path in b:
        if path in known:
            last = path
        else:
            after.setdefault(last, []).append(path)
    ordered = after.get(None, [])[:]
    for path in a:
        ordered.append(path)
        ordered += after.get(path, [])
    return ordered
