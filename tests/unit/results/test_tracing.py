"""Origin tracing against a plain loop over the hours that solves each hour's shares as a small dense system.

The loop is written from the definitions (KPIs: L, renewable fraction), not from the code: it keeps the share of every
content as it goes, and asks numpy for the shares of an hour's nodes.
"""

import numpy as np
import pytest

from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.model.loading import load_system
from ecosystemiser.reader import parse_yaml
from ecosystemiser.results.tracing import trace

STEPS = 10
TOWN = """
system_id: traced
time: {{steps: {steps}}}
buses: {{dc: electricity}}
components:
  grid: {{type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, renewable_share: {grid}}}
  roof: {{type: pv, capacity_kw: 1e3, profile: {ones}}}
  field: {{type: pv, bus: dc, capacity_kw: 1e3, profile: {ones}}}
  diesel: {{type: source, bus: electricity, power_kw: 1e3, renewable_share: {diesel}}}
  inverter: {{type: converter, input: dc, output: electricity, ratio: 0.95}}
  load: {{type: electricity_demand, profile: {ones}, unmet_cost_per_kwh: 1}}
  shop: {{type: electricity_demand, profile: {ones}, unmet_cost_per_kwh: 1}}
  battery: {{type: battery, capacity_kwh: 1e3, power_kw: 1e3, efficiency: 0.9, loss_per_hour: {loss}}}
  cells: {{type: battery, bus: dc, capacity_kwh: 1e3, power_kw: 1e3, efficiency: 0.95}}
  pump: {{type: heat_pump, power_kw: 1e3, cop: {cop}}}
  heat: {{type: heat_demand, profile: {ones}, unmet_cost_per_kwh: 1}}
  store: {{type: heat_storage, capacity_kwh: 1e3, loss_per_hour: 0.1, efficiency: 0.9}}
  collectors: {{type: source, bus: heat, power_kw: 1e3, renewable_share: 1}}
  gas: {{type: gas_supply, price_per_kwh: 0.1, renewable_share: {gas}}}
  boiler: {{type: gas_boiler, power_kw: 1e3, efficiency: 0.9}}
  engine: {{type: converter, input: gas, output: electricity, ratio: 0.4}}
  electrolyser: {{type: converter, input: electricity, output: hydrogen, ratio: 0.7}}
  tank: {{type: storage, bus: hydrogen, capacity_kwh: 1e3, charge_efficiency: 0.98, end_price: 0}}
  cell: {{type: converter, input: hydrogen, output: electricity, ratio: 0.6}}
  burner: {{type: gas_boiler, input: hydrogen, power_kw: 1e3, efficiency: 0.8}}
  springs: {{type: source, bus: water, flow_m3_per_h: 1e3}}
  taps: {{type: sink, bus: water, profile: {ones}, unmet_cost_per_m3: 1}}
"""
RATIOS = {"inverter": 0.95, "boiler": 0.9, "engine": 0.4, "electrolyser": 0.7, "cell": 0.6, "burner": 0.8}
STORAGES = {  # bus, way in, way out, loss an hour (the battery's is drawn)
    "battery": ("electricity", 0.9, 0.9, None),
    "cells": ("electricity", 0.95, 0.95, 0.0),
    "store": ("heat", 0.9, 0.9, 0.1),
    "tank": ("hydrogen", 0.98, 1.0, 0.0),
}


