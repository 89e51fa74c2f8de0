"""`ecosystemiser runs bill`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HOUSE = """
system_id: house
time: {start: 2018-01-31, steps: 48}
components:
  grid: {type: grid, import_price_per_kwh: 0.1, tariff: {tax_share: 0.25, demand_charges: [{price_per_kw: 31}]}}
  house: {type: electricity_demand, profile: [LOAD]}
""".replace("LOAD", ", ".join(["1.0"] * 24 + ["2.0"] * 24))


@pytest.fixture
def run_id(eco: Callable[..., Any]) -> str:
    Path("house.yaml").write_text(HOUSE, encoding="utf-8")
    assert eco("run", "house.yaml", "--solver", "rule_based").code == 0
    return "last"


def test_a_bill_is_a_line_a_month(eco: Callable[..., Any], run_id: str) -> None:
    lines = eco("runs", "bill", run_id).out.splitlines()
    january, february = 1.25 * 31 * 24 / 744, 1.25 * 62 * 24 / 672
    assert lines[0].startswith("grid, in EUR, ")
    assert lines[1].split()[0] == "month"
    assert lines[2].split()[-3:] == ["3.00", f"{january:.2f}", f"{3 + january:.2f}"]
    assert lines[3].split()[-3:] == ["6.00", f"{february:.2f}", f"{6 + february:.2f}"]
    assert lines[4].split()[0] == "sum"
    assert max(map(len, lines)) <= 80


def test_a_bill_as_csv_and_json_has_every_line(eco: Callable[..., Any], run_id: str) -> None:
    rows = [*csv.DictReader(eco("runs", "bill", run_id, "--format", "csv").out.splitlines())]
    assert [(row["month"], row["item"], row["unit"]) for row in rows] == [
        ("2018-01", "bought", "kWh"),
        ("2018-01", "demand charge", "kW"),
        ("2018-02", "bought", "kWh"),
        ("2018-02", "demand charge", "kW"),
    ]
    told = json.loads(eco("runs", "bill", run_id, "--format", "json").out)
    assert [float(row["amount"]) for row in rows] == [line["amount"] for line in told]
    assert told[3]["quantity"] == 2.0


def test_a_run_without_a_bill_says_so(eco: Callable[..., Any]) -> None:
    text = HOUSE.replace("type: grid, import_price_per_kwh: 0.1, tariff: {tax_share: 0.25, demand_charges: "
                         "[{price_per_kw: 31}]}", "type: source, bus: electricity, power_kw: 3")  # fmt: skip
    Path("house.yaml").write_text(text, encoding="utf-8")
    assert eco("run", "house.yaml", "--solver", "rule_based").code == 0
    assert "No supplier bills anything" in eco("runs", "bill", "last").out


def test_a_run_that_is_not_there_is_told(eco: Callable[..., Any]) -> None:
    assert eco("runs", "bill", "last").code == 2
