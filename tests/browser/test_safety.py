"""What strangers write is text, their addresses get a clear page, and nobody else is listened to."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import HOSTILE, Explorer, Visitor

ADDRESSES = {
    "study?id=..%2F..%2Fetc%2Fpasswd": "is not a valid study_id",
    f"runs?where={quote(HOSTILE)}": "filter, character",
}
"""A few in the browser; more of them in tests/unit/dashboard."""


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_hostile_address_gets_a_clear_page(path: str, visitor: Visitor) -> None:
    page = visitor.open(f"/{path}")
    expect(page.get_by_test_id("stAlert").first).to_contain_text(ADDRESSES[path])
    assert page.get_by_text("Traceback").count() == 0


def test_an_address_of_a_megabyte_is_refused_and_the_explorer_lives(explorer: Explorer) -> None:
    assert status_of(explorer, f"/run?id={'x' * 1_000_000}") >= 400
    assert status_of(explorer, "/") == 200


def test_hostile_text_of_the_log_is_shown_as_text(visitor: Visitor, explorer: Explorer) -> None:
    page = visitor.open("/runs?where=note%20is%20not%20null&columns=run_id,note")
    row = explorer.log.query_simulation_runs(where="note is not null")[0]
    assert row["note"] == HOSTILE
    expect(page.get_by_text("1–1 of 1")).to_be_visible()  # noqa: RUF001 - a range
    assert page.locator("img[src=x]").count() == 0


def test_hostile_text_of_a_system_is_shown_as_text(visitor: Visitor) -> None:
    page = visitor.walk("New run")
    box = page.get_by_role("textbox", name="Edit it")
    box.fill(f"system_id: '{HOSTILE}'\ncomponents: {{'{HOSTILE}': {{type: pv}}}}\n")
    box.press("Control+Enter")
    visitor.settle()
    expect(page.get_by_test_id("stAlert").first).to_contain_text("<img src=x")
    assert page.locator("img[src=x]").count() == 0
    visitor.shoot("new-run-wrong")


def test_no_page_loads_anything_from_elsewhere(visitor: Visitor) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.open("/study?id=sizing")
    for title in ("Overview", "Runs", "New run"):
        visitor.walk(title)
    elsewhere = [url for url in asked if not url.startswith((visitor.address, "data:", "blob:"))]
    assert elsewhere == []


def test_it_listens_on_this_machine_alone(explorer: Explorer) -> None:
    ends = [line.split() for name in ("tcp", "tcp6") for line in listening(name)]
    own = [local for _, local, _, state, *_ in ends if state == "0A" and local.endswith(f":{explorer.port:04X}")]
    assert own == [f"0100007F:{explorer.port:04X}"]


def test_another_name_for_this_machine_is_not_let_in(explorer: Explorer) -> None:
    """A site whose name was led to this address must not speak to the pages (DNS rebinding)."""
    assert upgrade(explorer, "evil.example") != 101
    assert upgrade(explorer, f"127.0.0.1:{explorer.port}") == 101


def test_an_explorer_that_only_looks_offers_no_action(
    visit: Callable[..., Visitor], start: Callable[..., Explorer], database: Path
) -> None:
    visitor = visit(start(database, "--read-only"))
    page = visitor.open("/new")
    expect(page.get_by_text("This explorer only looks")).to_be_visible()
    assert page.get_by_role("button", name="Start").count() == 0
    visitor.walk("Overview")
    expect(page.get_by_text("looking only")).to_be_visible()


def status_of(explorer: Explorer, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", explorer.port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (ConnectionError, http.client.RemoteDisconnected):
        return 599  # hung up on
    finally:
        connection.close()


def upgrade(explorer: Explorer, host: str) -> int:
    """Ask for the WebSocket of the pages under a name of this machine; return the status."""
    lines = (
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    with socket.create_connection(("127.0.0.1", explorer.port), timeout=20) as link:
        link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = link.recv(200)
    return int(head.split(b" ", 2)[1]) if head else 0


def listening(name: str) -> list[str]:
    path = Path("/proc/net") / name
    if not path.exists():
        pytest.skip("needs /proc/net")
    return path.read_text().splitlines()[1:]