class Plan:
    """Random flows that balance on every bus; storages may charge, and discharge beyond their content, at once."""

    def __init__(self, seed):
        dice = np.random.default_rng(seed)
        self.dice = dice
        self.shares = {name: float(dice.choice([0.0, dice.random(), 1.0])) for name in ("grid", "gas", "diesel")}
        self.loss = float(dice.choice([0.0, 0.2]))
        self.cop = dice.uniform(2, 4, STEPS).tolist()
        self.flows = {}
        self.levels = {}
        for name in STORAGES:
            self._run_storage(name)
        self._hydrogen()
        self._direct_current()
        self._heat()
        self._gas()
        self._electricity()
        self.flows["springs.out"] = self.flows["taps.in"] = self._some()

    def _some(self):
        """Return amounts, a third of them 0."""
        return self.dice.uniform(0, 5, STEPS) * (self.dice.random(STEPS) > 1 / 3)

    def storage(self, name):
        bus, way_in, way_out, loss = STORAGES[name]
        return bus, way_in, way_out, 1 - (self.loss if loss is None else loss)

    def _run_storage(self, name):
        _, way_in, way_out, keep = self.storage(name)
        charge, discharge, levels = self._some(), np.zeros(STEPS), [500.0 if self.dice.random() < 0.3 else 0.0]
        for step in range(STEPS):
            most = levels[-1] * keep + charge[step] * way_in
            discharge[step] = self.dice.choice([0, 0.2, 0.9, 1.0]) * min(most * way_out, 8)
            levels.append(max(0.0, most - discharge[step] / way_out))
        self.flows |= {f"{name}.charge": charge, f"{name}.discharge": discharge}
        self.levels[name] = np.array(levels)

    def _draw(self, converter, amount):
        ratio = np.array(self.cop) if converter == "pump" else RATIOS[converter]
        self.flows |= {f"{converter}.in": amount, f"{converter}.out": amount * ratio}

    def _hydrogen(self):
        """The cell takes what the electrolyser and the tank give beyond the tank's charge and the burner."""
        net, burnt = self.flows["tank.discharge"] - self.flows["tank.charge"], self._some()
        made = np.maximum(0, burnt - net) * self.dice.choice([1, 1.5], STEPS)
        self._draw("electrolyser", made / 0.7)
        self._draw("burner", burnt)
        self._draw("cell", made + net - burnt)

    def _direct_current(self):
        net = self.flows["cells.discharge"] - self.flows["cells.charge"]
        self.flows["field.out"] = np.maximum(0, -net) + self._some()
        self._draw("inverter", self.flows["field.out"] + net)

    def _heat(self):
        self._draw("pump", self._some())
        self._draw("boiler", self._some())
        made = sum(self.flows[f"{name}.out"] for name in ("pump", "boiler", "burner"))
        given = made + self.flows["store.discharge"] - self.flows["store.charge"]
        self.flows["collectors.out"] = np.maximum(0, -given) + self._some()
        self.flows["heat.in"] = given + self.flows["collectors.out"]

    def _gas(self):
        self._draw("engine", self._some())
        self.flows["gas.import"] = self.flows["engine.in"] + self.flows["boiler.in"]

    def _electricity(self):
        self.flows |= {name: self._some() for name in ("roof.out", "diesel.out", "load.in", "shop.in")}
        gives = ("roof.out", "diesel.out", "inverter.out", "engine.out", "cell.out", "battery.discharge")
        takes = ("load.in", "shop.in", "battery.charge", "pump.in", "electrolyser.in")
        net = sum(self.flows[name] for name in takes) - sum(self.flows[name] for name in gives)
        sold = self._some() * (self.dice.random() < 0.3)  # sometimes bought and sold at once
        self.flows["grid.import"] = np.maximum(0, net) + sold
        self.flows["grid.export"] = np.maximum(0, -net) + sold

    def problem(self):
        text = TOWN.format(steps=STEPS, ones=[1e3] * STEPS, loss=self.loss, cop=self.cop, **self.shares)
        return compile_problem(load_system(parse_yaml(text, "traced.yaml")))

    def arrays(self, problem):
        paths = [flow.path for flow in problem.layout.flows]
        assert set(self.flows) <= set(paths)
        flows = np.array([self.flows.get(path, np.zeros(STEPS)) for path in paths])
        return flows, np.array([self.levels[name] for name in problem.layout.storage_names])


def by_the_hour(plan, *, is_local):
    """Return the share of origin of the electricity that is used and of the heat that is delivered, by hour.

    Local: sun and generator and whatever converters make on electricity buses, 1. Renewable: as each brings it.
    """
    contents = dict.fromkeys(STORAGES, 0.0)
    used, heated = [], []
    for step in range(STEPS):
        flow = {name: float(values[step]) for name, values in plan.flows.items()}
        hour = Hour(plan, flow, contents, step, is_local=is_local)
        used.append(hour.value(hour.use("electricity")))
        heated.append(hour.value(hour.use("heat")))
        contents = {name: hour.content(name) for name in STORAGES}
    return np.array(used), np.array(heated)


