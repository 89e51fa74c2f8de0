"""Totals: a Tally read with its Problem's prices, carriers and roles; what KPI formulas ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ecosystemiser.model.kinds import MeterKind
from ecosystemiser.model.problem import ONES, CostCategory, Problem
from ecosystemiser.results.charges import Charge, charges_of
from ecosystemiser.results.tally import NEGLIGIBLE, Tally, own_priced, weighted_pairs
from ecosystemiser.units import Carrier

__all__ = ["Totals"]

Amount = Any
"""A float for one run, (batch,) for a batch."""


@dataclass(frozen=True, eq=False)
class Totals:
    """The sums of `kpis.KpiTotals` for one run, or for a batch with one entry a run."""

    problem: Problem
    tally: Tally

    @property
    def generation_kwh(self) -> Amount:
        """Local electricity generation after curtailment."""
        layout = self.problem.layout
        made = [flow for flow in layout.sources if self._is_electric(flow)]
        made += [
            flow
            for flow, converter in zip(layout.outputs, layout.output_converter, strict=True)
            if self._is_electric(flow) and not self._is_internal(converter)
        ]
        return self._sum_flows(made)

    @property
    def electricity_use_kwh(self) -> Amount:
        """Electricity used by demands and by converters to other carriers."""
        layout = self.problem.layout
        used = [flow for flow in layout.sinks if self._is_electric(flow)]
        used += [
            flow
            for converter, flow in enumerate(layout.inputs)
            if self._is_electric(flow) and not self._is_internal(converter)
        ]
        return self._sum_flows(used)

    @property
    def final_demand_kwh(self) -> Amount:
        """What the demands of all energy carriers ask for."""
        return self.delivered_kwh + self.unmet_kwh

    @property
    def delivered_kwh(self) -> Amount:
        """What the demands of all energy carriers receive."""
        return self._sum_flows(flow for flow in self.problem.layout.sinks if self._is_energy(flow))

    @property
    def renewable_delivered_kwh(self) -> Amount:
        """The part of `delivered_kwh` of renewable origin."""
        return self.tally.renewable_delivered

    @property
    def local_use_kwh(self) -> Amount:
        """The part of `electricity_use_kwh` from local generation, directly or through storage."""
        return self.tally.local_use

    @property
    def grid_import_kwh(self) -> Amount:
        """Electricity bought."""
        return self._sum_flows(flow for flow in self.problem.layout.imports if self._is_electric(flow))

    @property
    def grid_export_kwh(self) -> Amount:
        """Electricity sold."""
        return self._sum_flows(flow for flow in self.problem.layout.exports if self._is_electric(flow))

    @property
    def peak_import_kw(self) -> Amount:
        """Largest mean power of a step bought from any one electricity grid."""
        return self._peak(self.problem.layout.imports, 0)

    @property
    def peak_export_kw(self) -> Amount:
        """Largest mean power of a step sold to any one electricity grid."""
        return self._peak(self.problem.layout.exports, len(self.problem.layout.imports))

    @property
    def curtailed_kwh(self) -> Amount:
        """Energy that local sources had available and nobody took."""
        return self._left_over(self._is_energy)

    @property
    def unmet_kwh(self) -> Amount:
        """Energy demand that was not met."""
        return self._unmet(is_energy=True)

    @property
    def unmet_m3(self) -> Amount:
        """Water demand that was not met."""
        return self._unmet(is_energy=False)

    @property
    def battery_throughput_kwh(self) -> Amount:
        """Content drawn from electricity storages (before discharge losses)."""
        layout, efficiency = self.problem.layout, self.problem.coefficients.discharge_efficiency
        return self._sum_storages(self._is_electric, lambda at: self.tally.flow[layout.discharges[at]] / efficiency[at])

    @property
    def battery_capacity_kwh(self) -> Amount:
        """Usable capacity of electricity storages."""
        return self._sum_storages(self._is_electric, lambda at: self.problem.coefficients.capacity[at])

    @property
    def mean_stored_kwh(self) -> Amount:
        """Mean content of all energy storages, each step counted at its end."""
        return self._sum_storages(self._is_energy, lambda at: self.tally.level_sum[at] / self.problem.steps)

    @property
    def energy_storage_capacity_kwh(self) -> Amount:
        """Usable capacity of all energy storages."""
        return self._sum_storages(self._is_energy, lambda at: self.problem.coefficients.capacity[at])

    @property
    def mains_m3(self) -> Amount:
        """Water bought, from mains or from sources that have a price."""
        layout = self.problem.layout
        bought = [*layout.imports, *(flow for flow in layout.sources if flow not in layout.free_sources)]
        return self._sum_flows(flow for flow in bought if self._is_water(flow))

    @property
    def water_demand_m3(self) -> Amount:
        """What the demands for water ask for."""
        received = self._sum_flows(flow for flow in self.problem.layout.sinks if not self._is_energy(flow))
        return received + self.unmet_m3

    @property
    def local_water_m3(self) -> Amount:
        """Water that demands received and nobody bought."""
        return self.tally.local_water

    @property
    def rain_delivered_m3(self) -> Amount:
        """Rain that demands received."""
        return self.tally.rain_delivered

    @property
    def overflow_m3(self) -> Amount:
        """Water that free sources offered and nobody took or kept, and what full tanks let go."""
        spilled = self._sum_storages(self._is_water, lambda at: self.tally.spilled[at])
        return self._left_over(self._is_water) + spilled

    @property
    def evaporation_m3(self) -> Amount:
        """Water that storages lost: their share of the levels at every step's start."""
        tally, keep = self.tally, self.problem.coefficients.keep

        def lost(at: int) -> Amount:
            return (1 - keep[at]) * (tally.level_first[at] + tally.level_sum[at] - tally.level_last[at])

        return self._sum_storages(self._is_water, lost)

    @property
    def mean_stored_m3(self) -> Amount:
        """Mean content of all water storages, each step counted at its end."""
        return self._sum_storages(self._is_water, lambda at: self.tally.level_sum[at] / self.problem.steps)

    @property
    def water_storage_capacity_m3(self) -> Amount:
        """Usable capacity of all water storages."""
        return self._sum_storages(self._is_water, lambda at: self.problem.coefficients.capacity[at])

    @property
    def capital_cost(self) -> Amount:
        """The run's share of the capital annuities."""
        return self.problem.year_share * self.problem.coefficients.capital_per_year.sum(axis=0)

    @property
    def fixed_cost(self) -> Amount:
        """The run's share of the fixed operation cost."""
        return self.problem.year_share * self.problem.coefficients.fixed_per_year.sum(axis=0)

    @property
    def variable_cost(self) -> Amount:
        """Cost per amount that components produce, beyond what is bought, and of switching them on."""
        return self._cost(CostCategory.VARIABLE) + self.start_costs.sum(axis=0)

    @property
    def start_costs(self) -> Amount:
        """What switching on costs, of each committed converter. (committed,)"""
        return self.problem.coefficients.start_cost * self.tally.starts

    @property
    def purchase_cost(self) -> Amount:
        """What is paid for carriers bought from grids and suppliers, tiers included."""
        return self._cost(CostCategory.PURCHASE) + self._charged(MeterKind.SUM)

    @property
    def export_revenue(self) -> Amount:
        """What is earned by selling, after the settlement of net metering."""
        return self._cost(CostCategory.REVENUE) - self._charged(MeterKind.NET)

    @property
    def demand_charges(self) -> Amount:
        """What suppliers charge for peaks."""
        return self._charged(MeterKind.PEAK)

    @property
    def standing_charges(self) -> Amount:
        """What suppliers charge by the month, and to reach a minimum bill."""
        return self._charged(MeterKind.STANDING, MeterKind.MINIMUM)

    @cached_property
    def charges(self) -> list[Charge]:
        """What each meter bills."""
        return charges_of(self.problem, self.tally.metered)

    def _charged(self, *kinds: MeterKind) -> Amount:
        meters = self.problem.layout.meters
        costs = [charge.cost.sum(axis=0) for charge in self.charges if meters[charge.meter].kind in kinds]
        return sum(costs, self._zero())

    @property
    def unmet_cost(self) -> Amount:
        """What demands that were not met cost."""
        return (self.problem.coefficients.unmet_cost * self.tally.unmet).sum(axis=0)

    @property
    def end_shortfall_cost(self) -> Amount:
        """What it costs to refill storages that end below their start; 0 under other end rules."""
        return self.end_shortfall_costs.sum(axis=0)

    @property
    def co2_cost(self) -> Amount:
        """CO2 price times operational CO2."""
        return self.problem.coefficients.co2_price * self.co2_operational_kg

    @property
    def co2_operational_kg(self) -> Amount:
        """CO2 of what was bought and burnt; no credit for exports."""
        return sum((self.co2_term(term) for term in range(len(self.problem.layout.co2.flow))), self._zero())

    @property
    def co2_embodied_kg(self) -> Amount:
        """The run's share of embodied CO2: embodied / lifetime x share of the year."""
        return self.problem.year_share * self.problem.coefficients.embodied_per_year.sum(axis=0)

    def component_peak(self, flow: int) -> Amount:
        """Return the largest step of an import or export flow. [kWh or m3 per step]"""
        rows = [*self.problem.layout.imports, *self.problem.layout.exports]
        return self.tally.month_peak[rows.index(flow)].max(axis=0)

    def cost_term(self, term: int) -> Amount:
        """Return what the flow of a cost term costs, or earns, over the run; see `Layout.costs`."""
        return self.problem.coefficients.cost[term] * self._priced(term, self.problem.layout.costs.flow[term])

    def co2_term(self, term: int) -> Amount:
        """Return the CO2 of the flow of a term over the run; see `Layout.co2`. [kg]"""
        flow, signal = self.problem.layout.co2.flow[term], int(self.problem.co2_signal[term])
        return self.problem.coefficients.co2[term] * self._weighted(flow, signal)

    @property
    def end_shortfall_costs(self) -> Amount:
        """What it costs to refill each storage that ends below its start; 0 under other end rules. (storages,)"""
        numbers, is_priced = self.problem.coefficients, self.problem.end == "shortfall"
        short = np.maximum(numbers.end_level - self.tally.level_last, 0.0)
        return numbers.end_price * short if is_priced else np.zeros_like(short)

    def _cost(self, category: CostCategory) -> Amount:
        categories = self.problem.layout.costs.category
        terms = [term for term, its_category in enumerate(categories) if its_category is category]
        return sum((self.cost_term(term) for term in terms), self._zero())

    def _priced(self, term: int, flow: int) -> Amount:
        """Return the sum of a flow times the signal of a cost term."""
        pairs, own = self._weights
        if term in own:
            return self.tally.weighted[len(pairs) + own.index(term)]
        return self._weighted(flow, int(self.problem.cost_signal[term].flat[0]))

    def _weighted(self, flow: int, signal: int) -> Amount:
        """Return the sum of flow times signal."""
        if signal == ONES:
            return self.tally.flow[flow]
        return self.tally.weighted[self._weights[0].index((flow, signal))]

    @cached_property
    def _weights(self) -> tuple[list[tuple[int, int]], list[int]]:
        """What the rows of `Tally.weighted` are: pairs of flow and signal, then cost terms."""
        return weighted_pairs(self.problem), own_priced(self.problem)

    def _signal_sum(self, signal: int) -> float:
        return float(self.problem.signals[signal].sum())

    def _peak(self, flows: tuple[int, ...], first_row: int) -> Amount:
        peaks = [
            self.tally.month_peak[first_row + at].max(axis=0)
            for at, flow in enumerate(flows)
            if self._is_electric(flow)
        ]
        return np.max(peaks, axis=0) / self.problem.step_h if peaks else self._zero()

    def _left_over(self, counts: Callable[[int], bool]) -> Amount:
        """Return what free sources offered and nobody took; unlimited ones leave nothing over."""
        total = self._zero()
        for flow in self.problem.layout.free_sources:
            scale = self.problem.coefficients.limit[flow]
            if counts(flow) and np.all(np.isfinite(scale)):
                offered = scale * self._signal_sum(int(self.problem.limit_signal[flow]))
                left = offered - self.tally.flow[flow]
                total = total + np.where(left > NEGLIGIBLE * offered, left, 0.0)
        return total

    def _unmet(self, *, is_energy: bool) -> Amount:
        total = self._zero()
        for sink, flow in enumerate(self.problem.layout.sinks):
            if self._is_energy(flow) is is_energy:
                total = total + self.tally.unmet[sink]
        return total

    def _sum_flows(self, flows: Iterable[int]) -> Amount:
        total = self._zero()
        for flow in flows:
            total = total + self.tally.flow[flow]
        return total

    def _sum_storages(self, counts: Callable[[int], bool], amount: Callable[[int], Amount]) -> Amount:
        total = self._zero()
        for storage, flow in enumerate(self.problem.layout.charges):
            if counts(flow):
                total = total + amount(storage)
        return total

    def _zero(self) -> Amount:
        return np.zeros(self.tally.flow.shape[1:])

    def _is_electric(self, flow: int) -> bool:
        return self.problem.layout.carrier(flow) is Carrier.ELECTRICITY

    def _is_energy(self, flow: int) -> bool:
        return self.problem.layout.carrier(flow).is_energy

    def _is_water(self, flow: int) -> bool:
        return not self._is_energy(flow)

    def _is_internal(self, converter: int) -> bool:
        """Whether a converter only moves electricity between electricity buses."""
        return self.problem.layout.is_internal(converter)
