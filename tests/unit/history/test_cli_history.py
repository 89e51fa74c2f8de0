"""`runs diff`, `rerun`, `verify` and `export`: what is told, and how they exit."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from ecosystemiser.cli import app as app_module
from ecosystemiser.cli.commands import history as commands
from ecosystemiser.cli.entry import exit_code
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.study_service import StudyService

NAMES = {
    "diff": commands.diff_runs,
    "rerun": commands.rerun,
    "verify": commands.verify_runs,
    "export": commands.export_runs,
}


@dataclass(frozen=True)
class Said:
    """What a call of the command line ended with."""

    code: int
    out: str
    err: str

    @property
    def widest(self) -> int:
        return max(len(line) for line in self.out.splitlines() if "/" not in line)


@pytest.fixture
def eco(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Return a function that calls `runs` with these commands, until they are hooked into the command line."""
    main = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)
    runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    main.callback()(app_module.settings)
    for name, command in NAMES.items():
        runs.command(name)(command)
    main.add_typer(runs, name="runs")
    monkeypatch.setattr(app_module, "app", main)

    def call(*arguments: str) -> Said:
        code = exit_code(arguments)
        return Said(code, *capsys.readouterr())

    return call


@pytest.mark.parametrize("name", list(NAMES))
def test_help_has_an_example_and_fits_80_columns(name: str, eco: Callable[..., Said]) -> None:
    said = eco("runs", name, "--help")
    assert said.code == 0
    assert max(len(line) for line in said.out.splitlines()) <= 80
    assert re.search(rf"^    ecosystemiser runs {name}", said.out, re.MULTILINE)


def test_every_option_and_argument_has_its_sentence() -> None:
    group: Any = typer.Typer()
    for name, command in NAMES.items():
        group.command(name)(command)
    options = [option for command in typer.main.get_command(group).commands.values() for option in command.params]
    assert [option.name for option in options if option.name != "help" and not (option.help or "").endswith(".")] == []


# Differences.


