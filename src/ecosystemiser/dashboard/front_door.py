"""What stands before Streamlit: headers that keep pages to themselves, and the page's knowledge of its server.

No page may load anything from elsewhere, whatever stands in a note. Without the second, a page that is opened by its
own address asks in vain for a server below that address first. And what pages draw with is fetched with the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

__all__ = ["FrontDoor"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss: data:"
)
"""Streamlit and plotly need the `unsafe` ones; nothing is fetched from another origin."""

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
SERVER = b"<script>window.__streamlit={BACKEND_BASE_URL:window.location.origin+'/'}</script>"
SOON = ("PlotlyChart",)
"""Parts of Streamlit's program that a page asks for only once it has something to draw: large, so fetched at once."""


@cache
def _head() -> bytes:
    """Return what a page's head ends with."""
    folder = Path(str(files("streamlit"))) / "static" / "static" / "js"
    names = [path.name for part in SOON for path in sorted(folder.glob(f"{part}.*.js"))]
    links = [f'<link rel="modulepreload" crossorigin href="/static/js/{name}">' for name in names]
    return SERVER + "".join(links).encode() + b"</head>"


class FrontDoor:
    """An ASGI middleware around the pages' server."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request; WebSockets pass as they are."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"] if _is_page(scope) else None
        page = _Page(send)
        await self._app(scope if headers is None else {**scope, "headers": headers}, receive, page.take)


class _Page:
    """Passes a response on; of a page all of it at once, with what it has to know."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            if _is_html(message):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            body = self._body.replace(b"</head>", _head(), 1)
            kept = [pair for pair in self._start["headers"] if pair[0].lower() != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await self._send({**self._start, "headers": [*kept, length]})
            await self._send({"type": "http.response.body", "body": body})
            return
        await self._send(message)


def _is_page(scope: Message) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _is_html(message: Message) -> bool:
    return message["status"] == 200 and any(
        name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"]
    )
