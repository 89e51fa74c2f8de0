"""Every key performance indicator (KPI), declared once.

Columns, tables, filters, differences, exports and the reference page are made from `KPIS`. A KPI is a fraction
of two sums over Totals, or one sum alone, so that the same declaration serves one run (floats) and a batch of
runs (arrays with one entry a run). 0/0 has no value: None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["KPIS", "KPI_NAMES", "Kpi", "KpiTotals", "kpi_value", "kpi_values"]

Amount = Any
"""A float for one run, an array with one entry a run for a batch; formulas only add, subtract and multiply."""


class KpiTotals(Protocol):
    """The sums that KPIs are made of, over all hours of a run.

    Energies in kWh, powers in kW, money in the system's currency, masses in kg CO2 equivalent. Electricity
    buses count as one. "Use" of electricity is what demands and converters to other carriers draw.
    """

    @property
    def generation_kwh(self) -> Amount:
        """Local electricity generation after curtailment."""

    @property
    def final_demand_kwh(self) -> Amount:
        """What the demands of all energy carriers ask for."""

    @property
    def delivered_kwh(self) -> Amount:
        """What the demands of all energy carriers receive."""

    @property
    def renewable_delivered_kwh(self) -> Amount:
        """The part of `delivered_kwh` of renewable origin."""

    @property
    def electricity_use_kwh(self) -> Amount:
        """Electricity used by demands and by converters to other carriers."""

    @property
    def local_use_kwh(self) -> Amount:
        """The part of `electricity_use_kwh` that comes from local generation, directly or through storage."""

    @property
    def grid_import_kwh(self) -> Amount:
        """Electricity bought."""

    @property
    def grid_export_kwh(self) -> Amount:
        """Electricity sold."""

    @property
    def peak_import_kw(self) -> Amount:
        """Largest mean power of a step bought from any one electricity grid."""

    @property
    def peak_export_kw(self) -> Amount:
        """Largest mean power of a step sold to any one electricity grid."""

    @property
    def curtailed_kwh(self) -> Amount:
        """Energy that local sources had available and nobody took."""

    @property
    def unmet_kwh(self) -> Amount:
        """Energy demand that was not met."""

    @property
    def unmet_m3(self) -> Amount:
        """Water demand that was not met."""

    @property
    def mains_m3(self) -> Amount:
        """Water bought."""

    @property
    def water_demand_m3(self) -> Amount:
        """What the demands for water ask for."""

    @property
    def local_water_m3(self) -> Amount:
        """Water that demands received and nobody bought."""

    @property
    def rain_delivered_m3(self) -> Amount:
        """Rain that demands received."""

    @property
    def overflow_m3(self) -> Amount:
        """Water that free sources offered and nobody took or kept."""

    @property
    def evaporation_m3(self) -> Amount:
        """Water that storages lost."""

    @property
    def mean_stored_m3(self) -> Amount:
        """Mean content of all water storages, each step counted at its end."""

    @property
    def water_storage_capacity_m3(self) -> Amount:
        """Usable capacity of all water storages."""

    @property
    def battery_throughput_kwh(self) -> Amount:
        """Content drawn from electricity storages (before discharge losses)."""

    @property
    def battery_capacity_kwh(self) -> Amount:
        """Usable capacity of electricity storages."""

    @property
    def mean_stored_kwh(self) -> Amount:
        """Mean content of all energy storages, each step counted at its end."""

    @property
    def energy_storage_capacity_kwh(self) -> Amount:
        """Usable capacity of all energy storages."""

    @property
    def capital_cost(self) -> Amount:
        """The run's share of the capital annuities."""

    @property
    def fixed_cost(self) -> Amount:
        """The run's share of the fixed operation cost."""

    @property
    def variable_cost(self) -> Amount:
        """Cost per amount that components produce, beyond what is bought."""

    @property
    def purchase_cost(self) -> Amount:
        """What is paid for carriers bought from grids and suppliers."""

    @property
    def export_revenue(self) -> Amount:
        """What is earned by selling, after the settlement of net metering."""

    @property
    def demand_charges(self) -> Amount:
        """What suppliers charge for peaks."""

    @property
    def standing_charges(self) -> Amount:
        """What suppliers charge by the month, and to reach a minimum bill."""

    @property
    def unmet_cost(self) -> Amount:
        """What demands that were not met cost."""

    @property
    def end_shortfall_cost(self) -> Amount:
        """What it costs to refill storages that end below their start."""

    @property
    def co2_cost(self) -> Amount:
        """CO2 price times operational CO2."""

    @property
    def co2_operational_kg(self) -> Amount:
        """CO2 of what was bought and burnt; no credit for exports."""

    @property
    def co2_embodied_kg(self) -> Amount:
        """The run's share of embodied CO2: embodied / lifetime x share of the year."""


