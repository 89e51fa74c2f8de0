"""Runs compared, made again and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.simulation_service import load
from ecosystemiser.services.stored_runs import load_stored
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.store.hourly import read_hourly

Row = dict[str, Any]

# Differences.


def test_the_inputs_that_differ_are_told_in_the_order_of_the_file(
    solved: Callable[..., str], history: RunHistory
) -> None:
    """b: another solver, half the steps, a dearer grid, twice the battery, no price of PV."""
    a = solved()
    values = {"battery.capacity_kwh": 8, "grid.import_price_per_kwh": 0.4, "pv.capacity_kw": 3.0}
    b = solved(solver_type="milp", timesteps=12, parameters=values)
    found = history.diff(a, b)
    assert (found.run_a, found.run_b) == (a, b)
    assert [(each.path, each.a, each.b) for each in found.inputs] == [
        ("solver_type", "rule_based", "milp"),
        ("timesteps", 24, 12),
        ("grid.import_price_per_kwh", 0.3, 0.4),
        ("battery.capacity_kwh", 4, 8),
    ]
    assert found.versions == ()


def test_kpis_are_compared_and_warned_of(solved: Callable[..., str], history: RunHistory) -> None:
    """Half the hours have half the demand: 9 kWh of 0.5 and 0.25 kWh in turn against 4.5 kWh."""
    found = history.diff(solved(), solved(timesteps=12))
    kpis = {each.kpi.name: each for each in found.kpis}
    assert tuple(kpis) == KPI_NAMES
    assert (kpis["total_demand_kwh"].a, kpis["total_demand_kwh"].b) == (9.0, 4.5)
    start = "steps of 1h from 2018-06-01, Europe/Berlin"
    assert found.warnings == (
        f"the periods differ (24 {start} and 12 {start}): sums over different hours are no ranking",
        "the energy demands differ (9 kWh and 4.5 kWh): they serve different needs",
    )


def test_runs_of_one_system_may_be_ranked(solved: Callable[..., str], history: RunHistory) -> None:
    found = history.diff(solved(), solved(parameters={"battery.capacity_kwh": 8}))
    assert found.warnings == ()
    assert found.kpis[0].kpi.name == "total_cost"
    assert found.kpis[0].better in ("a", "b")


def test_a_file_that_changed_between_two_runs_is_an_input_that_differs(
    solved: Callable[..., str], history: RunHistory, folder: Path
) -> None:
    a = solved()
    (folder / "loads.csv").write_text("house\n" + "0.4\n" * 8760)
    found = history.diff(a, solved())
    (change,) = found.inputs
    assert change.path == "load.profile.file"
    assert str(change.a).startswith("loads.csv (sha ")
    assert str(change.a) != str(change.b)


def test_another_currency_is_warned_of(solved: Callable[..., str], history: RunHistory) -> None:
    found = history.diff(solved(), solved(parameters={"economics.currency": "CHF"}))
    assert found.warnings == ("the currencies differ (EUR and CHF): nothing is converted",)


def test_a_run_without_a_description_is_compared_by_what_was_set(
    solved: Callable[..., str], history: RunHistory, log: Any
) -> None:
    a, b = solved(), solved(parameters={"battery.capacity_kwh": 8})
    log.log_simulation_run({"run_id": a, "system_document": None})
    found = history.diff(a, b)
    assert [(each.path, each.kind, each.b) for each in found.inputs] == [("battery.capacity_kwh", "added", 8)]
    assert f"the log holds no description of the system of {a}: see only what was set" in found.warnings


def test_versions_that_differ_between_two_runs_are_told(
    solved: Callable[..., str], history: RunHistory, describe_otherwise: Any, row_of: Callable[[str], Row]
) -> None:
    a, b = solved(), solved()
    then = {**json.loads(row_of(a)["environment_json"]), "highspy": "1.0"}
    describe_otherwise(a, environment=json.dumps(then))
    (change,) = history.diff(a, b).versions
    assert (change.name, change.then) == ("highspy", "1.0")


def test_a_run_does_not_differ_from_itself(solved: Callable[..., str], history: RunHistory) -> None:
    run_id = solved()
    found = history.diff(run_id, run_id)
    assert (found.inputs, found.warnings, found.versions) == ((), (), ())
    assert {each.absolute for each in found.kpis} <= {0.0, None}


def test_a_study_and_a_single_run_of_the_same_variation_differ_in_nothing(
    solved: Callable[..., str], history: RunHistory, log: Any, house: Path, row_of: Callable[[str], Row]
) -> None:
    """What decides the result has one hash, whoever asked for it and in whatever order."""
    base = SimulationConfig(system=house, solver_type="rule_based", parameters={"pv.capacity_kw": 2})
    config = StudyConfig(study_id="s", base_config=base, parameters={"battery.capacity_kwh": [6, 8]}, workers=1)
    first, second = (run.run_id for run in StudyService(log).run_study(config).runs)
    alone = solved(parameters={"battery.capacity_kwh": 6.0, "pv.capacity_kw": 2.0})
    assert row_of(alone)["config_hash"] == row_of(first)["config_hash"] != row_of(second)["config_hash"]
    found = history.diff(first, alone)
    assert (found.inputs, found.warnings) == ((), ())
    assert {each.agrees for each in found.kpis} == {True}


# Made again.


def test_a_stored_run_loads_as_its_system_did(solved: Callable[..., str], house: Path, row_of: Any) -> None:
    values = {"battery.capacity_kwh": 8}
    run_id = solved(parameters=values, timesteps=12)
    expected = load(SimulationConfig(system=house, parameters=values, timesteps=12))
    house.unlink()
    assert load_stored(row_of(run_id)).described() == expected.described()


def test_a_rerun_is_a_new_run_that_names_the_old_one(
    solved: Callable[..., str], history: RunHistory, house: Path, row_of: Callable[[str], Row], folder: Path
) -> None:
    """Its system file is gone; what it was made from stands in the log."""
    old = row_of(solved(solver_type="milp", parameters={"battery.capacity_kwh": 8}, timesteps=12))
    house.unlink()
    result = history.rerun("last", output_directory="again")
    new = row_of(result.run_id)
    assert result.has_completed
    assert result.run_id != old["run_id"]
    assert (new["retry_of"], new["simulation_status"], new["timesteps"]) == (old["run_id"], "completed", 12)
    same = (*KPI_NAMES, "solver_type", "system_id", "parameters_json", "system_json", "files_json", "config_json")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert new["config_hash"] == old["config_hash"]
    assert Path(new["flows_path"]).is_relative_to(folder / "again" / result.run_id)
    assert read_hourly(Path(new["flows_path"]), new["hourly_sha256"]).columns
    assert history.verify(result.run_id).is_sound


def test_a_rerun_reads_files_as_they_are_and_says_so(
    solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row], folder: Path
) -> None:
    old = row_of(solved())
    (folder / "loads.csv").write_text("house\n" + "0.25\n" * 8760)
    new = row_of(history.rerun(old["run_id"]).run_id)
    assert (old["total_demand_kwh"], new["total_demand_kwh"]) == (9.0, 6.0)
    assert new["config_hash"] != old["config_hash"]
    assert [each.path for each in history.diff(old["run_id"], new["run_id"]).inputs] == ["load.profile.file"]


def test_a_rerun_that_fails_stands_in_the_log(
    solved: Callable[..., str], history: RunHistory, row_of: Callable[[str], Row]
) -> None:
    result = history.rerun(solved(parameters={"grid.import_limit_kw": 0.1, "pv.capacity_kw": 0}))
    row = row_of(result.run_id)
    assert (row["simulation_status"], row["failure_cause"]) == ("failed", "unmet")
    assert not result.has_completed


def test_a_rerun_that_is_stopped_is_cancelled(solved: Callable[..., str], history: RunHistory, log: Any) -> None:
    old = solved(solver_type="milp")
    with pytest.raises(KeyboardInterrupt):
        history.rerun(old, should_stop=lambda: True)
    statuses = {row["run_id"]: row["simulation_status"] for row in log.query_simulation_runs()}
    assert sorted(statuses.values()) == ["cancelled", "completed"]


def test_what_cannot_be_rerun_is_a_wrong_request(
    solved: Callable[..., str], history: RunHistory, log: Any, folder: Path
) -> None:
    run_id = solved()
    (folder / "loads.csv").unlink()
    with pytest.raises(InputError, match=r"loads\.csv: .*does not exist"):
        history.rerun(run_id)
    log.log_simulation_run({"run_id": run_id, "system_document": None})
    with pytest.raises(InputError, match="holds no description of what it was made from"):
        history.rerun(run_id)
    assert log.get_statistics()["runs"] == 1


# Names.

IDS = ("01a20690-6ff7-7ef7-b4ba-9deff3e85ad7", "01a20690-73d6-78e7-8f50-caaa62630945", "best")


@pytest.fixture
def three(log: Any) -> None:
    for run_id in IDS:
        log.log_simulation_run({"run_id": run_id})


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("word", "run_id"),
    [
        ("last", IDS[2]),
        ("last~0", IDS[2]),
        ("last~1", IDS[1]),
        ("last~2", IDS[0]),
        ("b", IDS[2]),
        ("best", IDS[2]),
        ("01a20690-6", IDS[0]),
        ("01a20690-73d6-78e7-8f50-caaa62630945", IDS[1]),
    ],
)
def test_a_word_names_a_run(word: str, run_id: str, history: RunHistory) -> None:
    assert history.resolve(word) == run_id


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("last~3", "'last~3' is before the first of 3 runs; the oldest is last~2"),
        ("last~", "does not count runs back; write last~1"),
        ("last~-1", "does not count runs back"),
        ("last~x", "does not count runs back"),
        ("01a20690", f"is the beginning of several runs; say which: {IDS[0]}, {IDS[1]}"),
        ("01a20690-7f", "is no run in"),
        ("zzz", "is no run in"),
        ("", "is not a valid run_id"),
        ("../x", "is not a valid run_id"),
    ],
)
def test_a_word_that_names_no_run_or_several_says_what_to_do(word: str, words: str, history: RunHistory) -> None:
    with pytest.raises(InputError) as raised:
        history.resolve(word)
    assert words in str(raised.value)


def test_a_run_whose_id_begins_another_is_that_run(log: Any, history: RunHistory) -> None:
    log.log_simulation_run({"run_id": "a"})
    log.log_simulation_run({"run_id": "ab"})
    assert history.resolve("a") == "a"


def test_an_empty_log_says_how_to_make_a_run(history: RunHistory) -> None:
    with pytest.raises(InputError, match=r"there are no runs in .* yet; make one: ecosystemiser demo"):
        history.resolve("last")
    with pytest.raises(InputError, match="is no run in"):
        history.resolve("a")
