"""What a run was made from: hashed, stored, taken up again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import InputError
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.reader import Document, read_yaml
from ecosystemiser.services.provenance import (
    PACKAGED_DATA,
    changed_files,
    config_hash,
    describe_config,
    describe_system,
    named_by_parameters,
    read_description,
    restore,
)
from ecosystemiser.services.worker import read_document

HOUSE = """\
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2}
  load: {type: electricity_demand, profile: {file: loads.csv, column: house}}
"""
LOADS = "house\n" + "0.5\n" * 8760
OLD_S = 1_500_000_000


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def described(system_file: Callable[..., Path]) -> Callable[..., Any]:
    """Return a function that writes a system and its loads and describes it."""

    def make(text: str = HOUSE, loads: str | None = LOADS) -> Any:
        files = {} if loads is None else {"loads.csv": loads}
        return describe_system(read_yaml(system_file(text, files)))

    return make


# The system.


def test_a_description_holds_the_data_the_place_and_the_files(described: Callable[..., Any], tmp_path: Path) -> None:
    found = described()
    assert found.system_id == "house"
    assert found.system == tmp_path / "system.yaml"
    assert found.data["time"] == {"start": date(2018, 6, 1), "steps": 24}
    assert list(found.data["components"]) == ["grid", "battery", "load"]
    assert found.files == {"loads.csv": sha(LOADS)}
    assert json.loads(found.files_json) == found.files


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{type: battery, capacity_kwh: 4, power_kw: 2}", "{power_kw: 2, type: battery, capacity_kwh: 4}"),
        ("capacity_kwh: 4,", "capacity_kwh: 4.0,"),
        (
            "system_id: house\ntime: {start: 2018-06-01, steps: 24}",
            "time: {steps: 24, start: 2018-06-01}\nsystem_id: house",
        ),
        ("system_id: house\n", "system_id: house  # a comment\n\n"),
    ],
)
def test_what_means_the_same_has_the_same_hash(old: str, new: str, described: Callable[..., Any]) -> None:
    assert old in HOUSE
    assert described(HOUSE.replace(old, new)).sha256 == described().sha256


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("capacity_kwh: 4,", "capacity_kwh: 4.000001,"),
        ("2018-06-01", '"2018-06-01"'),
        ("steps: 24", "steps: 25"),
        ("battery:", "store:"),
        ("capacity_kwh: 4,", "capacity_kwh: 4, efficiency: 0.95,"),
    ],
)
def test_one_changed_value_changes_the_hash(old: str, new: str, described: Callable[..., Any]) -> None:
    assert old in HOUSE
    assert described(HOUSE.replace(old, new)).sha256 != described().sha256


def test_the_order_of_components_counts(described: Callable[..., Any]) -> None:
    """Of two equally good supplies the first is taken, so their order may decide a result."""
    head, grid, battery, load = HOUSE.partition("  grid")[0], *HOUSE.splitlines(keepends=True)[3:]
    assert head + grid + battery + load == HOUSE
    assert described(head + battery + grid + load).sha256 != described().sha256


def test_one_changed_byte_of_a_file_changes_the_hash_and_back(described: Callable[..., Any]) -> None:
    """Three files of one size within one tick of the clock."""
    first = described()
    other = described(loads=LOADS.replace("0.5", "0.6", 1))
    again = described()
    assert first.sha256 == again.sha256 != other.sha256


def test_a_file_is_read_again_only_when_its_time_or_size_changed(described: Callable[..., Any], tmp_path: Path) -> None:
    found = described()
    loads = tmp_path / "loads.csv"
    os.utime(loads, (OLD_S, OLD_S))
    assert changed_files(found) == []  # reads it, and keeps its hash
    loads.write_text(LOADS.replace("0.5", "0.6", 1))
    os.utime(loads, (OLD_S, OLD_S))
    assert changed_files(found) == []  # what nobody could see is not seen
    os.utime(loads, (OLD_S + 1, OLD_S + 1))
    assert [change.name for change in changed_files(found)] == ["loads.csv"]


def test_the_place_is_part_of_it(described: Callable[..., Any], tmp_path: Path) -> None:
    """Relative names lead elsewhere from elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    found = described()
    moved = tmp_path / "elsewhere" / "system.yaml"
    moved.write_text(HOUSE)
    (tmp_path / "elsewhere" / "loads.csv").write_text(LOADS)
    assert describe_system(read_yaml(moved)).sha256 != found.sha256