Formula = Callable[[KpiTotals], Amount]


@dataclass(frozen=True)
class Kpi:
    """One KPI: `numerator(totals)`, divided by `denominator(totals)` where there is one."""

    name: str
    unit: str
    """`kWh`, `kW`, `m3`, `kg`, `currency`, `share` (shown in per cent) or `1`."""
    better: Literal["higher", "lower", "neither"]
    domain: Literal["energy", "water", "any"]
    meaning: str
    numerator: Formula
    denominator: Formula | None = None


def _total_cost(t: KpiTotals) -> Amount:
    costs = t.capital_cost + t.fixed_cost + t.variable_cost
    costs = costs + t.purchase_cost + t.demand_charges + t.standing_charges
    return costs + t.co2_cost + t.unmet_cost + t.end_shortfall_cost - t.export_revenue


KPIS: tuple[Kpi, ...] = (
    Kpi(
        "total_cost",
        "currency",
        "lower",
        "any",
        "Everything the run costs: its share of capital and fixed operation, purchases with demand and standing "
        "charges, variable operation, CO2 price, unmet demand and the refilling of storages, less what exports earn.",
        _total_cost,
    ),
    Kpi(
        "total_co2",
        "kg",
        "lower",
        "any",
        "Operational CO2 plus the run's share of embodied CO2.",
        lambda t: t.co2_operational_kg + t.co2_embodied_kg,
    ),
    Kpi(
        "self_consumption_rate",
        "share",
        "higher",
        "energy",
        "Share of the local electricity generation that is used here, directly or through storage.",
        lambda t: t.local_use_kwh,
        lambda t: t.generation_kwh,
    ),
    Kpi(
        "self_sufficiency_rate",
        "share",
        "higher",
        "energy",
        "Share of the electricity used here that is generated here.",
        lambda t: t.local_use_kwh,
        lambda t: t.electricity_use_kwh,
    ),
    Kpi(
        "renewable_fraction",
        "share",
        "higher",
        "energy",
        "Share of renewable origin in what the demands of all energy carriers receive.",
        lambda t: t.renewable_delivered_kwh,
        lambda t: t.delivered_kwh,
    ),
    Kpi(
        "total_generation_kwh",
        "kWh",
        "neither",
        "energy",
        "Local electricity generation after curtailment.",
        lambda t: t.generation_kwh,
    ),
    Kpi(
        "total_demand_kwh",
        "kWh",
        "neither",
        "energy",
        "What the demands of all energy carriers ask for.",
        lambda t: t.final_demand_kwh,
    ),
    Kpi(
        "net_grid_usage_kwh",
        "kWh",
        "lower",
        "energy",
        "Electricity bought less electricity sold.",
        lambda t: t.grid_import_kwh - t.grid_export_kwh,
    ),
    Kpi("grid_import_kwh", "kWh", "lower", "energy", "Electricity bought.", lambda t: t.grid_import_kwh),
    Kpi("grid_export_kwh", "kWh", "neither", "energy", "Electricity sold.", lambda t: t.grid_export_kwh),
    Kpi(
        "peak_import_kw",
        "kW",
        "lower",
        "energy",
        "Largest mean power of a step bought from any one electricity grid.",
        lambda t: t.peak_import_kw,
    ),
    Kpi(
        "peak_export_kw",
        "kW",
        "lower",
        "energy",
        "Largest mean power of a step sold to any one electricity grid.",
        lambda t: t.peak_export_kw,
    ),
    Kpi(
        "curtailed_kwh",
        "kWh",
        "lower",
        "energy",
        "Energy that local sources had available and nobody took.",
        lambda t: t.curtailed_kwh,
    ),
    Kpi("unmet_kwh", "kWh", "lower", "energy", "Energy demand that was not met.", lambda t: t.unmet_kwh),
    Kpi("unmet_m3", "m3", "lower", "water", "Water demand that was not met.", lambda t: t.unmet_m3),
    Kpi(
        "total_water_demand_m3",
        "m3",
        "neither",
        "water",
        "What the demands for water ask for.",
        lambda t: t.water_demand_m3,
    ),
    Kpi("mains_water_m3", "m3", "lower", "water", "Water bought from the mains.", lambda t: t.mains_m3),
    Kpi(
        "rain_harvested_m3",
        "m3",
        "higher",
        "water",
        "Rain delivered to demands, directly or through tanks; not what flows into the tanks.",
        lambda t: t.rain_delivered_m3,
    ),
    Kpi(
        "water_self_sufficiency",
        "share",
        "higher",
        "water",
        "Share of the water demand that is met by water nobody bought.",
        lambda t: t.local_water_m3,
        lambda t: t.water_demand_m3,
    ),
    Kpi(
        "overflow_m3",
        "m3",
        "lower",
        "water",
        "What tanks that were full let pass: rain, and water bought at a price of 0 or below.",
        lambda t: t.overflow_m3,
    ),
    Kpi("evaporation_m3", "m3", "lower", "water", "Water that open tanks lost.", lambda t: t.evaporation_m3),
    Kpi(
        "mean_water_level",
        "share",
        "neither",
        "water",
        "Mean content of all water storages over their usable capacity.",
        lambda t: t.mean_stored_m3,
        lambda t: t.water_storage_capacity_m3,
    ),
    Kpi(
        "battery_cycles",
        "1",
        "neither",
        "energy",
        "Equivalent full cycles: content drawn from electricity storages over their usable capacity.",
        lambda t: t.battery_throughput_kwh,
        lambda t: t.battery_capacity_kwh,
    ),
    Kpi(
        "storage_utilisation",
        "share",
        "neither",
        "energy",
        "Mean content of all energy storages over their usable capacity.",
        lambda t: t.mean_stored_kwh,
        lambda t: t.energy_storage_capacity_kwh,
    ),
    Kpi(
        "capital_cost",
        "currency",
        "lower",
        "any",
        "The run's share of the capital annuities.",
        lambda t: t.capital_cost,
    ),
    Kpi(
        "operating_cost",
        "currency",
        "lower",
        "any",
        "Fixed and variable operation, without purchases.",
        lambda t: t.fixed_cost + t.variable_cost,
    ),
    Kpi(
        "energy_cost",
        "currency",
        "lower",
        "any",
        "What is paid for carriers (electricity, fuel, water) bought from grids and suppliers.",
        lambda t: t.purchase_cost,
    ),
    Kpi(
        "demand_charges",
        "currency",
        "lower",
        "any",
        "What suppliers charge for peaks, each month's billed on its own.",
        lambda t: t.demand_charges,
    ),
    Kpi(
        "standing_charges",
        "currency",
        "lower",
        "any",
        "What suppliers charge by the month, whatever is bought, and to reach a minimum bill.",
        lambda t: t.standing_charges,
    ),
    Kpi(
        "export_revenue",
        "currency",
        "higher",
        "any",
        "What is earned by selling, after the settlement of net metering.",
        lambda t: t.export_revenue,
    ),
    Kpi("unmet_cost", "currency", "lower", "any", "What demands not met cost.", lambda t: t.unmet_cost),
    Kpi(
        "end_shortfall_cost",
        "currency",
        "lower",
        "any",
        "What it costs to refill storages that end below their start.",
        lambda t: t.end_shortfall_cost,
    ),
    Kpi("co2_cost", "currency", "lower", "any", "CO2 price times operational CO2.", lambda t: t.co2_cost),
    Kpi(
        "co2_operational_kg",
        "kg",
        "lower",
        "any",
        "CO2 of what was bought and burnt; no credit for exports.",
        lambda t: t.co2_operational_kg,
    ),
    Kpi(
        "co2_embodied_kg",
        "kg",
        "lower",
        "any",
        "The run's share of embodied CO2.",
        lambda t: t.co2_embodied_kg,
    ),
)
"""All KPIs, in the order in which tables show them."""

KPI_NAMES: tuple[str, ...] = tuple(kpi.name for kpi in KPIS)


def kpi_value(kpi: Kpi, totals: KpiTotals) -> float | None:
    """Return the value of `kpi` for one run; None where it is 0/0."""
    numerator = float(kpi.numerator(totals))
    if kpi.denominator is None:
        return numerator
    denominator = float(kpi.denominator(totals))
    return numerator / denominator if denominator != 0 else None


def kpi_values(kpi: Kpi, totals: KpiTotals) -> list[float | None]:
    """Return the value of `kpi` for each run of a batch; None where it is 0/0."""
    numerators = kpi.numerator(totals).tolist()
    if kpi.denominator is None:
        return list(numerators)
    pairs = zip(numerators, kpi.denominator(totals).tolist(), strict=True)
    return [numerator / denominator if denominator != 0 else None for numerator, denominator in pairs]
