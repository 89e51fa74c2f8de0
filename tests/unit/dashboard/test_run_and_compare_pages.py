"""The pages Run and Compare as Streamlit's own test sees them, on runs that were solved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ecosystemiser import DatabaseMetadataService, SimulationConfig, SimulationService
from ecosystemiser.dashboard.addresses import Place

HOUSE = """\
system_id: house
time: {start: 2018-06-01, steps: 240}
economics: {currency: EUR}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1}
  pv: {type: pv, capacity_kw: 3, profile: pv-potsdam-south-30, capex_per_kw: 1000}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2}
  load: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def log(tmp_path: Path) -> DatabaseMetadataService:
    return DatabaseMetadataService(tmp_path / "runs.sqlite")


@pytest.fixture
def solved(log: DatabaseMetadataService, tmp_path: Path) -> Callable[..., str]:
    """Return what solves the house and returns the run's id."""
    file = tmp_path / "house.yaml"
    file.write_text(HOUSE)
    service = SimulationService(log)

    def solve(**fields: object) -> str:
        given = {"system": file, "solver_type": "rule_based", "output_directory": tmp_path / "results", **fields}
        return service.run_simulation(SimulationConfig.model_validate(given)).run_id

    return solve


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, log: DatabaseMetadataService) -> Callable[..., AppTest]:
    """Return what opens a page with these parameters in its address."""

    def opening(place: Place, *, read_only: bool = False, **values: str) -> AppTest:
        monkeypatch.setenv("ECOSYSTEMISER_DB", str(log.db_path))
        monkeypatch.setenv("ECOSYSTEMISER_EXPLORE_READ_ONLY", "1" if read_only else "0")
        st.cache_resource.clear()
        st.cache_data.clear()
        test = AppTest.from_string(
            f"from ecosystemiser.dashboard.addresses import Place, _shown\n_shown(Place({place.value!r}))()\n",
            default_timeout=60,
        )
        for name, value in values.items():
            test.query_params[name] = value
        return test.run()

    return opening


def said(test: AppTest) -> str:
    """Return all that a page says, as it is read."""
    assert not test.exception
    kinds = (test.title, test.error, test.info, test.warning, test.markdown, test.caption, test.text)
    return "\n".join(each.value for kind in kinds for each in kind).replace("\\", "")


def charts_of(test: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]


def asked(test: AppTest, name: str) -> str:
    """Return what the address says; Streamlit's test gives a list until a widget has written it."""
    value = test.query_params[name]
    return value if isinstance(value, str) else value[0]


def titles(figure: dict[str, object]) -> str:
    return json.dumps(figure["layout"])


