"""What figures of a run hold: values, units, order, colours by role; no markup of anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from ecosystemiser import charts
from ecosystemiser.charts.bills import cost_colours
from ecosystemiser.charts.curves import RunCurves, curves_of
from ecosystemiser.charts.diagram import plan_of
from ecosystemiser.charts.sankey import Node, links_of
from ecosystemiser.charts.spans import Span
from ecosystemiser.charts.tokens import Theme, mixed, shades, tokens_of
from ecosystemiser.charts.year import day_matrix, duration_of, month_sums
from ecosystemiser.model.kinds import Role
from ecosystemiser.results import CostKind
from ecosystemiser.services.simulation_service import SimulationConfig
from ecosystemiser.services.worker import Workbench

LIGHT = tokens_of(Theme.LIGHT)


def trace(figure: go.Figure, name: str) -> Any:
    found = [each for each in figure.data if each.name == name]
    assert len(found) == 1, (name, [each.name for each in figure.data])
    return found[0]


def titles(figure: go.Figure) -> list[str]:
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    return [axis.title.text for axis in axes if axis.title.text]


class TestBalance:
    def test_supply_is_stacked_in_the_order_of_roles_and_of_the_file(self, run: RunCurves) -> None:
        figure = charts.balance(run, "electricity")
        above = [each.name for each in figure.data if each.stackgroup == "above"]
        assert above == ["south", "west", "battery, discharged", "grid, bought", "south, curtailed"]
        assert [each.name for each in figure.data if each.stackgroup == "below"] == ["battery, charged"]

    def test_the_stack_above_less_what_lies_below_is_the_line_of_use(self, run: RunCurves) -> None:
        figure = charts.balance(run, "electricity")
        supplied = [each.y for each in figure.data if each.stackgroup and each.name != "south, curtailed"]
        assert np.sum(supplied, axis=0) == pytest.approx(trace(figure, "use").y)
        assert trace(figure, "use").y == pytest.approx(np.full(49, 6.0))  # the house's 5, the pump's 1

    def test_values_are_rates_held_over_each_step_to_the_end_of_the_last(self, run: RunCurves) -> None:
        half_hours = replace(run, clock=replace(run.clock, step_s=1800))
        south = trace(charts.balance(half_hours), "south")
        assert south.y[0] == 4.0  # 2 kWh in half an hour
        assert south.line.shape == "hv"
        assert np.diff(south.x[-2:])[0] == np.timedelta64(1800, "s")
        assert len(south.y) == 49

    def test_unmet_demand_is_red_and_part_of_what_is_asked_for(self, another_run: Callable[..., RunCurves]) -> None:
        figure = charts.balance(another_run(unmet=0.5))
        assert trace(figure, "house, unmet").fillcolor == LIGHT.roles[Role.UNMET]
        assert trace(figure, "use").y[0] == 6.5

    def test_roles_have_their_colours_and_components_shades_of_them(self, run: RunCurves) -> None:
        figure = charts.balance(run)
        assert [trace(figure, name).fillcolor for name in ("south", "west")] == shades(LIGHT.roles[Role.SUN], 2)
        green = LIGHT.roles[Role.STORED]
        assert trace(figure, "battery, discharged").fillcolor == green
        assert trace(figure, "battery, charged").fillcolor == mixed(green, LIGHT.ground, 0.5)
        assert trace(figure, "use").line.color == LIGHT.roles[Role.USED]
        assert trace(figure, "south, curtailed").fillpattern.shape == "/"

    def test_the_legend_reads_from_the_ground_up(self, run: RunCurves) -> None:
        assert charts.balance(run).layout.legend.traceorder == "normal"

    def test_what_never_flows_has_no_place_in_the_legend(self, run: RunCurves) -> None:
        assert "grid, sold" not in [each.name for each in charts.balance(run).data]

    def test_levels_stand_at_the_end_of_their_steps_and_prices_below(self, run: RunCurves) -> None:
        figure = charts.balance(run)
        content = trace(figure, "battery, content")
        assert content.x[0] == run.clock.local[1]
        assert content.y[:2] == pytest.approx([2.0, 1.0])
        assert trace(figure, "price, grid bought").y == pytest.approx(np.full(49, 0.3))
        expected = ["time in Europe/Berlin", "electricity [kW]", "content [kWh]", "price [EUR/kWh]"]
        assert titles(figure) == expected

    def test_water_is_shown_in_cubic_metres_an_hour(self, run: RunCurves) -> None:
        assert titles(charts.balance(run, "service_water")) == ["time in Europe/Berlin", "service_water [m³/h]"]

    def test_a_span_shows_its_hours_only(self, run: RunCurves) -> None:
        south = trace(charts.balance(run, span=Span(10, 20)), "south")
        assert south.x[0] == run.clock.local[10]
        assert south.x[-1] == run.clock.local[20]

    def test_an_unknown_bus_says_which_there_are(self, run: RunCurves) -> None:
        figure = charts.balance(run, "steam")
        assert "electricity, heat, service_water" in figure.layout.annotations[0].text


class TestSankey:
    def test_links_are_sums_from_component_to_bus_and_from_bus_to_component(self, run: RunCurves) -> None:
        links = {(link.source, link.target): link.amount for link in links_of(run)}
        electricity = Node("electricity", is_bus=True)
        assert links[Node("south"), electricity] == pytest.approx(96.0)
        assert links[electricity, Node("pump")] == pytest.approx(48.0)
        assert links[Node("pump"), Node("heat", is_bus=True)] == pytest.approx(144.0)
        assert links[Node("south"), Node("curtailed")] == pytest.approx(24.0)
        assert links[Node("battery, discharged"), electricity] == pytest.approx(24.0)
        assert Node("grid, sold") not in {end for link in links for end in link}

    def test_water_has_its_own(self, run: RunCurves) -> None:
        assert [link.amount for link in links_of(run, water=True)] == pytest.approx([12.0, 12.0])
        assert charts.sankey(run, water=True).layout.annotations[0].text == "[m³]"

    def test_a_bus_and_a_component_of_one_name_are_two_nodes(self, run: RunCurves) -> None:
        renamed = tuple(replace(c, component="heat") if c.component == "home" else c for c in run.curves)
        labels = list(charts.sankey(replace(run, curves=renamed)).data[0].node.label)
        assert labels.count("heat") == 2

    def test_amounts_are_scaled_together(self, run: RunCurves) -> None:
        large = tuple(replace(curve, values=curve.values * 1000) for curve in run.curves)
        sankey = charts.sankey(replace(run, curves=large)).data[0]
        assert sankey.valuesuffix == " MWh"
        assert max(sankey.link.value) == pytest.approx(240.0)  # the house: 5 kWh x 1000 x 48


class TestYear:
    def test_hours_that_the_clock_leaves_out_are_empty_and_double_ones_have_the_mean(self, run: RunCurves) -> None:
        from datetime import UTC, datetime

        spring = replace(run.clock, start_utc=datetime(2018, 3, 24, 23, tzinfo=UTC), steps=23)
        days, hours, matrix = day_matrix(spring, np.arange(23.0))
        assert days.astype(str).tolist() == ["2018-03-25"]
        assert hours.tolist() == list(range(24))
        assert np.isnan(matrix[2, 0])
        assert matrix[3, 0] == 2.0
        autumn = replace(run.clock, start_utc=datetime(2018, 10, 27, 22, tzinfo=UTC), steps=25)
        matrix = day_matrix(autumn, np.arange(25.0))[2]
        assert matrix[2, 0] == 2.5  # the hours 2 and 3 both are "2 o'clock"
        assert matrix[23, 0] == 24.0

    def test_a_carpet_shows_rates_by_hour_and_day(self, run: RunCurves) -> None:
        figure = charts.carpet(run, "battery.level")
        assert figure.data[0].colorbar.title.text == "[kWh]"
        assert titles(figure) == ["day in Europe/Berlin", "hour of the day [h]"]
        assert np.nanmax(figure.data[0].z) == 2.0
        assert "no series" in charts.carpet(run, "nothing.out").layout.annotations[0].text

    def test_a_duration_curve_falls(self, run: RunCurves) -> None:
        hours, falling = duration_of(np.array([1.0, 3.0, 2.0, 3.0]), 0.5)
        assert falling.tolist() == [3.0, 3.0, 2.0, 1.0]
        assert hours.tolist() == [0.5, 1.0, 1.5, 2.0]
        figure = charts.duration(run, "grid.import")
        assert titles(figure) == ["duration [h]", "grid.import [kW]"]
        assert trace(figure, "grid.import").y[[0, -1]].tolist() == [4.0, 2.0]

    def test_months_are_those_of_the_local_calendar(self, run: RunCurves) -> None:
        from datetime import UTC, datetime

        clock = replace(run.clock, start_utc=datetime(2018, 1, 31, 22, tzinfo=UTC), steps=3)
        months, sums = month_sums(clock, np.array([1.0, 2.0, 4.0]))
        assert months == ["2018-01", "2018-02"]
        assert sums.tolist() == [1.0, 6.0]

    def test_monthly_bars_hold_supply_without_storages(self, run: RunCurves) -> None:
        figure = charts.monthly(run)
        assert [each.name for each in figure.data] == ["grid, import", "south", "south, curtailed", "west", "use"]
        assert trace(figure, "south").y == pytest.approx([96.0])
        assert trace(figure, "use").y == pytest.approx([288.0])
        assert titles(figure) == ["electricity [kWh]"]
        assert figure.layout.xaxis.ticktext == ("Jun<br>2018",)


class TestBills:
    def test_a_bill_is_stacked_by_component_and_kind(self, run: RunCurves) -> None:
        figure = charts.cost_stack(run)
        assert [each.name for each in figure.data] == ["capital", "purchases", "sales"]
        assert trace(figure, "sales").x == (-10.0,)
        assert figure.layout.yaxis.categoryarray == ("grid", "south")
        assert titles(figure) == ["cost over the run [EUR]"]

    def test_what_is_sold_and_unmet_keeps_the_colour_of_its_role(self) -> None:
        for theme in Theme:
            roles, kinds = tokens_of(theme).roles, cost_colours(theme)
            assert kinds[CostKind.REVENUE] == roles[Role.SOLD]
            assert kinds[CostKind.UNMET] == roles[Role.UNMET]
            assert len(set(kinds.values())) == len(CostKind)

    def test_runs_stand_side_by_side_with_their_sums(self, run: RunCurves) -> None:
        other = replace(run, title="<b>other</b>", bill=run.bill[:1])
        figure = charts.cost_stacks([run, other])
        assert trace(figure, "total").x == ("base", "&lt;b&gt;other&lt;/b&gt;")
        assert list(trace(figure, "total").y) == [140.0, 100.0]
        assert list(trace(figure, "capital").y) == [50.0, 0.0]

    def test_currencies_are_not_mixed(self, run: RunCurves) -> None:
        figure = charts.cost_stacks([run, replace(run, currency="USD")])
        assert "EUR, USD" in figure.layout.annotations[0].text


class TestDiagram:
    def test_suppliers_stand_left_of_their_bus_and_demands_right(self, run: RunCurves) -> None:
        plan = plan_of(run)
        columns = {box.name: box.column for box in plan.boxes}
        assert columns["grid"] == columns["south"] == 0
        assert columns["battery"] == columns["house"] == columns["pump"] == 2
        assert columns["home"] == 4
        assert plan.bars["electricity"][0] == 1
        assert plan.bars["heat"][0] == 3

    def test_no_two_boxes_share_a_place(self, run: RunCurves) -> None:
        places = [(box.column, box.row) for box in plan_of(run).boxes]
        assert len(set(places)) == len(places)

    def test_every_flow_has_an_arrow_that_ends_on_its_bus_or_box(self, run: RunCurves) -> None:
        arrows = [each for each in charts.diagram(run).layout.annotations if each.showarrow]
        assert len(arrows) == len(run.flows)
        heat = plan_of(run).bars["heat"][0]
        assert sum(arrow.x == heat for arrow in arrows) == 1  # the pump gives, the home draws

    def test_a_loop_of_buses_is_drawn_too(self, run: RunCurves) -> None:
        back = replace(next(c for c in run.curves if c.path == "pump.out"), component="back", sign=-1, name="in")
        give = replace(next(c for c in run.curves if c.path == "pump.in"), component="back", sign=1, name="out")
        looped = replace(run, curves=(*run.curves, back, give))
        assert {box.name for box in plan_of(looped).boxes} == {*run.components, "back"}


def every_figure(run: RunCurves, theme: Theme) -> Iterator[go.Figure]:
    yield from (charts.balance(run, bus, theme=theme) for bus in run.buses)
    yield charts.carpet(run, "grid.import", theme=theme)
    yield charts.duration(run, "grid.import", "battery.level", theme=theme)
    yield charts.monthly(run, theme=theme)
    yield charts.cost_stack(run, theme=theme)
    yield charts.diagram(run, theme=theme)
    yield charts.sankey(run, theme=theme)


@pytest.mark.parametrize("theme", Theme)
def test_every_axis_of_numbers_has_a_unit_and_the_ground_is_the_themes(run: RunCurves, theme: Theme) -> None:
    for figure in every_figure(run, theme):
        assert figure.layout.paper_bgcolor == tokens_of(theme).ground
        for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
            if axis.tickformat:
                assert axis.title.text.endswith("]"), axis


def test_names_of_people_are_no_markup(run: RunCurves) -> None:
    evil = "<img src=x onerror=alert(1)>"
    renamed = tuple(replace(each, component=evil) if each.component == "south" else each for each in run.curves)
    for figure in every_figure(replace(run, title=evil, curves=renamed), Theme.LIGHT):
        assert "<img" not in figure.to_json().replace("\\u003c", "<")


def test_a_solved_system_and_its_curves_give_the_same_figure() -> None:
    bench, config = Workbench(), SimulationConfig(solver_type="milp", timesteps=24)
    system = bench.load(config)
    from ecosystemiser.results import SolvedSystem

    problem = bench.compiler.compile(system)
    solved = SolvedSystem(system, problem, bench._prepare(config, problem).solve(problem))
    run = curves_of(solved)
    assert charts.balance(solved).to_json() == charts.balance(run).to_json()
    assert "marginal price" in [each.name for each in charts.balance(solved).data]
    assert "mains.export" not in run.series()  # it cannot sell
    assert sum(line.amount for line in run.bill) == pytest.approx(solved.report.objective)
    for bus in run.buses:
        into = np.sum([flow.sign * flow.values for flow in run.flows if flow.bus == bus], axis=0)
        assert np.abs(into).max() < 1e-6