def test_the_difference_of_two_runs_fits_80_columns(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    a, b = solved(), solved(parameters={"battery.capacity_kwh": 8, "economics.currency": "CHF"})
    said = eco("runs", "diff", "last~1", "last")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 80
    assert said.out.startswith(f"a  ✓ {a}\n   house, 24 steps, rule_based, begun ")
    assert f"\nb  ✓ {b}\n" in said.out
    assert "! the currencies differ (EUR and CHF): nothing is converted" in said.out
    assert re.search(r"^  battery\.capacity_kwh +4 +8$", said.out, re.MULTILINE)
    assert said.out.index("Inputs that differ") < said.out.index("KPIs that differ")
    assert re.search(r"^  total_cost .*\d$", said.out, re.MULTILINE)  # which one is better is not said
    assert "more are the same." in said.out


def test_the_same_run_twice_has_no_differences(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    solved()
    said = eco("runs", "diff", "last", "last")
    assert "The inputs are the same.\n\nAll KPIs are the same.\n" in said.out


def test_differences_for_programs(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    a, b = solved(), solved(parameters={"battery.capacity_kwh": 8})
    told = json.loads(eco("runs", "diff", a, b, "--format", "json").out)
    assert (told["run_a"], told["run_b"], told["warnings"], told["versions"]) == (a, b, [], [])
    assert told["inputs"] == [{"name": "battery.capacity_kwh", "kind": "changed", "a": 4, "b": 8}]
    costs = [each for each in told["kpis"] if each["name"] == "total_cost"]
    assert costs[0]["better"] in ("a", "b")
    assert re.search(r"^  total_cost .* [ab]$", eco("runs", "diff", a, b).out, re.MULTILINE)
    assert costs[0]["absolute"] == costs[0]["b"] - costs[0]["a"]
    assert {each["name"] for each in told["kpis"]} < set(KPI_NAMES)
    rows = list(csv.DictReader(io.StringIO(eco("runs", "diff", a, b, "--format", "csv").out)))
    assert (rows[0]["what"], rows[0]["name"], rows[0]["b"]) == ("inputs", "battery.capacity_kwh", "8")
    assert float(rows[1]["a"]) == costs[0]["a"]


def test_text_of_a_system_cannot_steer_the_terminal(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    solved()
    solved(parameters={"description": "\x1b]0;owned\x07"})
    assert "\x1b" not in eco("runs", "diff", "last~1", "last").out


# Made again.


def test_a_rerun_is_told_as_a_run(solved: Callable[..., str], eco: Callable[..., Said], log: Any) -> None:
    old = solved()
    said = eco("runs", "rerun", "last", "--output", "again")
    new = log.query_simulation_runs()[0]["run_id"]
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"✓ completed: run {new}\n")
    assert f"Next: ecosystemiser runs diff {old} {new}" in said.out
    assert Path("again", new, "hourly.parquet").is_file()


def test_a_rerun_that_fails_exits_with_1(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    solved(parameters={"grid.import_limit_kw": 0.1, "pv.capacity_kw": 0})
    said = eco("runs", "rerun", "last", "--format", "json")
    assert said.code == 1
    assert json.loads(said.out)["failure_cause"] == "unmet"


# Verified.


def test_a_verified_run_is_told(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    run_id = solved()
    said = eco("runs", "verify", "last")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"✓ same: run {run_id}\n  all KPIs agree bit by bit\n\n  hours  intact\n"


def test_a_run_that_is_not_sound_exits_with_1(
    solved: Callable[..., str], eco: Callable[..., Said], log: Any, describe_otherwise: Callable[..., None]
) -> None:
    run_id = solved()
    Path(log.get_simulation_run(run_id)["flows_path"]).unlink()
    environment = json.loads(log.get_simulation_run(run_id)["environment_json"])
    describe_otherwise(run_id, environment=json.dumps({**environment, "numpy": "1.0", "checkout": None}))
    log.log_simulation_run({"run_id": run_id, "total_cost": 3.0})
    said = eco("runs", "verify", run_id)
    assert said.code == 1
    assert said.out.startswith(f"✕ drift: run {run_id}\n")
    assert said.widest <= 80
    assert "hours  missing" in said.out
    assert re.search(r"^  total_cost +3 +\d", said.out, re.MULTILINE)
    assert re.search(r"^  numpy +1\.0 +\d", said.out, re.MULTILINE)


@pytest.fixture
def study(log: Any, house: Path) -> list[str]:
    """A study of two runs with their hours."""
    base = SimulationConfig(system=house, solver_type="rule_based")
    config = StudyConfig(study_id="s", base_config=base, parameters={"battery.power_kw": [1, 2]}, workers=1)
    runs = StudyService(log).run_study(config).runs
    return [run.run_id for run in runs]


def test_a_verified_study_is_told_run_by_run(study: list[str], eco: Callable[..., Said], log: Any) -> None:
    said = eco("runs", "verify", "--study", "s")
    assert said.code == 0
    assert said.out == f"✓ 1/2  {study[0]}  same\n✓ 2/2  {study[1]}  same\n\n2 same.\n"
    path = Path(log.get_simulation_run(study[1])["flows_path"])
    path.write_bytes(path.read_bytes()[:-1])
    said = eco("runs", "verify", "--study", "s")
    assert said.code == 1
    assert f"✓ 2/2  {study[1]}  same, hours damaged\n" in said.out
    assert said.out.endswith("2 same, hours of 1 missing or damaged.\n")


def test_verdicts_for_programs(study: list[str], eco: Callable[..., Said], folder: Path) -> None:
    (folder / "loads.csv").write_text("house\n" + "0.1\n" * 8760)
    said = eco("runs", "verify", "--study", "s", "--format", "json")
    assert said.code == 1
    told = json.loads(said.out)
    assert [each["run_id"] for each in told] == study
    assert {each["verdict"] for each in told} == {"inputs changed"}
    assert told[0]["files"][0]["path"] == str(folder / "loads.csv")
    rows = list(csv.DictReader(io.StringIO(eco("runs", "verify", "--study", "s", "--format", "csv").out)))
    assert (rows[0]["run_id"], rows[0]["files"]) == (study[0], "loads.csv")
    assert "total_demand_kwh" in rows[0]["kpis"].split()


@pytest.mark.parametrize("arguments", [(), ("last", "--study", "s")])
def test_one_run_or_one_study_must_be_named(arguments: tuple[str, ...], eco: Callable[..., Said]) -> None:
    said = eco("runs", "verify", *arguments)
    assert said.code == 2
    assert "name one run, or one study" in said.err


@pytest.mark.parametrize(
    "arguments", [("diff", "last", "x"), ("rerun", "x"), ("verify", "x"), ("verify", "--study", "x"), ("export", "x")]
)
def test_what_is_not_there_is_a_wrong_request(arguments: tuple[str, ...], eco: Callable[..., Said]) -> None:
    said = eco("runs", *arguments)
    assert (said.code, said.out) == (2, "")
    assert "Nothing was done." in said.err


# Handed on.


def test_runs_are_exported(solved: Callable[..., str], eco: Callable[..., Said]) -> None:
    solved()
    solved(solver_type="milp")
    assert eco("runs", "export", "all.csv").out == "2 runs written to all.csv\n"
    assert (
        eco("runs", "export", "few.txt", "--where", "solver = 'milp'", "--format", "json").out
        == "1 run written to few.txt\n"
    )
    (row,) = json.loads(Path("few.txt").read_text())
    assert row["solver_type"] == "milp"
