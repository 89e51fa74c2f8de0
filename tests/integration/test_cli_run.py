"""`run` and `check` on real files: what is told, what stands in the log, and how they exit."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli.entry import exit_code
from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

SYSTEM = """\
system_id: two-houses
description: PV and a battery
time: {start: 2018-06-01, steps: 24}
economics: {currency: CHF}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, import_limit_kw: 20, co2_kg_per_kwh: 0.4}
  pv: {type: pv, capacity_kw: 5, profile: pv-potsdam-south-30, capex_per_kw: 1000}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""


class Said:
    """What a call of the command line ended with."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that writes the system file, with parts replaced, into an empty current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)

    def write(*replaced: tuple[str, str]) -> str:
        text = SYSTEM
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "two.yaml").write_text(text)
        return "two.yaml"

    return write


@pytest.fixture
def eco(system: object, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that calls the command line."""

    def call(*arguments: str) -> Said:
        code = exit_code(arguments)
        return Said(code, *capsys.readouterr())

    return call


def rows() -> list[dict[str, Any]]:
    with DatabaseMetadataService() as log:
        return log.query_simulation_runs()


@pytest.mark.parametrize("solver", ["milp", "rule_based"])
def test_a_run_is_solved_logged_and_told(solver: str, system: Callable[..., str], eco: Callable[..., Said]) -> None:
    said = eco("run", system(), "--solver", solver)
    (row,) = rows()
    assert (said.code, said.err) == (0, "")
    assert (row["simulation_status"], row["solver_type"], row["system_id"]) == ("completed", solver, "two-houses")
    assert said.out.startswith(f"✓ completed: run {row['run_id']}\n")
    assert [name for name in KPI_NAMES if name not in said.out] == []
    assert " CHF" in said.out
    assert row["flows_path"] in said.out
    assert Path(row["flows_path"]).is_file()
    assert f"Next: ecosystemiser runs show {row['run_id']}" in said.out
    assert max(len(line) for line in said.out.splitlines() if "/" not in line) <= 80
    shown = eco("runs", "show", row["run_id"])
    assert shown.code == 0
    assert " CHF" in shown.out


