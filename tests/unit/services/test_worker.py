"""The work of a run without its log: what a workbench keeps, what it reads again, how runs end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.errors import FailureCause, InputError, SolveError, StoreError
from ecosystemiser.services import worker as worker_module
from ecosystemiser.services.orders import Order, Outcome
from ecosystemiser.services.worker import Workbench, load, packaged_systems, read_document
from ecosystemiser.store.hourly import read_hourly
from ecosystemiser.store.states import RunStatus

SMALL = """
system_id: small
time: {start: 2018-01-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.05}
  pv: {type: pv, capacity_kw: 2, profile: pv-potsdam-south-30}
  battery: {type: battery, capacity_kwh: 2, power_kw: 1}
  house: {type: electricity_demand, profile: LOAD}
"""
PACKAGED = SMALL.replace("LOAD", "bdew-h25, annual_kwh: 4000")
FROM_FILE = SMALL.replace("LOAD", "{file: load.csv, column: kw}")


def year_of(kw: float) -> str:
    return "kw\n" + f"{kw}\n" * 8760


def change(path: Path, text: str) -> None:
    """Write a file so that its time differs, however coarse the clock of the file system is."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


@pytest.fixture
def bench() -> Workbench:
    return Workbench()


@pytest.fixture
def order_of(system_file: Callable[..., Path], tmp_path: Path) -> Callable[..., Order]:
    """Return a function that makes an order for the small system."""

    written: dict[str, Path] = {}

    def make(run_id: str = "r1", *, text: str = PACKAGED, keeps_hours: bool = True, **config: Any) -> Order:
        path = written[text] = written.get(text) or system_file(text)
        fields = {"solver_type": "rule_based", "system": path} | config
        return Order(run_id, SimulationConfig(**fields), str(tmp_path / "results"), keeps_hours)

    return make


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[object]]:
    """Return a function that counts the calls of a name in the module."""

    def count(name: str) -> list[object]:
        calls: list[object] = []
        real = getattr(worker_module, name)

        def counting(*arguments: Any, **named: Any) -> Any:
            calls.append(arguments)
            return real(*arguments, **named)

        monkeypatch.setattr(worker_module, name, counting)
        return calls

    return count


# Which system.


def test_packaged_systems_are_known_by_name() -> None:
    assert {"greensboro-house", "riverside-community"} <= set(packaged_systems())
    for name in packaged_systems():
        assert read_document(name).data["system_id"] == name
    assert load(SimulationConfig(timesteps=3)).clock.steps == 3


@pytest.mark.parametrize("name", ["riverside", "no/such/thing", "..", "a\0b"])
def test_what_is_neither_file_nor_packaged_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        read_document(name)


def test_a_missing_file_is_refused_as_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"farm\.yaml"):
        read_document(tmp_path / "farm.yaml")


# What is kept, and what is read again.


def test_a_file_is_read_once_for_many_variations(
    bench: Workbench, order_of: Callable[..., Order], counted: Callable[[str], list[object]]
) -> None:
    reads, loaders = counted("read_document"), counted("Variations")
    systems = [bench.load(order_of(parameters={"battery.capacity_kwh": size}).config) for size in (1, 2, 3)]
    assert (len(reads), len(loaders)) == (1, 1)
    assert [system.components["battery"].capacity_kwh for system in systems] == [1, 2, 3]  # type: ignore[attr-defined]
    houses = [kind for system in systems for kind in system.kinds if kind.name == "house"]
    assert len(houses) == 3
    assert {id(house) for house in houses} == {id(houses[0])}  # what did not change is the same object
    bench.load(order_of(timesteps=5).config)
    assert len(loaders) == 2


def test_a_changed_file_is_read_again(bench: Workbench, system_file: Callable[..., Path]) -> None:
    path = system_file(PACKAGED)
    config = SimulationConfig(system=path)
    assert bench.load(config).components["pv"].capacity_kw == 2  # type: ignore[attr-defined]
    change(path, PACKAGED.replace("capacity_kw: 2,", "capacity_kw: 5,"))
    assert bench.load(config).components["pv"].capacity_kw == 5  # type: ignore[attr-defined]


def test_a_changed_series_is_read_again(
    bench: Workbench, system_file: Callable[..., Path], counted: Callable[[str], list[object]]
) -> None:
    """Otherwise a second study in the same process would be solved with the demand of the first."""
    path = system_file(FROM_FILE, {"load.csv": year_of(1)})
    config = SimulationConfig(system=path)
    loaders = counted("Variations")

    def demand() -> float:
        return float({kind.name: kind for kind in bench.load(config).kinds}["house"].demand.values(24).sum())  # type: ignore[union-attr]

    assert (demand(), demand(), len(loaders)) == (24, 24, 1)
    change(path.with_name("load.csv"), year_of(2))
    assert (demand(), len(loaders)) == (48, 2)


