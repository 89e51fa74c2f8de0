"""KPIs of one solved system, by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ecosystemiser.kpis import KPIS, kpi_value, kpi_values
from ecosystemiser.results import SolvedSystem, Totals
from ecosystemiser.units import Carrier

__all__ = ["KPICalculator", "SystemType"]

SystemType = Literal["energy", "water", "mixed"]


class KPICalculator:
    """Calculates the declared KPIs (`ecosystemiser.kpis`) of a solved system.

    >>> KPICalculator().calculate_from_system(solved)["total_cost"]  # doctest: +SKIP
    21254.93
    """

    def calculate_from_system(self, system: SolvedSystem) -> dict[str, float | None]:
        """Return every KPI that applies to the carriers of `system`; None where a KPI is 0/0."""
        kpis = self._calculate("any", system)
        kind = self.system_type(system)
        if kind != "water":
            kpis |= self._calculate_energy_kpis(system)
        if kind != "energy":
            kpis |= self._calculate_water_kpis(system)
        return {kpi.name: kpis[kpi.name] for kpi in KPIS if kpi.name in kpis}

    def calculate_from_totals(self, totals: Totals) -> dict[str, list[float | None]]:
        """Return every KPI that applies, one value for each run of a batch."""
        kind = _system_type(bus.carrier for bus in totals.problem.layout.buses)
        left_out = {"energy": "water", "water": "energy"}.get(kind)
        return {kpi.name: kpi_values(kpi, totals) for kpi in KPIS if kpi.domain != left_out}

    def system_type(self, system: SolvedSystem) -> SystemType:
        """Return whether the buses of `system` carry energy, water or both."""
        return _system_type(system.system.buses.values())

    def _calculate_energy_kpis(self, system: SolvedSystem) -> dict[str, float | None]:
        return self._calculate("energy", system)

    def _calculate_water_kpis(self, system: SolvedSystem) -> dict[str, float | None]:
        return self._calculate("water", system)

    def _calculate(self, domain: str, system: SolvedSystem) -> dict[str, float | None]:
        return {kpi.name: kpi_value(kpi, system.totals) for kpi in KPIS if kpi.domain == domain}


def _system_type(carriers: Iterable[Carrier]) -> SystemType:
    carries = {carrier.is_energy for carrier in carriers}
    if carries == {False}:
        return "water"
    return "mixed" if False in carries else "energy"
