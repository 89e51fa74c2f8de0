"""Reports: one file that loads nothing, with everything that people wrote as text; the commands that write them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ecosystemiser.cli.entry import exit_code
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import InputError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.report_service import ReportService
from ecosystemiser.services.study_service import StudyService

EVIL = "</script><img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What stands in a page: elements, what they load, its text outside of scripts."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.scripts = 0
        self._in: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in = [*self._in, tag] if tag in ("script", "style") else self._in
        self.loads += [str(value) for name, value in attrs if name in ("src", "srcset", "action", "data")]
        self.loads += [str(value) for name, value in attrs if name == "href" and not str(value).startswith("#")]

    def handle_endtag(self, tag: str) -> None:
        self._in = self._in[:-1] if self._in[-1:] == [tag] else self._in

    def handle_data(self, data: str) -> None:
        if not self._in:
            self.text += data


@pytest.fixture
def reports(log: DatabaseMetadataService) -> ReportService:
    return ReportService(log)


def headings(content: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", content)


def test_a_report_of_a_run_holds_all_its_parts_and_loads_nothing(
    reports: ReportService, solved: Callable[..., str]
) -> None:
    content = reports.of_run(solved())
    page = Page(content)
    assert headings(content) == [
        *("In short", "Components and costs", "Bills of suppliers", "Weeks worth a look"),
        *("The year", "Flows"),
        *("All KPIs", "What went in", "How it was solved"),
    ]
    assert page.loads == []
    assert content.count("plotly.js v") == 1  # its licence stands once
    assert "default-src 'none'" in content
    assert "capacity_kwh" in page.text
    assert "link" not in page.tags


def test_text_of_people_stays_text(reports: ReportService, solved: Callable[..., str], log: Any) -> None:
    run = solved()
    log.write_note(run, EVIL)
    log.log_simulation_run({"run_id": run, "metadata_json": json.dumps({"error": EVIL})})
    page = Page(reports.of_run(run))
    assert "img" not in page.tags
    assert f"Note: {EVIL}" in page.text


def test_a_run_without_hours_says_why_there_are_no_curves(reports: ReportService, log: DatabaseMetadataService) -> None:
    row = {"run_id": "bare", "system_id": "house", "simulation_status": "failed", "failure_cause": "infeasible"}
    log.log_simulation_run({**row, "metadata_json": json.dumps({"error": "no plan meets the demand"})})
    text = Page(reports.of_run("bare")).text
    assert "It failed: infeasible. no plan meets the demand Raise the limits" in text
    assert "cannot be had again" in text or "holds no description" in text


def test_a_comparison_opens_with_what_was_changed(reports: ReportService, solved: Callable[..., str]) -> None:
    runs = [solved(), solved(parameters={"battery.capacity_kwh": 8})]
    content = reports.of_comparison(runs)
    assert headings(content) == ["What was changed", "Costs", "KPIs", "Curves"]
    page = Page(content)
    assert page.loads == []
    assert page.text.index("battery.capacity_kwh") < page.text.index("total_cost")


def test_runs_that_may_not_be_ranked_are_called_neither_better_nor_worse(
    reports: ReportService, solved: Callable[..., str]
) -> None:
    text = Page(reports.of_comparison([solved(), solved(timesteps=12)])).text
    assert "the periods differ" in text
    assert "better" not in text.replace("neither may be called better", "")
    assert "Only the hours that all runs cover are shown" in text


STUDIES: dict[str, dict[str, Any]] = {
    "parametric": {"parameters": {"battery.capacity_kwh": [0, 4], "pv.capacity_kw": [1, 3]}},
    "genetic_algorithm": {
        "parameters": {"battery.capacity_kwh": {"from": 0, "to": 8}, "pv.capacity_kw": {"from": 0, "to": 6}},
        "genetic_algorithm": {
            "objectives": {"total_cost": "minimise", "total_co2": "minimise"},
            "population_size": 4,
            "max_generations": 2,
            "seed": 1,
        },
    },
    "monte_carlo": {
        "monte_carlo": {
            "distributions": {"pv.capacity_kw": {"distribution": "uniform", "minimum": 1.0, "maximum": 5.0}},
            "n_samples": 4,
            "sensitivity": True,
            "seed": 1,
        }
    },
}
CAPTIONS = {
    "parametric": ("total_cost over battery.capacity_kwh and pv.capacity_kw",),
    "genetic_algorithm": ("that no other beats in every objective", "The best and the mean of each generation"),
    "monte_carlo": ("total_cost over the samples", "How likely total_cost is exceeded", "Sobol indices"),
}


@pytest.mark.parametrize("kind", STUDIES)
def test_a_report_of_a_study_answers_what_its_kind_asks(
    kind: str, reports: ReportService, log: DatabaseMetadataService, house: Path
) -> None:
    base = SimulationConfig(system=house, solver_type="rule_based")
    config = {"study_id": "asked", "study_type": kind, "base_config": base, "workers": 1, **STUDIES[kind]}
    StudyService(log).run_study(StudyConfig.model_validate(config))
    content = reports.of("asked")
    page = Page(content)
    assert headings(content)[:2] == ["In short", "The answer"]
    assert page.loads == []
    for caption in CAPTIONS[kind]:
        assert caption in page.text
    assert "asked" in page.text


class TestCommands:
    def test_a_report_is_written_and_its_size_told(
        self, solved: Callable[..., str], folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        solved()
        assert exit_code(["report", "last", "-o", "run.html"]) == 0
        assert re.match(r"\d\.\d\d MB written to run\.html", capsys.readouterr().out)
        assert (folder / "run.html").read_text().startswith("<!doctype html>")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["report", "nothing", "-o", "a.html"], "is no run in"),
            (["report", "last", "last~1", "-o", "a.html"], "report --compare last last~1 -o a.html"),
            (["report", "last", "-o", "."], "is a folder"),
            (["report", "last", "-o", "none/a.html"], "folder that does not exist"),
            (["report", "--compare", "last", "-o", "a.html"], "name two to 8"),
            (["runs", "compare", "last", "last"], "is named twice"),
            (["runs", "compare", "last"], "name two to 8"),
            (["report", "../../etc/passwd", "-o", "a.html"], "is not a valid run_id"),
        ],
    )
    def test_a_wrong_request_is_told_and_writes_nothing(
        self,
        arguments: list[str],
        told: str,
        solved: Callable[..., str],
        folder: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        solved()
        assert exit_code(arguments) == 2
        assert told in capsys.readouterr().err
        assert not list(folder.glob("**/*.html"))

    def test_runs_are_compared_on_a_terminal_of_80_columns(
        self, solved: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        solved()
        solved(parameters={"battery.capacity_kwh": 8})
        solved(parameters={"pv.capacity_kw": 6})
        assert exit_code(["runs", "compare", "last~2", "last~1", "last"]) == 0
        out = capsys.readouterr().out
        assert out.index("battery.capacity_kwh") < out.index("total_cost")
        assert "(baseline)" in out.splitlines()[1] or "(baseline)" in out.splitlines()[0]
        assert max(len(each) for each in out.splitlines() if "ecosystemiser report" not in each) <= 80

    def test_comparisons_for_programs(self, solved: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
        runs = [solved(), solved(parameters={"pv.capacity_kw": 6})]
        assert exit_code(["runs", "compare", *runs, "--format", "json"]) == 0
        held = json.loads(capsys.readouterr().out)
        assert held["baseline"] == runs[0]
        assert {"name": "pv.capacity_kw", "values": [3, 6]} in held["inputs"]
        cost = next(each for each in held["kpis"] if each["name"] == "total_cost")
        assert cost["absolute"][0] is None
        assert cost["absolute"][1] == pytest.approx(cost["values"][1] - cost["values"][0])
        assert exit_code(["runs", "compare", *runs, "--format", "csv"]) == 0
        assert capsys.readouterr().out.startswith("what,name,unit,run,value,absolute,relative,better\n")


def test_a_place_that_is_none_is_refused_before_anything_is_made(reports: ReportService) -> None:
    with pytest.raises(InputError, match="no name of a file"):
        reports.check_place("a\0b")
