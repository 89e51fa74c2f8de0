"""What a solve gives: Solution, Tally and Totals, SolvedSystem; its bill and its inventory."""

from ecosystemiser.results.bill import BillLine, CostKind, bill_of
from ecosystemiser.results.inventory import ComponentFacts, inventory_of
from ecosystemiser.results.investment import CASH_PARTS, InvestmentCase, case_of, return_over
from ecosystemiser.results.monthly_bill import MonthLine, MonthlyItem, amounts_by_month, monthly_bill
from ecosystemiser.results.solution import Solution, SolvedSystem, SolverReport, on_columns, price_columns
from ecosystemiser.results.tally import Tally, tally_of
from ecosystemiser.results.totals import Totals

__all__ = [
    "CASH_PARTS",
    "BillLine",
    "ComponentFacts",
    "CostKind",
    "InvestmentCase",
    "MonthLine",
    "MonthlyItem",
    "Solution",
    "SolvedSystem",
    "SolverReport",
    "Tally",
    "Totals",
    "amounts_by_month",
    "bill_of",
    "case_of",
    "inventory_of",
    "monthly_bill",
    "on_columns",
    "price_columns",
    "return_over",
    "tally_of",
]
