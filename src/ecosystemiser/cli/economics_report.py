"""An investment case as tables for people, as rows, and as a record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ecosystemiser.cli.tables import Column, as_pairs, as_table
from ecosystemiser.cli.text import NOTHING, amount, printable, share, significant, wrapped
from ecosystemiser.services.run_economics import CASH_PARTS, RunEconomics

__all__ = ["CASH_NAMES", "cash_rows", "economics_record", "economics_report"]

CASH_NAMES = ("year", *CASH_PARTS, "total", "baseline", "gain", "discounted_gain_so_far")


def economics_report(found: RunEconomics, width: int) -> str:
    """Return the case in parts: the figures, levelised costs, cash flow."""
    case, currency = found.case, found.case.currency
    head = (
        f"Run {found.run_id}\nover {found.baseline_id}, in {len(case.years) - 1} years at {share(case.discount_rate)}"
    )
    used = [_unit_cost(one.per_delivered, one.unit, currency) for one in case.levelised]
    made = [_unit_cost(one.per_produced, one.unit, currency) for one in case.levelised]
    levelised = [
        Column("Levelised cost", [str(one.carrier) for one in case.levelised]),
        Column("per unit used", used, is_number=True),
        Column("per unit made here", made, is_number=True),
    ]
    notes = [
        wrapped(f"Note: {printable(note)}: the gain is not the investment's alone.", width) for note in found.notes
    ]
    return "\n\n".join([head, *notes, as_pairs(_figures(found)), as_table(levelised, width), _cash_table(found, width)])


def _figures(found: RunEconomics) -> list[tuple[str, str]]:
    gain, currency = found.gain, found.case.currency
    return [
        ("net present cost", amount(found.case.net_present_cost, "currency", currency)),
        ("of the baseline", amount(found.baseline.net_present_cost, "currency", currency)),
        ("net present value", amount(gain.net_present_value, "currency", currency)),
        ("internal rate of return", share(gain.internal_rate_of_return)),
        ("simple payback", _years(gain.simple_payback_years)),
        ("discounted payback", _years(gain.discounted_payback_years)),
    ]


def _years(value: float | None) -> str:
    return "never within the project" if value is None else f"{value:.1f} years"


def _unit_cost(value: float | None, unit: str, currency: str) -> str:
    return NOTHING if value is None else f"{significant(value)} {currency}/{unit}"


def _cash_table(found: RunEconomics, width: int) -> str:
    rows = cash_rows(found)
    shown = [name for name in CASH_PARTS if any(row[name] for row in rows)]
    heads = {"discounted_gain_so_far": "gain so far", "replacement": "replaced", "operation": "operating"}
    columns = [Column("year", [str(row["year"]) for row in rows], is_number=True)]
    for drop, name in enumerate([*shown, *CASH_NAMES[-4:]]):
        cells = [f"{row[name]:,.0f}" for row in rows]
        is_part = name in CASH_PARTS
        columns.append(Column(heads.get(name, name), cells, is_number=True, drop=drop + 1 if is_part else 0))
    return f"Cash flow [{found.case.currency}]\n{as_table(columns, width, indent='  ')}"


def cash_rows(found: RunEconomics) -> list[dict[str, Any]]:
    """Return a row for each year; the last column is the sum of the gains so far at the start's value."""
    rows, so_far = [], 0.0
    for year, other, gain in zip(found.case.years, found.baseline.years, found.gain.cash, strict=True):
        so_far += gain / (1.0 + found.case.discount_rate) ** year.year
        totals = {"total": year.total, "baseline": other.total, "gain": gain, "discounted_gain_so_far": so_far}
        rows.append({**asdict(year), **totals})
    return rows


def economics_record(found: RunEconomics) -> dict[str, Any]:
    """Return the case as JSON can hold it."""
    return {
        "run_id": found.run_id,
        "baseline_run": found.baseline_id,
        "currency": found.case.currency,
        "discount_rate": found.case.discount_rate,
        "net_present_cost": found.case.net_present_cost,
        "baseline_net_present_cost": found.baseline.net_present_cost,
        **{name: value for name, value in asdict(found.gain).items() if name != "cash"},
        "notes": list(found.notes),
        "levelised": [asdict(one) for one in found.case.levelised],
        "cash_flow": cash_rows(found),
    }
