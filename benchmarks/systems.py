"""The systems that are measured."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ecosystemiser.model.components.battery import Battery
from ecosystemiser.model.components.grid import Grid
from ecosystemiser.model.components.heat_pump import HeatPump
from ecosystemiser.model.components.heat_storage import HeatStorage
from ecosystemiser.model.kinds import Converter, Exchange, Floats, Sink, Source
from ecosystemiser.model.loading import load_system, with_values
from ecosystemiser.model.problem import Coefficients, Problem
from ecosystemiser.model.system import System
from ecosystemiser.reader import parse_yaml

__all__ = ["Given", "given", "large", "reference", "variations"]

REFERENCE = """
system_id: reference
time: {start: 2018-01-01, step: 1h, steps: 8760, timezone: Europe/Berlin}
site: {latitude: 52.4, longitude: 13.1, weather: try2010-potsdam}
components:
  grid:
    type: grid
    import_limit_kw: 200
    import_price_per_kwh:
      default: 0.28
      periods:
        - {price: 0.18, hours: "22-06"}
        - {price: 0.38, days: mon-fri, hours: "17-21"}
    export_price_per_kwh: 0.08
    co2_kg_per_kwh: 0.381
  roof_pv: {type: pv, capacity_kw: 60, profile: pv-potsdam-south-30, capex_per_kw: 950}
  battery: {type: battery, capacity_kwh: 80, power_kw: 40, efficiency: 0.95, capex_per_kwh: 420}
  houses: {type: electricity_demand, profile: bdew-h25, annual_kwh: 45000}
  heat: {type: heat_demand, profile: bdew-efh, annual_kwh: 120000}
  heat_pump: {type: heat_pump, power_kw: 45, source: air, sink_temperature_c: 45}
  buffer: {type: heat_storage, capacity_kwh: 150, loss_per_hour: 0.005}
"""

LARGE = """
system_id: large
time: {start: 2018-01-01, step: 1h, steps: 8760, timezone: Europe/Berlin}
site: {latitude: 52.4, longitude: 13.1, weather: try2010-potsdam}
buses: {heat_north: heat}
components:
  grid:
    type: grid
    import_price_per_kwh: {default: 0.28, periods: [{price: 0.18, hours: "22-06"}]}
    export_price_per_kwh: 0.08
    co2_kg_per_kwh: 0.381
  spot:
    type: grid
    import_limit_kw: 50
    import_price_per_kwh: smard-2018
    export_limit_kw: 20
    export_price_per_kwh: 0.05
  pv_south: {type: pv, capacity_kw: 60, profile: pv-potsdam-south-30}
  pv_east: {type: pv, capacity_kw: 30, tilt_deg: 20, azimuth_deg: 90}
  pv_west: {type: pv, capacity_kw: 30, tilt_deg: 20, azimuth_deg: 270}
  hydro: {type: source, bus: electricity, power_kw: 4, cost_per_kwh: 0.02, renewable_share: 1}
  battery: {type: battery, capacity_kwh: 80, power_kw: 40, efficiency: 0.95}
  battery_east: {type: battery, capacity_kwh: 30, power_kw: 15, efficiency: 0.94}
  battery_west: {type: battery, capacity_kwh: 30, duration_h: 2, efficiency: 0.96, loss_per_hour: 0.0001}
  houses: {type: electricity_demand, profile: bdew-h25, annual_kwh: 45000}
  more_houses: {type: electricity_demand, profile: bdew-h25, annual_kwh: 20000}
  shop: {type: electricity_demand, profile: bdew-g25, annual_kwh: 30000}
  farm: {type: electricity_demand, profile: bdew-l25, annual_kwh: 25000}
  wallbox: {type: sink, bus: electricity, profile: bdew-h25, annual_kwh: 8000, unmet_cost_per_kwh: 0.5}
  heat: {type: heat_demand, profile: bdew-efh, annual_kwh: 90000}
  flats: {type: heat_demand, profile: bdew-mfh, annual_kwh: 60000}
  heat_north: {type: heat_demand, bus: heat_north, profile: bdew-mfh, annual_kwh: 50000}
  heat_pump: {type: heat_pump, power_kw: 15, source: air, sink_temperature_c: 45}
  heat_pump_old: {type: heat_pump, power_kw: 8, source: air, sink_temperature_c: 55}
  heat_pump_north: {type: heat_pump, bus: heat_north, power_kw: 8, source: ground, sink_temperature_c: 40}
  buffer: {type: heat_storage, capacity_kwh: 150, loss_per_hour: 0.005}
  buffer_north: {type: heat_storage, bus: heat_north, capacity_kwh: 60, loss_per_hour: 0.005}
  gas: {type: gas_supply, price_per_kwh: 0.11, co2_kg_per_kwh: 0.201}
  boiler: {type: gas_boiler, power_kw: 120, efficiency: 0.92}
  boiler_north: {type: gas_boiler, bus: heat_north, power_kw: 60, efficiency: 0.9}
