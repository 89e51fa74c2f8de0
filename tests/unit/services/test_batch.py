"""Runs made together: which may be, and what becomes of those that cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.analyser.audit import Audit, Violation
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause
from ecosystemiser.results import SolvedSystem
from ecosystemiser.services import batch as batch_module
from ecosystemiser.services.batch import BatchMaker, can_be_batched
from ecosystemiser.services.orders import Order, Outcome
from ecosystemiser.services.worker import Workbench
from ecosystemiser.solver.rule_based.solver import RuleBasedSolver
from ecosystemiser.store.states import RunStatus

HOUSE = """
system_id: house
time: {start: 2018-06-01, steps: 48}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.05}
  pv: {type: pv, capacity_kw: 2, profile: pv-potsdam-south-30}
  battery: {type: battery, capacity_kwh: 2, power_kw: 1}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""
TIGHT = """
system_id: tight
time: {start: 2018-01-01, steps: 4}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 0.2}
  pv: {type: pv, capacity_kw: 0.1, profile: [1, 1, 1, 1]}
  house: {type: electricity_demand, profile: [0.3, 0.3, 0.3, 0.3]}
"""


class Bench:
    """A workbench that counts the runs it makes one by one."""

    def __init__(self) -> None:
        self.bench, self.single = Workbench(), []  # type: ignore[var-annotated]
        self.compiler, self.load, self.load_many = self.bench.compiler, self.bench.load, self.bench.load_many
        self.maker = BatchMaker(self)

    def make(self, order: Order) -> Outcome:
        self.single.append(order.run_id)
        return self.bench.make(order)

    def batch(self, orders: Sequence[Order]) -> list[Outcome]:
        return self.maker.make(orders)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def orders_of(system_file: Callable[..., Path], tmp_path: Path) -> Callable[..., list[Order]]:
    def make(text: str, variations: Sequence[dict[str, Any]], **fields: Any) -> list[Order]:
        path = system_file(text)
        configs = [
            SimulationConfig(**{"system": path, "solver_type": "rule_based", "parameters": values} | fields)
            for values in variations
        ]
        return [Order(f"r{at}", config, str(tmp_path), keeps_hours=False) for at, config in enumerate(configs)]

    return make


def test_rule_based_runs_without_hours_can_be_batched(orders_of: Callable[..., list[Order]], tmp_path: Path) -> None:
    orders = orders_of(HOUSE, [{}, {}])
    assert can_be_batched(orders)
    other = orders_of(HOUSE, [{}], solver_type="milp")
    with_hours = [Order("h", orders[0].config, str(tmp_path))]
    assert not can_be_batched(other)
    assert not can_be_batched(with_hours)
    assert not can_be_batched(orders + with_hours)


def test_outcomes_come_in_the_order_of_the_orders(bench: Bench, orders_of: Callable[..., list[Order]]) -> None:
    """Three structures and a wrong size, mixed."""
    sizes = [2, 0, -1, 4, 0, 2]
    orders = orders_of(HOUSE, [{"battery.capacity_kwh": size} for size in sizes])
    outcomes = bench.batch(orders)
    assert [outcome.run_id for outcome in outcomes] == [order.run_id for order in orders]
    assert [outcome.status.value for outcome in outcomes] == ["completed"] * 2 + ["failed"] + ["completed"] * 3
    assert (outcomes[2].cause, outcomes[2].columns["failure_stage"]) == (FailureCause.DATA, "prepare")
    assert outcomes[0].kpis == outcomes[5].kpis
    assert outcomes[1].kpis == outcomes[4].kpis
    assert outcomes[0].kpis["total_cost"] != outcomes[3].kpis["total_cost"]
    assert bench.single == []


