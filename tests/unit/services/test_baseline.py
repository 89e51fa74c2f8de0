"""The system without the investment, and the case of a logged run over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli.economics_report import economics_report
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import InputError
from ecosystemiser.model.loading import load_system
from ecosystemiser.reader import parse_yaml, read_yaml
from ecosystemiser.services.baseline import baseline_of
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_economics import economics_of_run
from ecosystemiser.services.simulation_service import SimulationService

DAYS = 365
FARM = """
system_id: farm
time: {start: 2018-01-01, step: 24h, steps: 365}
economics: {discount_rate: 0.05, project_years: 20}
components:
  grid:
    type: grid
    import_limit_kw: 3
    import_price_per_kwh: 0.3
    export_price_per_kwh: 0.1
    tariff: {fixed_per_month: 10}
  roof: {type: source, bus: electricity, profile: ONES, power_kw: 0.5, capex: 4000, renewable_share: 1}
  battery: {type: battery, capacity_kwh: 10, power_kw: 10, capex_per_kwh: 300}
  barn: {type: electricity_demand, profile: ONES}
HEAT
"""
PUMP = "  pump: {type: heat_pump, power_kw: 2, cop: 3, capex: 9000}\n  room: {type: heat_demand, profile: ONES}"
ENGINE = "  engine: {type: converter, input: gas, output: electricity, ratio: 0.3, power_kw: 1}"
GAS = f"{PUMP}\n{ENGINE}\n  gas: {{type: gas_supply, price_per_kwh: 0.08}}"
OWN = GAS + "\n  old: {type: gas_boiler, power_kw: 0.5, efficiency: 0.8, capex: 700}"
BARN = "barn: {type: electricity_demand, profile: {file: barn.csv, column: x}}"
WATER = """
  mains: {type: water_grid, import_price_per_m3: 2}
  topup: {type: converter, input: water, output: service_water}
  rain: {type: rainwater, bus: service_water, area_m2: 100, profile: ONES}
  tank: {type: water_tank, bus: service_water, capacity_m3: 4}
  flush: {type: water_demand, bus: service_water, profile: ONES}
