"""The case for an investment: what a solved year of a system costs and earns, year by year of its project.

The run's year stands for every year. Prices of what is bought and sold rise by `price_escalation_per_year` from the
second year on. Costs are negative.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.results.bill import CostKind, bill_of
from ecosystemiser.results.economics import (
    discounted_payback,
    internal_rate_of_return,
    loan_payment,
    present_value,
    replacement_years,
    salvage_value,
    simple_payback,
)
from ecosystemiser.results.levelised import LevelisedCost, levelised_costs
from ecosystemiser.results.solution import SolvedSystem

__all__ = ["CASH_PARTS", "CashYear", "InvestmentCase", "Return", "case_of", "return_over"]


@dataclass(frozen=True)
class CashYear:
    """What is paid (below 0) and received in one year of the project."""

    year: int
    """0: the start."""
    capital: float = 0.0
    """What is bought at the start, before subsidy and loan."""
    subsidy: float = 0.0
    loan: float = 0.0
    """Drawn at the start, repaid with interest after it."""
    replacement: float = 0.0
    salvage: float = 0.0
    """What is left at the end of what was bought last."""
    operation: float = 0.0
    """Fixed and variable operation, the CO2 price, unmet demand, the refilling of storages."""
    purchases: float = 0.0
    """What suppliers are paid, demand and standing charges included."""
    sales: float = 0.0

    @property
    def total(self) -> float:
        """The sum."""
        return float(sum(getattr(self, name) for name in CASH_PARTS))


CASH_PARTS = tuple(one.name for one in fields(CashYear) if one.name != "year")
"""What a year's total is the sum of."""


@dataclass(frozen=True)
class InvestmentCase:
    """A system's cash flow over its project."""

    years: tuple[CashYear, ...]
    discount_rate: float
    currency: str
    levelised: tuple[LevelisedCost, ...] = ()

    @cached_property
    def cash(self) -> tuple[float, ...]:
        """The total of each year."""
        return tuple([year.total for year in self.years])

    @property
    def net_present_cost(self) -> float:
        """All costs less all that is earned, at the start's value."""
        return -present_value(self.discount_rate, self.cash)


@dataclass(frozen=True)
class Return:
    """What a system brings over a baseline that serves the same demands. None: there is none, or never."""

    cash: tuple[float, ...]
    """What is paid less, or earned more, in each year."""
    net_present_value: float
    internal_rate_of_return: float | None
    simple_payback_years: float | None
    discounted_payback_years: float | None


def case_of(solved: SolvedSystem) -> InvestmentCase:
    """Return the case of a run of one calendar year. Raises InputError for a run of another length."""
    if not solved.problem.is_full_year or abs(solved.problem.year_share - 1.0) > 1e-9:
        remedy = "solve one whole calendar year: leave time.steps out, and --steps"
        message = "is no calendar year, of which an investment's years are made"
        raise InputError([Finding(message, remedy, "time.steps", solved.problem.steps)])
    economics = solved.system.economics
    project = economics.project_years
    table = np.zeros((len(CASH_PARTS), project + 1))
    capital, subsidy, loan, replacement, salvage, operation, purchases, sales = table
    for name, held in solved.system.investments().items():
        life = _life(solved, name)
        capital[0] -= held.capital
        for year in replacement_years(life, project):
            replacement[year] -= held.capital
        salvage[project] += salvage_value(held.capital, life, project)
    subsidy[0] = -capital[0] * economics.subsidy_share
    lent = economics.loan_share * -(capital[0] + subsidy[0])
    loan[0] = lent
    repaid = min(project, economics.loan_years)
    loan[1 : repaid + 1] -= loan_payment(lent, economics.loan_rate, economics.loan_years)
    loan[repaid] -= _debt_left(lent, economics.loan_rate, economics.loan_years, repaid)
    dearer = (1.0 + economics.price_escalation_per_year) ** np.arange(project)
    for line in bill_of(solved):
        if line.kind in (CostKind.PURCHASE, CostKind.DEMAND, CostKind.STANDING):
            purchases[1:] -= line.amount * dearer
        elif line.kind is CostKind.REVENUE:
            sales[1:] -= line.amount * dearer
        elif line.kind is not CostKind.CAPITAL:
            operation[1:] -= line.amount
    years = tuple([CashYear(year, *[float(value) for value in column]) for year, column in enumerate(table.T)])
    return InvestmentCase(years, economics.discount_rate, economics.currency, levelised_costs(solved))


def return_over(case: InvestmentCase, baseline: InvestmentCase) -> Return:
    """Return what `case` brings over `baseline`, at its own discount rate.

    Raises InputError where the two count in several currencies or over several lengths.
    """
    if (case.currency, len(case.years)) != (baseline.currency, len(baseline.years)):
        remedy = "compare with a run of the same currency and project_years"
        raise InputError([Finding("counts otherwise than the run", remedy, "baseline")])
    cash = tuple([ours - theirs for ours, theirs in zip(case.cash, baseline.cash, strict=True)])
    return Return(
        cash,
        present_value(case.discount_rate, cash),
        internal_rate_of_return(cash),
        simple_payback(cash),
        discounted_payback(case.discount_rate, cash),
    )


def _debt_left(principal: float, rate: float, years: int, paid: int) -> float:
    """Return what of a loan is still owed after `paid` of its payments."""
    payment = loan_payment(principal, rate, years)
    return present_value(rate, [0.0, *[payment] * (years - paid)])


def _life(solved: SolvedSystem, name: str) -> float:
    """Return the years until a component is replaced: its lifetime, or sooner where its throughput wears it out."""
    component = solved.system.components[name]
    lifetime = component.lifetime_years
    whole = getattr(component, "throughput_lifetime_kwh", None)
    layout = solved.problem.layout
    if whole is None or name not in layout.storage_names:
        return lifetime
    at = layout.storage_names.index(name)
    drawn = float(solved.tally.flow[layout.discharges[at]] / solved.problem.coefficients.discharge_efficiency[at])
    return min(lifetime, whole * component.count / drawn) if drawn > 0 else lifetime