def test_a_changed_series_that_only_a_variation_names_is_read_again(
    bench: Workbench, system_file: Callable[..., Path]
) -> None:
    path = system_file(PACKAGED, {"load.csv": year_of(1)})
    profile = {"house.profile": {"file": "load.csv", "column": "kw"}, "house.annual_kwh": None}
    config = SimulationConfig(system=path, parameters=profile)

    def demand() -> float:
        return float({kind.name: kind for kind in bench.load(config).kinds}["house"].demand.values(24).sum())  # type: ignore[union-attr]

    assert demand() == 24
    change(path.with_name("load.csv"), year_of(3))
    assert demand() == 72


def test_files_of_the_same_name_in_two_folders_are_two(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they are as long and as old."""
    for name, size in (("a", 3), ("b", 4)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "s.yaml").write_text(PACKAGED.replace("capacity_kw: 2,", f"capacity_kw: {size},"))
        os.utime(folder / "s.yaml", ns=(10**18, 10**18))
        monkeypatch.chdir(folder)
        assert bench.load(SimulationConfig(system="s.yaml")).components["pv"].capacity_kw == size  # type: ignore[attr-defined]


def test_a_structure_is_prepared_once(
    bench: Workbench, order_of: Callable[..., Order], counted: Callable[[str], list[object]]
) -> None:
    prepared = counted("prepare")
    for size in (1, 2, 3):
        assert bench.make(order_of(parameters={"battery.capacity_kwh": size})).status is RunStatus.COMPLETED
    assert len(prepared) == 1
    bench.make(order_of(parameters={"battery.capacity_kwh": 0}))  # another structure
    bench.make(order_of(solver_type="milp"))
    assert len(prepared) == 3
    assert len(bench._prepared) == worker_module.KEPT_PREPARED
    bench.make(order_of())  # the oldest was dropped
    assert len(prepared) == 4


def test_options_are_part_of_what_is_prepared(
    bench: Workbench, order_of: Callable[..., Order], counted: Callable[[str], list[object]]
) -> None:
    prepared = counted("prepare")
    bench.make(order_of(solver_type="milp"))
    bench.make(order_of(solver_type="milp", solver=SolverOptions(gap=0.5)))
    assert len(prepared) == 2


def test_what_was_made_before_changes_no_number(order_of: Callable[..., Order], bench: Workbench) -> None:
    """One bench for all, or one each: rule_based bit by bit, milp to 1e-6."""
    for solver, tolerance in (("rule_based", 0.0), ("milp", 1e-6)):
        for size in (3, 0, 1, 8, 1):
            order = order_of(solver_type=solver, parameters={"battery.capacity_kwh": size}, keeps_hours=False)
            used, fresh = bench.make(order), Workbench().make(order)
            assert used.kpis["total_cost"] == pytest.approx(fresh.kpis["total_cost"], rel=tolerance, abs=0)


# How runs end.


def test_a_balance_can_be_added_up_from_the_file_of_hours_alone(
    bench: Workbench, order_of: Callable[..., Order]
) -> None:
    columns = bench.make(order_of()).columns
    table = read_hourly(Path(str(columns["flows_path"])))
    facts = table.metadata["columns"]
    assert facts["house.in_kwh"] == {"bus": "electricity", "carrier": "electricity", "role": "used", "sign": -1}
    flows = [fact["sign"] * table.columns[name] for name, fact in facts.items() if fact["bus"] == "electricity"]
    assert np.abs(sum(flows)).max() < 1e-9


def test_a_run_that_completes_names_its_files(bench: Workbench, order_of: Callable[..., Order]) -> None:
    outcome = bench.make(order_of())
    assert (outcome.status, outcome.cause, outcome.error) == (RunStatus.COMPLETED, None, None)
    columns = outcome.columns
    assert columns["simulation_status"] == "completed"
    assert columns["total_cost"] == outcome.kpis["total_cost"]
    table = read_hourly(Path(str(columns["flows_path"])), str(columns["hourly_sha256"]))
    assert {len(values) for values in table.columns.values()} == {24}
    assert any(name.startswith("house.in") for name in table.columns)
    components = json.loads(Path(str(columns["components_path"])).read_text())
    assert "battery" in json.dumps(components)
    assert columns["currency"] == "EUR"
    assert float(str(columns["wall_seconds"])) > 0
    sent = outcome.for_sending()
    assert (sent.solved, sent.audit, sent.columns) == (None, None, columns)


def test_a_run_without_hours_writes_nothing(bench: Workbench, order_of: Callable[..., Order], tmp_path: Path) -> None:
    outcome = bench.make(order_of(keeps_hours=False))
    assert outcome.status is RunStatus.COMPLETED
    assert not {"flows_path", "components_path", "hourly_sha256"} & set(outcome.columns)
    assert not (tmp_path / "results").exists()


def failed(outcome: Outcome) -> tuple[object, object, str]:
    """Return cause, stage and error of a failed run; in its columns they are the same."""
    assert outcome.status is RunStatus.FAILED
    assert outcome.columns["simulation_status"] == "failed"
    assert outcome.columns["failure_cause"] == outcome.cause
    assert json.loads(str(outcome.columns["metadata_json"]))["error"] == outcome.error
    assert float(str(outcome.columns["wall_seconds"])) >= 0
    return outcome.cause, outcome.columns["failure_stage"], outcome.error or ""


def test_bad_data_is_an_outcome(bench: Workbench, order_of: Callable[..., Order]) -> None:
    cause, stage, error = failed(bench.make(order_of(parameters={"battery.capacity_kwh": -1})))
    assert (cause, stage) == ("data", "prepare")
    assert "battery.capacity_kwh: -1 is negative" in error


@pytest.mark.parametrize(
    ("raised", "cause"),
    [
        (SolveError(FailureCause.INFEASIBLE, "no plan"), "infeasible"),
        (SolveError(FailureCause.TIMEOUT, "no plan"), "timeout"),
        (MemoryError(), "memory"),
        (ZeroDivisionError("division by zero"), "crash"),
        (StoreError("disk"), "storage"),
        (RecursionError("too deep"), "crash"),
    ],
)
def test_what_a_solver_raises_is_an_outcome(
    bench: Workbench,
    order_of: Callable[..., Order],
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    cause: str,
) -> None:
    """And the next run is made as if nothing had been."""
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "prepare", lambda *_: _Raising(raised))
        outcome = bench.make(order_of())
    assert failed(outcome)[:2] == (cause, "solve")
    told = json.loads(str(outcome.columns["metadata_json"]))
    assert ("traceback" in told) == (cause == "crash")
    if cause == "crash":
        assert f"{type(raised).__name__}: {raised}" == outcome.error
        assert "test_worker.py" in told["traceback"]
    assert bench.make(order_of(parameters={"battery.capacity_kwh": 0})).status is RunStatus.COMPLETED


class _Raising:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    def solve(self, *_: object, **__: object) -> None:
        raise self._error


def test_a_solver_that_crashed_is_not_used_again(
    bench: Workbench, order_of: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows in what state it is."""
    with monkeypatch.context() as patch:
        patch.setattr(worker_module, "prepare", lambda *_: _Raising(ValueError("a defect")))
        assert bench.make(order_of()).cause is FailureCause.CRASH
    assert bench.make(order_of()).status is RunStatus.COMPLETED


def test_hours_that_cannot_be_written_are_an_outcome(
    bench: Workbench, order_of: Callable[..., Order], tmp_path: Path
) -> None:
    (tmp_path / "results").write_text("a file where a folder belongs")
    outcome = bench.make(order_of())
    assert failed(outcome)[:2] == ("storage", "store")
    assert "flows_path" not in outcome.columns


def test_a_shortage_keeps_kpis_and_hours(bench: Workbench, order_of: Callable[..., Order]) -> None:
    """A demand that must be met, a battery too small for it."""
    text = """
system_id: short
time: {start: 2018-01-01, steps: 3}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, import_limit_kw: 1}
  battery: {type: battery, capacity_kwh: 1, power_kw: 2, efficiency: 1}
  house: {type: electricity_demand, profile: [1.5, 1.5, 1]}
"""
    outcome = bench.make(order_of(text=text))
    cause, stage, error = failed(outcome)
    assert (cause, stage) == ("unmet", "audit")
    assert "house is left short of 0.5 kW on 2018-01-01 01:00, and must be met" in error
    assert outcome.kpis["total_cost"] is not None
    assert Path(str(outcome.columns["flows_path"])).exists()


def test_a_plan_that_breaks_a_rule_is_no_plan(
    bench: Workbench, order_of: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of `completed`: a solver with an hour that does not balance."""
    real = worker_module.prepare

    def careless(*arguments: Any) -> Any:
        solver = real(*arguments)
        solve = solver.solve

        def forgetful(problem: Any, **named: Any) -> Any:
            solution = solve(problem, **named)
            solution.flows[0, 5] += 1
            return solution

        solver.solve = forgetful  # type: ignore[method-assign]
        return solver

    monkeypatch.setattr(worker_module, "prepare", careless)
    outcome = bench.make(order_of())
    assert failed(outcome)[:2] == ("balance", "audit")
    assert outcome.kpis == {}


def test_stopping_leaves_as_keyboard_interrupt(bench: Workbench, order_of: Callable[..., Order]) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.make(order_of(), should_stop=lambda: True)


def test_a_solver_that_falls_over_its_stop_was_stopped(
    bench: Workbench, order_of: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A callback through foreign code may turn the interrupt into another error."""
    monkeypatch.setattr(worker_module, "prepare", lambda *_: _Raising(SystemError("error in callback")))
    with pytest.raises(KeyboardInterrupt):
        bench.make(order_of(), should_stop=lambda: True)
    assert bench.make(order_of(), should_stop=lambda: False).cause is FailureCause.CRASH
