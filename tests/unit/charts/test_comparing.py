"""Runs beside each other: aligned or told why not, differences from the baseline, better and worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ecosystemiser import charts
from ecosystemiser.charts.curves import RunCurves
from ecosystemiser.charts.tokens import Theme, tokens_of

LIGHT = tokens_of(Theme.LIGHT)
JUNE = datetime(2018, 6, 1, tzinfo=UTC)

Another = Callable[..., RunCurves]


class TestAlignment:
    def test_equal_clocks_are_left_as_they_are(self, run: RunCurves, another_run: Another) -> None:
        other = another_run("other")
        found = charts.aligned([run, other])
        assert found.runs == (run, other)
        assert found.notes == ()

    def test_only_common_hours_are_kept_and_that_is_said(self, run: RunCurves, another_run: Another) -> None:
        later = another_run("later", JUNE + timedelta(hours=40), bought=np.arange(48.0))
        found = charts.aligned([run, later])
        assert [each.clock.steps for each in found.runs] == [8, 8]
        assert found.runs[0].series()["grid.import"].values.tolist() == run.series()["grid.import"].values[40:].tolist()
        assert found.runs[1].series()["grid.import"].values.tolist() == list(range(8))
        assert found.notes == (
            "Only the hours that all runs cover are shown: 2018-06-02 16:00 to 2018-06-03 00:00 UTC.",
        )

    def test_shorter_steps_are_summed_and_contents_taken_at_the_end(self, run: RunCurves, another_run: Another) -> None:
        halves = another_run("halves", bought=np.arange(48.0))
        halves = replace(halves, clock=replace(halves.clock, step_s=1800))
        found = charts.aligned([run, halves])
        fine = found.runs[1]
        assert fine.clock.step_s == 3600
        assert fine.series()["grid.import"].values[:3].tolist() == [1.0, 5.0, 9.0]
        assert fine.series()["battery.level"].values[:2].tolist() == [1.0, 1.0]
        assert "summed to steps of 1 h" in found.notes[0]

    def test_runs_of_other_years_are_not_aligned_and_told_why(self, run: RunCurves, another_run: Another) -> None:
        found = charts.aligned([run, another_run("old", datetime(2017, 6, 1, tzinfo=UTC))])
        assert found.runs == ()
        assert found.reason is not None
        assert "no hour in common" in found.reason
        assert "old: 2017-06-01 00:00 to 2017-06-03 00:00 UTC" in found.reason

    def test_steps_that_begin_at_other_minutes_are_not_aligned(self, run: RunCurves, another_run: Another) -> None:
        found = charts.aligned([run, another_run("odd", JUNE + timedelta(minutes=10))])
        assert found.reason is not None
        assert "do not begin at the same minutes" in found.reason


class TestOverlay:
    def test_the_baseline_is_dark_and_differences_are_from_it(self, run: RunCurves, another_run: Another) -> None:
        other = another_run("other", bought=5.0)
        figure = charts.overlay([run, other], "grid.import")
        base, second, gap = figure.data
        assert base.line.color == LIGHT.runs[0]
        assert second.line.color == gap.line.color == LIGHT.runs[1]
        assert gap.y == pytest.approx(second.y - base.y)
        assert gap.y[:2] == pytest.approx([1.0, 3.0])
        assert figure.layout.yaxis.title.text == "grid.import [kW]"
        assert figure.layout.yaxis2.title.text == "less the baseline [kW]"

    def test_a_run_keeps_its_colour_where_another_lacks_the_series(self, run: RunCurves, another_run: Another) -> None:
        without = replace(run, title="without", curves=tuple(c for c in run.curves if c.component != "west"))
        figure = charts.overlay([run, without, another_run("third")], "west.out")
        assert [trace.line.color for trace in figure.data[:2]] == [LIGHT.runs[0], LIGHT.runs[2]]

    def test_without_the_baseline_there_are_no_differences(self, run: RunCurves, another_run: Another) -> None:
        without = replace(run, curves=tuple(c for c in run.curves if c.component != "west"))
        assert len(charts.overlay([without, another_run("b"), another_run("c")], "west.out").data) == 2
        assert "None of the runs" in charts.overlay([without], "west.out").layout.annotations[0].text

    def test_duration_curves_need_no_common_time(self, run: RunCurves, another_run: Another) -> None:
        old = another_run("old", datetime(2017, 1, 1, tzinfo=UTC))
        figure = charts.durations([run, old], "grid.import", ["a", "b"])
        assert [trace.name for trace in figure.data] == ["a", "b"]
        assert figure.data[0].y[0] == 4.0

    def test_months_of_flows_are_sums_and_of_levels_the_content_at_the_end(self, run: RunCurves) -> None:
        assert list(charts.months([run], "house.in").data[0].y) == [240.0]
        assert list(charts.months([run], "battery.level").data[0].y) == [1.0]
        assert charts.months([run], "house.in").layout.yaxis.title.text == "house.in [kWh]"


BASE = {"total_cost": 100.0, "self_sufficiency_rate": 0.5, "total_generation_kwh": 10.0, "unmet_kwh": 0.0}
OTHER = {"total_cost": 80.0, "self_sufficiency_rate": 0.4, "total_generation_kwh": 12.0, "unmet_kwh": 3.0}


class TestKpis:
    def test_better_and_worse_follow_the_direction_of_each_kpi(self) -> None:
        changes = {change.kpi.name: change for change in charts.kpi_changes(BASE, OTHER)}
        assert changes["total_cost"].is_better is True
        assert changes["self_sufficiency_rate"].is_better is False
        assert changes["total_generation_kwh"].is_better is None
        assert changes["total_cost"].relative == pytest.approx(-0.2)
        assert changes["unmet_kwh"].relative is None

    def test_colour_arrow_and_word_say_the_same(self) -> None:
        bar = charts.kpi_differences(charts.kpi_changes(BASE, OTHER)).data[0]
        assert list(bar.y) == ["total_cost", "self_sufficiency_rate", "total_generation_kwh"]
        assert list(bar.x) == pytest.approx([-20.0, -20.0, 20.0])
        assert list(bar.marker.color) == [LIGHT.better, LIGHT.worse, LIGHT.muted]
        assert bar.text[0].startswith("▼")
        assert [text.rpartition(" ")[2] for text in bar.text] == ["better", "worse", "%"]

    def test_what_may_not_be_ranked_is_called_neither(self) -> None:
        bar = charts.kpi_differences(charts.kpi_changes(BASE, OTHER), is_ranked=False).data[0]
        assert set(bar.marker.color) == {LIGHT.muted}
        assert not any("better" in text or "worse" in text for text in bar.text)

    def test_equal_runs_have_nothing_to_show(self) -> None:
        figure = charts.kpi_differences(charts.kpi_changes(BASE, BASE))
        assert "No KPI differs" in figure.layout.annotations[0].text


class TestLines:
    def test_rates_and_contents_have_rows_of_their_own(self, run: RunCurves) -> None:
        figure = charts.curve_lines(run, ["grid.import", "battery.level", "battery.charge", "nothing"])
        assert [trace.name for trace in figure.data] == ["grid.import", "battery.level", "battery.charge"]
        assert figure.layout.yaxis.title.text == "rate [kW]"
        assert figure.layout.yaxis2.title.text == "content [kWh]"
        assert figure.data[1].line.color == figure.data[2].line.color
        assert figure.data[1].line.dash != figure.data[2].line.dash
