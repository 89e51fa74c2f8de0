"""The pages Run and Compare, and a report, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import HOSTILE, Explorer, Visitor, command
from tests.browser.test_pages import look

DRAWN = ".js-plotly-plot .main-svg"
SLOW_MS = 30_000
"""On a busy machine a chart may take so long."""


def solved_runs(explorer: Explorer) -> list[str]:
    """Return the runs of 48 hours of the packaged system: by rules, then hybrid."""
    where = "timesteps = 48 and simulation_status = 'completed'"
    return [row["run_id"] for row in explorer.log.query_simulation_runs(where=where)][::-1]


@pytest.mark.parametrize(
    "part",
    [
        "Year",
        "Curves",
        "Flows",
        "Bills",
        "Investment",
        "All KPIs",
        "Inputs",
        "How solved",
        "Notes",
    ],
)
def test_every_part_of_a_run_is_readable_wide_and_narrow(part: str, visitor: Visitor, explorer: Explorer) -> None:
    run = solved_runs(explorer)[1]
    page = visitor.open(f"/run?id={run}&part={part.replace(' ', '+')}")
    expect(page.get_by_role("heading", level=1, name=run)).to_be_visible()
    expect(page.locator(DRAWN).first).to_be_visible(timeout=SLOW_MS)
    look(visitor, f"run-{part.lower().replace(' ', '-')}")


def test_a_choice_goes_into_the_address_and_a_second_browser_shows_the_same(
    visitor: Visitor, explorer: Explorer, visit: Callable[..., Visitor]
) -> None:
    page = visitor.open(f"/run?id={solved_runs(explorer)[0]}")
    visitor.choose("Carrier", "heat")
    visitor.comes_to(lambda: "bus=heat" in page.url, True)
    other = visit(explorer)
    seen = other.open(page.url.removeprefix(explorer.address))
    expect(seen.get_by_text("heat [kW]").first).to_be_visible(timeout=SLOW_MS)


def test_a_run_is_picked_and_compared(visitor: Visitor, explorer: Explorer) -> None:
    runs = solved_runs(explorer)
    page = visitor.open(f"/compare?runs={','.join(runs)}")
    expect(page.get_by_role("heading", name="What was changed")).to_be_visible()
    expect(page.locator(DRAWN).first).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("less the baseline [kW]").first).to_be_attached()
    look(visitor, "compare")


def test_a_comparison_is_taken_along_as_csv_and_html(
    visitor: Visitor, explorer: Explorer, tmp_path: Path, visit: Callable[..., Visitor]
) -> None:
    page = visitor.open(f"/compare?runs={','.join(solved_runs(explorer))}")
    for label, ending in (("CSV", "csv"), ("HTML report", "html")):
        with page.expect_download(timeout=60_000) as waiting:
            page.get_by_role("button", name=label, exact=True).click()
        waiting.value.save_as(tmp_path / f"comparison.{ending}")
    assert (tmp_path / "comparison.csv").read_text().startswith("what,name,unit,run,value")
    reader = visit(explorer, "reader")
    reader.page.goto((tmp_path / "comparison.html").as_uri())
    expect(reader.page.locator(DRAWN).first).to_be_visible(timeout=SLOW_MS)


def test_a_report_opens_without_a_network_and_asks_for_nothing(
    visit: Callable[..., Visitor], explorer: Explorer, database: Path, tmp_path: Path
) -> None:
    for name in (solved_runs(explorer)[1], "sizing", "cost-and-co2", "price-risk"):
        file = tmp_path / f"{name}.html"
        assert command("report", name, "-o", str(file), "--db", str(database)) == 0
        reader = visit(explorer, "reader")
        asked: list[str] = []
        reader.page.on("request", lambda request, asked=asked: asked.append(request.url))
        reader.page.context.set_offline(True)
        reader.page.goto(file.as_uri())
        expect(reader.page.locator(DRAWN).first).to_be_visible(timeout=SLOW_MS)
        reader.page.context.set_offline(False)
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("run?id=..%2F..%2Fetc%2Fpasswd", "is not a valid run_id"),
        ("run?id='; DROP TABLE runs; --", "is not a valid run_id"),
        ("run?id=nothing-like-it", "is no run in"),
        (f"run?id={'x' * 9_000}", "more than any page knows"),
        ("compare?runs=last,..%2F..%2Fetc", "is not a valid run_id"),
        (f"compare?runs={','.join(f'r{at}' for at in range(9))}", "name two to 8"),
    ],
)
def test_a_hostile_address_gets_a_clear_page(path: str, told: str, visitor: Visitor) -> None:
    page = visitor.open(f"/{path}")
    expect(page.get_by_test_id("stAlert").first).to_contain_text(told)


def test_a_hostile_note_is_text(visitor: Visitor, explorer: Explorer) -> None:
    row = explorer.log.query_simulation_runs(where="note is not null")[0]
    page = visitor.open(f"/run?id={row['run_id']}&part=Notes")
    expect(page.get_by_text("It failed:")).to_be_visible()
    expect(page.get_by_role("textbox", name="Note")).to_have_value(HOSTILE)
    assert page.locator("img[src=x]").count() == 0