def test_prices_of_other_hours_are_dispatched_together(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers, tables and values of prices make no groups of one: 12 runs, one structure, one call of the kernel."""
    batches: list[int] = []
    real = RuleBasedSolver.solve_batch

    def counted(self: RuleBasedSolver, batch: Any) -> Any:
        batches.append(batch.coefficients.limit.shape[1])
        return real(self, batch)

    monkeypatch.setattr(RuleBasedSolver, "solve_batch", counted)
    prices: list[Any] = [0.3, *([0.2 + level * (hour % 3) for hour in range(48)] for level in (0.01, 0.02, 0.03))]
    prices += [{"default": level, "periods": [{"price": 0.1, "hours": "22-06"}]} for level in (0.2, 0.3)]
    variations = [
        {"grid.import_price_per_kwh": price, "battery.capacity_kwh": size} for price in prices for size in (2, 3)
    ]
    outcomes = bench.batch(orders_of(HOUSE, variations))
    assert batches == [12]
    assert len({outcome.kpis["total_cost"] for outcome in outcomes}) == 12


def test_a_structure_is_audited_once(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not once for each chunk; other tariffs are no other structure, other profiles and components are."""
    audited: list[tuple[str, ...]] = []
    real = batch_module.audit
    monkeypatch.setattr(
        batch_module, "audit", lambda solved: audited.append(tuple(solved.system.components)) or real(solved)
    )
    for size in (2, 3, 4):
        bench.batch(orders_of(HOUSE, [{"battery.capacity_kwh": size}, {"grid.import_price_per_kwh": 0.1 * size}]))
    assert len(audited) == 1
    bench.batch(orders_of(HOUSE, [{"grid.import_price_per_kwh": {"default": 0.1}}]))
    assert len(audited) == 1
    bench.batch(orders_of(HOUSE, [{"battery.capacity_kwh": 0}, {"pv.profile": [0.1] * 48}]))
    assert audited[1:] == [("grid", "pv", "house"), ("grid", "pv", "battery", "house")]
    bench.batch(orders_of(HOUSE, [{"battery.capacity_kwh": 1}], solver=SolverOptions(end="free")))
    assert len(audited) == 4


def audited_runs(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that takes the battery's size of every system that is audited."""
    audited: list[float] = []
    real = batch_module.audit

    def heard(solved: SolvedSystem) -> Audit:
        audited.append(solved.problem.coefficients.capacity[0])
        return real(solved)

    monkeypatch.setattr(batch_module, "audit", heard)
    return audited


def test_a_hundredth_of_the_runs_is_audited(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first, whose structure is new, and of 300 those in the middle of each hundred."""
    audited = audited_runs(monkeypatch)
    orders = orders_of(HOUSE, [{"battery.capacity_kwh": 1 + at} for at in range(300)])
    bench.batch(orders)
    assert audited == [1, 51, 151, 251]
    bench.batch(orders[:100])
    assert audited[4:] == [51]


def test_every_merit_order_is_audited(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Selling that costs money is another order: it is never done."""
    audited = audited_runs(monkeypatch)
    points = [(2, 0.05), (3, 0.04), (4, -0.01), (5, -0.02)]
    bench.batch(
        orders_of(HOUSE, [{"battery.capacity_kwh": size, "grid.export_price_per_kwh": price} for size, price in points])
    )
    assert audited == [2, 4]


def test_a_run_of_the_sample_that_does_not_pass_fails_all_that_were_made_with_it(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second that is looked at: the first is passed for its structure."""
    real, told = batch_module.audit, []  # type: ignore[var-annotated]

    def suspicious(solved: SolvedSystem) -> Audit:
        told.append(real(solved))
        return told[0] if len(told) == 1 else Audit((Violation("does not balance", "bus electricity", 3, 1.0),), 1.0)

    monkeypatch.setattr(batch_module, "audit", suspicious)
    outcomes = bench.batch(orders_of(HOUSE, [{"battery.capacity_kwh": 1 + at} for at in range(100)]))
    assert {(outcome.status, outcome.cause) for outcome in outcomes} == {(RunStatus.FAILED, FailureCause.BALANCE)}


def test_a_structure_that_the_audit_refused_is_refused_again(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Audit((Violation("does not balance", "bus electricity", 3, 1.0),), 1.0)
    monkeypatch.setattr(batch_module, "audit", lambda solved: wrong)
    for _ in range(2):
        (outcome,) = bench.batch(orders_of(HOUSE, [{}]))
        assert outcome.cause is FailureCause.BALANCE


def test_columns_can_be_written_into_a_row(bench: Bench, orders_of: Callable[..., list[Order]]) -> None:
    (outcome,) = bench.batch(orders_of(HOUSE, [{}]))
    columns = outcome.columns
    assert (columns["simulation_status"], columns["solver_status"]) == (RunStatus.COMPLETED, "dispatched")
    assert columns["currency"] == "EUR"
    assert {name: columns[name] for name in outcome.kpis} == outcome.kpis
    assert all(value is None or isinstance(value, float) for value in outcome.kpis.values())


def test_a_shortage_of_rounding_is_none(bench: Bench, orders_of: Callable[..., list[Order]]) -> None:
    """0.2 + 0.1 is not quite 0.3."""
    (outcome,) = bench.batch(orders_of(TIGHT, [{}]))
    assert outcome.status is RunStatus.COMPLETED


def test_a_slight_shortage_is_judged_by_the_hours(bench: Bench, orders_of: Callable[..., list[Order]]) -> None:
    """Of 1e-9 kW: the audit of single runs lets it pass, so a batch must."""
    (order,) = orders_of(TIGHT, [{"pv.capacity_kw": 0.1 - 1e-9}])
    (outcome,) = bench.batch([order])
    assert outcome.status is Workbench().make(order).status is RunStatus.COMPLETED
    assert bench.single == ["r0"]


def test_a_real_shortage_fails_and_keeps_its_kpis(bench: Bench, orders_of: Callable[..., list[Order]]) -> None:
    """0.5 kW in each of two hours; the smaller battery, half full, meets one of them."""
    text = """
system_id: short
time: {start: 2018-01-01, steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
  battery: {type: battery, capacity_kwh: 1, power_kw: 2, efficiency: 1}
  house: {type: electricity_demand, profile: [1.5, 1.5, 1]}
"""
    good, bad = bench.batch(orders_of(text, [{"battery.capacity_kwh": 6}, {}]))
    assert good.status is RunStatus.COMPLETED
    assert (bad.status, bad.cause, bad.columns["failure_stage"]) == (RunStatus.FAILED, FailureCause.UNMET, "audit")
    assert "left short of 0.5 in all" in (bad.error or "")
    assert bad.kpis["total_cost"] is not None
    assert bench.single == []


def test_an_error_that_the_audit_finds_fails_the_whole_structure(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run stands for all that share its structure, and for those alone."""
    orders = orders_of(HOUSE, [{"battery.capacity_kwh": size} for size in (2, 3, 0)])
    real = batch_module.audit
    monkeypatch.setattr(
        batch_module,
        "audit",
        lambda solved: (
            Audit((Violation("does not balance", "bus electricity", 3, 1.0),), 1.0)
            if "battery" in solved.system.components
            else real(solved)
        ),
    )
    outcomes = bench.batch(orders)
    assert [outcome.cause for outcome in outcomes] == [FailureCause.BALANCE, FailureCause.BALANCE, None]
    assert "bus electricity: does not balance by 1 at step 3" in (outcomes[1].error or "")


def test_a_cost_that_differs_from_the_hours_fails(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the comparison of the batch with a run of its own hours."""
    real = batch_module.KPICalculator.calculate_from_totals

    def dearer(self: Any, totals: Any) -> Any:
        kpis = real(self, totals)
        return kpis | {"total_cost": [cost * 1.001 for cost in kpis["total_cost"]]}

    monkeypatch.setattr(batch_module.KPICalculator, "calculate_from_totals", dearer)
    (outcome,) = bench.batch(orders_of(HOUSE, [{}]))
    assert outcome.cause is FailureCause.BALANCE
    assert "differs from what the plan costs" in (outcome.error or "")


def test_an_imbalance_of_one_run_fails_that_run(
    bench: Bench, orders_of: Callable[..., list[Order]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "_relative_residuals", lambda totals: [0.0, 1e-3, float("nan")])
    outcomes = bench.batch(orders_of(HOUSE, [{"battery.capacity_kwh": size} for size in (2, 3, 4)]))
    assert [outcome.cause for outcome in outcomes] == [None, FailureCause.BALANCE, FailureCause.BALANCE]
