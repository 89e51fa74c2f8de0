"""A study around a run: its system, with the fields that it set, as the log describes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_history import RunHistory
from ecosystemiser.services.simulation_service import SimulationService
from ecosystemiser.services.study_file import read_study
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.services.verification import Verdict

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.4, co2_kg_per_kwh: 0.4}
  battery: {type: battery, capacity_kwh: 6, power_kw: 2, capex_per_kwh: 200}
  house: {type: electricity_demand, profile: {file: load.csv, column: load}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    (tmp_path / "house.yaml").write_text(HOUSE)
    (tmp_path / "load.csv").write_text("load\n" + ("0.5\n" * 18 + "1.5\n" * 6) * 365)
    return tmp_path


@pytest.fixture
def log() -> Iterator[DatabaseMetadataService]:
    with DatabaseMetadataService() as service:
        yield service


@pytest.fixture
def design(log: DatabaseMetadataService) -> str:
    """A run of a variation, for half the day."""
    config = SimulationConfig(
        system="house.yaml", solver_type="rule_based", timesteps=12, parameters={"battery.capacity_kwh": 3}
    )
    return SimulationService(log).run_simulation(config).run_id


def prices(study_id: str, around: str, **fields: Any) -> StudyConfig:
    values = {"grid.import_price_per_kwh": [0.2, 0.4, 0.6]}
    return StudyConfig(study_id=study_id, around=around, **{"parameters": values, "workers": 1, **fields})


@pytest.mark.parametrize("word", ["last", "id", "beginning"])
def test_the_study_varies_what_the_run_was_made_from(log: DatabaseMetadataService, design: str, word: str) -> None:
    """Though the system file has changed since, and is gone: the run's own price gives the run's own cost."""
    Path("house.yaml").unlink()
    around = {"last": "last", "id": design, "beginning": design[:30]}[word]
    result = StudyService(log).run_study(prices("risk", around))
    run = log.get_simulation_run(design)
    rows = [log.get_simulation_run(each.run_id) for each in result.runs]
    assert run is not None
    assert [row["total_cost"] for row in rows if row][1] == run["total_cost"]
    for row, price in zip(rows, (0.2, 0.4, 0.6), strict=True):
        assert row is not None
        assert json.loads(row["parameters_json"]) == {"battery.capacity_kwh": 3, "grid.import_price_per_kwh": price}
        assert (row["solver_type"], row["timesteps"]) == ("rule_based", 12)
        assert (row["system_json"], row["files_json"]) == (run["system_json"], run["files_json"])
    study = log.get_study_summary("risk")["study"]
    assert json.loads(study["settings_json"])["around"] == design
    assert study["system_id"] == "house"


def test_what_the_study_says_stands_over_the_run(log: DatabaseMetadataService, design: str) -> None:
    base = SimulationConfig(solver_type="milp", parameters={"battery.capacity_kwh": 1, "battery.power_kw": 1})
    (run,) = StudyService(log).run_study(prices("one", design, base_config=base, parameters={})).runs
    row = log.get_simulation_run(run.run_id)
    assert row is not None
    assert json.loads(row["parameters_json"]) == {"battery.capacity_kwh": 1, "battery.power_kw": 1}
    assert (row["solver_type"], row["timesteps"], row["system_id"]) == ("milp", 12, "house")


@pytest.mark.parametrize("kept", ["none", *(pytest.param(word, marks=pytest.mark.slow) for word in ("best", "all"))])
def test_workers_get_the_system_with_their_runs(log: DatabaseMetadataService, design: str, kept: str) -> None:
    """In processes of their own, side by side in batches, and for the hours of the best."""
    Path("house.yaml").unlink()
    study = prices("risk", design, workers=2, timeseries=kept)
    result = StudyService(log).run_study(study)
    assert result.by_status() == {"completed": 3}
    rows = log.query_study_runs("risk")
    assert all((row["flows_path"] is not None) == (kept != "none") for row in rows)


def test_samples_are_drawn_around_a_run(log: DatabaseMetadataService, design: str) -> None:
    settings = MonteCarloSettings.model_validate(
        {
            "distributions": {"grid.import_price_per_kwh": {"distribution": "uniform", "minimum": 0.1, "maximum": 0.7}},
            "n_samples": 16,
        }
    )
    study = prices("risk", design, study_type="monte_carlo", monte_carlo=settings, parameters={})
    result = StudyService(log).run_study(study)
    assert result.by_status() == {"completed": 16}
    varied = [json.loads(row["parameters_json"]) for row in log.query_study_runs("risk")]
    assert {values["battery.capacity_kwh"] for values in varied} == {3}
    assert len({values["grid.import_price_per_kwh"] for values in varied}) == 16


def test_it_goes_on_around_the_same_run(log: DatabaseMetadataService, design: str) -> None:
    Path("house.yaml").unlink()
    service = StudyService(log)
    with pytest.raises(KeyboardInterrupt):
        service.run_study(prices("risk", "last"), should_stop=lambda: True)
    newest = SimulationConfig(system="riverside-community", solver_type="rule_based", timesteps=2)
    SimulationService(log).run_simulation(newest)  # is what `last` means now
    assert service.resume_study("risk").by_status() == {"completed": 3}
    assert json.loads(log.get_study_summary("risk")["study"]["settings_json"])["around"] == design


def test_its_runs_can_be_verified(log: DatabaseMetadataService, design: str) -> None:
    result = StudyService(log).run_study(prices("risk", design))
    Path("house.yaml").unlink()
    assert RunHistory(log).verify(result.runs[0].run_id).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("around", "parameters", "message"),
    [
        ("nix", {"battery.power_kw": [1]}, "is no run in"),
        ("last", {"pump.power_kw": [1]}, "is no field of this system"),
        ("last", {"battery.power": [1]}, "is not a known key"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_logged(
    log: DatabaseMetadataService, design: str, around: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        StudyService(log).run_study(prices("risk", around, parameters=parameters))
    assert log.query_studies() == []
    assert [row["run_id"] for row in log.query_simulation_runs()] == [design]


def test_a_file_that_changed_since_is_refused(log: DatabaseMetadataService, design: str) -> None:
    Path("load.csv").write_text("load\n" + "0.7\n" * 8760)
    with pytest.raises(InputError, match=r"around: .*load\.csv changed since the run"):
        StudyService(log).run_study(prices("risk", design))


def test_a_run_without_a_description_is_refused(log: DatabaseMetadataService) -> None:
    log.log_simulation_run({"run_id": "bare", "simulation_status": "completed"})
    with pytest.raises(InputError, match="holds no description"):
        StudyService(log).run_study(prices("risk", "bare"))


STUDY = """\
study_id: risk
parameters:
  grid.import_price_per_kwh: [0.2, 0.4]
