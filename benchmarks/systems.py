"""The systems that are measured, made from the packaged example."""

from __future__ import annotations

from pathlib import Path

import ecosystemiser
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.system import System
from ecosystemiser.reader import parse_yaml

EXAMPLE = Path(ecosystemiser.__file__).parent / "data" / "systems" / "riverside-community.yaml"

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


def reference(**values: float) -> System:
    """Return PV, battery, heat pump, heat store and grid with a time-of-use price over a full year."""
    from ecosystemiser.model.loading import with_values

    document = parse_yaml(REFERENCE, "reference.yaml")
    return load_system(with_values(document, {name.replace("__", "."): value for name, value in values.items()}))
