"""Every page opens, wide and narrow, light and dark, by the keyboard, and is what the log says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import STUDIES, Explorer, Visitor

from ecosystemiser.charts.tokens import Theme, tokens_of

WIDE, NARROW = 1280, 400
TOO_WIDE = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    return main.scrollWidth - main.clientWidth;
}"""
GROUND = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"


BORDER = "e => getComputedStyle(e.closest('[data-testid=stTextInputRootElement]')).borderColor"


def look(visitor: Visitor, name: str) -> None:
    """See the page wide and narrow; narrow it may not have to be shifted to be read."""
    page = visitor.page
    assert page.get_by_test_id("stAlertContentError").count() == 0
    visitor.shoot(name)
    visitor.resize(NARROW)
    assert page.evaluate(TOO_WIDE) <= 0
    visitor.shoot(f"{name}-narrow")
    visitor.resize(WIDE)


@pytest.mark.parametrize("title", ["Overview", "Runs", "Studies", "New run"])
def test_a_page_is_readable_wide_and_narrow(title: str, visitor: Visitor) -> None:
    page = visitor.walk(title)
    expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
    look(visitor, title.lower().replace(" ", "-"))


@pytest.mark.parametrize("study_id", STUDIES)
def test_a_study_is_readable_wide_and_narrow(study_id: str, visitor: Visitor) -> None:
    page = visitor.walk("Studies")
    page.get_by_role("link", name=study_id, exact=True).click()
    visitor.settle()
    visitor.comes_to(lambda: page.url.endswith(f"/study?id={study_id}"), True)
    expect(page.get_by_role("heading", level=1, name=study_id)).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    look(visitor, f"study-{study_id}")


def test_the_parts_of_a_study_have_addresses(visitor: Visitor) -> None:
    page = visitor.walk("Studies")
    page.get_by_role("link", name="sizing", exact=True).click()
    visitor.settle()
    for part, shown in (("Parallel coordinates", "Drag along an axis"), ("Failures", "No run of this study failed.")):
        page.get_by_role("radio", name=part).or_(page.get_by_role("button", name=part)).first.click()
        visitor.settle()
        expect(page.get_by_text(shown)).to_be_visible()
        visitor.comes_to(lambda part=part: f"part={part.split()[0]}" in page.url, True)


def test_the_dark_theme_is_dark(visit: Callable[..., Visitor], explorer: Explorer) -> None:
    visitor = visit(explorer, "dark")
    page = visitor.open("/study?id=cost-and-co2")
    assert page.evaluate(GROUND) == rgb(tokens_of(Theme.DARK).ground)
    visitor.shoot("study-dark")
    visitor.walk("Overview")
    visitor.shoot("overview-dark")


def test_the_overview_counts_what_is_in_the_log(visitor: Visitor, explorer: Explorer) -> None:
    numbers = explorer.log.get_statistics()
    page = visitor.walk("Overview")
    shown = page.get_by_role("heading", level=3).all_inner_texts()[:4]
    assert shown == [f"{numbers['runs']:,}", f"{len(STUDIES)}", "0", "1"]


def test_a_cause_of_failure_leads_to_its_runs(visitor: Visitor) -> None:
    page = visitor.walk("Overview")
    page.get_by_role("link", name="infeasible: 1 run").click()
    visitor.settle()
    visitor.comes_to(lambda: "where=failure_cause" in page.url, True)
    expect(page.get_by_text("1–1 of 1")).to_be_visible()  # noqa: RUF001 - a range


def test_a_point_of_the_front_opens_its_run(visitor: Visitor) -> None:
    page = visitor.walk("Studies")
    page.get_by_role("link", name="cost-and-co2", exact=True).click()
    visitor.settle()
    point = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace").last.locator("path.point").first
    point.scroll_into_view_if_needed()
    point.click(force=True)
    page.wait_for_url("**/run?id=*")
    visitor.settle()


def test_the_kpi_of_a_study_stands_in_the_address(
    visitor: Visitor, visit: Callable[..., Visitor], explorer: Explorer
) -> None:
    page = visitor.walk("Studies")
    page.get_by_role("link", name="sizing", exact=True).click()
    visitor.settle()
    visitor.choose("KPI", "CO₂")
    visitor.comes_to(lambda: "kpi=total_co2" in page.url, True)
    again = visit(explorer).open(page.url.removeprefix(explorer.address))
    expect(again.get_by_role("combobox", name="KPI")).to_have_value("CO₂")


def test_the_keyboard_reaches_navigation_filter_and_links(visitor: Visitor) -> None:
    page = visitor.walk("Runs")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel || ''"))
    told = "\n".join(reached)
    for name in ("Overview", "Studies", "Filter", "completed", "hybrid", "Columns", "Export"):
        assert name in told


def test_the_focus_is_seen(visitor: Visitor) -> None:
    page = visitor.walk("Runs")
    box = page.get_by_role("textbox", name="Filter")
    before = box.evaluate(BORDER)
    box.focus()
    page.wait_for_timeout(300)
    assert box.evaluate(BORDER) != before


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"
