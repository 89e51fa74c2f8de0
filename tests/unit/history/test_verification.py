"""A logged run solved again: the same, another optimum, drift, changed inputs, or nothing to compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError, StoreError
from ecosystemiser.services.environment import VersionChange
from ecosystemiser.services.hours import HoursState
from ecosystemiser.services.plain_text import as_text
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.services.verification import KpiDeviation, Verdict, Verifier
from ecosystemiser.store.hourly import read_hourly

Row = dict[str, Any]


@pytest.mark.parametrize("solver", ["rule_based", "milp", "rolling_horizon", "hybrid"])
def test_a_run_is_the_same_again(
    solver: str, solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row]
) -> None:
    run_id = solved(solver_type=solver, parameters={"battery.capacity_kwh": 6})
    found = history.verify(run_id)
    assert found.run_id == run_id
    assert (found.verdict, found.hours, found.kpis, found.files) == (Verdict.SAME, HoursState.INTACT, (), ())
    assert found.versions == ()
    assert found.is_sound
    assert found.reason == ("all KPIs agree bit by bit" if solver == "rule_based" else "all KPIs agree to 1e-06")


def test_options_steps_and_parameters_are_those_of_the_run(
    solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row], log: Any
) -> None:
    """Another end, half the steps, another season: each costs something else. A date comes back as a date."""
    options = SolverOptions(end="cyclic")
    values = {"time.start": date(2018, 3, 1), "battery.power_kw": 1}
    run_id = solved(solver_type="milp", timesteps=12, solver=options, parameters=values)
    log.log_simulation_run({"run_id": run_id, "parameters_json": as_text(values)})
    assert row_of(run_id)["timesteps"] == 12
    assert history.verify(run_id).verdict is Verdict.SAME


def test_nothing_is_logged_or_written(
    solved: Callable[..., str], history: RunHistory, log: Any, folder: Path, row_of: Callable[[str], Row]
) -> None:
    run_id = solved()
    before, files = row_of(run_id), sorted(folder.rglob("*"))
    history.verify(run_id)
    assert log.get_statistics()["runs"] == 1
    assert row_of(run_id) == before
    assert sorted(folder.rglob("*")) == files


def test_a_changed_system_file_changes_nothing(solved: Callable[..., str], history: RunHistory, house: Path) -> None:
    """The log holds the system; its file may go on."""
    run_id = solved()
    house.write_text("system_id: other\n")
    assert history.verify(run_id).verdict is Verdict.SAME
    house.unlink()
    assert history.verify(run_id).verdict is Verdict.SAME


def test_a_rule_based_run_that_differs_in_the_last_bit_has_drifted(
    solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    row = row_of(solved())
    cost = row["total_cost"]
    nearly = cost * (1 + 2**-52)
    assert nearly != cost
    found = Verifier().verify({**row, "total_cost": nearly})
    assert found.verdict is Verdict.DRIFT
    assert found.kpis == (KpiDeviation("total_cost", nearly, cost),)
    assert found.reason == f"total_cost was {nearly!r} and is {cost!r}"
    assert not found.is_sound


def test_another_plan_of_the_same_cost_is_another_optimum(
    solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    row = row_of(solved(solver_type="milp"))
    found = Verifier().verify({**row, "grid_import_kwh": row["grid_import_kwh"] + 1, "battery_cycles": 0.0})
    assert found.verdict is Verdict.ANOTHER_OPTIMUM
    assert {each.name for each in found.kpis} == {"grid_import_kwh", "battery_cycles"}
    assert found.reason == "total_cost agrees, 2 other KPIs differ: another plan is as good"
    assert found.is_sound


@pytest.mark.parametrize(
    ("factor", "gap", "verdict"),
    [
        (1 + 1e-7, 0.0, Verdict.SAME),
        (1 + 1e-5, 0.0, Verdict.DRIFT),
        (1 + 1e-5, 1e-4, Verdict.ANOTHER_OPTIMUM),
        (1 + 1e-3, 1e-4, Verdict.DRIFT),
    ],
)
def test_an_optimum_costs_the_same_to_a_millionth_or_the_gap(
    factor: float, gap: float, verdict: Verdict, solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    row = row_of(solved(solver_type="milp"))
    assert Verifier().verify({**row, "total_cost": row["total_cost"] * factor, "mip_gap": gap}).verdict is verdict


def test_a_kpi_without_a_value_is_not_one_with(solved: Callable[..., str], row_of: Callable[[str], Row]) -> None:
    row = row_of(solved())
    assert Verifier().verify({**row, "grid_import_kwh": None}).verdict is Verdict.DRIFT


def test_kpis_that_another_version_did_not_declare_say_nothing(
    solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    row = row_of(solved())
    then = {**json.loads(row["environment_json"]), "ecosystemiser": "0.0.1", "numpy": "1.0"}
    found = Verifier().verify({**row, "grid_import_kwh": None, "environment_json": json.dumps(then)})
    assert found.verdict is Verdict.SAME
    now = json.loads(row["environment_json"])
    assert found.versions == (
        VersionChange("ecosystemiser", "0.0.1", now["ecosystemiser"]),
        VersionChange("numpy", "1.0", now["numpy"]),
    )


# Inputs.


def test_a_changed_file_is_named_with_both_hashes(
    solved: Callable[..., str], history: RunHistory, folder: Path
) -> None:
    run_id = solved()
    text = (folder / "loads.csv").read_text()
    (folder / "loads.csv").write_text(text.replace("0.5", "0.6"))
    found = history.verify(run_id)
    assert found.verdict is Verdict.INPUTS_CHANGED
    (change,) = found.files
    assert change.name == "loads.csv"
    assert found.reason.startswith(f"loads.csv changed since the run (sha {change.then[:12]}, now {change.now[:12]}); ")
    assert found.reason.endswith("KPIs differ")
    assert "total_demand_kwh" in {each.name for each in found.kpis}


def test_a_changed_file_that_changes_no_result_is_told_too(
    solved: Callable[..., str], history: RunHistory, folder: Path
) -> None:
    run_id = solved()
    lines = (folder / "loads.csv").read_text().splitlines()
    (folder / "loads.csv").write_text("\n".join(f"{line},more" for line in lines))
    found = history.verify(run_id)
    assert (found.verdict, found.kpis) == (Verdict.INPUTS_CHANGED, ())
    assert found.reason.endswith("the result is the same all the same")


def test_a_missing_file_is_named(solved: Callable[..., str], history: RunHistory, folder: Path) -> None:
    run_id = solved()
    (folder / "loads.csv").unlink()
    found = history.verify(run_id)
    assert found.verdict is Verdict.INPUTS_CHANGED
    assert found.reason.endswith("now missing)")


def test_a_changed_file_that_only_a_parameter_names_is_told(
    solved: Callable[..., str], history: RunHistory, folder: Path
) -> None:
    (folder / "own.csv").write_text("x\n" + "0.1\n" * 8760)
    run_id = solved(parameters={"load.profile": {"file": "own.csv", "column": "x"}})
    assert history.verify(run_id).verdict is Verdict.SAME
    (folder / "own.csv").write_text("x\n" + "0.2\n" * 8760)
    found = history.verify(run_id)
    assert found.verdict is Verdict.INPUTS_CHANGED
    assert "own.csv" in found.reason


# Nothing to compare, or not to be had.


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"system_json": None}, "holds no description"),
        ({"system_json": "{}"}, "is no description of a system"),
        ({"config_json": '{"solver_type": "magic"}'}, "holds no configuration that can be read (solver_type"),
        ({"parameters_json": "[1]"}, "holds no configuration that can be read (parameters"),
        ({"parameters_json": '{"battery.capacity_kwh": 5}'}, "its description was changed after the run"),
        ({"config_json": '{"solver_type": "milp"}'}, "its description was changed after the run"),
        ({"simulation_status": "running"}, "the run is running"),
        ({"simulation_status": "cancelled"}, "the run is cancelled"),
        ({"simulation_status": "failed", "failure_cause": "timeout"}, "failed of timeout"),
        ({"simulation_status": "failed", "failure_cause": "crash"}, "failed of crash"),
    ],
)
def test_what_cannot_be_recomputed_says_why(
    changes: Row, words: str, solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    found = Verifier().verify({**row_of(solved()), **changes})
    assert found.verdict is Verdict.CANNOT_BE_RECOMPUTED
    assert words in found.reason
    assert found.hours is HoursState.INTACT
    assert not found.is_sound


def test_a_changed_description_is_found_by_its_hash(solved: Callable[..., str], row_of: Callable[[str], Row]) -> None:
    row = row_of(solved())
    changed = row["system_json"].replace('"capacity_kwh":4', '"capacity_kwh":5')
    assert changed != row["system_json"]
    found = Verifier().verify({**row, "system_json": changed})
    assert (found.verdict, found.reason.split(":")[0]) == (
        Verdict.CANNOT_BE_RECOMPUTED,
        "its description was changed after the run",
    )


# Failed runs.


def test_an_infeasible_run_is_infeasible_again(
    solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row]
) -> None:
    run_id = solved(solver_type="milp", parameters={"grid.import_limit_kw": 0.1, "pv.capacity_kw": 0})
    assert row_of(run_id)["failure_cause"] == "infeasible"
    found = history.verify(run_id)
    assert (found.verdict, found.reason) == (Verdict.SAME, "ends as it did: failed (infeasible)")


def test_a_short_rule_based_run_is_as_short_again(
    solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row]
) -> None:
    run_id = solved(parameters={"grid.import_limit_kw": 0.1, "pv.capacity_kw": 0})
    row = row_of(run_id)
    assert (row["failure_cause"], row["unmet_kwh"] > 0) == ("unmet", True)
    assert history.verify(run_id).reason == "all KPIs agree bit by bit"
    assert Verifier().verify({**row, "unmet_kwh": 0.0}).verdict is Verdict.DRIFT


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ({"simulation_status": "failed", "failure_cause": "infeasible"}, "was failed (infeasible), is completed"),
        ({"simulation_status": "failed", "failure_cause": "unmet"}, "was failed (unmet), is completed"),
    ],
)
def test_another_ending_is_drift(
    then: Row, words: str, solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    found = Verifier().verify({**row_of(solved()), **then})
    assert (found.verdict, found.reason) == (Verdict.DRIFT, words)


def test_a_new_solve_that_runs_out_of_time_tells_nothing(
    solved: Callable[..., str], row_of: Callable[[str], Row], log: Any, house: Path
) -> None:
    run_id = solved(solver_type="milp", solver=SolverOptions(time_limit_s=1e-9))
    row = row_of(run_id)
    assert row["failure_cause"] == "timeout"
    found = Verifier().verify({**row, "simulation_status": "completed", "failure_cause": None})
    assert found.verdict is Verdict.CANNOT_BE_RECOMPUTED
    assert "timeout" in found.reason


# Hours.


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[:-100])
    else:
        path.write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])


@pytest.mark.parametrize(
    ("how", "state"),
    [("missing", HoursState.MISSING), ("truncated", HoursState.DAMAGED), ("flipped", HoursState.DAMAGED)],
)
def test_lost_hours_are_found_and_had_again(
    how: str, state: HoursState, solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row]
) -> None:
    """The verdict is of the numbers in the log; the hours are told beside it."""
    run_id = solved()
    path = Path(row_of(run_id)["flows_path"])
    stored = history.hourly(run_id)
    assert stored.metadata["source"] == "stored"
    damage(path, how)
    found = history.verify(run_id)
    assert (found.verdict, found.hours, found.is_sound) == (Verdict.SAME, state, False)
    again = history.hourly(run_id)
    assert again.metadata["source"] == "recomputed"
    assert (again.metadata["verdict"], again.metadata["stored"]) == ("same", state.value)
    assert again.metadata["run_id"] == run_id
    assert (again.time == stored.time).all()
    assert again.time.dtype == stored.time.dtype
    assert again.step_seconds == stored.step_seconds
    assert list(again.columns) == list(stored.columns)
    assert all((again.columns[name] == stored.columns[name]).all() for name in stored.columns)


def test_hours_that_were_not_kept_are_recomputed(
    solved: Callable[..., str], history: RunHistory, log: Any, row_of: Callable[[str], Row]
) -> None:
    run_id = solved()
    expected = read_hourly(Path(row_of(run_id)["flows_path"])).columns
    log.log_simulation_run({"run_id": run_id, "flows_path": None, "hourly_sha256": None})
    assert history.verify(run_id).hours is HoursState.NOT_KEPT
    found = history.hourly(run_id)
    assert all((found.columns[name] == expected[name]).all() for name in expected)


def test_hours_that_come_out_differently_are_not_given(
    solved: Callable[..., str], history: RunHistory, log: Any, folder: Path
) -> None:
    run_id = solved()
    log.log_simulation_run({"run_id": run_id, "flows_path": None})
    (folder / "loads.csv").write_text("house\n" + "0.1\n" * 8760)
    with pytest.raises(StoreError, match=r"hours are not kept and cannot be had again: loads\.csv changed"):
        history.hourly(run_id)


@pytest.mark.parametrize("place", ["/etc/passwd", "elsewhere/hourly.parquet", "a\0b/hourly.parquet", "~"])
def test_a_row_cannot_name_the_hours_of_something_else(
    place: str, solved: Callable[..., str], row_of: Callable[[str], Row]
) -> None:
    row = row_of(solved())
    assert Verifier().verify({**row, "flows_path": place}).hours is HoursState.DAMAGED


# Studies.


def test_every_run_of_a_study_is_verified_in_its_order(
    history: RunHistory, log: Any, house: Path, row_of: Callable[[str], Row]
) -> None:
    """Rule-based runs without hours are made side by side: their sums agree to 1e-9. Two fail, one was stopped.

    0.5 kW against 0.1 kW of the grid: without a battery refused, with 4 kWh short in the evening, with 8 kWh not.
    """
    base = SimulationConfig(system=house, solver_type="rule_based")
    values = {"battery.capacity_kwh": [0, 4, 8], "grid.import_limit_kw": [0.1, 3]}
    config = StudyConfig(study_id="s", base_config=base, parameters=values, workers=1, timeseries="none")
    runs = StudyService(log).run_study(config).runs
    log.log_simulation_run({"run_id": "stopped", "study_id": "s", "point": 6, "simulation_status": "cancelled"})
    found = list(history.verify_study("s"))
    assert [each.verification.run_id for each in found] == [run.run_id for run in runs]
    assert [(each.done, each.total) for each in found] == [(number, 6) for number in range(1, 7)]
    assert {each.verification.verdict for each in found} == {Verdict.SAME}
    assert [row_of(run.run_id)["failure_cause"] for run in runs] == ["data", None, "unmet", None, None, None]
    agreed = "all KPIs agree to 1e-09"
    reasons = [each.verification.reason for each in found]
    assert reasons == ["ends as it did: failed (data)", *[agreed] * 5]


def test_an_unknown_study_is_a_wrong_request(history: RunHistory) -> None:
    with pytest.raises(InputError, match="is no study in"):
        list(history.verify_study("none"))


def test_verifying_can_be_stopped(solved: Callable[..., str], history: RunHistory) -> None:
    run_id = solved(solver_type="milp")
    with pytest.raises(KeyboardInterrupt):
        history.verify(run_id, should_stop=lambda: True)
