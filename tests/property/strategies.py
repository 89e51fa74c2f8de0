"""Small systems of every component there is, as the text of a system file."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import note, reject
from hypothesis import strategies as st

from ecosystemiser.errors import InputError
from ecosystemiser.model.loading import load_system
from ecosystemiser.model.system import System
from ecosystemiser.reader import parse_yaml

Draw = Any
Components = dict[str, dict[str, Any]]


def tenths(low: int, high: int) -> st.SearchStrategy[float]:
    """Return numbers with one decimal."""
    return st.integers(low * 10, high * 10).map(lambda number: number / 10)


def hundredths(low: float, high: float) -> st.SearchStrategy[float]:
    """Return numbers with two decimals."""
    return st.integers(round(low * 100), round(high * 100)).map(lambda number: number / 100)


SHARES = hundredths(0.0, 1.0)
EFFICIENCIES = hundredths(0.5, 1.0)
LOSSES = st.sampled_from([0.0, 0.005, 0.1, 0.5])
COUNTS = st.sampled_from([1, 1, 1, 2, 3])
SIZES = tenths(1, 12)


@st.composite
def systems(draw: Draw, *, circles: bool = True) -> System:
    """Return the System of a generated text; one that asks for more than all supply limits is drawn anew."""
    text = draw(system_texts(circles=circles))
    note(text)
    try:
        return load_system(parse_yaml(text, "generated.yaml"))
    except InputError as error:
        if all("above all supply limits" in finding.message for finding in error.findings):
            reject()
        raise


@st.composite
def system_texts(draw: Draw, *, circles: bool = True) -> str:
    """Return the text of a system file: 2 to 30 steps, one to five carriers, all demands reachable.

    Selling always earns less than buying costs, all sources and all converters to other carriers have limits: no plan
    makes money without end.
    `circles`: converters may lead from a carrier to another one and back.
    """
    steps = draw(st.integers(2, 30))
    step = draw(st.sampled_from(["1h", "1h", "15min", "2h"]))
    town = _Town(draw, steps)
    town.electricity()
    # At most two of these: routes then have no more converters than the rule takes.
    parts = [town.heat, town.cellar, town.gas_power, town.water, town.rain]
    for add in draw(st.permutations(parts))[: draw(st.integers(0, 2))]:
        add()
    if circles and draw(st.booleans()):
        town.circle()
    names = draw(st.permutations(sorted(town.components)))
    start = draw(st.sampled_from(["2018-01-01", "2018-01-31 12:00:00", "2018-12-31 20:00:00"]))
    lines = [
        "system_id: generated",
        f"time: {{start: {start}, step: {step}, steps: {steps}, timezone: Europe/Berlin}}",
        f"economics: {{co2_price_per_kg: {draw(st.sampled_from([0.0, 0.1]))}}}",
        *(["buses: {cellar: electricity}"] if town.has_cellar else []),
        "components:",
        *(f"  {name}: {json.dumps(town.components[name])}" for name in names),
    ]
    return "\n".join(lines) + "\n"


class _Town:
    """Components as they are chosen."""

    def __init__(self, draw: Draw, steps: int) -> None:
        self.draw, self.steps = draw, steps
        self.components: Components = {}
        self.has_cellar = False

    def maybe(self, **fields: st.SearchStrategy[Any]) -> dict[str, Any]:
        """Return some of the fields."""
        return {name: self.draw(values) for name, values in fields.items() if self.draw(st.booleans())}

    def series(self, values: st.SearchStrategy[float]) -> list[float]:
        """Return a value a step: a few, repeated."""
        pattern = self.draw(st.lists(values, min_size=1, max_size=5))
        return [pattern[step % len(pattern)] for step in range(self.steps)]

    def number_or_series(self, values: st.SearchStrategy[float]) -> float | list[float]:
        """Return one value for all steps or one a step."""
        return self.draw(values) if self.draw(st.booleans()) else self.series(values)

    def price(self, low: float, high: float) -> Any:
        """Return a price as a number, a list or a time-of-use table."""
        values = hundredths(low, high)
        if self.draw(st.sampled_from([True, True, False])):
            return self.number_or_series(values)
        periods = [{"price": self.draw(values), "hours": self.draw(st.sampled_from(["22-06", "1-3", "17-21"]))}]
        return {"default": self.draw(values), "periods": periods}

    def tariff(self, *, is_limited: bool) -> dict[str, Any]:
        """Return what a supplier bills beyond the price of each kWh; large, as the run is a short part of a month."""
        draw = self.draw
        tariff: dict[str, Any] = self.maybe(
            tax_share=hundredths(0, 0.3),
            fees_per_kwh=hundredths(0, 0.1),
            fixed_per_month=tenths(0, 900),
            minimum_per_month=tenths(0, 900),
            net_metering=st.fixed_dictionaries(
                {"settle": st.sampled_from(["month", "year"]), "surplus_price_per_kwh": hundredths(0, 0.05)}
            ),
        )
        prices = draw(st.lists(hundredths(0, 0.3), min_size=0, max_size=3))
        if not is_limited:
            prices.sort()  # a falling price needs a limit
        bounds = [{"up_to_kwh": 2000.0 * (at + 1)} for at in range(len(prices) - 1)]
        tariff["tiers"] = [
            {"price_per_kwh": price, **bound} for price, bound in zip(prices, [*bounds, {}], strict=False)
        ]
        tariff["demand_charges"] = [self.peak() for _ in range(draw(st.integers(0, 2)))]
        return tariff

    def peak(self) -> dict[str, Any]:
        hours = st.sampled_from(["22-06", "1-3", "17-21"])
        more = self.maybe(hours=hours, ratchet=SHARES, least_kw=tenths(0, 4), days=st.just("mon-fri"))
        return {"price_per_kw": self.draw(tenths(0, 500)), **more}

    def demand(self, highest: int = 4) -> list[float]:
        return self.series(tenths(0, highest))

    def electricity(self) -> None:
        """Add the grid, demands, and maybe PV, a battery, a second source."""
        draw = self.draw
        is_tight = draw(st.sampled_from([False, False, True]))
        grid = {"type": "grid", "import_price_per_kwh": self.price(0.06, 0.5)}
        grid["export_price_per_kwh"] = self.price(-0.02, 0.05)
        if is_tight:
            grid["import_limit_kw"] = draw(tenths(1, 6))
        grid |= self.maybe(
            export_limit_kw=tenths(0, 4),
            renewable_share=SHARES,
            variable_cost_per_kwh=st.just(0.01),
            co2_kg_per_kwh=st.just(0.4),
            count=COUNTS,
        )
        if draw(st.sampled_from([True, False])):
            grid |= {"tariff": self.tariff(is_limited="import_limit_kw" in grid)}
            if "net_metering" in grid["tariff"]:
                grid["export_price_per_kwh"] = 0.0
                grid["tariff"]["tiers_settle"] = grid["tariff"]["net_metering"]["settle"]
                if not isinstance(grid["import_price_per_kwh"], float):
                    del grid["tariff"]["tiers"]
        self.components["grid"] = grid
        demand = {"type": "electricity_demand", "profile": self.demand()}
        unmet = st.sampled_from([0.0, 0.2, 3.0])
        demand |= {"unmet_cost_per_kwh": draw(unmet)} if is_tight and draw(st.booleans()) else {}
        self.components["houses"] = demand | self.maybe(variable_cost_per_kwh=st.just(0.02))
        if draw(st.sampled_from([True, True, False])):
            self.components["pv"] = self.pv()
        if draw(st.sampled_from([True, True, False])):
            self.components["battery"] = self.battery()
        if draw(st.sampled_from([True, False, False])):
            self.components["turbine"] = self.source("electricity")
        if draw(st.sampled_from([True, False, False])):
            self.components["wind"] = self.wind()

    def pv(self) -> dict[str, Any]:
        pv = {"type": "pv", "capacity_kw": self.draw(SIZES), "profile": self.series(SHARES)}
        return pv | self.maybe(
            count=COUNTS, variable_cost_per_kwh=st.just(0.01), capex_per_kw=st.just(900), co2_kg_per_kwh=st.just(0.02)
        )

    def wind(self) -> dict[str, Any]:
        wind = {"type": "wind_turbine", "capacity_kw": self.draw(SIZES), "profile": self.series(SHARES)}
        return wind | self.maybe(
            count=COUNTS, variable_cost_per_kwh=st.just(0.01), capex_per_kw=st.just(1500), co2_kg_per_kwh=st.just(0.01)
        )

    def battery(self) -> dict[str, Any]:
        battery = {"type": "battery", "capacity_kwh": self.draw(SIZES)}
        battery |= {"power_kw": self.draw(SIZES)} if self.draw(st.booleans()) else {"duration_h": self.draw(SIZES)}
        return battery | self.maybe(
            count=COUNTS,
            efficiency=EFFICIENCIES,
            discharge_efficiency=EFFICIENCIES,
            loss_per_hour=LOSSES,
            initial_level=SHARES,
            end_price=hundredths(0, 0.5),
            variable_cost_per_kwh=st.just(0.01),
        )

    def source(self, bus: str) -> dict[str, Any]:
        source = {"type": "source", "bus": bus, "power_kw": self.draw(SIZES), "renewable_share": self.draw(SHARES)}
        source |= {"profile": self.series(SHARES)} if self.draw(st.booleans()) else {}
        return source | {"cost_per_kwh": self.price(0.0, 0.3)}

    def storage(self, bus: str, unit: str) -> dict[str, Any]:
        storage = {"type": "storage", "bus": bus, f"capacity_{unit}": self.draw(SIZES), "end_price": self.draw(SHARES)}
        rate = {"kwh": "power_kw", "m3": "flow_m3_per_h"}[unit]
        return storage | self.maybe(
            **{rate: SIZES},
            count=COUNTS,
            charge_efficiency=EFFICIENCIES,
            discharge_efficiency=EFFICIENCIES,
            loss_per_hour=LOSSES,
            initial_level=SHARES,
        )

    def converter(self, source: str, goal: str, **more: Any) -> dict[str, Any]:
        return {"type": "converter", "input": source, "output": goal, **more} | self.maybe(
            variable_cost=st.just(0.01), co2_kg=st.just(0.1)
        )

    def heat(self) -> None:
        """Add a heat demand with a boiler that can do it all, and maybe a heat pump and a buffer."""
        draw, parts = self.draw, self.components
        parts["heat"] = {"type": "heat_demand", "profile": self.demand()}
        parts["boiler"] = {"type": "gas_boiler", "power_kw": 4} | self.maybe(
            efficiency=EFFICIENCIES, variable_cost_per_kwh=st.just(0.01), co2_kg_per_kwh=st.just(0.01)
        )
        self.gas()
        if draw(st.sampled_from([True, True, False])):
            cop = self.number_or_series(tenths(1, 5))
            pump = {"type": "heat_pump", "power_kw": draw(tenths(0, 2)), "cop": cop}
            parts["heat_pump"] = pump | self.maybe(count=COUNTS)
        if draw(st.sampled_from([True, False, False])):
            rod = {"type": "electric_boiler", "power_kw": draw(tenths(0, 4))}
            parts["rod"] = rod | self.maybe(efficiency=EFFICIENCIES, variable_cost_per_kwh=st.just(0.01), count=COUNTS)
        if draw(st.booleans()):
            parts["buffer"] = {"type": "heat_storage", "capacity_kwh": draw(SIZES)} | self.maybe(
                power_kw=SIZES,
                efficiency=EFFICIENCIES,
                loss_per_hour=LOSSES,
                initial_level=SHARES,
                end_price=hundredths(0, 0.5),
            )
        if draw(st.sampled_from([True, False, False])):
            parts["waste_heat"] = self.source("heat")

    def gas(self) -> None:
        """Add the supply of gas."""
        supply = {"type": "gas_supply", "price_per_kwh": self.price(0.06, 0.3)}
        self.components["gas"] = supply | self.maybe(renewable_share=SHARES, co2_kg_per_kwh=st.just(0.2))

    def cellar(self) -> None:
        """Add a second electricity bus behind a cable that loses some."""
        draw, parts = self.draw, self.components
        self.has_cellar = True
        limit = {"power_kw": draw(SIZES)} if draw(st.booleans()) else {}
        parts["cable"] = self.converter("electricity", "cellar", ratio=self.number_or_series(EFFICIENCIES), **limit)
        unmet = draw(st.sampled_from([0.0, 1.0]))
        demand = {"type": "electricity_demand", "bus": "cellar", "profile": self.demand()}
        parts["pump"] = demand | {"unmet_cost_per_kwh": unmet}
        if draw(st.booleans()):
            parts["cell"] = self.battery() | {"bus": "cellar"}
        if draw(st.booleans()):
            parts["garage_pv"] = self.pv() | {"bus": "cellar"}
        if draw(st.booleans()):
            parts["back"] = self.converter("cellar", "electricity", ratio=draw(EFFICIENCIES))

    def gas_power(self) -> None:
        """Add what makes electricity of gas, and a store of gas."""
        if "gas" not in self.components:
            self.gas()
        ratio, power = self.draw(hundredths(0.2, 0.6)), self.draw(SIZES)
        self.components["engine"] = self.converter("gas", "electricity", ratio=ratio, power_kw=power)
        if self.draw(st.booleans()):
            self.components["tank"] = self.storage("gas", "kwh")

    def water(self) -> None:
        """Add a well, a cistern and what drinks."""
        parts = self.components
        well = {"type": "source", "bus": "water", "flow_m3_per_h": self.draw(SIZES)}
        parts["well"] = well | {"cost_per_m3": self.price(0.05, 3)}
        taps = {"type": "sink", "bus": "water", "profile": self.demand()}
        parts["taps"] = taps | {"unmet_cost_per_m3": self.draw(SIZES)}
        if self.draw(st.booleans()):
            parts["cistern"] = self.storage("water", "m3")
        self.osmosis()

    def osmosis(self) -> None:
        """Maybe add what makes water of electricity."""
        if self.draw(st.sampled_from([True, False, False])):
            ratio, power = self.draw(hundredths(0.1, 0.6)), self.draw(SIZES)
            self.components["osmosis"] = self.converter("electricity", "water", ratio=ratio, power_kw=power)

    def rain(self) -> None:
        """Add mains and what drinks, a roof, tanks and what flushes, with a top-up between."""
        draw, parts = self.draw, self.components
        lowest, highest = draw(st.sampled_from([(0.05, 3), (-0.5, 1)]))
        mains = {"type": "water_grid", "import_price_per_m3": self.price(lowest, highest)}
        if lowest < 0 or draw(st.booleans()):  # a storage that loses some would be paid for taking in without end
            mains["import_limit_m3_per_h"] = draw(tenths(1, 8))
        parts["mains"] = mains | self.maybe(variable_cost_per_m3=st.just(0.1), co2_kg_per_m3=st.just(0.3))
        parts["kitchen"] = {"type": "water_demand", "profile": self.demand(2)} | self.maybe(unmet_cost_per_m3=SIZES)
        limit = {"flow_m3_per_h": draw(SIZES)} if draw(st.booleans()) else {}
        parts["topup"] = self.converter("water", "service_water", ratio=draw(st.sampled_from([1.0, 1.0, 0.8])), **limit)
        rain = self.series(st.sampled_from([0.0, 0.0, 2.0, 10.0]))
        roof = {"type": "rainwater", "bus": "service_water", "area_m2": draw(tenths(10, 1000)), "profile": rain}
        parts["roof"] = roof | self.maybe(
            runoff=EFFICIENCIES, filter_efficiency=EFFICIENCIES, count=COUNTS, variable_cost_per_m3=st.just(0.1)
        )
        for name in ("butt", "pond")[: draw(st.integers(0, 2))]:
            parts[name] = self.water_tank()
        flush = {"type": "water_demand", "bus": "service_water", "profile": self.demand(3)}
        parts["flush"] = flush | self.maybe(unmet_cost_per_m3=SIZES)
        self.osmosis()

    def water_tank(self) -> dict[str, Any]:
        capacity = self.draw(tenths(1, 8))
        tank = {"type": "water_tank", "bus": "service_water", "capacity_m3": capacity}
        if self.draw(st.booleans()):
            surface = capacity * self.draw(st.sampled_from([0.5, 2.0]))
            tank |= {"evaporation_mm_per_day": self.draw(st.sampled_from([5.0, 100.0])), "surface_m2": surface}
        return tank | self.maybe(
            count=COUNTS, initial_level=SHARES, end_price=hundredths(0, 3), variable_cost_per_m3=st.just(0.02)
        )

    def circle(self) -> None:
        """Add a way back from a carrier that electricity is turned into; what goes round may even gain."""
        power = self.draw(SIZES)
        if "heat_pump" in self.components:
            ratio = self.draw(hundredths(0.05, 0.4))
            self.components["orc"] = self.converter("heat", "electricity", ratio=ratio, power_kw=power)
        elif "engine" in self.components:
            ratio = self.draw(EFFICIENCIES)
            self.components["electrolysis"] = self.converter("electricity", "gas", ratio=ratio, power_kw=power)
