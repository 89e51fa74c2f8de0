"""Runs beside a baseline, and the curves of logged runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.services.run_history import RunHistory


class TestComparison:
    def test_inputs_that_differ_stand_with_the_value_of_each_run(
        self, history: RunHistory, solved: Callable[..., str]
    ) -> None:
        base = solved()
        more = solved(parameters={"battery.capacity_kwh": 8})
        both = solved(parameters={"battery.capacity_kwh": 2, "battery.efficiency": 0.9}, solver_type="milp")
        found = history.compare([base, more, both])
        assert found.runs == (base, more, both)
        inputs = {each.path: each.values for each in found.inputs}
        assert inputs["battery.capacity_kwh"] == (4, 8, 2)
        assert inputs["solver_type"] == ("rule_based", "rule_based", "milp")
        added = next(each for each in found.inputs if each.path == "battery.efficiency")
        assert (added.values[2], added.is_there) == (0.9, (False, False, True))

    def test_kpis_are_told_from_the_baseline(self, history: RunHistory, solved: Callable[..., str], log: Any) -> None:
        runs = [solved(), solved(parameters={"pv.capacity_kw": 6}), solved(parameters={"pv.capacity_kw": 1})]
        found = history.compare(runs)
        costs = next(each for each in found.kpis if each.kpi.name == "total_cost")
        rows = [log.get_simulation_run(run) for run in runs]
        assert costs.values == tuple(row["total_cost"] for row in rows)
        assert [each.absolute for each in costs.differences] == pytest.approx(
            [rows[at]["total_cost"] - rows[0]["total_cost"] for at in (1, 2)]
        )
        assert found.is_rankable == (True, True, True)
        assert found.warnings == ()

    def test_what_may_not_be_ranked_is_said_of_the_run_that_it_is_about(
        self, history: RunHistory, solved: Callable[..., str]
    ) -> None:
        found = history.compare([solved(), solved(), solved(timesteps=12)])
        assert found.is_rankable == (True, True, False)
        assert all(text.startswith(f"{found.names[2]} beside the baseline: ") for text in found.warnings)
        assert any("periods differ" in text for text in found.warnings)

    def test_two_to_eight_different_runs_are_compared(self, history: RunHistory, solved: Callable[..., str]) -> None:
        run = solved()
        for words in ([run], [run] * 2, [run, "last"], [f"r{at}" for at in range(9)]):
            with pytest.raises(InputError, match=r"named|twice"):
                history.compare(words)

    def test_as_csv_there_is_a_line_for_each_run_and_no_formula(
        self, history: RunHistory, solved: Callable[..., str], house: Path
    ) -> None:
        (house.parent / "=loads.csv").write_text("house\n" + "0.25\n" * 8760)
        runs = [solved(), solved(parameters={"grid.import_price_per_kwh": {"file": "=loads.csv", "column": "house"}})]
        lines = list(csv.DictReader(io.StringIO(history.comparison_csv(history.compare(runs)))))
        assert {line["run"] for line in lines} == set(runs)
        assert {line["what"] for line in lines} == {"inputs", "kpis"}
        assert not any(str(cell).startswith("=") for line in lines for cell in line.values())
        assert any(str(line["value"]).startswith("'=") for line in lines)


class TestCurves:
    def test_what_one_more_unit_costs_is_kept_where_the_solver_knows(
        self, history: RunHistory, solved: Callable[..., str]
    ) -> None:
        """While the optimum buys from the grid, one more kWh costs what the grid asks; a rule knows no such price."""
        curves = history.curves(solved(solver_type="milp"))
        (price,) = [each for each in curves.prices if each.is_marginal]
        (bought,) = [each for each in curves.prices if each.name.endswith("bought")]
        buys = curves.series()["grid.import"].values > 1e-6
        assert price.bus == "electricity"
        assert buys.any()
        assert price.values[buys] == pytest.approx(bought.values[buys])
        assert not any(each.is_marginal for each in history.curves(solved()).prices)

    def test_stored_hours_give_the_curves_and_the_bill_of_the_run(
        self, history: RunHistory, solved: Callable[..., str], log: Any
    ) -> None:
        run = solved(parameters={"battery.capacity_kwh": 8})
        curves = history.curves(run)
        assert curves.title == run
        assert sum(line.amount for line in curves.bill) == pytest.approx(log.get_simulation_run(run)["total_cost"])
        stored = history.hourly(run).columns
        assert curves.series()["battery.charge"].values.tolist() == stored["battery.charge_kwh"].tolist()
        assert curves.levels[0].capacity == 8.0
        assert curves.notes == ()

    @pytest.mark.parametrize("end", ["shortfall", "cyclic", "free"])
    def test_they_are_whole_under_every_end_rule(
        self, history: RunHistory, solved: Callable[..., str], log: Any, end: str
    ) -> None:
        run = solved(solver_type="milp", solver={"end": end})
        curves = history.curves(run)
        assert sum(line.amount for line in curves.bill) == pytest.approx(log.get_simulation_run(run)["total_cost"])

    def test_a_file_that_has_changed_since_is_told(
        self, history: RunHistory, solved: Callable[..., str], house: Path
    ) -> None:
        run = solved()
        (house.parent / "loads.csv").write_text("house\n" + "0.75\n" * 8760)
        assert "loads.csv changed since the run" in history.curves(run).notes[0]

    def test_hours_that_are_gone_say_how_to_have_them_again(
        self, history: RunHistory, solved: Callable[..., str], log: Any
    ) -> None:
        run = solved()
        before = history.curves(run)
        Path(log.get_simulation_run(run)["flows_path"]).unlink()
        with pytest.raises(StoreError, match=f"hourly file is missing.*runs rerun {run}"):
            history.curves(run)
        again = history.curves(run, may_solve=True)
        assert "solved again" in again.notes[0]
        assert np.array_equal(again.series()["grid.import"].values, before.series()["grid.import"].values)

    def test_a_system_that_can_no_longer_be_read_is_told(
        self, history: RunHistory, solved: Callable[..., str], house: Path
    ) -> None:
        run = solved()
        (house.parent / "loads.csv").unlink()
        with pytest.raises(InputError, match=r"loads\.csv"):
            history.curves(run)

    def test_a_reused_run_has_the_curves_of_the_run_that_was_taken_over(
        self, history: RunHistory, solved: Callable[..., str]
    ) -> None:
        first, second = solved(), solved(reuse=True)
        curves = history.curves(second)
        assert curves.title == second
        assert np.array_equal(
            curves.series()["grid.import"].values, history.curves(first).series()["grid.import"].values
        )