class Hour:
    """The shares of one hour: unknown are those of generation, pool, heat, gas and hydrogen."""

    UNKNOWN = ("generation", "pool", "heat", "gas", "hydrogen")

    def __init__(self, plan, flow, contents, step, *, is_local):
        self.plan, self.flow, self.contents, self.step, self.is_local = plan, flow, contents, step, is_local
        made = [flow[name] for name in ("roof.out", "field.out", "diesel.out", "engine.out", "cell.out")]
        self.made = sum(made)
        self.used = sum(flow[name] for name in ("load.in", "shop.in", "pump.in", "electrolyser.in"))
        self.charged = flow["battery.charge"] + flow["cells.charge"]
        self.to_use = min(self.made, self.used)
        self.to_charge = min(self.made - self.to_use, self.charged)
        self.solved = self._solve()

    def value(self, mix):
        """Return the share of a mix {unknown: weight, None: constant}."""
        return sum(weight * (1.0 if name is None else self.solved[name]) for name, weight in mix.items())

    def use(self, bus):
        """Return what is taken from a bus, as a mix: sun and converters first, the pool for the rest."""
        if bus != "electricity":
            return {bus: 1.0}
        direct = self.to_use / self.used if self.used else 0.0
        return {"generation": direct, "pool": 1 - direct}

    def charge(self, bus):
        if bus != "electricity":
            return {bus: 1.0}
        direct = self.to_charge / self.charged if self.charged else 0.0
        return {"generation": direct, "pool": 1 - direct}

    def content(self, name):
        """Return the share of a storage's content at the hour's end."""
        bus, way_in, _, _ = self.plan.storage(name)
        there, beyond = self._drawn(name)
        left = there - min(self._taken(name), there)
        added = self.flow[f"{name}.charge"] * way_in - beyond
        if left + added <= 1e-9:
            return 0.0
        return (left * self.contents[name] + added * self.value(self.charge(bus))) / (left + added)

    def _taken(self, name):
        return self.flow[f"{name}.discharge"] / self.plan.storage(name)[2]

    def _drawn(self, name):
        there = self.plan.levels[name][self.step] * self.plan.storage(name)[3]
        return there, max(0.0, self._taken(name) - there)

    def discharge(self, name):
        """Return what a storage gives as a mix: its content's share, of the charge what goes beyond the content."""
        bus = self.plan.storage(name)[0]
        taken = self._taken(name)
        of_charge = self._drawn(name)[1] / taken if taken else 0.0
        mix = {unknown: weight * of_charge for unknown, weight in self.charge(bus).items()}
        mix[None] = (1 - of_charge) * self.contents[name]
        return mix

    def _solve(self):
        matrix, right = np.eye(len(self.UNKNOWN)), np.zeros(len(self.UNKNOWN))
        for row, name in enumerate(self.UNKNOWN):
            inflows = self._inflows(name)
            total = sum(amount for amount, _ in inflows)
            for amount, mix in inflows if total > 0 else []:
                for unknown, weight in mix.items():
                    if unknown is None:
                        right[row] += amount / total * weight
                    else:
                        matrix[row, self.UNKNOWN.index(unknown)] -= amount / total * weight
        return dict(zip(self.UNKNOWN, np.linalg.solve(matrix, right), strict=True))

    def _inflows(self, name):
        flow, shares = self.flow, self.plan.shares
        brought = {part: 0.0 if self.is_local else shares[part] for part in ("grid", "gas")}
        source = {part: 1.0 if self.is_local else share for part, share in (("sun", 1.0), ("diesel", shares["diesel"]))}
        if name == "generation":
            converted = [("engine", "gas"), ("cell", "hydrogen")]
            made = [(flow[f"{one}.out"], {None: 1.0} if self.is_local else self.use(bus)) for one, bus in converted]
            made += [(flow["roof.out"] + flow["field.out"], {None: source["sun"]})]
            return [*made, (flow["diesel.out"], {None: source["diesel"]})]
        stored = [
            (flow[f"{storage}.discharge"], self.discharge(storage))
            for storage, (bus, *_) in STORAGES.items()
            if bus == ("electricity" if name == "pool" else name)
        ]
        if name == "pool":
            return [*stored, (flow["grid.import"], {None: brought["grid"]})]
        if name == "gas":
            return [(flow["gas.import"], {None: brought["gas"]})]
        if name == "hydrogen":
            return [*stored, (flow["electrolyser.out"], self.use("electricity"))]
        converted = [("pump", "electricity"), ("boiler", "gas"), ("burner", "hydrogen")]
        made = [(flow[f"{one}.out"], self.use(bus)) for one, bus in converted]
        return [*stored, *made, (flow["collectors.out"], {None: 1.0})]


@pytest.mark.parametrize("seed", range(60))
def test_tracing_agrees_with_a_loop_over_the_hours(seed):
    plan = Plan(seed)
    problem = plan.problem()
    traced = trace(problem, *plan.arrays(problem))
    flows = plan.flows
    used = flows["load.in"] + flows["shop.in"] + flows["pump.in"] + flows["electrolyser.in"]
    local, _ = by_the_hour(plan, is_local=True)
    of_use, of_heat = by_the_hour(plan, is_local=False)
    renewable = of_use @ (flows["load.in"] + flows["shop.in"]) + of_heat @ flows["heat.in"]
    assert traced.local_use == pytest.approx(local @ used, rel=1e-9, abs=1e-9)
    assert traced.renewable_delivered == pytest.approx(renewable, rel=1e-9, abs=1e-9)
    assert local.min() >= -1e-12
    assert local.max() <= 1 + 1e-12


