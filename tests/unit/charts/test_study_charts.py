"""What figures of a study hold: values, places, units, and the run behind each point."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from ecosystemiser import charts
from ecosystemiser.charts import StudyPoint, Theme
from ecosystemiser.charts.points import MOST_POINTS, best_of, parameter_unit, shown_points, values_of
from ecosystemiser.charts.tokens import tokens_of

COSTS = {(0, 20): 300.0, (0, 40): 250.0, (80, 20): 280.0, (80, 40): 200.0}
POINTS = [
    StudyPoint(
        f"run-{battery}-{pv}",
        {"battery.capacity_kwh": battery, "roof_pv.capacity_kw": pv},
        {"total_cost": cost, "self_sufficiency_rate": cost / 1000, "total_co2": 500 - cost},
    )
    for (battery, pv), cost in COSTS.items()
]
FAILED = StudyPoint("failed", {"battery.capacity_kwh": 160, "roof_pv.capacity_kw": 20})
SAMPLED = [
    StudyPoint(f"run-{at}", {"a": float(at), "b": 1000.0 * at}, {"total_cost": float(1 + at)})
    for at in range(MOST_POINTS)
]
BATTERY, PV = "battery.capacity_kwh", "roof_pv.capacity_kw"


def axes(figure: go.Figure) -> list[str]:
    return [figure.layout.xaxis.title.text, figure.layout.yaxis.title.text]


class TestPoints:
    @pytest.mark.parametrize(
        ("path", "unit"),
        [
            ("battery.capacity_kwh", "kWh"),
            ("roof_pv.capex_per_kw", "EUR/kW"),
            ("grid.export_price_per_kwh", "EUR/kWh"),
            ("grid.co2_kg_per_kwh", "kg/kWh"),
            ("tank.capacity_m3", "m³"),
            ("topup.flow_m3_per_h", "m³/h"),
            ("roof_pv.tilt_deg", "deg"),
            ("battery.lifetime_years", "a"),
            ("economics.discount_rate", ""),
        ],
    )
    def test_a_field_carries_its_unit_in_its_name(self, path: str, unit: str) -> None:
        assert parameter_unit(path, "EUR") == unit

    def test_the_best_is_the_lowest_or_the_highest_by_the_kpi(self) -> None:
        assert best_of([*POINTS, FAILED], "total_cost") is POINTS[3]
        assert best_of(POINTS, "self_sufficiency_rate") is POINTS[0]
        assert best_of([FAILED], "total_cost") is None

    def test_values_stand_in_order_numbers_first(self) -> None:
        mixed = [StudyPoint(str(at), {"a": value}) for at, value in enumerate([3, "x", 1.5, "x", 3])]
        assert values_of(mixed, "a") == [1.5, 3, "x"]

    def test_of_too_many_points_some_are_drawn_and_that_is_said(self) -> None:
        many = [StudyPoint(str(at), {}) for at in range(3 * MOST_POINTS)]
        drawn, note = shown_points(many)
        assert len(drawn) == MOST_POINTS
        assert note == "5,000 of 15,000 runs are drawn"
        assert shown_points(POINTS) == (POINTS, "")


class TestParametric:
    def test_a_line_runs_through_the_best_run_at_each_value(self) -> None:
        figure = charts.parametric_lines([*POINTS, FAILED], BATTERY, currency="EUR")
        line, dots = figure.data
        assert list(line.x) == [0, 80]
        assert list(line.y) == [250.0, 200.0]
        assert list(dots.customdata) == [point.run_id for point in POINTS]
        assert axes(figure) == ["battery.capacity_kwh [kWh]", "total_cost [EUR]"]

    def test_each_value_of_another_field_has_a_line(self) -> None:
        figure = charts.parametric_lines(POINTS, BATTERY, by=PV)
        lines = {trace.name: list(trace.y) for trace in figure.data if trace.mode == "lines"}
        assert lines == {"roof_pv.capacity_kw = 20": [300.0, 280.0], "roof_pv.capacity_kw = 40": [250.0, 200.0]}

    def test_of_many_values_every_so_manyth_has_a_line_the_first_and_last_among_them(self) -> None:
        points = [StudyPoint(f"{a}-{b}", {"a": a, "b": b}, {"total_cost": a + b}) for a in (0, 1) for b in range(15)]
        lines = [trace for trace in charts.parametric_lines(points, "a", by="b").data if trace.mode == "lines"]
        assert [line.name for line in lines] == [f"b = {value}" for value in (0, 2, 4, 6, 8, 10, 12, 14)]

    def test_sampled_values_are_dots_at_their_places_the_best_of_them_in_a_ring(self) -> None:
        lines = charts.parametric_lines(SAMPLED, "a", by="b")
        assert [trace.mode for trace in lines.data] == ["markers"]
        assert len(lines.data[0].x) == MOST_POINTS
        dots, ring = charts.heat_map(SAMPLED, "a", "b", currency="EUR").data
        assert (dots.mode, dots.x[7], dots.y[7], dots.marker.color[7]) == ("markers", 7.0, 7000.0, 8.0)
        assert dots.customdata[7] == "run-7"
        assert dots.marker.showscale
        assert (list(ring.x), list(ring.y), list(ring.customdata)) == ([0.0], [0.0], ["run-0"])

    def test_a_list_of_values_beside_a_sampled_one_has_a_colour_each(self) -> None:
        points = [StudyPoint(p.run_id, {**p.parameters, "c": "xy"[at % 2]}, p.kpis) for at, p in enumerate(SAMPLED)]
        lines = charts.parametric_lines(points, "a", by="c")
        assert [(trace.mode, trace.name) for trace in lines.data] == [("markers", "c = x"), ("markers", "c = y")]
        assert lines.layout.showlegend
        assert axes(charts.heat_map(points, "a", "c")) == ["a [1]", "c"]

    def test_a_heat_map_holds_the_best_of_each_place_and_a_ring_at_the_best_of_all(self) -> None:
        worse = StudyPoint("worse", POINTS[0].parameters, {"total_cost": 900.0})
        figure = charts.heat_map([*POINTS, worse, FAILED], BATTERY, PV, currency="EUR")
        cells, ring = figure.data
        assert list(cells.x) == ["0", "80"]
        assert list(cells.y) == ["20", "40"]
        assert np.array(cells.z).tolist() == [[300.0, 280.0], [250.0, 200.0]]
        assert cells.customdata[1][1] == "run-80-40"
        assert (list(ring.x), list(ring.y)) == (["80"], ["40"])
        assert cells.colorbar.title.text == "total_cost [EUR]"
        assert axes(figure) == ["battery.capacity_kwh [kWh]", "roof_pv.capacity_kw [kW]"]

    def test_a_place_that_no_run_holds_is_empty(self) -> None:
        cells = charts.heat_map(POINTS[:3], BATTERY, PV).data[0]
        assert np.isnan(cells.z[1][1])

    def test_the_best_stands_out_from_the_ground(self) -> None:
        for theme in Theme:
            ramp = tokens_of(theme).ramp
            scale = charts.heat_map(POINTS, BATTERY, PV, theme=theme).data[0].colorscale
            dark_first = scale[0][1] == ramp[0]
            assert dark_first is (theme is Theme.LIGHT)  # the lowest cost is the best

    def test_shares_are_drawn_in_per_cent(self) -> None:
        figure = charts.parametric_lines(POINTS, BATTERY, "self_sufficiency_rate")
        assert axes(figure)[1] == "self_sufficiency_rate [%]"
        assert list(figure.data[0].y) == pytest.approx([30.0, 28.0])

    def test_without_results_it_says_so(self) -> None:
        assert "No run of this study" in charts.heat_map([FAILED], BATTERY, PV).layout.annotations[0].text


class TestFronts:
    def test_the_front_is_joined_along_the_first_objective_and_the_rest_is_behind(self) -> None:
        figure = charts.pareto_front(POINTS, {"run-80-40", "run-0-40"}, ("total_cost", "total_co2"), currency="EUR")
        others, front = figure.data
        assert list(front.x) == [200.0, 250.0]
        assert list(front.y) == [300.0, 250.0]
        assert list(front.customdata) == ["run-80-40", "run-0-40"]
        assert "battery.capacity_kwh = 80" in front.hovertext[0]
        assert len(others.x) == 2
        assert axes(figure) == ["total_cost [EUR]", "total_co2 [kg]"]

    def test_convergence_shows_best_and_mean_of_each_objective(self) -> None:
        values = {"total_cost.best": 5.0, "total_cost.mean": 7.0, "total_co2.best": 1.0, "hypervolume": 0.5}
        rows = [
            {"generation": generation, "metric": metric, "value": value - generation / 10}
            for generation in (1, 0)
            for metric, value in values.items()
        ]
        figure = charts.convergence(rows, currency="EUR")
        assert [trace.name for trace in figure.data] == ["best", "mean", "best", "mean"]
        assert list(figure.data[0].x) == [0, 1]
        assert list(figure.data[0].y) == pytest.approx([5.0, 4.9])
        assert figure.layout.yaxis.title.text == "total_cost [EUR]"
        assert figure.layout.yaxis2.title.text == "total_co2 [kg]"
        assert list(charts.hypervolume(rows).data[0].y) == pytest.approx([0.5, 0.4])

    def test_before_the_first_generation_it_says_so(self) -> None:
        assert "No generation" in charts.convergence([]).layout.annotations[0].text
        assert "no hypervolume" in charts.hypervolume([]).layout.annotations[0].text


SAMPLES = {"all samples": [float(value) for value in range(101)]}


class TestUncertainty:
    def test_a_distribution_marks_p10_p50_p90_and_adds_up_to_all_samples(self) -> None:
        figure = charts.distribution(SAMPLES, "total_cost", currency="EUR")
        assert sum(figure.data[0].y) == pytest.approx(100.0)
        marks = {note.text for note in figure.layout.annotations}
        assert marks == {"P10: 10.00", "P50: 50.00", "P90: 90.00"}
        assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([10.0, 50.0, 90.0])
        assert axes(figure) == ["total_cost [EUR]", "share of the samples [%]"]

    def test_exceedance_falls_to_nothing_at_the_highest(self) -> None:
        curve = charts.exceedance(SAMPLES, "total_cost").data[0]
        assert curve.y[-1] == 0.0
        assert curve.y[50] == pytest.approx(100 * 50 / 101)

    def test_samples_without_a_value_are_left_out(self) -> None:
        figure = charts.distribution({"a": [None, None], "b": [1.0, None, 3.0]}, "total_cost")
        assert [trace.name for trace in figure.data] == ["b"]
        assert "No sample" in charts.exceedance({"a": [None]}, "total_cost").layout.annotations[0].text

    def test_a_tornado_has_the_widest_bar_on_top(self) -> None:
        rows = [
            {"parameter": "small", "tornado_low": 95.0, "tornado_high": 105.0},
            {"parameter": "wide", "tornado_low": 150.0, "tornado_high": 60.0},
            {"parameter": "unknown", "tornado_low": None, "tornado_high": 1.0},
        ]
        figure = charts.tornado(rows, "total_cost", at_medians=100.0, currency="EUR")
        low, high = figure.data
        assert list(low.y) == ["small", "wide"]  # the last is on top
        assert list(low.x) == [-5.0, 50.0]
        assert list(high.x) == [5.0, -40.0]
        assert low.base == 100.0
        assert figure.layout.xaxis.title.text == "total_cost [EUR]"

    def test_sobol_indices_have_their_intervals(self) -> None:
        row = {"parameter": "a", "first_order": 0.3, "first_order_low": 0.2, "first_order_high": 0.5}
        row |= {"total_order": 0.4, "total_order_low": None, "total_order_high": None}
        figure = charts.sobol([row, {"parameter": "b", "total_order": None}], "total_cost")
        total, first = figure.data
        assert (list(total.x), list(first.x)) == ([0.4], [0.3])
        assert list(first.error_x.array) == pytest.approx([0.2])
        assert list(first.error_x.arrayminus) == pytest.approx([0.1])
        assert figure.layout.xaxis.title.text == "share of the variance of total_cost [1]"


class TestParallel:
    def test_each_axis_has_its_unit_and_words_their_places(self) -> None:
        points = [
            StudyPoint(point.run_id, {**point.parameters, "grid.kind": "<b>flat</b>" if at else "peak"}, point.kpis)
            for at, point in enumerate(POINTS)
        ]
        figure = charts.parallel_coordinates(points, [BATTERY, "grid.kind"], ["total_cost"], currency="EUR")
        battery, kind, cost = figure.data[0].dimensions
        assert battery.label == "battery<br>capacity_kwh [kWh]"
        assert list(battery["values"]) == [0.0, 0.0, 80.0, 80.0]
        assert list(kind["values"]) == [0.0, 1.0, 1.0, 1.0]
        assert cost.label == "total_cost [EUR]"
        assert list(figure.data[0].line.color) == list(COSTS.values())

    def test_runs_without_a_result_are_left_out(self) -> None:
        assert "No run" in charts.parallel_coordinates([FAILED], [BATTERY]).layout.annotations[0].text


def test_names_of_people_are_no_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    kpis = {"total_cost": 3.0, "total_co2": 1.0}
    points = [StudyPoint(f"{evil}{at}", {evil: at, "b": evil}, kpis) for at in (1, 2)]
    rows = [{"parameter": evil, "tornado_low": 1.0, "tornado_high": 2.0, "total_order": 0.2, "first_order": 0.1}]
    figures = [
        charts.parametric_lines(points, evil, by="b"),
        charts.heat_map(points, evil, "b"),
        charts.pareto_front(points, set(), ("total_cost", "total_co2")),
        charts.distribution({evil: [1.0, 2.0]}, "total_cost"),
        charts.tornado(rows, "total_cost"),
        charts.sobol(rows, "total_cost"),
    ]
    for figure in figures:
        drawn = figure.to_plotly_json()
        texts = [trace.get(key) for trace in drawn["data"] for key in ("name", "hovertext", "x", "y")]
        assert "<img" not in str(texts), texts
        assert "<img" not in str(drawn["layout"])
