"""Studies in the log, listed and shown; how far one is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli import study_progress
from ecosystemiser.cli.commands import demo
from ecosystemiser.cli.study_points import Points
from ecosystemiser.cli.study_progress import told_progress
from ecosystemiser.cli.study_report import cost_map, value_text
from ecosystemiser.cli.text import told_apart
from ecosystemiser.errors import FailureCause
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import RunFailed, StudyProgress
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService

FIELDS = {"battery.capacity_kwh": [0, 40], "roof_pv.capacity_kw": {"first": 20.0, "to": 100.0, "count": 2}}
COSTS = {(0, 20.0): 25000.0, (0, 100.0): 24000.0, (40, 20.0): None, (40, 100.0): 22345.6}


@pytest.fixture
def sizing(log: DatabaseMetadataService) -> None:
    """A study of four points, one of which failed."""
    settings = {"parameters": FIELDS, "base_config": {"solver_type": "hybrid", "system": "farm.yaml"}}
    study = {"study_id": "sizing", "study_type": "parametric", "system_id": "farm"}
    log.log_study({**study, "settings_json": json.dumps(settings)})
    rows = [
        {
            "run_id": f"r-{at}",
            "study_id": "sizing",
            "point": at,
            "solver_type": "hybrid",
            "currency": "EUR",
            "parameters_json": json.dumps(values),
        }
        for at, (battery, pv) in enumerate(COSTS)
        for values in [{"battery.capacity_kwh": battery, "roof_pv.capacity_kw": pv}]
    ]
    log.log_simulation_runs(rows)
    for at, cost in enumerate(COSTS.values()):
        ended = {"simulation_status": "completed", "total_cost": cost}
        if cost is None:
            ended = {"simulation_status": "failed", "failure_cause": "infeasible"}
            ended["metadata_json"] = {"error": "no plan"}
        log.log_simulation_run({"run_id": f"r-{at}", **ended})
    log.log_study({"study_id": "sizing", "status": "completed"})


def test_an_empty_database_says_how_to_fill_it(eco: Callable[..., Any]) -> None:
    said = eco("study", "list")
    assert said.code == 0
    assert "ecosystemiser demo" in said.out
    assert "ecosystemiser study run FILE" in said.out
    assert not Path("data").exists()
    assert json.loads(eco("study", "list", "--format", "json").out) == []
    assert "no studies in" in eco("study", "show", "last").err


@pytest.mark.usefixtures("sizing")
def test_the_list_says_what_each_study_found(eco: Callable[..., Any]) -> None:
    said = eco("study", "list")
    assert said.widest <= 80
    assert "best [EUR]" in said.out
    for words in ("✓  sizing", "parametric", "farm", "22,300"):
        assert words in said.out
    (row,) = json.loads(eco("study", "list", "--format", "json").out)
    assert (row["runs"], row["completed"], row["failed"]) == (4, 3, 1)
    assert (row["best_total_cost"], row["best_run_id"], row["currency"]) == (22345.6, "r-3", "EUR")
    (cells,) = csv.DictReader(io.StringIO(eco("study", "list", "--format", "csv").out))
    assert cells["study_id"] == "sizing"


def test_a_cut_list_says_so(log: DatabaseMetadataService, eco: Callable[..., Any]) -> None:
    for at in range(3):
        log.log_study({"study_id": f"a-study-with-a-rather-long-name-number-{at}", "system_id": "a-long-system-name"})
    said = eco("study", "list", "--limit", "2")
    assert said.widest <= 80
    assert "--limit 0" in said.out
    assert "--limit 0" not in eco("study", "list").out


@pytest.mark.usefixtures("sizing")
@pytest.mark.parametrize("name", ["sizing", "last"])
def test_a_study_is_shown_with_the_answer_first(name: str, eco: Callable[..., Any]) -> None:
    said = eco("study", "show", name)
    assert (said.code, said.err) == (0, "")
    assert said.widest <= 80
    head, best, *_ = said.out.splitlines()
    assert head == "✓ completed: study sizing, parametric, 4 runs of farm"
    assert best == "Best: 22,300 EUR with battery.capacity_kwh = 40, roof_pv.capacity_kw = 100 (run"
    for words in (
        "20 to 100, 2 values",
        "hybrid",
        "1 infeasible  no plan (run r-2)",
        "4 runs: 3 ✓ completed, 1 ✕ failed",
        "22,300*",
    ):
        assert words in said.out


@pytest.mark.usefixtures("sizing")
def test_the_points_of_a_study_for_programs(eco: Callable[..., Any]) -> None:
    told = json.loads(eco("study", "show", "sizing", "--format", "json").out)
    assert told["settings"]["parameters"] == FIELDS
    assert told["by_status"] == {"completed": 3, "failed": 1}
    assert [(point["point"], point["total_cost"]) for point in told["points"]] == list(enumerate(COSTS.values()))
    assert told["points"][3]["parameters"] == {"battery.capacity_kwh": 40, "roof_pv.capacity_kw": 100.0}
    rows = list(csv.DictReader(io.StringIO(eco("study", "show", "sizing", "--format", "csv").out)))
    assert [row["battery.capacity_kwh"] for row in rows] == ["0", "0", "40", "40"]
    assert rows[3]["total_cost"] == "22345.6"


@pytest.mark.usefixtures("sizing")
def test_a_long_study_is_cut_and_says_so(eco: Callable[..., Any]) -> None:
    said = eco("study", "show", "sizing", "--limit", "2")
    assert "Only the first 2 of 4: --limit 0 lists all." in said.out


@pytest.mark.usefixtures("sizing")
@pytest.mark.parametrize(
    ("name", "words"),
    [("sizings", "did you mean 'sizing'?"), ("zzz", "ecosystemiser study list"), ("../x", "is not a valid study_id")],
)
def test_no_such_study_is_a_wrong_request(name: str, words: str, eco: Callable[..., Any]) -> None:
    said = eco("study", "show", name)
    assert said.code == 2
    assert words in said.err


def test_names_in_the_database_cannot_steer_the_terminal(log: DatabaseMetadataService, eco: Callable[..., Any]) -> None:
    evil = "\x1b]0;owned\x07"
    settings = {"parameters": {f"a.{evil}": [evil]}, "base_config": {"solver_type": evil}}
    log.log_study({"study_id": "s", "study_type": evil, "system_id": evil, "settings_json": json.dumps(settings)})
    log.log_simulation_run(
        {"run_id": "r", "study_id": "s", "point": 0, "parameters_json": json.dumps({f"a.{evil}": evil})}
    )
    log.log_simulation_run({"run_id": "r", "simulation_status": "failed", "metadata_json": {"error": evil}})
    for arguments in (("list",), ("show", "s")):
        said = eco("study", *arguments)
        assert said.code == 0
        assert "\x1b" not in said.out


def test_settings_that_no_version_of_ours_wrote_are_no_error(
    log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    for at, text in enumerate(("[]", '{"parameters": 3, "base_config": []}', '{"base_config": {"parameters": 3}}')):
        log.log_study({"study_id": f"s-{at}", "settings_json": text})
        for style in ("table", "csv", "json"):
            assert eco("study", "show", f"s-{at}", "--format", style).code == 0


@pytest.mark.parametrize("status", ["interrupted", "cancelled", "failed"])
def test_a_study_that_did_not_end_says_why_and_how_to_go_on(
    status: str, log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log.log_study({"study_id": "sizing", "points": 12})
    log.log_study({"study_id": "sizing", "status": status, "message": "no room on the disk"})
    shown = eco("study", "show", "sizing").out
    assert f"{status}: study sizing, of unknown kind, 12 points of –\n" in shown  # noqa: RUF001
    assert "Why: no room on the disk. What was done is kept.\nGo on: ecosystemiser study resume sizing\n" in shown
    listed = eco("study", "list").out
    assert f"sizing  {status}" in listed


@pytest.mark.usefixtures("sizing")
def test_a_completed_study_needs_no_going_on(eco: Callable[..., Any]) -> None:
    assert "resume" not in eco("study", "show", "sizing").out
    assert "status" not in eco("study", "list").out


def test_a_study_whose_owner_is_gone_says_so_and_is_left_as_it_is(
    log_of_the_dead: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    log.log_study({"study_id": "alive"})
    log_of_the_dead("r-0", "r-1", study_id="sizing")
    listed = eco("study", "list")
    assert listed.widest <= 80
    signs = {line.split()[1]: line.split()[0] for line in listed.out.splitlines()[1:]}
    assert signs == {"alive": "●", "sizing": "○"}
    assert "running (owner gone)" in listed.out
    shown = eco("study", "show", "sizing").out
    assert shown.startswith("○ running (owner gone): study sizing, ")
    assert "Why: its process died." in shown
    assert "2 runs: 2 ○ running (owner gone)" in shown
    assert shown.count("○") == 4  # the head, two points, the count
    assert {row["status"] for row in log.query_studies()} == {"running"}


def test_a_study_that_died_before_its_first_run_says_so(
    log_of_the_dead: Callable[..., None], log: DatabaseMetadataService, eco: Callable[..., Any]
) -> None:
    """Its row stands before any of its runs; nothing but its owner tells that nobody works on it."""
    log.log_study({"study_id": "alive"})
    log_of_the_dead(study_id="sizing")
    listed = eco("study", "list").out
    assert {line.split()[1]: line.split()[0] for line in listed.splitlines()[1:]} == {"alive": "●", "sizing": "○"}
    shown = eco("study", "show", "sizing").out
    assert shown.startswith("○ running (owner gone): study sizing, ")
    assert "Go on: ecosystemiser study resume sizing" in shown
    assert log.studies_of_the_dead() == {"sizing"}


@pytest.mark.usefixtures("sizing")
def test_results_taken_over_are_counted(log: DatabaseMetadataService, eco: Callable[..., Any]) -> None:
    assert "taken over" not in eco("study", "show", "sizing").out
    log.log_simulation_run({"run_id": "r-0", "reused_from": "other"})
    assert eco("study", "show", "sizing").out.endswith("\n1 of them taken over from earlier runs.\n")


def test_the_list_counts_points_done_and_failed(log: DatabaseMetadataService, eco: Callable[..., Any]) -> None:
    log.log_study({"study_id": "sizing", "points": 1200})
    statuses = ("completed", "completed", "failed", "cancelled", "interrupted")
    for at, status in enumerate(statuses):
        log.log_simulation_run({"run_id": f"r-{at}", "study_id": "sizing", "simulation_status": status})
    head, row = eco("study", "list").out.splitlines()
    assert head.split()[:6] == ["study", "status", "kind", "system", "points", "done"]
    assert row.split()[:8] == ["●", "sizing", "running", "–", "–", "1,200", "2", "1"]  # noqa: RUF001
    (told,) = json.loads(eco("study", "list", "--format", "json").out)
    assert {name: told[name] for name in ("points", "runs", "running", *set(statuses))} == {
        "points": 1200, "runs": 5, "running": 0, "completed": 2, "failed": 1, "cancelled": 1, "interrupted": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([22505.0, 23017.0], ["22,500", "23,000"]),
        ([22505.0, 22511.0, None], ["22,500", "22,510", "–"]),  # noqa: RUF001
        ([1.0, 1.0], ["1.00", "1.00"]),
        ([1.0, 1.0000001], ["1.00000", "1.00000"]),
        ([], []),
    ],
)
def test_numbers_get_the_digits_that_tell_them_apart(values: list[float | None], texts: list[str]) -> None:
    assert told_apart(values) == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [(40, "40"), (0.5, "0.5"), (12345678.0, "1.23457e+07"), (True, "true"), (None, "–"), ([1, 2], "[1, 2]")],  # noqa: RUF001
)
def test_values_are_told_short(value: object, text: str) -> None:
    assert value_text(value) == text
    assert len(value_text("x" * 100)) < 20


def point(at: int, values: dict[str, Any], cost: float | None) -> dict[str, Any]:
    status = "failed" if cost is None else "completed"
    row = {"point": at, "run_id": f"r-{at}", "simulation_status": status, "total_cost": cost, "metadata_json": None}
    return {**row, "parameters_json": json.dumps(values)}


def all_points(varied: tuple[str, ...], rows: Sequence[dict[str, Any]]) -> Points:
    done = [row for row in rows if row["total_cost"] is not None]
    best = tuple(sorted(done, key=lambda row: float(row["total_cost"])))
    return Points(varied, tuple(rows), best, number=len(rows))


def test_a_map_shows_where_it_is_cheap_and_what_failed() -> None:
    costs = [[9.0, 5.0], [None, 1.0]]
    rows = [point(2 * x + y, {"a.x": x, "b.y": y}, costs[x][y]) for x in range(2) for y in range(2)]
    lines = cost_map(all_points(("a.x", "b.y"), rows), 80).splitlines()
    assert lines[-2].split() == ["0", "9.00", "██", "5.00", "▒▒"]
    assert lines[-1].split() == ["1", "✕", "1.00*"]


@pytest.mark.parametrize("varied", [(), ("a.x",), ("a.x", "b.y", "c.z")])
def test_only_two_fields_make_a_map(varied: tuple[str, ...]) -> None:
    assert cost_map(all_points(varied, [point(0, dict.fromkeys(varied, 1), 1.0)]), 80) == ""


def test_zipped_points_make_no_map() -> None:
    rows = tuple(point(at, {"a.x": at, "b.y": at}, 1.0) for at in range(3))
    assert cost_map(all_points(("a.x", "b.y"), rows), 80) == ""


def test_progress_is_told_on_the_error_stream_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bus, now = EventBus(), [0.0]
    monkeypatch.setattr(study_progress.time, "monotonic", lambda: now[0])
    is_ending = False
    with told_progress(bus, "sizing", lambda: is_ending):
        for second, done in enumerate(range(0, 120, 10)):
            now[0] = float(second)
            if second == 7:
                bus.publish(RunFailed(study_id="sizing", run_id="a", cause=FailureCause.CRASH, message=""))
            best = {"total_cost": 22505.0}
            bus.publish(StudyProgress(study_id="sizing", done=done, total=120, rate=10.0, seconds_left=7.0, best=best))
        is_ending = True
        now[0] = 100.0
        bus.publish(StudyProgress(study_id="sizing", done=120, total=120))
    bus.publish(StudyProgress(study_id="sizing", done=120, total=120))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "sizing: 50 of 120 runs, 10.0 a second, 7.00 s left, best 22,500, 0 failed",
        "sizing: 100 of 120 runs, 10.0 a second, 7.00 s left, best 22,500, 1 failed",
    ]
    assert list(bus.failures) == []


def test_the_tour_can_be_taken_again_in_the_same_folder(
    monkeypatch: pytest.MonkeyPatch, eco: Callable[..., Any]
) -> None:
    monkeypatch.setattr("ecosystemiser.config.solver_options.SOLVER_TYPES", ("rule_based",))
    monkeypatch.setattr(demo, "STUDY_SOLVER", "rule_based")
    monkeypatch.setattr(demo, "VARIED", {"battery.capacity_kwh": [0, 40], "roof_pv.capacity_kw": [30, 60]})
    for name in ("demo", "demo-2"):
        said = eco("demo")
        assert said.code == 0
        assert f"ecosystemiser study show {name}\n" in said.out
        assert "24,800" in said.out
    assert [row["study_id"] for row in json.loads(eco("study", "list", "--format", "json").out)] == ["demo-2", "demo"]