"""


def reference(steps: int | None = None, **values: object) -> System:
    """Return PV, battery, heat pump, heat store and grid with a time-of-use price: 7 components.

    `values` set fields, as `battery__capacity_kwh=100`.
    """
    return _loaded("reference", REFERENCE, steps, values)


def large(steps: int | None = None, **values: float) -> System:
    """Return 25 components on electricity, gas and two heat buses, all connected, with nothing left short."""
    return _loaded("large", LARGE, steps, values)


def _loaded(name: str, text: str, steps: int | None, values: dict[str, float]) -> System:
    document = parse_yaml(text, f"{name}.yaml")
    set_values = {key.replace("__", "."): value for key, value in values.items()}
    return load_system(with_values(document, set_values), steps=steps)


def variations(problem: Problem, count: int) -> list[Problem]:
    """Return `count` variations of storage, source and converter sizes and of the price level, by changed numbers.

    Seeded: every call gives the same ones.
    """
    random = np.random.default_rng(20260101)
    layout, numbers = problem.layout, problem.coefficients
    batteries = [at for at, flow in enumerate(layout.charges) if layout.carrier(flow) == "electricity"]
    local = [flow for flow, bought in zip(layout.sources, layout.bought_sources, strict=True) if not bought]
    found = []
    for _ in range(count):
        battery, sun, pump, price = random.uniform((0.1, 0.2, 0.4, 0.7), (2.5, 2.0, 1.3, 1.5))
        changed = {one.name: np.array(getattr(numbers, one.name)) for one in fields(Coefficients)}
        changed["capacity"][batteries] *= battery
        changed["initial_level"][batteries] *= battery
        changed["limit"][local] *= sun
        changed["limit"][list(layout.inputs)] *= pump
        changed["cost"] *= price
        for name, factor in (("battery", battery), ("roof_pv", sun), ("heat_pump", pump)):
            if name in layout.components:
                changed["capital_per_year"][layout.components.index(name)] *= factor
        found.append(replace(problem, coefficients=Coefficients(**changed)))
    return found


@dataclass(frozen=True, eq=False)
class Given:
    """The reference system as a specialist gets it: series by hour, sizes as numbers."""

    pv_kwh: Floats
    load_kwh: Floats
    heat_kwh: Floats
    cop: Floats
    import_price: Floats
    export_price: float
    import_limit_kw: float
    battery_kwh: float
    battery_kw: float
    battery_efficiency: float
    """One way."""
    heat_pump_kw: float
    store_kwh: float
    store_loss: float
    """Share of the content lost in an hour."""


def given(system: System) -> Given:
    """Return what the reference system is made of, past all of our compiling."""
    steps = system.clock.steps
    kinds = {kind.name: kind for kind in system.kinds}
    pv, load, heat, pump, grid = (kinds[name] for name in ("roof_pv", "houses", "heat", "heat_pump", "grid"))
    assert isinstance(pv, Source)
    assert isinstance(load, Sink)
    assert isinstance(heat, Sink)
    assert isinstance(pump, Converter)
    assert isinstance(grid, Exchange)
    parts = system.components
    battery, buffer, connection, machine = (parts[name] for name in ("battery", "buffer", "grid", "heat_pump"))
    assert isinstance(battery, Battery)
    assert isinstance(buffer, HeatStorage)
    assert isinstance(connection, Grid)
    assert isinstance(machine, HeatPump)
    return Given(
        pv_kwh=pv.available.values(steps),
        load_kwh=load.demand.values(steps),
        heat_kwh=heat.demand.values(steps),
        cop=pump.outputs[0].ratio.values(steps),
        import_price=grid.import_price.values(steps),
        export_price=grid.export_price.scale,
        import_limit_kw=connection.import_limit_kw or np.inf,
        battery_kwh=battery.capacity_kwh,
        battery_kw=battery.power_kw or np.inf,
        battery_efficiency=battery.efficiency,
        heat_pump_kw=machine.power_kw,
        store_kwh=buffer.capacity_kwh,
        store_loss=buffer.loss_per_hour,
    )