def test_the_random_plans_reach_beyond_contents_and_balance():
    """What the comparison is worth: hours that draw beyond a content while charging, on three kinds of bus."""
    beyond = dict.fromkeys(STORAGES, 0)
    circles = 0
    for seed in range(60):
        plan = Plan(seed)
        for name in STORAGES:
            _, _, way_out, keep = plan.storage(name)
            there = plan.levels[name][:-1] * keep
            beyond[name] += np.count_nonzero(plan.flows[f"{name}.discharge"] / way_out > there + 1e-6)
        circles += np.count_nonzero((plan.flows["electrolyser.in"] > 0) & (plan.flows["cell.in"] > 0))
        problem = plan.problem()
        flows, _ = plan.arrays(problem)
        balance = np.zeros((len(problem.layout.buses), STEPS))
        np.add.at(balance, problem.layout.flow_bus, problem.layout.flow_sign[:, None] * flows)
        assert np.abs(balance).max() < 1e-9
        assert flows.min() > -1e-9
    assert min(beyond.values()) > 20
    assert circles > 20


@pytest.mark.parametrize("seed", range(10))
def test_no_origin_is_made_or_lost(seed):
    """Of what is generated, the local part is used, sold, kept or lost: L is at most G, and at most D."""
    plan = Plan(seed)
    problem = plan.problem()
    traced = trace(problem, *plan.arrays(problem))
    flows = plan.flows
    made = sum(flows[name].sum() for name in ("roof.out", "field.out", "diesel.out", "engine.out", "cell.out"))
    used = sum(flows[name].sum() for name in ("load.in", "shop.in", "pump.in", "electrolyser.in"))
    assert 0 <= traced.local_use <= min(made, used) + 1e-9
    assert 0 <= traced.renewable_delivered <= sum(flows[f"{name}.in"].sum() for name in ("load", "shop", "heat")) + 1e-9


def lone(components, flows, levels):
    text = f"system_id: lone\ntime: {{steps: {len(next(iter(flows.values())))}}}\ncomponents:\n{components}"
    problem = compile_problem(load_system(parse_yaml(text, "lone.yaml")))
    paths = [flow.path for flow in problem.layout.flows]
    amounts = np.zeros((len(paths), problem.steps))
    for path, values in flows.items():
        amounts[paths.index(path)] = values
    return trace(problem, amounts, np.array(levels, dtype=float).reshape(-1, problem.steps + 1))


def test_loops_that_nothing_feeds_have_no_origin():
    """Hour 1: hydrogen and electricity turn into each other without loss or source, a battery charges itself.

    Their shares are 0/0. Hour 2 is fed: 1 of the grid, 1 of the sun, load 2.
    """
    traced = lone(
        """
  grid: {type: grid, import_price_per_kwh: 0.3, renewable_share: 0.5}
  roof: {type: pv, capacity_kw: 1, profile: [0.0, 1.0]}
  load: {type: electricity_demand, profile: [0.0, 2.0]}
  there: {type: converter, input: electricity, output: hydrogen}
  back: {type: converter, input: hydrogen, output: electricity}
  battery: {type: battery, capacity_kwh: 9, power_kw: 9, efficiency: 1, initial_level: 0}
""",
        {
            "there.in": [7, 0],
            "there.out": [7, 0],
            "back.in": [7, 0],
            "back.out": [7, 0],
            "battery.charge": [3, 0],
            "battery.discharge": [3, 0],
            "grid.import": [0, 1],
            "roof.out": [0, 1],
            "load.in": [0, 2],
        },
        [0, 0, 0],
    )
    assert np.isfinite(traced.local_use)
    assert traced.renewable_delivered == pytest.approx(1 + 0.5)


