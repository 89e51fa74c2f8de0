"""What a report says of one run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecosystemiser import charts
from ecosystemiser.charts import RunCurves
from ecosystemiser.errors import InputError
from ecosystemiser.kpis import KPIS
from ecosystemiser.results import ComponentFacts, amounts_by_month
from ecosystemiser.services.plain_text import mapping_in
from ecosystemiser.services.remedies import REMEDIES
from ecosystemiser.services.report_page import Block, Code, Drawing, Facts, Part, Table, Text
from ecosystemiser.services.stored_runs import StoredRun
from ecosystemiser.wording import NOTHING, SIGNS, amount, cents, duration, moment, money, plain_unit, share, significant

__all__ = ["component_table", "head_facts", "kpi_table", "parts_of_run", "subtitle_of"]

Row = Mapping[str, Any]

_SOLVE = ("solver_type", "solver_status", "objective", "bound", "mip_gap", "solve_seconds", "wall_seconds")
_MADE_BY = ("ecosystemiser", "commit", "python", "highspy")


def subtitle_of(row: Row) -> str:
    """Return which run it is, in a line."""
    status = str(row["simulation_status"])
    parts = [f"{SIGNS.get(status, '?')} {status}", str(row.get("system_id") or NOTHING), str(row.get("solver_type"))]
    parts += [f"{row['timesteps']:,} steps"] if row.get("timesteps") else []
    parts += [f"study {row['study_id']}"] if row.get("study_id") else []
    return " · ".join([*parts, f"begun {moment(row.get('timestamp'), is_short=False)}"])


def head_facts(row: Row) -> Facts:
    """Return the six numbers that a designer looks for first."""
    unmet = [amount(row.get(name), unit) for name, unit in (("unmet_kwh", "kWh"), ("unmet_m3", "m3")) if row.get(name)]
    return Facts(
        (
            ("Cost over the run", money(row.get("total_cost"), row.get("currency"))),
            ("CO₂ equivalent", amount(row.get("total_co2"), "kg")),
            ("Self-sufficiency", share(row.get("self_sufficiency_rate"))),
            ("Renewable", share(row.get("renewable_fraction"))),
            ("Unmet", ", ".join(unmet) if unmet else amount(row.get("unmet_kwh"), "kWh")),
            ("MIP gap", share(row.get("mip_gap"))),
        )
    )


def kpi_table(row: Row) -> Table:
    """Return all KPIs that a run has, with what they mean."""
    known = [kpi for kpi in KPIS if row.get(kpi.name) is not None]
    rows = [(kpi.name, amount(row[kpi.name], kpi.unit, row.get("currency")), kpi.meaning) for kpi in known]
    return Table(("KPI", "value", "meaning"), rows, frozenset({1}))


def component_table(inventory: Sequence[ComponentFacts], currency: str) -> Table:
    """Return the components with sizes, amounts, full-load hours, cycles and cost."""
    heads = ("component", "type", "size", "gave", "took", "full-load hours [h]", "cycles", f"cost [{currency}]")
    rows = [
        (
            each.name,
            each.type,
            NOTHING if each.size is None else f"{significant(each.size)} {_unit(each.size_unit)}",
            amount(each.given, each.amount_unit) if each.given else NOTHING,
            amount(each.taken, each.amount_unit) if each.taken else NOTHING,
            NOTHING if each.full_load_hours is None else significant(each.full_load_hours),
            NOTHING if each.cycles is None else significant(each.cycles),
            significant(each.cost) if each.cost else NOTHING,
        )
        for each in inventory
    ]
    return Table(heads, rows, frozenset(range(2, len(heads))))


def _unit(unit: str) -> str:
    return {"m2": "m²"}.get(unit, plain_unit(unit))


def parts_of_run(row: Row, curves: RunCurves | None, why_none: str = "") -> Iterator[Part]:
    """Yield the parts of a report of a run; `why_none` says why it has no curves, where it has none."""
    yield Part("In short", (head_facts(row), *_failure(row), *_notes(row)))
    if curves is None:
        yield Part("Curves", (Text(why_none, is_warning=True),))
    else:
        yield from _drawn(curves)
    yield Part("All KPIs", (kpi_table(row),))
    yield Part("What went in", tuple(_inputs(row, curves)))
    yield Part("How it was solved", (_solve(row),))


def _failure(row: Row) -> Iterator[Block]:
    if row["simulation_status"] != "failed":
        return
    cause = str(row.get("failure_cause") or "unknown")
    told = [f"It failed: {cause}.", str(mapping_in(row.get("metadata_json")).get("error", "")), REMEDIES.get(cause, "")]
    yield Text(" ".join(text for text in told if text), is_warning=True)


def _notes(row: Row) -> Iterator[Block]:
    if row.get("note"):
        yield Text(f"Note: {row['note']}")


def _drawn(curves: RunCurves) -> Iterator[Part]:
    table = component_table(curves.inventory, curves.currency)
    notes = [Text(note, is_warning=True) for note in curves.notes]
    caption = "Cost of each component over the run, by kind; what it earns lies left of zero."
    yield Part("Components and costs", (*notes, Drawing(charts.cost_stack(curves), caption), table))
    yield Part("Bills of suppliers", tuple(_bills(curves)))
    if curves.case is not None:
        words = (
            f"Net present cost {money(curves.case.net_present_cost, curves.currency)}. "
            "Above: what is paid (below zero) and received in each year of the project; "
            "below: the sum so far, discounted to the start."
        )
        yield Part("Investment", (Drawing(charts.cash_flow(curves.case), words),))
    yield Part("Weeks worth a look", tuple(_weeks(curves)))
    yield Part("The year", tuple(_year(curves)))
    flows = [Drawing(charts.sankey(curves), "Energy from where it came to where it went, summed over the run.")]
    if any(not carrier.is_energy for carrier in curves.buses.values()):
        flows.append(Drawing(charts.sankey(curves, water=True), "Water from where it came to where it went."))
    yield Part("Flows", tuple(flows))


def _bills(curves: RunCurves) -> Iterator[Block]:
    """Yield of each supplier what it bills month by month, as picture and table."""
    for supplier in charts.suppliers(curves):
        lines = [line for line in curves.months if line.component == supplier]
        yield Drawing(charts.monthly_bills(curves, supplier), f"{supplier}: the bill of each month, tax included.")
        items = amounts_by_month(lines)
        months = list(dict.fromkeys(line.month for line in lines))
        sums = [*items.values(), {month: sum(each[month] for each in items.values()) for month in months}]
        rows = [(month, *[cents(each[month]) for each in sums]) for month in months]
        rows.append(("sum", *[cents(sum(each.values())) for each in sums]))
        heads = ("month", *[f"{item.value} [{curves.currency}]" for item in items], f"bill [{curves.currency}]")
        yield Table(heads, rows, frozenset(range(1, len(heads))))


def _weeks(curves: RunCurves) -> Iterator[Block]:
    for bus in curves.buses:
        told: set[charts.Span] = set()
        for name, week_of in charts.JUMPS.items():
            week = week_of(curves, bus)
            if week is None or week in told:
                continue
            told.add(week)
            caption = (
                f"{bus}, the week of the {name}. Above zero what comes onto the bus, "
                "below zero what is stored and sold; the line is the use."
            )
            yield Drawing(charts.balance(curves, bus, span=week), caption)


def _year(curves: RunCurves) -> Iterator[Block]:
    for bus in curves.buses:
        yield Drawing(charts.monthly(curves, bus), f"{bus}, month by month.")
    main = next(iter(curves.buses), "")
    flows = [flow.path for flow in curves.flows if flow.bus == main and flow.values.any()]
    if flows:
        yield Drawing(charts.duration(curves, *flows), f"{main}: for how many hours each flow was at least so large.")
    for path in [*[flow for flow in flows if flow.endswith(".import")], *[level.path for level in curves.levels]]:
        yield Drawing(charts.carpet(curves, path), f"{path}, hour by hour (up) and day by day (along).")


def _inputs(row: Row, curves: RunCurves | None) -> Iterator[Block]:
    if curves is not None:
        yield Drawing(charts.diagram(curves), "The system: buses as bars, an arrow where anything flows.")
    parameters = mapping_in(row.get("parameters_json"))
    if parameters:
        values = [(path, json.dumps(value, default=str)) for path, value in parameters.items()]
        yield Table(("field that was set", "value"), values)
    try:
        data = StoredRun.of(row).description.data
    except InputError as error:
        yield Text(str(error))
        return
    yield Code(json.dumps(data, indent=2, ensure_ascii=False, default=str), "The system as it was described")


def _solve(row: Row) -> Table:
    currency = row.get("currency")
    shown = {
        "objective": lambda value: money(value, currency),
        "bound": lambda value: money(value, currency),
        "mip_gap": share,
        "solve_seconds": duration,
        "wall_seconds": duration,
    }
    rows = [(name, shown.get(name, str)(row[name])) for name in _SOLVE if row.get(name) is not None]
    if row.get("balance_residual") is not None:
        rows.append(("balance_residual", significant(row["balance_residual"])))
    environment = mapping_in(row.get("environment_json"))
    rows += [(name, str(environment[name])) for name in _MADE_BY if environment.get(name)]
    rows += [(name, str(row[name])) for name in ("run_id", "config_hash", "retry_of", "reused_from") if row.get(name)]
    return Table(("", "value"), rows)