def test_json_is_the_row(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    told = json.loads(eco("run", system(), "--format", "json").out)
    assert told.pop("notes") == []
    with DatabaseMetadataService() as log:
        assert told == log.get_simulation_run(told["run_id"])


def test_an_equal_run_is_taken_over_where_asked(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    eco("run", system())
    assert eco("run", system(), "--reuse").code == 0
    assert eco("run", system()).code == 0
    third, second, first = rows()
    assert (first["reused_from"], second["reused_from"], third["reused_from"]) == (None, first["run_id"], None)
    assert first["total_cost"] == second["total_cost"]
    assert f"reused_from    {first['run_id']}" in eco("runs", "show", second["run_id"]).out


def test_csv_is_the_row(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    (told,) = csv.DictReader(io.StringIO(eco("run", system(), "--format", "csv").out))
    assert float(told["total_cost"]) == rows()[0]["total_cost"]


def test_options_reach_the_solve(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    options = ["--steps", "12", "--end", "cyclic", "--time-limit", "60", "--output", "elsewhere", "--db", "own.sqlite"]
    said = eco("run", system(), *options, "--set", "battery.capacity_kwh=10", "--set", "pv.capacity_kw = 2.5")
    assert said.code == 0
    assert not Path("data").exists()
    with DatabaseMetadataService("own.sqlite") as log:
        (row,) = log.query_simulation_runs()
    assert row["timesteps"] == 12
    assert json.loads(row["parameters_json"]) == {"battery.capacity_kwh": 10, "pv.capacity_kw": 2.5}
    assert Path(row["results_path"]).parent == Path("elsewhere").resolve()
    described = json.loads(Path(row["components_path"]).read_text())
    assert described["components"]["battery"]["capacity_kwh"] == 10


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing-packaged", "is no system file and no packaged system; give a system file's path, or one of"),
        ("no-such.yaml", "no-such.yaml: does not exist"),
        (".", "is a folder"),
    ],
)
def test_a_file_that_is_not_there(command: str, name: str, words: str, eco: Callable[..., Said]) -> None:
    said = eco(command, name)
    assert said.code == 2
    assert words in said.err
    assert not Path("data").exists()


@pytest.mark.parametrize("command", ["run", "check"])
def test_everything_wrong_in_a_file_is_told_with_its_line(
    command: str, system: Callable[..., str], eco: Callable[..., Said]
) -> None:
    wrong = system(("capacity_kw: 5", "capacity_kw: -5"), ("power_kw", "powr_kw"), ("bdew-h25", "bdew-h26"))
    said = eco(command, wrong)
    lines = said.err.splitlines()
    assert said.code == 2
    assert lines[0].startswith("two.yaml:7: components.pv.capacity_kw: -5 is negative; ")
    assert "two.yaml:8: components.battery.powr_kw: " in lines[1]
    assert "did you mean 'power_kw'?" in lines[1]
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "batery.capacity_kwh=3"), "batery.capacity_kwh: is no field of this system"),
        (("--set", "battery.capacity=3"), "did you mean"),
        (("--set", "battery.capacity_kwh"), "write PATH=VALUE"),
        (("--set", "battery.capacity_kwh=much"), "capacity_kwh: 'much'"),
        (("--set", "battery.capacity_kwh=[1"), "battery.capacity_kwh: '[1'"),
        (("--set", "battery.capacity_kwh=.nan"), "capacity_kwh"),
        (("--solver", "milb"), "--solver: 'milb'"),
        (("--steps", "0"), "--steps: 0 is less than 1"),
        (("--steps", "many"), "--steps"),
        (("--end", "open"), "--end: 'open'"),
        (("--time-limit", "-1"), "--time-limit: -1"),
        (("--time-limit", "nan"), "--time-limit"),
        (("--format", "xml"), "--format"),
        (("--solver", "rule_based", "--end", "cyclic"), "cyclic"),
    ],
)
def test_a_wrong_option_is_a_wrong_request(
    arguments: tuple[str, ...], words: str, system: Callable[..., str], eco: Callable[..., Said]
) -> None:
    said = eco("run", system(), *arguments)
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err


def test_a_run_that_fails_says_why_and_stands_in_the_log(eco: Callable[..., Said]) -> None:
    said = eco("run", "riverside-community", "--time-limit", "0.0001")
    (row,) = rows()
    assert said.code == 1
    assert (row["simulation_status"], row["failure_cause"], row["failure_stage"]) == ("failed", "timeout", "solve")
    assert "ecosystemiser: failed (timeout): " in said.err
    assert "Allow more time (--time-limit)" in said.err
    assert "✕ failed" in said.out
    assert eco("runs", "show", "last").code == 0


def test_a_failed_run_is_json_too(eco: Callable[..., Said]) -> None:
    said = eco("run", "riverside-community", "--time-limit", "0.0001", "--format", "json")
    assert said.code == 1
    assert json.loads(said.out)["failure_cause"] == "timeout"


