"""`study run` on real files: what is told, what stands in the log, and how it exits."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli import study_progress
from ecosystemiser.cli.entry import exit_code
from ecosystemiser.errors import InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_file import read_study

SYSTEM = """\
system_id: two-houses
time: {start: 2018-06-01, steps: 24}
economics: {currency: CHF}
components:
  grid: {type: grid, import_price_per_kwh: 0.3, export_price_per_kwh: 0.1, import_limit_kw: 20, co2_kg_per_kwh: 0.4}
  pv: {type: pv, capacity_kw: 5, profile: pv-potsdam-south-30, capex_per_kw: 1000}
  battery: {type: battery, capacity_kwh: 4, power_kw: 2, capex_per_kwh: 400}
  house: {type: electricity_demand, profile: bdew-h25, annual_kwh: 4000}
"""

STUDY = """\
study_id: sizes
study_type: parametric
system: systems/two.yaml
workers: 1
parameters:
  battery.capacity_kwh: [0, 4, 8]
  pv.capacity_kw: {from: 2, to: 8, count: 4}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a study file whose system lies below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    for seconds in ("LINE_EVERY_S", "TOLD_S"):  # how far it is, is told on slow machines only: tested elsewhere
        monkeypatch.setattr(study_progress, seconds, 3600.0)
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "two.yaml").write_text(SYSTEM)
    (tmp_path / "sizes.yaml").write_text(STUDY)
    return tmp_path


