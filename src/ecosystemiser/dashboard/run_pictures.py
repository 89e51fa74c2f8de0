"""What is drawn of a run: its costs and components, a part of its balance, the year, its flows, any curves."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from ecosystemiser import charts
from ecosystemiser.charts import RunCurves, Span
from ecosystemiser.charts.numbers import plain_unit, scale_of, significant
from ecosystemiser.charts.tokens import Theme
from ecosystemiser.dashboard.addresses import Place, link
from ecosystemiser.dashboard.choices import choice, choices
from ecosystemiser.dashboard.drawing import draw
from ecosystemiser.dashboard.plain import plain
from ecosystemiser.dashboard.run_view import RunView, run_view
from ecosystemiser.dashboard.span_choice import choose_span
from ecosystemiser.dashboard.tables import Column, show_table
from ecosystemiser.errors import InputError
from ecosystemiser.results import amounts_by_month
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.wording import cents, money

__all__ = ["show_balance", "show_bills", "show_components", "show_curves", "show_flows", "show_investment", "show_year"]

FULL_LOAD = "Hours at full size that make the same amount."
_UNITS = {"m2": "m²"}


def show_components(run: RunCurves, theme: Theme) -> None:
    """Show the cost stack beside the table of components."""
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        st.subheader("Costs")
        draw(charts.cost_stack(run, theme=theme), "costs", "Cost of each component by kind")
    with right:
        st.subheader("Components")
        show_table(_component_columns(run), name="Components", height="content")


def _component_columns(run: RunCurves) -> list[Column]:
    rows = run.inventory
    energy = scale_of("kWh", [v for each in rows if each.amount_unit == "kWh" for v in (each.given, each.taken)])

    def amounts(which: str, unit: str) -> list[float | None]:
        scale = energy.divisor if unit == "kWh" else 1.0
        values = [getattr(each, which) if each.amount_unit == unit else 0.0 for each in rows]
        return [value / scale if value else None for value in values]

    sizes = ["" if each.size is None else f"{significant(each.size)} {_unit(each.size_unit)}" for each in rows]
    columns = [
        Column("component", [each.name for each in rows]),
        Column("size", sizes, meaning="Of all its units."),
        Column(f"cost [{run.currency}]", [each.cost or None for each in rows], significant, "Over the run."),
        Column(f"gave [{energy.unit}]", amounts("given", "kWh"), significant, "Produced, bought or discharged."),
        Column(f"took [{energy.unit}]", amounts("taken", "kWh"), significant, "Used, sold, charged or converted."),
        Column("gave [m³]", amounts("given", "m3"), significant),
        Column("took [m³]", amounts("taken", "m3"), significant),
        Column("full load [h]", [each.full_load_hours for each in rows], significant, FULL_LOAD),
        Column("cycles", [each.cycles for each in rows], significant, "Content drawn over capacity."),
        Column("type", [each.type for each in rows]),
    ]
    return [column for column in columns if column.text is None or any(v is not None for v in column.values)]


def _unit(unit: str) -> str:
    return _UNITS.get(unit, plain_unit(unit))


def show_balance(run: RunCurves, theme: Theme) -> Span:
    """Show a part of the stacked balance of a bus, levels and prices below it; return the part."""
    st.subheader("Balance")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        bus = choice("Carrier", "bus", list(run.buses), width=200)
        span = choose_span(run, bus)
    first, last = run.clock.local[span.first], run.clock.local[span.last - 1]
    days = f"{str(first)[:16].replace('T', ' ')} to {str(last)[:16].replace('T', ' ')}"
    st.caption(plain(f"{days}, {run.clock.timezone}. Above zero: supply. Below: into storages, and sold. Line: use."))
    draw(charts.balance(run, bus, span=span, theme=theme), "balance", f"Balance of {bus}, {days}")
    return span


def show_year(view: RunView, run: RunCurves) -> None:
    """Show a series as carpet and duration curve, and the months of its bus."""
    known = [path for path, each in run.series().items() if each.values.any()]
    if not known:
        st.caption("Nothing flows in this run.")
        return
    path = choice("Series", "series", known, width=320)
    draw(charts.carpet(run, path, theme=view.theme), "carpet", f"{path} by hour and day")
    left, right = st.columns(2)
    with left:
        st.markdown("**Duration: for how many hours it was at least so much**")
        draw(charts.duration(run, path, theme=view.theme), "duration", f"Duration curve of {path}")
    with right:
        bus = run.series()[path].bus
        st.markdown(f"**{plain(bus)}, month by month**")
        draw(charts.monthly(run, bus, theme=view.theme), "months", f"{bus} by month")


def show_bills(view: RunView, run: RunCurves) -> None:
    """Show what a supplier bills month by month."""
    known = charts.suppliers(run)
    if not known:
        st.caption("No supplier bills anything in this run.")
        return
    supplier = choice("Supplier", "supplier", list(known), width=240) if len(known) > 1 else known[0]
    draw(charts.monthly_bills(run, supplier, theme=view.theme), "bills", f"Bills of {supplier} by month")
    lines = [line for line in run.months if line.component == supplier]
    items = amounts_by_month(lines)
    months = list(dict.fromkeys(line.month for line in lines))
    columns = [Column("month", months)]
    for item, sums in items.items():
        columns.append(Column(f"{item.value} [{run.currency}]", list(sums.values()), cents))
    totals = [sum(sums[month] for sums in items.values()) for month in months]
    columns.append(Column(f"bill [{run.currency}]", totals, cents))
    show_table(columns, name=f"Bills of {supplier}", height="content")
    tax = sum(line.tax for line in lines)
    words = f"In all {cents(sum(totals))} {run.currency}" + (f", {cents(tax)} of it tax." if tax else ".")
    st.caption(plain(words))


def show_investment(view: RunView, run: RunCurves) -> None:
    """Show the cash flow of the project, over the run's baseline where it has one."""
    if run.case is None:
        st.caption("A cash flow is shown of one whole year of a system in which something has a capex.")
        return
    found = mapping_in(view.row.get("kpis_json")).get("baseline_run")
    baseline = None
    if found:
        with suppress(InputError):  # it was deleted
            baseline = run_view(str(found)).curves
    other = None if baseline is None else baseline.case
    if other is None:
        st.caption("What it brings over the same demands from grids, boilers and mains alone:")
        st.code(f"ecosystemiser runs economics {view.run_id}", language=None)
    draw(charts.cash_flow(run.case, other, theme=view.theme), "cash", "Cash flow of the project, year by year")
    told = [f"Net present cost {money(run.case.net_present_cost, run.currency)}."]
    if other is not None:
        told.append(charts.paid_back(run.case, other))
    st.caption(plain(" ".join(told)))
    if other is not None:
        link(Place.RUN, "The baseline", icon=":material/bolt:", id=str(found))


def show_curves(view: RunView, run: RunCurves, span: Span) -> None:
    """Show any flows and levels over a part of the run."""
    known = list(run.series())
    firsts = [next((path for path in known if path.endswith(ending)), None) for ending in (".import", ".level")]
    default = [path for path in firsts if path is not None] or known[:1]
    chosen = choices("Flows and levels", "curves", known, default)
    st.caption("The part of the run is that of the balance above. Drag to look closer, double click for all of it.")
    draw(charts.curve_lines(run, chosen, span=span, theme=view.theme), "curves", "Curves of flows and levels")


def show_flows(view: RunView, run: RunCurves) -> None:
    """Show where energy and water came from and went to."""
    st.markdown("**Energy**")
    draw(charts.sankey(run, theme=view.theme), "energy", "Sankey diagram of energy")
    if any(not carrier.is_energy for carrier in run.buses.values()):
        st.markdown("**Water**")
        draw(charts.sankey(run, water=True, theme=view.theme), "water", "Sankey diagram of water")
