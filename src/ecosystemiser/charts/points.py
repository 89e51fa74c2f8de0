"""The runs of a study as charts see them, and what their axes are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecosystemiser.charts.frame import axis
from ecosystemiser.charts.numbers import Scale, amount, plain, scale_of
from ecosystemiser.charts.tokens import Theme
from ecosystemiser.kpis import KPIS, Kpi

__all__ = [
    "MOST_POINTS",
    "StudyPoint",
    "best_of",
    "hover_of",
    "is_number",
    "kpi_axis",
    "kpi_named",
    "kpi_scale",
    "parameter_axis",
    "parameter_unit",
    "shown_points",
    "values_of",
]

MOST_POINTS = 5_000
"""Points that a figure draws one by one; of more, every so manyth."""


@dataclass(frozen=True)
class StudyPoint:
    """One run of a study. `kpis` is empty for one that has no result."""

    run_id: str
    parameters: Mapping[str, Any]
    kpis: Mapping[str, float | None] = field(default_factory=dict)
    generation: int | None = None


_KPIS = {kpi.name: kpi for kpi in KPIS}


def kpi_named(name: str) -> Kpi:
    """Return a KPI by name; one from outside, which nobody declared, has no unit and no direction."""
    return _KPIS.get(name) or Kpi(name, "1", "neither", "any", "", lambda _: None)


def kpi_scale(name: str, values: Iterable[float | None], currency: str | None) -> Scale:
    """Return the scale on which values of a KPI are shown."""
    return scale_of(kpi_named(name).unit, values, currency=currency)


def kpi_axis(name: str, scale: Scale, theme: Theme) -> dict[str, Any]:
    """Return the axis of a KPI."""
    return axis(name, scale.unit, theme)


_ENDINGS = (
    ("_per_kwh_year", "currency/(kWh a)"),
    ("_per_kw_year", "currency/(kW a)"),
    ("co2_kg_per_kwh", "kg/kWh"),
    ("co2_kg_per_kw", "kg/kW"),
    ("co2_kg_per_m3", "kg/m³"),
    ("price_per_kg", "currency/kg"),
    ("_m3_per_h", "m³/h"),
    ("_per_kwh", "currency/kWh"),
    ("_per_kw", "currency/kW"),
    ("_per_m3", "currency/m³"),
    ("_per_hour", "1/h"),
    ("_per_day", "mm/d"),
    ("_m_s", "m/s"),
    ("_kwh", "kWh"),
    ("_kw", "kW"),
    ("_m3", "m³"),
    ("_m2", "m²"),
    ("_mm", "mm"),
    ("_m", "m"),
    ("_deg", "deg"),
    ("_years", "a"),
    ("_kg", "kg"),
    ("_h", "h"),
    ("_c", "°C"),
    ("capex", "currency"),
    ("_cost_per_year", "currency/a"),
)
"""How a field's name ends and the unit that it is in, the longest first."""


def parameter_unit(path: str, currency: str | None = None) -> str:
    """Return the unit that stands in the name of a field: fields of quantities carry their unit; others are numbers.

    >>> parameter_unit("battery.capacity_kwh"), parameter_unit("roof_pv.capex_per_kw", "EUR"), parameter_unit("a.count")
    ('kWh', 'EUR/kW', '')
    """
    unit = next((unit for ending, unit in _ENDINGS if path.endswith(ending)), "")
    return unit.replace("currency", currency or "money")


def parameter_axis(path: str, values: Sequence[object], theme: Theme, currency: str | None = None) -> dict[str, Any]:
    """Return the axis of a parameter: its values in order, by name where they are no numbers."""
    if not all(is_number(value) for value in values):
        return axis(path, None, theme, type="category", showgrid=False)
    return axis(path, parameter_unit(path, currency), theme)


def is_number(value: object) -> bool:
    """Return whether a parameter's value can stand on an axis of numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def values_of(points: Sequence[StudyPoint], path: str) -> list[Any]:
    """Return the different values that a parameter took, numbers in order, then others as text."""
    found = [point.parameters[path] for point in points if path in point.parameters]
    numbers = sorted({value for value in found if is_number(value)})
    return [*numbers, *dict.fromkeys(str(value) for value in found if not is_number(value))]


def best_of(points: Sequence[StudyPoint], kpi: str) -> StudyPoint | None:
    """Return the point with the best value of a KPI, the lowest where neither is better; None where none has it."""
    known = [point for point in points if point.kpis.get(kpi) is not None]
    sign = -1.0 if kpi_named(kpi).better == "higher" else 1.0
    return min(known, key=lambda point: sign * float(point.kpis[kpi] or 0.0), default=None)


def shown_points(points: Sequence[StudyPoint]) -> tuple[list[StudyPoint], str]:
    """Return the points that are drawn, evenly spread, and a sentence where those are not all."""
    if len(points) <= MOST_POINTS:
        return list(points), ""
    step = len(points) / MOST_POINTS
    chosen = [points[int(at * step)] for at in range(MOST_POINTS)]
    return chosen, f"{MOST_POINTS:,} of {len(points):,} runs are drawn"


def hover_of(point: StudyPoint, kpis: Sequence[str], currency: str | None) -> str:
    """Return what stands beside the pointer: the run, its parameters, some of its KPIs."""
    lines = [f"<b>{plain(point.run_id)}</b>"]
    lines += [f"{plain(path)} = {plain(_text(value))}" for path, value in point.parameters.items()]
    for name in kpis:
        value = amount(point.kpis.get(name), kpi_named(name).unit, plain(currency or ""))
        lines.append(f"{plain(name)}: {value}")
    return "<br>".join(lines)


def _text(value: object) -> str:
    return f"{value:,.6g}" if is_number(value) else str(value)