def test_check_explains_a_system_and_solves_nothing(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    said = eco("check", system())
    assert (said.code, said.err) == (0, "")
    assert max(len(line) for line in said.out.splitlines()) <= 80
    for words in (
        "✓ two-houses is valid",
        "PV and a battery",
        "24 steps of 1 h from 2018-06-01 00:00 to 2018-06-02 00:00",
        "CHF a year",
        "4 kWh, 2 kW",
        "4,000 kWh/a",
        "pv-potsdam-south-30 (packaged, generated): pv.profile",
        "bdew-h25 (packaged, reference): house.profile",
        "Deutscher Wetterdienst",
        "A composed year",
        "Next: ecosystemiser run two.yaml",
    ):
        assert words in said.out
    assert not Path("data").exists()


def test_check_tells_of_what_is_left_out_and_of_files(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    hours = "\n".join(["house_kw", *["0.5"] * 8760])
    own = "profile: {file: loads.csv, column: house_kw}"
    path = system(("profile: bdew-h25, annual_kwh: 4000", own), ("profile: pv-potsdam-south-30, ", ""))
    Path("loads.csv").write_text(hours)
    said = eco("check", path, "--set", "pv.capacity_kw=0", "--set", "battery.capacity_kwh=0")
    assert said.code == 0
    assert "loads.csv:house_kw (your file): house.profile" in said.out
    assert said.out.count("0: left out") == 2
    assert "A composed year" not in said.out


def test_check_for_programs(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    told = json.loads(eco("check", system(), "--format", "json").out)
    assert told["is_valid"]
    assert [bus["name"] for bus in told["buses"]] == ["electricity"]
    assert told["buses"][0]["gives"] == ["grid", "pv"]
    assert told["buses"][0]["takes"] == ["grid", "house"]
    assert told["buses"][0]["stores"] == ["battery"]
    (demand,) = told["demands"]
    assert 0 < demand["total"] < 4000 / 200
    table = list(csv.DictReader(io.StringIO(eco("check", system(), "--format", "csv").out)))
    assert [row["name"] for row in table] == ["grid", "pv", "battery", "house"]


def test_check_gives_programs_the_findings(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    said = eco("check", system(("capacity_kw: 5", "capacity_kw: -5")), "--format", "json")
    told = json.loads(said.out)
    assert (said.code, told["is_valid"]) == (2, False)
    (finding,) = told["findings"]
    assert (finding["line"], finding["key"], finding["value"]) == (7, "components.pv.capacity_kw", -5)


def test_the_packaged_system_costs_what_its_file_says(eco: Callable[..., Said]) -> None:
    """The annuity of 60 kW at 950 EUR over 25 years at 5 %, and 15 EUR a kW and year: 4944.29 EUR."""
    told = json.loads(eco("check", "riverside-community", "--format", "json").out)
    costs = {one["name"]: one["cost_per_year"] for one in told["components"]}
    assert costs["roof_pv"] == pytest.approx(60 * 950 * 0.05 / (1 - 1.05**-25) + 60 * 15, rel=1e-12)
    assert sum(one["total"] for one in told["demands"] if one["unit"] == "kWh") == pytest.approx(165_000, rel=1e-9)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system with room for 20 kB."""
    folder = Path(tempfile.mkdtemp())
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def test_a_full_disk_fails_the_run_and_says_so(
    small_disk: Path, system: Callable[..., str], eco: Callable[..., Said]
) -> None:
    said = eco("run", "riverside-community", "--solver", "rule_based", "--output", str(small_disk))
    (row,) = rows()
    assert said.code == 1
    assert (row["simulation_status"], row["failure_cause"], row["failure_stage"]) == ("failed", "storage", "store")
    assert "the disk is full" in said.err
    assert "ecosystemiser runs show last" in said.err
    assert "the disk is full" in eco("runs", "show", "last").out
    assert eco("run", system(), "--solver", "rule_based").code == 0


def test_an_output_that_is_no_folder_fails_the_run(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    Path("file").write_text("mine")
    said = eco("run", system(), "--output", "file")
    (row,) = rows()
    assert said.code == 1
    assert row["failure_cause"] == "storage"
    assert "--output" in said.err
    assert Path("file").read_text() == "mine"


def test_a_read_only_output_fails_the_run(
    small_disk: Path, system: Callable[..., str], eco: Callable[..., Said]
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    said = eco("run", system(), "--output", str(small_disk))
    (row,) = rows()
    assert said.code == 1
    assert (row["simulation_status"], row["failure_cause"]) == ("failed", "storage")
    assert "read-only" in said.err


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_without_permission_fails_the_run(system: Callable[..., str], eco: Callable[..., Said]) -> None:
    Path("locked").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    assert eco("run", system(), "--output", "locked").code == 1
