"""Runs found by filters, counted and paged; the fields that vary among them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecosystemiser.cli.commands import runs_list
from ecosystemiser.kpis import KPI_NAMES

RUNS = (
    {"run_id": "01a20690-6ff7-7ef7-b4ba-9deff3e85ad7", "solver_type": "rule_based", "total_cost": 24000.0},
    {"run_id": "01a20690-73d6-78e7-8f50-caaa62630945", "total_cost": 21254.9, "total_co2": 22047.0, "mip_gap": 0.0}
    | {"self_sufficiency_rate": 0.4636, "study_id": "sizing"},
    {"run_id": "01a20691-0000-7000-8000-000000000001", "simulation_status": "failed", "failure_cause": "infeasible"}
    | {"failure_stage": "solve", "metadata_json": {"currency": "EUR", "error": "no plan"}, "system_id": "town"},
)


@pytest.fixture
def three(log_runs: Callable[..., None]) -> None:
    log_runs(*RUNS)


def ids(said: Any) -> list[str]:
    return [row["run_id"][:13] for row in json.loads(said.out)]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--where", "cost < 22000"), ["01a20690-73d6"]),
        (("--where", "status = 'failed' or gap = 0"), ["01a20691-0000", "01a20690-73d6"]),
        (("--where", "solver = 'milp'", "--system", "town"), ["01a20691-0000"]),
        (("--where", "cost < 22000 or cost > 23000", "--max", "cost=22000"), ["01a20690-73d6"]),
        (("--where", ""), ["01a20691-0000", "01a20690-73d6", "01a20690-6ff7"]),
    ],
)
def test_a_filter_text_adds_to_the_other_filters(
    arguments: tuple[str, ...], found: list[str], eco: Callable[..., Any]
) -> None:
    assert ids(eco("runs", "list", "--format", "json", *arguments)) == found


def test_a_wrong_filter_text_is_shown_with_carets_below_what_is_wrong(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list", "--where", "total_cots < 3 and study_id = 'a'")
    assert (said.code, said.out) == (2, "")
    first, text, carets = said.err.splitlines()[:3]
    assert first.startswith("filter, character 1: 'total_cots' ")
    assert first.endswith("did you mean 'total_cost'?")
    assert text == "    total_cots < 3 and study_id = 'a'"
    assert carets == "    ^^^^^^^^^^"


def test_a_filter_text_cannot_steer_the_terminal(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list", "--where", "\x1b[2J < 3")
    assert said.code == 2
    assert "\x1b" not in said.err


@pytest.mark.usefixtures("three")
def test_runs_are_counted_as_far_as_it_matters(eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert eco("runs", "list", "--count").out == "3\n"
    assert eco("runs", "list", "--count", "--where", "cost > 0").out == "2\n"
    monkeypatch.setattr(runs_list, "COUNTED_TO", 2)
    assert eco("runs", "list", "--count").out == "2+\n"
    assert eco("runs", "list", "--count", "--status", "failed").out == "1\n"
    assert json.loads(eco("runs", "list", "--count", "--format", "json").out) == {"runs": 2, "is_all": False}
    assert eco("runs", "list", "--count", "--format", "csv").out == "runs,is_all\n2,False\n"


@pytest.mark.parametrize("order", [(), ("--sort", "cost"), ("--sort", "-cost"), ("--sort", "params.a.b")])
def test_pages_follow_each_other_without_gap_or_repetition(
    order: tuple[str, ...], log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    log_runs(
        *[
            {"run_id": f"run-{at}", "total_cost": None if at == 3 else float(at % 3), "parameters_json": {"a.b": at}}
            for at in range(7)
        ]
    )
    whole = ids(eco("runs", "list", *order, "--limit", "0", "--format", "json"))
    found, after = [], ()
    for _ in range(4):
        said = eco("runs", "list", *order, "--limit", "2", "--format", "json", *after)
        found += ids(said)
        after = tuple(said.err.split()[-2:]) if said.err else ()
        if not after:
            break
    assert found == whole
    assert len(whole) == 7


@pytest.mark.usefixtures("three")
def test_a_page_names_the_next_one(eco: Callable[..., Any]) -> None:
    *_, told, option = eco("runs", "list", "--limit", "2").out.splitlines()
    assert told.startswith("Only the first 2: --limit 0 shows all")
    last = eco("runs", "list", "--limit", "2", *option.split())
    assert "01a20690-6ff7" in last.out
    assert "--after" not in last.out
    wrong = eco("runs", "list", "--sort", "cost", *option.split())
    assert wrong.code == 2
    assert wrong.err.startswith("--after: ")


def test_all_that_a_filter_may_ask_for_is_told_in_80_columns(
    log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    assert "none yet" in eco("runs", "list", "--fields").out
    log_runs({"run_id": "a", "parameters_json": {"battery.capacity_kwh": 40}})
    said = eco("runs", "list", "--fields")
    assert (said.code, said.err) == (0, "")
    assert said.widest <= 80
    for words in (*KPI_NAMES, "tag ", "LIKE 'roll%'", "Varied by runs in this log:\n  params.battery.capacity_kwh"):
        assert words in said.out


SIZES = [
    {"run_id": f"run-{at}", "study_id": "sizing", "total_cost": 100.0 + at, "parameters_json": json.dumps(values)}
    for at, values in enumerate(
        [
            {"battery.capacity_kwh": 0, "roof.capacity_kw": 30, "roof.tilt_deg": 30},
            {"battery.capacity_kwh": 40, "roof.capacity_kw": 30, "roof.tilt_deg": 30},
            {"battery.capacity_kwh": 40, "roof.capacity_kw": 60.5, "roof.tilt_deg": 30},
        ]
    )
]


def test_a_field_that_varies_has_a_column(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs(*SIZES)
    said = eco("runs", "list", "--sort", "cost")
    assert said.widest <= 80
    caption, components, names, *rows = said.out.splitlines()
    assert caption == "All of system farm, study sizing, solver milp, 8,760 steps:"
    assert components.split()[:4] == ["run", "battery", "roof", "cost"]
    assert names.split()[:3] == ["capacity_kwh", "capacity_kw", "[EUR]"]
    assert [row.split()[2:5] for row in rows] == [["0", "30", "100"], ["40", "30", "101"], ["40", "60.5", "102"]]


def test_a_field_that_some_runs_leave_out_is_a_dash_there(
    log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    log_runs(*SIZES, {"run_id": "other", "total_cost": 5.0})
    (other,) = [line for line in eco("runs", "list").out.splitlines() if "other" in line]
    assert other.split().count("–") >= 2  # noqa: RUF001


def test_fields_are_left_out_where_the_terminal_is_narrow(
    log_runs: Callable[..., None], eco: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_runs(*SIZES)
    monkeypatch.setenv("COLUMNS", "40")
    said = eco("runs", "list")
    assert said.widest <= 60
    assert "capacity" not in said.out
    assert "102" in said.out


@pytest.mark.usefixtures("three")
def test_a_parameter_without_its_prefix_is_told_how_to_write_it(eco: Callable[..., Any]) -> None:
    said = eco("runs", "list", "--sort", "battery.capacity_kwh")
    assert said.code == 2
    assert "--sort: 'battery.capacity_kwh' is not a column of runs" in said.err
    assert "params.battery.capacity_kwh" in said.err


def test_a_field_that_most_runs_set_alike_makes_no_column(
    log_runs: Callable[..., None], eco: Callable[..., Any]
) -> None:
    """Only the last of nine fields varies."""
    alike = {f"pv.field_{at}": at for at in range(8)}
    log_runs(
        {"run_id": "a", "parameters_json": {**alike, "tank.capacity_m3": 5}},
        {"run_id": "b", "parameters_json": {**alike, "tank.capacity_m3": 9}},
    )
    said = eco("runs", "list").out
    assert "capacity_m3" in said
    assert "field_" not in said


def test_an_odd_field_is_told_as_a_filter_writes_it(log_runs: Callable[..., None], eco: Callable[..., Any]) -> None:
    log_runs({"run_id": "a", "parameters_json": {"my house.size": 3}})
    assert 'params."my house".size' in eco("runs", "list", "--fields").out
    assert eco("runs", "list", "--where", 'params."my house".size = 3', "--count").out == "1\n"
