"""What is seldom meant is told by `check`, and beside the work by `run` and `study run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ODD = """
system_id: house
time: {start: 2018-06-01, steps: 24}
components:
  grid: {type: grid, import_price_per_kwh: 30}
  house: {type: electricity_demand, profile: [LOAD]}
""".replace("LOAD", ", ".join(["1.0"] * 24))
STUDY = """study_id: s
study_type: parametric
system: odd.yaml
solver_type: rule_based
parameters: {house.count: [1, 2]}
"""


@pytest.fixture(autouse=True)
def odd(folder: Path) -> None:
    Path("odd.yaml").write_text(ODD, encoding="utf-8")


def test_check_tells_it_and_the_file_is_valid(eco: Callable[..., Any]) -> None:
    said = eco("check", "odd.yaml")
    assert said.code == 0
    assert "Worth a second look" in said.out
    assert "line 5, components.grid.import_price_per_kwh is 30" in " ".join(said.out.split())
    assert "looks as if given in cents: that would be 0.3" in " ".join(said.out.split())
    assert said.widest <= 80
    told = json.loads(eco("check", "odd.yaml", "--format", "json").out)
    assert told["is_valid"] is True
    assert [found["key"] for found in told["oddities"]] == ["components.grid.import_price_per_kwh"]


def test_a_run_tells_it_on_the_error_stream_and_goes_on(eco: Callable[..., Any]) -> None:
    said = eco("run", "odd.yaml", "--solver", "rule_based", "--format", "json")
    assert said.code == 0
    assert json.loads(said.out)["simulation_status"] == "completed"
    assert "Worth a second look: line 5, components.grid.import_price_per_kwh" in said.err


def test_a_study_tells_it_once(eco: Callable[..., Any]) -> None:
    Path("study.yaml").write_text(STUDY, encoding="utf-8")
    said = eco("study", "run", "study.yaml", "--yes")
    assert said.code == 0
    assert said.err.count("Worth a second look") == 1


def test_of_many_the_first_are_told_and_where_the_others_are(eco: Callable[..., Any]) -> None:
    more = "".join(f"  grid{at}: {{type: grid, import_price_per_kwh: 30}}\n" for at in range(7))
    Path("odd.yaml").write_text(ODD + more, encoding="utf-8")
    said = eco("run", "odd.yaml", "--solver", "rule_based")
    assert said.err.count("Worth a second look") == 5
    assert "... and 3 more: ecosystemiser check odd.yaml" in said.err