class TestRun:
    def test_the_six_numbers_stand_first_then_costs_components_and_the_peak_week(
        self, opened: Callable[..., AppTest], solved: Callable[..., str], log: DatabaseMetadataService
    ) -> None:
        run = solved()
        test = opened(Place.RUN, id=run)
        assert said(test).startswith(run)
        labels = ["Cost", "CO₂", "Self-sufficiency", "Renewable", "Unmet", "MIP gap"]
        told = [caption.value.replace("\\", "") for caption in test.caption]
        assert [text for text in told if text in labels] == labels
        row = log.get_simulation_run(run)
        assert row is not None
        assert test.subheader[0].value.replace("\\", "") == f"{row['total_cost']:.3g} EUR"
        components = test.dataframe[0].value
        assert list(components["component"]) == ["grid", "pv", "battery", "load"]
        assert list(components["size"])[:3] == ["", "3.00 kW", "4.00 kWh"]
        costs, balance = charts_of(test)[:2]
        assert "cost over the run [EUR]" in titles(costs)
        assert "electricity [kW]" in titles(balance)

    def test_the_address_says_what_is_looked_at(
        self, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        values = {"id": solved(), "length": "day", "at": "date", "from": "2018-06-03", "part": "Curves"}
        test = opened(Place.RUN, curves="pv.out,battery.level", **values)
        assert "2018-06-03 00:00 to 2018-06-03 23:00" in said(test)
        lines = charts_of(test)[-1]
        assert [trace["name"] for trace in lines["data"]] == ["pv.out", "battery.level"]
        assert len(lines["data"][0]["y"]) > 0

    def test_what_is_chosen_goes_into_the_address(
        self, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        test = opened(Place.RUN, id=solved())
        test.selectbox(key="address-length").set_value("day").run()
        test.selectbox(key="address-at").set_value("lowest storage").run()
        assert asked(test, "length") == "day"
        assert asked(test, "at") == "lowest storage"

    @pytest.mark.parametrize(
        "part",
        [
            "Year",
            "Flows",
            "Bills",
            "Investment",
            "All KPIs",
            "Inputs",
            "How solved",
            "Notes",
        ],
    )
    def test_every_part_is_shown(self, part: str, opened: Callable[..., AppTest], solved: Callable[..., str]) -> None:
        test = opened(Place.RUN, id=solved(), part=part)
        assert not test.error
        assert len(test.get("plotly_chart")) == {"Year": 5, "Flows": 3, "Bills": 3, "Inputs": 3}.get(part, 2)

    def test_a_failed_run_says_why_and_what_to_do(
        self, opened: Callable[..., AppTest], log: DatabaseMetadataService
    ) -> None:
        row = {"run_id": "bad", "simulation_status": "failed", "failure_cause": "infeasible", "system_id": EVIL}
        log.log_simulation_run({**row, "metadata_json": json.dumps({"error": EVIL})})
        test = opened(Place.RUN, id="bad")
        text = said(test)
        assert "It failed: infeasible." in text
        assert EVIL in text
        assert "Raise the limits of what supplies the demand" in text
        assert not any("<img" in each.value.replace(r"\<", "") for each in test.error)

    @pytest.mark.parametrize(("status", "word"), [("cancelled", "was stopped"), ("interrupted", "died")])
    def test_a_run_without_a_result_names_the_command_to_solve_it_again(
        self, status: str, word: str, opened: Callable[..., AppTest], log: DatabaseMetadataService
    ) -> None:
        log.log_simulation_run({"run_id": "short", "simulation_status": status})
        test = opened(Place.RUN, id="short")
        assert word in said(test)
        assert "ecosystemiser runs rerun short" in test.code[0].value

    def test_a_run_under_way_can_be_stopped_unless_the_explorer_only_looks(
        self, opened: Callable[..., AppTest], log: DatabaseMetadataService
    ) -> None:
        log.log_simulation_run({"run_id": "busy", "solver_type": "milp", "system_id": "house"})
        looking = opened(Place.RUN, read_only=True, id="busy")
        assert "● running" in said(looking)
        assert not [button for button in looking.button if button.label == "Stop"]
        opened(Place.RUN, id="busy").button(key="stop-busy").click().run()
        assert log.is_cancel_requested(run_id="busy")

    def test_lost_hours_are_told_and_the_numbers_stay(
        self, opened: Callable[..., AppTest], solved: Callable[..., str], log: DatabaseMetadataService
    ) -> None:
        run = solved()
        row = log.get_simulation_run(run)
        assert row is not None
        Path(row["flows_path"]).write_bytes(b"damaged")
        test = opened(Place.RUN, id=run)
        assert "its hourly file is damaged" in said(test)
        assert "Renewable" in [caption.value for caption in test.caption]
        assert "total_cost" in list(test.dataframe[0].value["KPI"])

    @pytest.mark.parametrize("word", ["../../etc/passwd", "'; DROP TABLE runs; --", EVIL, "nothing"])
    def test_a_hostile_address_gets_a_clear_page(
        self, word: str, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        solved()
        test = opened(Place.RUN, id=word)
        assert len(test.error) == 1
        assert "run" in said(test)

    def test_notes_and_tags_are_written_and_shown_as_text(
        self, opened: Callable[..., AppTest], solved: Callable[..., str], log: DatabaseMetadataService
    ) -> None:
        run = solved()
        test = opened(Place.RUN, id=run, part="Notes")
        test.text_area[0].set_value(EVIL)
        test.text_input[0].set_value("good, cheap")
        next(button for button in test.button if button.label == "Save").click().run()
        row = log.get_simulation_run(run)
        assert row is not None
        assert row["note"] == EVIL
        assert log.get_tags([run]) == {run: ["cheap", "good"]}
        looking = opened(Place.RUN, read_only=True, id=run, part="Notes")
        assert not looking.text_area
        assert [each.value for each in looking.text] == [EVIL]

    def test_a_system_that_can_no_longer_be_read_leaves_the_rest_of_the_page(
        self, opened: Callable[..., AppTest], log: DatabaseMetadataService, solved: Callable[..., str]
    ) -> None:
        run = solved()
        log.log_simulation_run({"run_id": run, **log.store_documents({"system": "{}"})})
        test = opened(Place.RUN, id=run)
        assert "no description of a system" in said(test)
        assert "Renewable" in [caption.value for caption in test.caption]


class TestCompare:
    def test_it_opens_with_what_was_changed_and_costs(
        self, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        runs = [solved(), solved(parameters={"battery.capacity_kwh": 8})]
        test = opened(Place.COMPARE, runs=",".join(runs))
        inputs = test.dataframe[0].value
        assert list(inputs["input"]) == ["battery.capacity_kwh"]
        assert list(inputs.iloc[0])[1:] == ["4", "8"]
        figures = charts_of(test)
        assert "cost over the run [EUR]" in titles(figures[0])
        assert "relative difference from the baseline [%]" in titles(figures[1])
        assert "less the baseline [kW]" in titles(figures[2])
        assert not test.warning

    def test_differences_say_better_and_worse(self, opened: Callable[..., AppTest], solved: Callable[..., str]) -> None:
        runs = [solved(), solved(parameters={"grid.import_price_per_kwh": 0.6})]
        table = opened(Place.COMPARE, runs=",".join(runs)).dataframe[1].value
        cost = table[table["KPI"] == "total_cost"].iloc[0]
        assert str(cost.iloc[-1]).startswith("▲ +")
        assert str(cost.iloc[-1]).endswith("worse")

    def test_another_baseline_stands_first_in_the_address(
        self, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        runs = [solved(), solved(parameters={"battery.capacity_kwh": 8})]
        test = opened(Place.COMPARE, runs=",".join(runs))
        test.selectbox(key="compare-baseline").set_value(runs[1]).run()
        assert asked(test, "runs") == ",".join(runs[::-1])
        assert list(test.dataframe[0].value.iloc[0])[1:] == ["8", "4"]

    def test_runs_of_other_periods_are_warned_about_and_called_neither_better_nor_worse(
        self, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        test = opened(Place.COMPARE, runs=f"{solved()},{solved(timesteps=48)}")
        text = said(test)
        assert "the periods differ" in text
        assert "Only the hours that all runs cover are shown" in text
        assert not test.dataframe[1].value.map(lambda cell: str(cell).endswith(("better", "worse"))).any().any()

    def test_all_inputs_are_shown_on_request(self, opened: Callable[..., AppTest], solved: Callable[..., str]) -> None:
        test = opened(Place.COMPARE, runs=f"{solved()},{solved()}", all="1")
        inputs = test.dataframe[0].value
        assert {"solver_type", "battery.capacity_kwh", "economics.currency"} <= set(inputs["input"])
        assert "The inputs are the same." in said(test)

    def test_a_run_without_hours_is_told_and_the_others_are_compared(
        self, opened: Callable[..., AppTest], solved: Callable[..., str], log: DatabaseMetadataService
    ) -> None:
        runs = [solved(), solved()]
        row = log.get_simulation_run(runs[0])
        assert row is not None
        Path(row["flows_path"]).unlink()
        test = opened(Place.COMPARE, runs=",".join(runs))
        assert "its hourly file is missing" in said(test)
        assert not test.error

    @pytest.mark.parametrize("runs", ["", "last"])
    def test_fewer_than_two_runs_are_asked_for(
        self, runs: str, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        solved()
        assert "Tick two to 8 runs" in said(opened(Place.COMPARE, runs=runs))

    @pytest.mark.parametrize("runs", ["last,last", "last,../../etc/passwd", ",".join(f"r{at}" for at in range(9))])
    def test_a_wrong_choice_gets_a_clear_page(
        self, runs: str, opened: Callable[..., AppTest], solved: Callable[..., str]
    ) -> None:
        solved()
        test = opened(Place.COMPARE, runs=runs)
        said(test)
        assert test.error or "One more is needed." in said(test)
