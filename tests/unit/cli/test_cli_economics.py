"""`ecosystemiser runs economics`."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FARM = """
system_id: farm
time: {start: 2018-01-01, step: 24h, steps: 365}
economics: {discount_rate: 0.05, project_years: 20}
components:
  grid: {type: grid, import_price_per_kwh: 0.3}
  roof: {type: source, bus: electricity, profile: ONES, power_kw: 0.5, capex: 4000, renewable_share: 1}
  barn: {type: electricity_demand, profile: ONES}
""".replace("ONES", str([1.0] * 365))


@pytest.fixture
def farm(eco: Callable[..., Any]) -> None:
    Path("farm.yaml").write_text(FARM, encoding="utf-8")
    assert eco("run", "farm.yaml", "--solver", "rule_based").code == 0


@pytest.mark.usefixtures("farm")
def test_the_case_is_told_in_figures_and_years(eco: Callable[..., Any]) -> None:
    """1,314 a year less for 4,000 at the start: paid back after 3.04 years."""
    said = eco("runs", "economics", "last")
    assert said.code == 0
    assert "simple payback           3.0 years" in said.out
    assert "electricity" in said.out
    years = [line.split() for line in said.out.splitlines() if line.split()[:1] in (["0"], ["1"], ["20"])]
    assert [year[0] for year in years] == ["0", "1", "20"]
    assert (years[0][-2], years[1][-2]) == ("-4,000", "1,314")
    assert said.widest <= 80
    shown = eco("runs", "show", "last~1").out
    assert "net_present_value" in shown
    assert "baseline_run" in shown


@pytest.mark.usefixtures("farm")
def test_the_case_as_csv_and_json(eco: Callable[..., Any]) -> None:
    rows = [*csv.DictReader(eco("runs", "economics", "last", "--format", "csv").out.splitlines())]
    assert len(rows) == 21
    assert float(rows[0]["capital"]) == -4000
    told = json.loads(eco("runs", "economics", "last~1", "--format", "json").out)
    assert told["simple_payback_years"] == pytest.approx(4000 / 1314)
    assert float(rows[-1]["discounted_gain_so_far"]) == pytest.approx(told["net_present_value"])
    assert [row["gain"] for row in told["cash_flow"]] == pytest.approx([float(row["gain"]) for row in rows])


@pytest.mark.usefixtures("farm")
def test_part_of_a_year_has_no_case(eco: Callable[..., Any]) -> None:
    assert eco("run", "farm.yaml", "--solver", "rule_based", "--steps", "31").code == 0
    said = eco("runs", "economics", "last")
    assert said.code == 2
    assert "is no calendar year" in said.err
