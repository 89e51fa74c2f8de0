"""The page Runs: filtered, sorted, paged, picked, exported, and all of it by its address."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
from playwright.sync_api import Page, expect
from tests.browser.conftest import Explorer, Visitor

ROW_PX, HEAD_PX = 34, 34


def filter_by(visitor: Visitor, text: str) -> Page:
    box = visitor.page.get_by_role("textbox", name="Filter")
    box.fill(text)
    box.press("Enter")
    return visitor.settle()


def click_cell(page: Page, row: int, x: int) -> None:
    """Click into a row of the table, `x` pixels from its left."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    table.click(position={"x": x, "y": HEAD_PX + ROW_PX * row + ROW_PX // 2})


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_filter_is_that_of_the_command_line_and_stands_in_the_address(
    visitor: Visitor, visit: Callable[..., Visitor], explorer: Explorer
) -> None:
    visitor.walk("Runs")
    where = "study_id = 'sizing' and params.battery.capacity_kwh >= 40"
    page = filter_by(visitor, where)
    visitor.comes_to(lambda: asked(page), {"where": where})
    count = explorer.log.count_simulation_runs(where)
    told = f"1–{count} of {count}"  # noqa: RUF001 - a range
    expect(page.get_by_text(told)).to_be_visible()
    visitor.shoot("runs-filtered")
    other = visit(explorer).open(page.url.removeprefix(explorer.address))
    expect(other.get_by_text(told)).to_be_visible()
    expect(other.get_by_role("textbox", name="Filter")).to_have_value(where)


def test_a_misspelt_name_is_told_with_a_hint(visitor: Visitor) -> None:
    visitor.walk("Runs")
    page = filter_by(visitor, "csot < 3")
    expect(page.get_by_text("did you mean 'cost'?")).to_be_visible()
    visitor.shoot("runs-misspelt")


def test_a_chip_changes_the_filter(visitor: Visitor) -> None:
    visitor.walk("Runs")
    page = filter_by(visitor, "timesteps = 24")
    page.get_by_role("radio", name="failed").or_(page.get_by_role("button", name="failed")).first.click()
    visitor.settle()
    visitor.comes_to(lambda: asked(page).get("where"), "timesteps = 24 and simulation_status = 'failed'")
    expect(page.get_by_text("1–1 of 1")).to_be_visible()  # noqa: RUF001 - a range


def test_runs_are_sorted_by_the_database(visitor: Visitor) -> None:
    page = visitor.walk("Runs")
    visitor.choose("Sort by", "cost")
    visitor.comes_to(lambda: asked(page), {"sort": "total_cost"})
    page.get_by_text("largest first").click()
    visitor.settle()
    visitor.comes_to(lambda: asked(page), {"sort": "total_cost", "falling": "1"})


def test_the_second_page_has_an_address(visitor: Visitor, visit: Callable[..., Visitor], explorer: Explorer) -> None:
    page = visitor.walk("Runs")
    page.get_by_role("button", name="Next").click()
    visitor.settle()
    total = explorer.log.count_simulation_runs()
    assert 100 < total <= 200
    told = f"101–{total} of {total}"  # noqa: RUF001 - a range
    expect(page.get_by_text(told)).to_be_visible()
    again = visit(explorer).open(page.url.removeprefix(explorer.address))
    expect(again.get_by_text(told)).to_be_visible()
    page.get_by_role("button", name="Previous").click()
    visitor.settle()
    expect(page.get_by_text(f"1–100 of {total}")).to_be_visible()  # noqa: RUF001 - a range


def test_picked_runs_stay_picked_from_page_to_page(
    visitor: Visitor, explorer: Explorer, visit: Callable[[Explorer], Visitor]
) -> None:
    page = visitor.walk("Runs")
    newest = [row["run_id"] for row in explorer.log.query_simulation_runs(limit=101)]
    click_cell(page, 1, 16)
    visitor.settle()
    page.get_by_role("button", name="Next").click()
    visitor.settle()
    click_cell(page, 0, 16)
    visitor.settle()
    visitor.walk("Studies")
    visitor.walk("Runs")
    expect(page.get_by_text("Basket: 2 runs")).to_be_visible()
    visitor.shoot("runs-basket")
    told = {newest[1], newest[100]}
    visitor.comes_to(lambda: set(asked(page).get("picked", "").split(",")), told)
    again = visit(explorer).open(page.url.removeprefix(explorer.address))
    expect(again.get_by_text("Basket: 2 runs")).to_be_visible()
    page.get_by_role("link", name="Compare").last.click()
    page.wait_for_url("**/compare?runs=*")
    visitor.settle()
    visitor.comes_to(lambda: asked(page).get("runs"), f"{newest[1]},{newest[100]}")
    visitor.walk("Runs")
    page.get_by_role("button", name="Empty the basket").click()
    visitor.settle()
    visitor.comes_to(lambda: asked(page), {})


def test_a_click_on_an_id_opens_the_run(visitor: Visitor, explorer: Explorer) -> None:
    page = visitor.walk("Runs")
    newest = explorer.log.query_simulation_runs(limit=3)[2]["run_id"]
    click_cell(page, 2, 200)
    page.wait_for_url("**/run?id=*")
    visitor.settle()
    visitor.comes_to(lambda: asked(page).get("id"), newest)


def test_what_is_filtered_is_exported(visitor: Visitor, explorer: Explorer, tmp_path: Path) -> None:
    where = "study_id = 'sizing'"
    visitor.walk("Runs")
    page = filter_by(visitor, where)
    expected = {row["run_id"]: row["total_cost"] for row in explorer.log.query_simulation_runs(where=where)}
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text())))
    assert {row["run_id"]: float(row["total_cost"]) for row in rows} == expected
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Parquet", exact=True).click()
    waiting.value.save_as(tmp_path / "runs.parquet")
    table = pq.read_table(tmp_path / "runs.parquet").to_pylist()
    assert {row["run_id"]: row["total_cost"] for row in table} == expected


def test_a_filter_that_nothing_passes_says_so(visitor: Visitor) -> None:
    visitor.walk("Runs")
    page = filter_by(visitor, "total_cost < -1e9")
    expect(page.get_by_text("passes this filter")).to_be_visible()
    page.get_by_role("button", name="Show all runs").click()
    visitor.settle()
    visitor.comes_to(lambda: asked(page), {})
