"""Bills as a utility would write them, line by line, computed by hand."""

from pathlib import Path

import pytest
from tests.tariffs import CASES, FEBRUARY, Case, loads, sun

from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.results import MonthlyItem, SolvedSystem, amounts_by_month, bill_of, monthly_bill
from ecosystemiser.solver.door import prepare


@pytest.fixture
def solved(system_from):
    def solve(case):
        system = system_from(case.text())
        problem = compile_problem(system)
        return SolvedSystem(system, problem, prepare("rule_based", problem).solve(problem))

    return solve


def lines_of(solved):
    return [
        (line.month, line.item.value, line.quantity, line.unit, round(line.amount, 4), round(line.tax, 4))
        for line in monthly_bill(solved)
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_months_of_all_suppliers_sum_to_what_they_are_paid(name, solved):
    plan = solved(CASES[name])
    assert sum(line.amount for line in monthly_bill(plan)) == pytest.approx(sum(line.amount for line in bill_of(plan)))


def test_two_parts_of_months_with_tax(solved):
    """168 of January's 744 hours at 4 kW, 72 of February's 672 at 6 kW."""
    tariff = "{tax_share: 0.25, fixed_per_month: 31, demand_charges: [{price_per_kw: 10}]}"
    case = Case(tariff, str([4.0] * 168 + [6.0] * 72), 0.0, start="2018-01-25", price="0.1")
    january, february = 168 / 744, 72 / 672
    assert lines_of(solved(case)) == [
        ("2018-01", "bought", 672.0, "kWh", 84.0, 16.8),
        ("2018-01", "demand charge", 4.0, "kW", round(50 * january, 4), round(10 * january, 4)),
        ("2018-01", "fixed charge", None, "", round(38.75 * january, 4), round(7.75 * january, 4)),
        ("2018-02", "bought", 432.0, "kWh", 54.0, 10.8),
        ("2018-02", "demand charge", 6.0, "kW", round(75 * february, 4), round(15 * february, 4)),
        ("2018-02", "fixed charge", None, "", round(38.75 * february, 4), round(7.75 * february, 4)),
    ]


def test_each_demand_charge_has_its_line_and_one_that_is_not_due_has_none(solved):
    tariff = "{demand_charges: [{price_per_kw: 2}, {price_per_kw: 3, hours: '8-20'}, {price_per_kw: 9, months: jun}]}"
    case = Case(tariff, loads(1, FEBRUARY, h2=5, h10=4), 0.0)
    assert [(line[2], line[4]) for line in lines_of(solved(case)) if line[1] == "demand charge"] == [(5, 10), (4, 12)]


def test_surplus_is_settled_on_the_last_bill_of_the_year_and_earns_no_tax(solved):
    """400 kWh sold and 272 bought in February, 743 bought in March: 615 are left to pay for. Then without March."""
    tariff = "{tax_share: 0.5, net_metering: {surplus_price_per_kwh: 0.05}}"
    year = Case(tariff, loads(1, FEBRUARY + 743), 0.0, price="0.2", more=sun(2, 0, 400, FEBRUARY + 743))
    assert lines_of(solved(year)) == [
        ("2018-02", "bought", 272.0, "kWh", 81.6, 27.2),
        ("2018-02", "sold", 400.0, "kWh", -120.0, -40.0),
        ("2018-03", "bought", 743.0, "kWh", 222.9, 74.3),
    ]
    surplus = Case(tariff, loads(1, FEBRUARY), 0.0, price="0.2", more=sun(2, 0, 400, FEBRUARY))
    assert lines_of(solved(surplus))[2:] == [("2018-02", "surplus", None, "", 128 * 0.25, 12.8)]
    assert sum(line.amount for line in monthly_bill(solved(surplus))) == pytest.approx(-128 * 0.05)
    assert sum(line.tax for line in monthly_bill(solved(surplus))) == pytest.approx(0.0)


def test_amounts_by_month_leave_out_what_is_nowhere_due(solved):
    found = amounts_by_month(monthly_bill(solved(CASES["parts of months"])))
    assert list(found) == [MonthlyItem.DEMAND, MonthlyItem.STANDING]
    assert list(found[MonthlyItem.DEMAND]) == ["2018-01", "2018-02"]


def test_every_line_of_a_bill_stands_in_the_documentation_with_its_source():
    text = (Path(__file__).parents[3] / "docs" / "bills.md").read_text("utf-8")
    sections = dict(part.split("`", 1) for part in text.split("### `")[1:])
    assert set(sections) == {item.value for item in MonthlyItem}
    assert all("Source:" in body for body in sections.values())
