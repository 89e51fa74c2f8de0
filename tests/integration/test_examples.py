"""The packaged examples do what they are there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecosystemiser import SimulationConfig, SimulationService, load
from ecosystemiser.config import SOLVER_TYPES
from ecosystemiser.model.profiles.photovoltaics import pv_yield
from ecosystemiser.model.profiles.weather import pvlib_example_file, read_weather
from ecosystemiser.services.simulation_service import packaged_systems


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)


def test_there_are_two_examples() -> None:
    """The community of the demo, and the house with a weather file of its own."""
    assert packaged_systems() == ["greensboro-house", "riverside-community"]


@pytest.mark.parametrize("system", ["greensboro-house", "riverside-community"])
@pytest.mark.parametrize("solver", SOLVER_TYPES)
def test_every_solver_completes_a_week_of_each(system: str, solver: str) -> None:
    """168 hours; both solvers' plans pass the audit, or the run would not be completed."""
    with (service := SimulationService()).database_service:
        result = service.run_simulation(SimulationConfig(system=system, solver_type=solver, timesteps=168))
    assert result.has_completed, result.error
    assert result.audit is not None
    assert result.audit.has_passed


def test_the_house_computes_its_pv_from_the_weather_file() -> None:
    """8 kW of what pvlib makes of Greensboro's TMY3 file: tilt 25 degrees, azimuth 170 degrees, losses 14 %."""
    roof = next(kind for kind in load(SimulationConfig(system="greensboro-house")).kinds if kind.name == "roof_pv")
    weather = read_weather(pvlib_example_file("723170TYA.CSV"))
    expected = 8 * pv_yield(weather, 25.0, 170.0, losses=0.14)
    assert roof.available.values(8760) == pytest.approx(expected)