def test_a_relative_path_is_described_as_an_absolute_one(
    described: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = described()
    monkeypatch.chdir(tmp_path)
    assert describe_system(read_yaml("system.yaml")) == found


def test_the_hash_is_the_same_in_another_process(described: Callable[..., Any], tmp_path: Path) -> None:
    code = (
        "import sys; from ecosystemiser.reader import read_yaml; "
        "from ecosystemiser.services.provenance import config_hash, describe_config, describe_system; "
        "from ecosystemiser.config.simulation_config import SimulationConfig; "
        "system = describe_system(read_yaml(sys.argv[1])).sha256; "
        "print(system, config_hash(system, describe_config(SimulationConfig())[1], {'b.x': 1.5, 'a.x': [1, 'z']}))"
    )
    system = described().sha256
    expected = config_hash(system, describe_config(SimulationConfig())[1], {"a.x": [1, "z"], "b.x": 1.5})
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / "system.yaml")]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.split() == [system, expected]


def test_packaged_systems_have_a_name_and_packaged_data_a_hash() -> None:
    found = describe_system(read_document("riverside-community"))
    assert found.system == "riverside-community"
    assert str(Path(__file__).anchor) not in json.loads(found.content)["place"].values()
    assert list(found.files) == [PACKAGED_DATA]
    assert len(found.files[PACKAGED_DATA] or "") == 64
    assert changed_files(found) == []


def test_a_weather_file_of_pvlib_is_hashed() -> None:
    found = describe_system(read_document("greensboro-house"))
    assert set(found.files) == {"pvlib:723170TYA.CSV", PACKAGED_DATA}
    assert None not in found.files.values()


def test_series_and_weather_are_found_wherever_they_stand(system_file: Callable[..., Path]) -> None:
    text = """\
system_id: house
site: {weather: potsdam.epw}
components:
  grid: {type: grid, import_price_per_kwh: {file: prices.csv, column: a}}
  many: {type: electricity_demand, parts: [{file: deep.csv, column: a}], profile: not-packaged}
"""
    found = describe_system(read_yaml(system_file(text, {"prices.csv": "a\n", "deep.csv": "a\n"})))
    assert found.files == {"deep.csv": sha("a\n"), "potsdam.epw": None, "prices.csv": sha("a\n")}


@pytest.mark.parametrize("name", ["/dev/zero", "a\0b", "", "pvlib:none", ".", "pvlib:../../x"])
def test_what_is_no_file_has_no_hash(name: str, tmp_path: Path) -> None:
    """Neither read without end nor an error: loading tells what is wrong with it."""
    found = describe_system(Document({"system_id": "a", "site": {"weather": name}}, str(tmp_path / "a.yaml")))
    assert list(found.files.values()) == [None]


# Taken up again.


def test_a_restored_document_is_the_document(described: Callable[..., Any], tmp_path: Path) -> None:
    found = described()
    again = restore(found.content, found.files_json)
    assert again == read_yaml(tmp_path / "system.yaml")
    assert list(again.data["components"]) == ["grid", "battery", "load"]
    (tmp_path / "system.yaml").unlink()  # what is stored suffices
    assert load_system(again).components.keys() == {"grid", "battery", "load"}
    assert describe_system(again) == found


def test_a_restored_packaged_system_is_the_packaged_system() -> None:
    document = read_document("greensboro-house")
    found = describe_system(document)
    assert restore(found.content, found.files) == document


def test_what_was_stored_and_changed_has_another_hash(described: Callable[..., Any]) -> None:
    found = described()
    assert read_description(found.content, found.files) == found
    changed = found.content.replace('"capacity_kwh":4', '"capacity_kwh":5')
    assert changed != found.content
    assert read_description(changed, found.files).sha256 != found.sha256
    assert read_description(found.content, {"loads.csv": "0" * 64}).sha256 != found.sha256


@pytest.mark.parametrize(
    ("content", "files"),
    [
        ("", "{}"),
        ("[]", "{}"),
        ("{}", "{}"),
        ('{"place": {}, "system": {}}', "{}"),
        ('{"place": {"file": 3}, "system": {}}', "{}"),
        ('{"place": [], "system": {}}', "{}"),
        ('{"place": {"file": "a"}, "system": []}', "{}"),
        ('{"place": {"file": "a"}, "system": {}}', "[]"),
        ('{"place": {"file": "a"}, "system": {}}', "{"),
    ],
)
def test_what_is_no_description_is_refused(content: str, files: str) -> None:
    with pytest.raises(InputError, match="is no description of a system"):
        restore(content, files)


