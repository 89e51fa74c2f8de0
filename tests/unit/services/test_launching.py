"""Systems and studies that are written in a browser: checked, kept from the rest of the machine, started."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ecosystemiser import DatabaseMetadataService
from ecosystemiser.dashboard.study_examples import EXAMPLES
from ecosystemiser.errors import InputError
from ecosystemiser.services.launching import (
    check_study_text,
    check_system_text,
    output_of,
    packaged_systems,
    packaged_text,
    start_run,
    start_study,
)

COMMUNITY = "riverside-community"


@pytest.fixture
def log(tmp_path: Path) -> DatabaseMetadataService:
    return DatabaseMetadataService(tmp_path / "runs.sqlite")


@pytest.mark.parametrize("name", packaged_systems())
def test_packaged_systems_pass_the_check(name: str, tmp_path: Path) -> None:
    assert check_system_text(packaged_text(name), tmp_path, {"timesteps": 24}).system_id == name


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_of_studies_are_valid(kind: str, tmp_path: Path) -> None:
    check_system_text(packaged_text(COMMUNITY), tmp_path, {})
    assert check_study_text(EXAMPLES[kind], tmp_path).study_type == kind


@pytest.mark.parametrize(
    "line",
    [
        "components: {load: {type: electricity_demand, profile: {file: /etc/passwd, column: x}}}",
        "components: {load: {type: electricity_demand, profile: {file: ../../secret.csv, column: x}}}",
        "site: {weather: /etc/passwd}",
        "site: {weather: ../secret.epw}",
    ],
)
def test_a_system_that_names_files_is_refused_before_any_is_read(line: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names a file of this machine"):
        check_system_text(f"system_id: x\n{line}\n", tmp_path, {})


@pytest.mark.parametrize(
    "lines",
    [
        "system: /etc/passwd",
        "system: ../../other.yaml",
        "parameters: {houses.profile: [{file: /etc/passwd, column: x}]}",
        "parameters: {site.weather: [/etc/passwd]}",
        "distributions: {site.weather: {distribution: discrete, values: [../x.epw]}}",
    ],
)
def test_a_study_that_names_files_is_refused(lines: str, tmp_path: Path) -> None:
    check_system_text(packaged_text(COMMUNITY), tmp_path, {})
    with pytest.raises(InputError, match=r"names a file of this machine|is not a system that this page knows"):
        check_study_text(f"study_id: s\n{lines}\n", tmp_path)


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    text = packaged_text(COMMUNITY).replace("capacity_kwh: 150", "capacity_kwh: -150")
    with pytest.raises(InputError, match=r"system\.yaml:\d+: components\.buffer\.capacity_kwh"):
        check_system_text(text, tmp_path, {})


def test_a_run_is_started_as_a_process_of_its_own(
    log: DatabaseMetadataService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"solver_type": "rule_based", "timesteps": 24}
    run_id = start_run(log, packaged_text(COMMUNITY), asked)
    wait_for(lambda: (log.get_simulation_run(run_id) or {}).get("simulation_status") == "completed")
    wait_for(lambda: "total_cost" in (output_of(run_id) or ""))


def test_a_study_is_started_under_its_name(
    log: DatabaseMetadataService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = EXAMPLES["parametric"].replace("hybrid", "rule_based").replace("168", "24") + "workers: 1\n"
    assert start_study(log, text, packaged_text(COMMUNITY)) == "my-sizing"
    wait_for(lambda: (log.get_study_summary("my-sizing")["study"] or {}).get("status") == "completed")
    with pytest.raises(InputError, match="is in the log already"):
        start_study(log, text, packaged_text(COMMUNITY))


def test_the_output_of_nothing_is_none_and_of_a_path_is_refused(tmp_path: Path) -> None:
    assert output_of("never-started", tmp_path) is None
    with pytest.raises(InputError):
        output_of("../secret", tmp_path)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.1)
