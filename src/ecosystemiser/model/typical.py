"""What sizes, prices and efficiencies usually are: one table, each range with its source. Wide on purpose: what lies
outside is seldom meant."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CURRENCIES", "TYPICAL", "Typical"]

CURRENCIES = frozenset({"EUR", "USD", "GBP", "CHF"})
"""Currencies in which the ranges of prices hold well enough."""


class Typical(NamedTuple):
    """The usual range of a field."""

    low: float
    high: float
    unit: str
    source: str
    is_price: bool = True

    @property
    def mistaken_units(self) -> tuple[tuple[float, str], ...]:
        """Units that are taken for the field's own: how many times as large numbers are in them, and their words."""
        if self.is_price:
            return (100.0, "in cents"), (1000.0, "per MWh")
        if self.unit.startswith("kg"):
            return ((1000.0, "in grams"),)
        return ((100.0, "in per cent"),) if self.high <= 1 else ()


_ATB = "NREL Annual Technology Baseline 2023"
_DEA = "Danish Energy Agency, Technology Data 2023"
_IRENA = "IRENA, Renewable Power Generation Costs 2023"
_EUROSTAT = "Eurostat, energy prices 2023"
_IWA = "International Water Association, Statistics on Water Charges 2021"

TYPICAL: dict[tuple[str, str], Typical] = {
    ("pv", "capex_per_kw"): Typical(300, 4500, "per kW", _IRENA),
    ("wind_turbine", "capex_per_kw"): Typical(700, 9000, "per kW", _ATB),
    ("battery", "capex_per_kwh"): Typical(80, 2500, "per kWh", _ATB),
    ("heat_pump", "capex_per_kw"): Typical(200, 10_000, "per kW of electric input", _DEA),
    ("gas_boiler", "capex_per_kw"): Typical(15, 1200, "per kW", _DEA),
    ("electric_boiler", "capex_per_kw"): Typical(15, 1500, "per kW", _DEA),
    ("heat_storage", "capex_per_kwh"): Typical(0.3, 300, "per kWh", _DEA),
    ("grid", "import_price_per_kwh"): Typical(0.02, 1.2, "per kWh", _EUROSTAT),
    ("grid", "export_price_per_kwh"): Typical(0.005, 0.8, "per kWh", _EUROSTAT),
    ("gas_supply", "price_per_kwh"): Typical(0.008, 0.4, "per kWh", _EUROSTAT),
    ("heat_grid", "price_per_kwh"): Typical(0.01, 0.5, "per kWh", _EUROSTAT),
    ("water_grid", "import_price_per_m3"): Typical(0.1, 20, "per m3", _IWA),
    ("grid", "co2_kg_per_kwh"): Typical(0.005, 1.3, "kg/kWh", "European Environment Agency 2023", is_price=False),
    ("gas_supply", "co2_kg_per_kwh"): Typical(0.03, 0.35, "kg/kWh", "IPCC 2006 Guidelines, volume 2", is_price=False),
    ("battery", "efficiency"): Typical(0.8, 1.0, "one way", _ATB, is_price=False),
    ("pv", "lifetime_years"): Typical(10, 45, "years", _IRENA, is_price=False),
    ("battery", "lifetime_years"): Typical(4, 30, "years", _ATB, is_price=False),
    ("heat_pump", "lifetime_years"): Typical(8, 35, "years", _DEA, is_price=False),
    ("heat_storage", "loss_per_hour"): Typical(0.0, 0.08, "of the content an hour", _DEA, is_price=False),
}
"""By type of component and field."""

C_RATE = Typical(0.04, 5.0, "kW per kWh", _ATB, is_price=False)
"""Power of a battery over its capacity."""