def test_changed_and_missing_files_are_told(described: Callable[..., Any], tmp_path: Path) -> None:
    found = described()
    assert changed_files(found) == []
    (tmp_path / "loads.csv").write_text("other")
    (change,) = changed_files(found)
    assert (change.name, change.path) == ("loads.csv", tmp_path / "loads.csv")
    assert (change.then, change.now) == (sha(LOADS), sha("other"))
    assert str(change) == f"loads.csv changed since the run (sha {sha(LOADS)[:12]}, now {sha('other')[:12]})"
    (tmp_path / "loads.csv").unlink()
    (change,) = changed_files(found)
    assert change.now is None
    assert str(change) == f"loads.csv changed since the run (sha {sha(LOADS)[:12]}, now missing)"


# How it was solved, and both together.


def test_only_what_decides_the_solve_is_in_the_configuration(tmp_path: Path) -> None:
    text, sha256 = describe_config(SimulationConfig(timesteps=24))
    assert json.loads(text) == {
        "solver_type": "milp",
        "timesteps": 24,
        "solver": SolverOptions().model_dump(),
    }
    named = {"run_id": "r", "study_id": "s", "system_id": "x", "system": "a.yaml", "output_directory": tmp_path}
    assert describe_config(SimulationConfig(timesteps=24, parameters={"a.b": 1}, **named)) == (text, sha256)
    others = ({"timesteps": 25}, {"solver_type": "hybrid"}, {"solver": SolverOptions(end="free")})
    hashes = {describe_config(SimulationConfig(**{"timesteps": 24, **other}))[1] for other in others}
    assert len({*hashes, sha256}) == 4


def test_a_variation_of_a_study_and_the_same_single_run_have_one_hash(described: Callable[..., Any]) -> None:
    system, (_, config) = described().sha256, describe_config(SimulationConfig())
    varied = config_hash(system, config, {"battery.capacity_kwh": 40, "grid.import_price_per_kwh": 0.3})
    assert config_hash(system, config, {"grid.import_price_per_kwh": 0.3, "battery.capacity_kwh": 40.0}) == varied
    other = [
        config_hash(system, config, {"battery.capacity_kwh": 41, "grid.import_price_per_kwh": 0.3}),
        config_hash(system, config, {"battery.capacity_kwh": 40}),
        config_hash(system, config, {"battery.capacity_kwh": 40, "grid.import_price_per_kwh": 0.3}, seed=0),
        config_hash(system, config, {"battery.capacity_kwh": 40, "grid.import_price_per_kwh": 0.3}, seed=1),
        config_hash(config, system, {"battery.capacity_kwh": 40, "grid.import_price_per_kwh": 0.3}),
    ]
    assert len({varied, *other}) == 6


def test_two_variations_share_the_systems_hash(described: Callable[..., Any], tmp_path: Path) -> None:
    """A description is of the document before them."""
    found = described()
    document = read_yaml(tmp_path / "system.yaml")
    with_values(document, {"battery.capacity_kwh": 9})
    assert describe_system(document) == found


def test_files_that_only_a_variation_names_are_hashed_beside(described: Callable[..., Any], tmp_path: Path) -> None:
    described()
    document = read_yaml(tmp_path / "system.yaml")
    (tmp_path / "other.csv").write_text("x")
    named = {"load.profile": {"file": "other.csv", "column": "x"}, "site.weather": "gone.epw", "battery.power_kw": 1}
    assert named_by_parameters(document, named) == {"gone.epw": None, "other.csv": sha("x")}
    assert named_by_parameters(document, {"load.profile": {"file": "loads.csv", "column": "b"}}) == {}
    assert list(named_by_parameters(document, {"load.profile": "bdew-h25"})) == [PACKAGED_DATA]
    assert list(named_by_parameters(document, {"site.weather": "try2010-potsdam"})) == [PACKAGED_DATA]
    assert config_hash("a", "b", named, files={"other.csv": "1"}) != config_hash(
        "a", "b", named, files={"other.csv": "2"}
    )
