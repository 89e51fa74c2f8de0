"""Charts: pure functions from data to plotly figures, shared by pages, reports and notebooks; no Streamlit, no SQL.

In a notebook, with a solved system or its curves:

    from ecosystemiser import charts, simulate
    charts.balance(simulate().solved)

    tokens.py, numbers.py, frame.py   colours and signs, numbers and units, the layout that all figures share
    curves.py, spans.py, thinning.py  a run as charts see it; parts worth a look; fewer points without losing a peak
    carrier_balance.py, lines.py, year.py, sankey.py, bills.py, monthly_bills.py, cash_flow.py, diagram.py
                                      one run
    alignment.py, comparing.py        several runs beside each other
    points.py, parametric.py, fronts.py, uncertainty.py, parallel.py   a study
"""

from ecosystemiser.charts.alignment import Aligned, aligned
from ecosystemiser.charts.bills import cost_stack, cost_stacks
from ecosystemiser.charts.carrier_balance import balance
from ecosystemiser.charts.cash_flow import cash_flow, paid_back
from ecosystemiser.charts.comparing import (
    common_series,
    durations,
    kpi_changes,
    kpi_differences,
    months,
    overlay,
)
from ecosystemiser.charts.curves import RunCurves, as_curves, curves_of
from ecosystemiser.charts.diagram import diagram
from ecosystemiser.charts.fronts import convergence, hypervolume, pareto_front
from ecosystemiser.charts.lines import curve_lines
from ecosystemiser.charts.monthly_bills import monthly_bills, suppliers
from ecosystemiser.charts.parallel import parallel_coordinates
from ecosystemiser.charts.parametric import heat_map, parametric_lines
from ecosystemiser.charts.points import StudyPoint
from ecosystemiser.charts.sankey import sankey
from ecosystemiser.charts.spans import JUMPS, Span, lowest_storage_week, peak_week, worst_shortage_week
from ecosystemiser.charts.tokens import Theme
from ecosystemiser.charts.uncertainty import distribution, exceedance, sobol, tornado
from ecosystemiser.charts.year import carpet, duration, monthly

__all__ = [
    "JUMPS",
    "Aligned",
    "RunCurves",
    "Span",
    "StudyPoint",
    "Theme",
    "aligned",
    "as_curves",
    "balance",
    "carpet",
    "cash_flow",
    "common_series",
    "convergence",
    "cost_stack",
    "cost_stacks",
    "curve_lines",
    "curves_of",
    "diagram",
    "distribution",
    "duration",
    "durations",
    "exceedance",
    "heat_map",
    "hypervolume",
    "kpi_changes",
    "kpi_differences",
    "lowest_storage_week",
    "monthly",
    "monthly_bills",
    "months",
    "overlay",
    "paid_back",
    "parallel_coordinates",
    "parametric_lines",
    "pareto_front",
    "peak_week",
    "sankey",
    "sobol",
    "suppliers",
    "tornado",
    "worst_shortage_week",
]