def test_heat_that_runs_in_a_circle_between_storages_has_the_origin_of_what_feeds_it():
    """Two stores without loss pass 100 to each other through the bus in an hour that the boiler feeds with 1e-3."""
    traced = lone(
        """
  gas: {type: gas_supply, price_per_kwh: 0.1, renewable_share: 0.25}
  boiler: {type: gas_boiler, power_kw: 9, efficiency: 1}
  heat: {type: heat_demand, profile: [0.001]}
  a: {type: heat_storage, capacity_kwh: 900, loss_per_hour: 0, initial_level: 0}
  b: {type: heat_storage, capacity_kwh: 900, loss_per_hour: 0, initial_level: 0}
""",
        {
            "gas.import": [0.001],
            "boiler.in": [0.001],
            "boiler.out": [0.001],
            "heat.in": [0.001],
            "a.charge": [100],
            "a.discharge": [100],
            "b.charge": [100],
            "b.discharge": [100],
        },
        [[0, 0], [0, 0]],
    )
    assert traced.renewable_delivered == pytest.approx(0.25 * 0.001, rel=1e-6)


def test_negative_rounding_of_a_solver_does_not_matter():
    """-1e-12 of import and of a level are nothing."""
    components = """
  grid: {type: grid, import_price_per_kwh: 0.3}
  roof: {type: pv, capacity_kw: 2, profile: [1.0]}
  load: {type: electricity_demand, profile: [2.0]}
  battery: {type: battery, capacity_kwh: 9, power_kw: 9, initial_level: 0}
"""
    flows = {"roof.out": [2], "load.in": [2], "grid.import": [-1e-12], "battery.discharge": [-1e-12]}
    assert lone(components, flows, [0, -1e-12]).local_use == pytest.approx(2, abs=1e-9)


DESALINATION = """
  grid: {type: grid, import_price_per_kwh: 0.3, renewable_share: 0.25}
  roof: {type: pv, capacity_kw: 1, profile: [1.0, 1.0]}
  mains: {type: water_grid, import_price_per_m3: 2, import_limit_m3_per_h: 1}
  osmosis: {type: converter, input: electricity, output: water, ratio: 0.5, power_kw: 4}
  cistern: {type: storage, bus: water, capacity_m3: 8, initial_level: 0, end_price: 0}
  taps: {type: water_demand, profile: [3.0, 2.0]}
  reuse: {type: converter, input: water, output: service_water}
  flush: {type: water_demand, bus: service_water, profile: [0.0, 1.0]}
"""
MADE_OF_ELECTRICITY = {
    "grid.import": [3, 3],
    "roof.out": [1, 1],
    "osmosis.in": [4, 4],
    "osmosis.out": [2, 2],
    "mains.import": [1, 1],
    "taps.in": [3, 2],
    "reuse.in": [0, 1],
    "reuse.out": [0, 1],
    "flush.in": [0, 1],
}


def test_water_made_of_electricity_is_neither_bought_nor_rain():
    """2 of each hour's 3 m3 are made, 1 is of the mains: 2/3 of the 6 m3 delivered are not mains, through a pipe too.

    Where its electricity comes from makes no difference: 3 of 4 kWh are bought, a quarter of that renewable.
    """
    traced = lone(DESALINATION, MADE_OF_ELECTRICITY, [[0, 0, 0]])
    assert traced.local_water == pytest.approx(4, rel=1e-12)
    assert traced.rain_delivered == 0
    assert traced.local_use == pytest.approx(2)
    assert traced.renewable_delivered == 0  # no demand of energy


def test_water_made_of_electricity_keeps_its_origin_in_a_cistern():
    """1 of 3 m3 goes into the empty cistern and comes back in hour 2, still 2/3 not mains; then 2 + 1 as before."""
    flows = {**MADE_OF_ELECTRICITY, "taps.in": [2, 3], "cistern.charge": [1, 0], "cistern.discharge": [0, 1]}
    traced = lone(DESALINATION, flows, [[0, 1, 0]])
    assert traced.local_water == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_batch_counts_water_made_of_electricity_as_the_hours_do(lanes):
    from ecosystemiser.config.solver_options import SolverOptions
    from ecosystemiser.results import tally_of
    from ecosystemiser.solver.rule_based.solver import RuleBasedSolver, stack

    text = f"system_id: dry\ntime: {{steps: 2}}\ncomponents:\n{DESALINATION}"
    problem = compile_problem(load_system(parse_yaml(text, "dry.yaml")))
    solver = RuleBasedSolver(problem, SolverOptions())
    solution = solver.solve(problem)
    hours = tally_of(problem, solution.flows, solution.levels)
    batch = solver.solve_batch(stack([problem] * lanes)).tally
    assert float(hours.local_water) > 0
    assert batch.local_water == pytest.approx([float(hours.local_water)] * lanes, rel=1e-12)
    assert batch.rain_delivered.tolist() == [0.0] * lanes == [float(hours.rain_delivered)] * lanes