"""


@pytest.fixture
def baseline(system_file: Callable[..., Path]) -> Callable[[str], dict[str, Any]]:
    """Return a function that gives the components of the baseline of a farm; it can be loaded."""

    def of(heat: str = "") -> dict[str, Any]:
        document = read_yaml(system_file(text_of(heat)))
        made = baseline_of(document, load_system(document))
        load_system(made)
        components: dict[str, Any] = made.data["components"]
        return components

    return of


def text_of(heat: str = "") -> str:
    return FARM.replace("HEAT", heat).replace("ONES", str([1.0] * DAYS))


def test_grids_and_demands_are_left_without_limits_and_sales(baseline: Callable[..., dict[str, Any]]) -> None:
    found = baseline()
    assert list(found) == ["grid", "barn"]
    assert found["grid"] == {
        "type": "grid",
        "import_price_per_kwh": 0.3,
        "tariff": {"fixed_per_month": 10},
        "export_limit_kw": 0,
    }


@pytest.mark.parametrize(
    ("heat", "boiler"),
    [
        (PUMP, {"type": "electric_boiler", "input": "electricity"}),
        (GAS, {"type": "gas_boiler", "input": "gas"}),
        (OWN, {"type": "gas_boiler", "input": "gas", "efficiency": 0.8, "capex": 700}),
    ],
)
def test_heat_comes_from_a_boiler_large_enough(
    heat: str, boiler: dict[str, Any], baseline: Callable[..., dict[str, Any]]
) -> None:
    found = baseline(heat)
    assert "pump" not in found
    assert found["baseline_boiler_heat"] == {**boiler, "bus": "heat", "power_kw": pytest.approx(1.001), "count": 1}


def test_what_serves_no_demand_is_left_out(baseline: Callable[..., dict[str, Any]]) -> None:
    """The network serves the room, so that nobody needs gas."""
    assert set(baseline(f"{GAS}\n  network: {{type: heat_grid, price_per_kwh: 0.1}}")) == {
        "grid",
        "barn",
        "network",
        "room",
    }


def test_water_comes_from_the_mains(baseline: Callable[..., dict[str, Any]]) -> None:
    assert set(baseline(WATER)) == {"grid", "barn", "mains", "topup", "flush"}


def test_a_farm_without_a_grid_has_no_baseline() -> None:
    ones = str([1.0] * DAYS)
    document = parse_yaml(
        "system_id: island\ntime: {start: 2018-01-01, step: 24h, steps: 365}\ncomponents:\n"
        f"  sun: {{type: source, bus: electricity, power_kw: 9, profile: {ones}}}\n"
        f"  barn: {{type: electricity_demand, profile: {ones}}}\n",
        "island.yaml",
    )
    system = load_system(document)
    with pytest.raises(InputError, match=r"cannot serve.*--baseline RUN"):
        baseline_of(document, system)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with DatabaseMetadataService(tmp_path / "runs.sqlite") as opened:
        yield opened


def solved(log: DatabaseMetadataService, path: Path, **fields: Any) -> str:
    config = SimulationConfig(system=path, solver_type="rule_based", **fields)
    return SimulationService(log).run_simulation(config).run_id


def test_the_case_of_a_run_by_hand(log: DatabaseMetadataService, system_file: Callable[..., Path]) -> None:
    """Half of 24 kWh a day comes from the roof: 4,380 kWh a year at 0.3 less; 7,000 at the start; the battery anew in
    year 15, of which 10 of 15 years are left; the roof ends with the project."""
    run = solved(log, system_file(text_of()))
    found = economics_of_run(log, run)
    assert found.gain.cash[0] == -7000
    assert found.gain.cash[1] == pytest.approx(4380 * 0.3, rel=1e-3)  # the battery is filled again at the end
    assert found.gain.cash[15] == pytest.approx(found.gain.cash[1] - 3000)
    assert found.gain.cash[20] == pytest.approx(found.gain.cash[1] + 2000)
    row = log.get_simulation_run(run)
    assert row is not None
    told = json.loads(row["kpis_json"])
    assert told["net_present_value"] == found.gain.net_present_value
    assert told["baseline_run"] == found.baseline_id
    assert log.get_tags([found.baseline_id])[found.baseline_id] == ["baseline"]
    other = log.get_simulation_run(found.baseline_id)
    assert other is not None
    assert (other["simulation_status"], other["solver_type"]) == ("completed", "rule_based")
    assert other["total_cost"] == pytest.approx(8760 * 0.3 + 120)


def test_a_baseline_is_solved_once(log: DatabaseMetadataService, system_file: Callable[..., Path]) -> None:
    path = system_file(text_of())
    small, large = solved(log, path), solved(log, path, parameters={"battery.capacity_kwh": 20.0})
    first, second = economics_of_run(log, small), economics_of_run(log, large)
    assert first.baseline_id == second.baseline_id
    assert economics_of_run(log, small).baseline_id == first.baseline_id
    dearer = solved(log, path, parameters={"grid.import_price_per_kwh": 0.4})
    assert economics_of_run(log, dearer).baseline_id != first.baseline_id


def test_a_series_file_that_changed_makes_another_baseline(
    log: DatabaseMetadataService, system_file: Callable[..., Path]
) -> None:
    """The description reads the same; what the barn asks for does not."""
    text = text_of().replace(f"barn: {{type: electricity_demand, profile: {[1.0] * DAYS}}}", BARN)
    assert BARN in text
    path = system_file(text, {"barn.csv": "row,x\n" + "\n".join(f"{at},1" for at in range(DAYS))})
    first = economics_of_run(log, solved(log, path))
    (path.parent / "barn.csv").write_text("row,x\n" + "\n".join(f"{at},2" for at in range(DAYS)))
    second = economics_of_run(log, solved(log, path))
    assert second.baseline_id != first.baseline_id
    row = log.get_simulation_run(second.baseline_id)
    assert row is not None
    assert row["total_cost"] == pytest.approx(2 * 8760 * 0.3 + 120)
    assert "without limits" in row["system_json"]


def test_a_run_may_be_the_baseline(log: DatabaseMetadataService, system_file: Callable[..., Path]) -> None:
    path = system_file(text_of())
    without = solved(log, path, parameters={"battery.capacity_kwh": 0.0})
    found = economics_of_run(log, solved(log, path), baseline=without)
    assert found.baseline_id == without
    assert found.notes == ()
    assert found.gain.cash[0] == -3000
    assert found.gain.net_present_value < 0  # the battery does nothing
    assert found.gain.simple_payback_years is None
    assert log.count_simulation_runs() == 2


def test_a_baseline_of_other_demands_is_told(log: DatabaseMetadataService, system_file: Callable[..., Path]) -> None:
    path = system_file(text_of())
    found = economics_of_run(log, solved(log, path), baseline=solved(log, path, parameters={"barn.count": 2}))
    assert found.notes == ("the run asks for 8,760 kWh, the baseline for 17,520 kWh",)
    assert "the gain is not the investment's alone" in " ".join(economics_report(found, 80).split())