@pytest.fixture
def eco(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that calls the command line and gives its exit code, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        return (code, *capsys.readouterr())

    return call


def changed(*replaced: tuple[str, str], name: str = "sizes.yaml") -> str:
    """Write the study file with parts replaced."""
    text = STUDY
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    Path(name).write_text(text)
    return name


def rows() -> list[dict[str, Any]]:
    with DatabaseMetadataService() as log:
        return log.query_simulation_runs()


def widest(text: str) -> int:
    return max(len(line) for line in text.splitlines())


def test_a_study_is_run_logged_and_told_the_answer_first(eco: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = eco("study", "run", "sizes.yaml")
    assert (code, err) == (0, "")
    assert widest(out) <= 80
    found = rows()
    best = min(found, key=lambda row: row["total_cost"])
    values = json.loads(best["parameters_json"])
    assert len(found) == 12
    assert {(row["simulation_status"], row["study_id"], row["system_id"]) for row in found} == {
        ("completed", "sizes", "two-houses")
    }
    told = " ".join(out.split())
    sizes = f"battery.capacity_kwh = {values['battery.capacity_kwh']}, pv.capacity_kw = {values['pv.capacity_kw']:g}"
    assert told.startswith("Best: ")
    assert f"CHF with {sizes} (run {best['run_id'][:13]}" in told
    assert "Study sizes: 12 ✓ completed in " in out
    assert "The best 10 of all 12 points" in out
    assert "Next: ecosystemiser study show sizes\n" in out
    assert "ecosystemiser runs list --study sizes --sort cost" in out
    assert eco("study", "show", "sizes")[0] == 0


def test_the_command_that_is_proposed_names_one_run(eco: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = eco("study", "run", "sizes.yaml")
    proposed = next(line for line in out.splitlines() if "runs show" in line).split()[-1]
    code, shown, _ = eco("runs", "show", proposed)
    assert code == 0
    assert "completed: run" in shown


def test_programs_get_the_study_and_its_points(eco: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = eco("study", "run", "sizes.yaml", "--format", "json")
    told = json.loads(out)
    assert (told["study_id"], told["status"], told["by_status"]) == ("sizes", "completed", {"completed": 12})
    assert [point["point"] for point in told["points"]] == list(range(12))
    _, out, _ = eco("study", "run", "sizes.yaml", "--study-id", "again", "--format", "csv")
    cells = list(csv.DictReader(io.StringIO(out)))
    assert [row["pv.capacity_kw"] for row in cells[:4]] == ["2.0", "4.0", "6.0", "8.0"]


def test_options_stand_over_the_file(eco: Callable[..., tuple[int, str, str]]) -> None:
    options = ("--study-id", "totals", "--timeseries", "none", "--db", "own.sqlite")
    code, out, _ = eco("study", "run", "sizes.yaml", *options)
    assert code == 0
    assert "Study totals: 12" in out
    assert not Path("data").exists()
    with DatabaseMetadataService("own.sqlite") as log:
        found = log.query_simulation_runs(study_id="totals")
    assert {row["flows_path"] for row in found} == {None}


def test_two_workers_find_the_same(eco: Callable[..., tuple[int, str, str]]) -> None:
    eco("study", "run", "sizes.yaml")
    code, _, _ = eco("study", "run", "sizes.yaml", "--study-id", "two", "--workers", "2")
    with DatabaseMetadataService() as log:
        one, two = ([row["total_cost"] for row in log.query_study_runs(study_id)] for study_id in ("sizes", "two"))
    assert code == 0
    assert one == pytest.approx(two, rel=1e-9)


def test_zipped_values_are_taken_together(eco: Callable[..., tuple[int, str, str]]) -> None:
    changed(("count: 4}", "count: 3}\ncombine: zipped"))
    assert eco("study", "run", "sizes.yaml")[0] == 0
    taken = [json.loads(row["parameters_json"]) for row in rows()]
    pairs = {(values["battery.capacity_kwh"], values["pv.capacity_kw"]) for values in taken}
    assert pairs == {(0, 2.0), (4, 5.0), (8, 8.0)}


def test_runs_that_fail_are_counted_by_cause_and_the_others_kept(eco: Callable[..., tuple[int, str, str]]) -> None:
    changed(("pv.capacity_kw: {from: 2, to: 8, count: 4}", "house.annual_kwh: [4000, 900000]"))
    code, out, err = eco("study", "run", "sizes.yaml")
    assert (code, err) == (1, "")
    assert widest(out) <= 80
    assert out.startswith("Best: ")
    assert "Study sizes: 3 ✓ completed, 3 ✕ failed in " in out
    assert "\n  3 data  " in out
    assert "raise the limits" in " ".join(out.split())


def test_a_study_of_which_all_fails_says_so(eco: Callable[..., tuple[int, str, str]]) -> None:
    changed(("workers: 1", "workers: 1\nsolver: {time_limit_s: 0.0000001}"))
    code, out, _ = eco("study", "run", "sizes.yaml")
    assert code == 1
    assert "No run completed" in out
    assert "12 timeout" in out


def test_results_in_the_log_are_taken_over_where_asked(eco: Callable[..., tuple[int, str, str]]) -> None:
    eco("study", "run", "sizes.yaml")
    code, out, _ = eco("study", "run", "sizes.yaml", "--study-id", "again", "--reuse")
    assert code == 0
    assert "12 of them taken over from earlier runs." in out
    first, again = ({row["point"]: row for row in rows() if row["study_id"] == name} for name in ("sizes", "again"))
    assert {at: row["reused_from"] for at, row in again.items()} == {at: row["run_id"] for at, row in first.items()}
    assert [again[at]["total_cost"] for at in range(12)] == [first[at]["total_cost"] for at in range(12)]
    eco("study", "run", "sizes.yaml", "--study-id", "anew")
    assert {row["reused_from"] for row in rows() if row["study_id"] == "anew"} == {None}


def test_a_study_goes_on_where_it_was_cut_short(eco: Callable[..., tuple[int, str, str]]) -> None:
    """Two points have no answer, one failed: it has one."""
    eco("study", "run", "sizes.yaml")
    costs = {row["point"]: row["total_cost"] for row in rows()}
    ids = {row["point"]: row["run_id"] for row in rows()}
    with DatabaseMetadataService() as log, log.transaction() as connection:
        cut = "UPDATE runs SET simulation_status = 'interrupted', total_cost = NULL WHERE point IN (3, 7)"
        failed = "UPDATE runs SET simulation_status = 'failed', failure_cause = 'crash' WHERE point = 5"
        for statement in (cut, failed, "UPDATE studies SET status = 'interrupted'"):
            connection.exec_driver_sql(statement)
    code, out, err = eco("study", "resume", "last")
    assert (code, err) == (1, "")
    assert "11 ✓ completed, 1 ✕ failed" in out
    added = {row["point"]: row for row in rows() if row["retry_of"] is not None}
    assert {at: row["retry_of"] for at, row in added.items()} == {3: ids[3], 7: ids[7]}
    assert [added[at]["total_cost"] for at in (3, 7)] == pytest.approx([costs[3], costs[7]], rel=1e-6)
    code, _, err = eco("study", "resume", "sizes")
    assert code == 2
    assert "'sizes' is completed; there is nothing to go on with" in err


def test_a_completed_study_is_not_run_over(eco: Callable[..., tuple[int, str, str]]) -> None:
    eco("study", "run", "sizes.yaml")
    code, out, err = eco("study", "run", "sizes.yaml")
    assert (code, out) == (2, "")
    assert "names a study that is completed; give it another name: --study-id NAME" in err
    assert len(rows()) == 12


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("workers: 1", "worker: 1", 4, "worker: is not a known key; did you mean 'workers'?"),
        ("workers: 1", "workers: many", 4, "workers: 'many' is text where a whole number belongs"),
        ("workers: 1", "solver_type: hybird", 4, "solver_type: 'hybird' is not allowed here; did you mean 'hybrid'?"),
        ("workers: 1", "solver: {gab: 0.1}", 4, "solver.gab: is not a known key; did you mean 'gap'?"),
        ("workers: 1", "solver_type: rule_based\nsolver: {end: cyclic}", 5, "solver.end: 'cyclic' cannot be promised"),
        (
            "workers: 1",
            "solver_type: hybrid\nsolver: {commit_h: 72}",
            5,
            "solver.commit_h: 72.0 is longer than the look-ahead; take commit_h of at most lookahead_h (48.0)",
        ),
        ("workers: 1", "timesteps: 0", 4, "timesteps: 0 is less than 1"),
        ("workers: 1", "base_config: {run_id: a}", 4, "base_config.run_id: is not a known key; leave it out"),
        ("workers: 1", "base_config: {system: a}", 3, "system: stands in base_config too; leave one of the two out"),
        ("study_id: sizes", "study_id: a b", 1, "study_id: 'a b' is no id"),
        ("study_id: sizes", "timeseries: all", None, "study_id: is missing; add 'study_id:'"),
        ("parametric", "parametrc", 2, "study_type: 'parametrc' is not allowed here"),
        ("systems/two.yaml", "systems/tow.yaml", 3, "does not exist"),
        ("systems/two.yaml", "riverside", 3, "is no system file and no packaged system"),
        ("[0, 4, 8]", "[]", 6, "parameters.battery.capacity_kwh: has no values; write a list"),
        ("[0, 4, 8]", "4", 6, "parameters.battery.capacity_kwh: 4 is no list of values; write a list"),
        ("[0, 4, 8]", "[0, -4, 8]", 6, "parameters.battery.capacity_kwh[1]: -4 is negative; give 0 or more"),
        ("[0, 4, 8]", "[0, .nan]", 6, "parameters.battery.capacity_kwh[1]: nan is no finite number"),
        ("[0, 4, 8]", "[0, true]", 6, "parameters.battery.capacity_kwh[1]: True is a truth value"),
        ("battery.", "batery.", 6, "batery.capacity_kwh: is no field of this system; did you mean 'battery'?"),
        ("capacity_kwh", "capacty_kwh", 6, "is not a known key; did you mean 'capacity_kwh'?"),
        ("from: 2", "from: -2", 7, "parameters.pv.capacity_kw.from: -2.0 is negative"),
        ("count: 4", "cuont: 4", 7, "parameters.pv.capacity_kw.cuont: is not a known key; did you mean 'count'?"),
        ("count: 4", "count: 1000000000", 7, "parameters.pv.capacity_kw.count: 1000000000 is more than 1000000"),
        ("count: 4", "count: 400000", 5, "parameters: make 1,200,000 points, more than 1,000,000"),
        (
            "workers: 1",
            "combine: zipped",
            5,
            "parameters: are zipped, but differ in number: battery.capacity_kwh has 3, pv.capacity_kw has 4; give",
        ),
    ],
)
def test_what_is_wrong_is_told_with_line_and_remedy_before_anything_is_done(
    old: str, new: str, line: int | None, words: str, eco: Callable[..., tuple[int, str, str]]
) -> None:
    changed((old, new))
    code, out, err = eco("study", "run", "sizes.yaml")
    assert (code, out) == (2, "")
    assert words in err
    assert err.splitlines()[0].startswith(f"sizes.yaml:{line}: " if line else "sizes.yaml: ")
    assert "Input should" not in err
    assert "Nothing was done." in err
    assert not Path("data").exists()


def test_a_thousand_million_points_are_refused_before_anything_is_built(
    eco: Callable[..., tuple[int, str, str]],
) -> None:
    fields = "\n".join(f"  battery.f{at}: {{from: 0, to: 1, count: 1000000}}" for at in range(100))
    Path("sizes.yaml").write_text(f"study_id: big\nsystem: systems/two.yaml\nparameters:\n{fields}\n")
    code, _, err = eco("study", "run", "sizes.yaml")
    assert code == 2
    assert f"make 1{',000' * 200} points" in err


def test_everything_wrong_is_told_at_once_in_the_order_of_the_lines(
    eco: Callable[..., tuple[int, str, str]],
) -> None:
    Path("systems/two.yaml").write_text(SYSTEM.replace("capacity_kw: 5", "capacity_kw: -5"))
    changed(("parametric", "parametrc"), ("workers: 1", "wokers: 1"), ("[0, 4, 8]", "[]"))
    code, _, err = eco("study", "run", "sizes.yaml", "--study-id", "a b")
    assert code == 2
    told = [line.split(" ")[0] for line in err.splitlines()[:-1]]
    assert told == ["sizes.yaml:2:", "sizes.yaml:4:", "sizes.yaml:6:", "--study-id:", "systems/two.yaml:6:"]
    assert "5 problems found; nothing was done." in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--workers", "0"), "--workers: 0 is less than 1"),
        (("--timeseries", "some"), "--timeseries: 'some' is not allowed here; allowed: all, best, none"),
        (("--study-id", "../a"), "--study-id: '../a' is no id"),
        (("--format", "xml"), "--format"),
    ],
)
def test_a_wrong_option_is_a_wrong_request(
    arguments: tuple[str, ...], words: str, eco: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, err = eco("study", "run", "sizes.yaml", *arguments)
    assert code == 2
    assert words in err


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: [", "\t"])
def test_what_is_no_study_file_is_a_wrong_request(content: str, eco: Callable[..., tuple[int, str, str]]) -> None:
    Path("sizes.yaml").write_text(content)
    code, _, err = eco("study", "run", "sizes.yaml")
    assert code == 2
    assert "sizes.yaml" in err


def test_a_file_that_is_not_there_is_a_wrong_request(eco: Callable[..., tuple[int, str, str]]) -> None:
    assert eco("study", "run", "no.yaml")[0] == 2


def test_the_system_lies_beside_the_study_wherever_it_is_called_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    study = read_study(folder / "sizes.yaml")
    assert study.base_config.system == folder / "systems" / "two.yaml"
    assert len(study.values()["pv.capacity_kw"]) == 4


def test_short_keys_are_those_of_the_base() -> None:
    short = changed(("workers: 1", "solver_type: hybrid\ntimesteps: 12\nsolver: {end: free, lookahead_h: 30}"))
    solver = "solver_type: hybrid, timesteps: 12, solver: {end: free, lookahead_h: 30}"
    base = f"base_config: {{system: systems/two.yaml, {solver}}}"
    full = changed(("workers: 1\n", ""), ("system: systems/two.yaml", base), name="full.yaml")
    assert read_study(short) == read_study(full)


def test_a_value_that_only_another_value_makes_possible_is_no_mistake(folder: Path) -> None:
    """A demand above the base's import limit, side by side with a higher limit."""
    fields = "  grid.import_limit_kw: [20, 2000]\n  house.annual_kwh: [4000, 900000]\ncombine: zipped\n"
    head, _, _ = STUDY.partition("  battery")
    Path("sizes.yaml").write_text(head + fields)
    assert read_study("sizes.yaml").combine == "zipped"


def test_a_packaged_system_is_named_not_searched_for(folder: Path) -> None:
    changed(("systems/two.yaml", "riverside-community"), ("pv.capacity_kw", "roof_pv.capacity_kw"))
    assert read_study("sizes.yaml").base_config.system == "riverside-community"


def test_fields_that_all_runs_share_are_checked_too(folder: Path) -> None:
    changed(("system: systems/two.yaml", "base_config: {system: systems/two.yaml, parameters: {pv.capacity_kw: -1}}"))
    with pytest.raises(InputError, match=r"sizes.yaml:3: base_config.parameters.pv.capacity_kw: -1 is negative"):
        read_study("sizes.yaml")


def test_run_takes_the_hours_of_windows_and_shows_the_solvers_notes(eco: Callable[..., tuple[int, str, str]]) -> None:
    solver = "rolling_horizon"
    options = ("--solver", solver, "--lookahead", "12", "--commit", "6")
    code, out, _ = eco("run", "systems/two.yaml", *options)
    assert code == 0
    assert "Note: " in out
    assert "3 windows" in out
    code, out, _ = eco("run", "systems/two.yaml", "--solver", solver, "--lookahead", "6", "--format", "json")
    assert "4 windows" in json.loads(out)["notes"][0]


def test_run_with_all_solvers_tells_what_each_decided_differently(eco: Callable[..., tuple[int, str, str]]) -> None:
    """Four runs are logged; a solver that cannot plan the system says so, and the others go on."""
    code, out, _ = eco("run", "systems/two.yaml", "--solver", "all")
    assert code == 0
    for solver in ("rule_based", "rolling_horizon", "hybrid", "milp"):
        assert f"✓  {solver}" in out
    assert ", the cheapest:\n  " in out
    assert "Next: ecosystemiser runs compare " in out
    code, out, _ = eco("run", "systems/two.yaml", "--solver", "all", "--end", "cyclic", "--format", "json")
    assert code == 0
    assert {row["solver_type"] for row in json.loads(out)} == {"rolling_horizon", "hybrid", "milp"}
    code, out, _ = eco("run", "systems/two.yaml", "--solver", "all", "--end", "cyclic")
    assert "rule_based: cannot be promised by rule_based" in out.replace("\n", " ")
    code, _, err = eco("run", "systems/two.yaml", "--solver", "all", "--run-id", "mine")
    assert code == 2
    assert "--run-id: 'mine' names one run" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--solver", "hybrid", "--commit", "72"), "--commit: 72.0 is longer than the look-ahead"),
        (("--solver", "hybrid", "--lookahead", "-1"), "--lookahead: -1"),
        (("--solver", "hybrid", "--lookahead", "nan"), "--lookahead"),
        (("--solver", "rule_based", "--end", "cyclic"), "--end: 'cyclic' cannot be promised by rule_based"),
    ],
)
def test_wrong_hours_of_windows_are_a_wrong_request(
    arguments: tuple[str, ...], words: str, eco: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, err = eco("run", "systems/two.yaml", *arguments)
    assert code == 2
    assert words in err
    assert not Path("data").exists()
