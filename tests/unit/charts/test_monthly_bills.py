"""The bills of a supplier as bars."""

from __future__ import annotations

from dataclasses import replace

from ecosystemiser import charts
from ecosystemiser.charts.curves import RunCurves
from ecosystemiser.results import MonthLine, MonthlyItem

LINES = (
    MonthLine("grid", "2018-01", MonthlyItem.BOUGHT, 100.0, "kWh", 30.0, 5.0),
    MonthLine("grid", "2018-01", MonthlyItem.SOLD, 50.0, "kWh", -4.0, 0.0),
    MonthLine("grid", "2018-02", MonthlyItem.BOUGHT, 90.0, "kWh", 27.0, 4.5),
    MonthLine("grid", "2018-02", MonthlyItem.DEMAND, 3.0, "kW", 6.0, 1.0),
    MonthLine("grid", "2018-02", MonthlyItem.DEMAND, 2.0, "kW", 4.0, 1.0),
    MonthLine("mains", "2018-02", MonthlyItem.STANDING, None, "", 7.0, 0.0),
)


def test_lines_stack_and_a_mark_stands_at_the_bill(run: RunCurves) -> None:
    billed = replace(run, months=LINES)
    assert charts.suppliers(billed) == ("grid", "mains")
    figure = charts.monthly_bills(billed, "grid")
    bars = {trace.name: list(trace.y) for trace in figure.data}
    assert bars == {"bought": [30, 27], "demand charge": [0, 10], "sold": [-4, 0], "bill": [26, 37]}
    assert [list(trace.x) for trace in figure.data] == [["2018-01", "2018-02"]] * 4
    assert "EUR" in figure.layout.yaxis.title.text


def test_who_bills_nothing_gets_a_sentence(run: RunCurves) -> None:
    figure = charts.monthly_bills(run, "grid")
    assert not figure.data
    assert "bills nothing" in figure.layout.annotations[0].text