"""


@pytest.mark.usefixtures("design")
def test_a_file_may_leave_the_system_to_the_run(log: DatabaseMetadataService, design: str) -> None:
    Path("risk.yaml").write_text(STUDY)
    study = read_study("risk.yaml", {"around": "last"}, log)
    assert (study.around, study.base_config.system_id, study.base_config.timesteps) == (design, "house", 12)
    assert study.base_config.solver_type == "rule_based"
    Path("risk.yaml").write_text(f"around: last\nsystem: gone.yaml\nsolver_type: milp\n{STUDY}")
    study = read_study("risk.yaml")
    assert (study.around, study.base_config.system_id, study.base_config.solver_type) == (design, "house", "milp")
    Path("risk.yaml").write_text(STUDY)
    with pytest.raises(InputError, match="system: is missing"):
        read_study("risk.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STUDY.replace("grid", "gird"), r"risk.yaml:3: parameters.gird.*: is no field of this system.*\(of run "),
        (f"around: nix\n{STUDY}", r"risk.yaml:1: around: 'nix' is no run in"),
        (STUDY.replace("[0.2, 0.4]", "[-0.2, true]"), r"risk.yaml:3: parameters.grid.*True .* text belongs;"),
    ],
)
def test_a_file_is_told_where_it_does_not_fit_the_run(
    log: DatabaseMetadataService, design: str, text: str, message: str
) -> None:
    Path("risk.yaml").write_text(text)
    settings = {} if "around" in text else {"around": design}
    with pytest.raises(InputError, match=message):
        read_study("risk.yaml", settings, log)
