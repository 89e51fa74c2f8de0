"""Bills of suppliers as tables for people: a line a month."""

from __future__ import annotations

from collections.abc import Sequence

from ecosystemiser.cli.tables import Column, as_table
from ecosystemiser.cli.text import cents, printable, told_apart
from ecosystemiser.results import MonthLine, MonthlyItem, amounts_by_month

__all__ = ["bill_report"]

YEAR = "sum"


def bill_report(lines: Sequence[MonthLine], currency: str, width: int) -> str:
    """Return a table for each supplier, with a column for each kind of line that it bills, and the sum."""
    suppliers = dict.fromkeys(line.component for line in lines)
    tables = [_table(name, [line for line in lines if line.component == name], currency, width) for name in suppliers]
    return "\n\n".join(tables) or "No supplier bills anything in this run."


def _table(name: str, lines: Sequence[MonthLine], currency: str, width: int) -> str:
    months = [*dict.fromkeys(line.month for line in lines)]
    columns = [Column("month", [*months, YEAR])]
    for item in (MonthlyItem.BOUGHT, MonthlyItem.SOLD, MonthlyItem.DEMAND):
        own = [line for line in lines if line.item is item and line.quantity]
        if own:
            columns.append(_quantities(item, own, months))
    columns += [_amounts(item.value, [*sums.values()]) for item, sums in amounts_by_month(lines).items()]
    columns.append(_amounts("bill", [sum(line.amount for line in lines if line.month == month) for month in months]))
    tax = sum(line.tax for line in lines)
    head = f"{printable(name)}, in {printable(currency)}" + (f", {cents(tax)} of it tax" if tax else "")
    return f"{head}\n{as_table(columns, width, indent='  ')}"


def _quantities(item: MonthlyItem, lines: Sequence[MonthLine], months: Sequence[str]) -> Column:
    """Return amounts by month and their sum, or the highest peak of each month and of all."""
    is_peak = item is MonthlyItem.DEMAND
    together = max if is_peak else sum
    values: list[float | None] = [
        together([line.quantity or 0.0 for line in lines if line.month == month] or [0.0]) for month in months
    ]
    values.append(together([value or 0.0 for value in values]))
    word = {MonthlyItem.BOUGHT: "", MonthlyItem.SOLD: "sold ", MonthlyItem.DEMAND: "peak "}[item]
    return Column(f"{word}{lines[0].unit}", told_apart(values), is_number=True, drop=1 if is_peak else 2)


def _amounts(head: str, sums: list[float]) -> Column:
    return Column(head, [cents(value) for value in [*sums, sum(sums)]], is_number=True)
