"""The process that serves the explorer's pages: started, waited for, ended."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from ecosystemiser.errors import EcoSystemiserError, Finding, InputError

__all__ = ["FIRST_PORT", "address_of", "chosen_port", "serving", "wait_until_ready"]

FIRST_PORT, PORTS_TRIED = 8501, 50
READY_S, END_S = 60.0, 6.0
LOOK_EVERY_S = 0.1
_HEALTH = "/_stcore/health"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not to listen there, to know it


def chosen_port(host: str, port: int | None) -> int:
    """Return `port` if it is free on `host`, without one the first free from 8501 on. Raises InputError."""
    if port is not None:
        _try(host, port, is_asked=True)
        return port
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        if _try(host, candidate, is_asked=False):
            return candidate
    last = FIRST_PORT + PORTS_TRIED - 1
    raise InputError([Finding(f"{FIRST_PORT} to {last} are all taken", "give a free one", "--port")])


def address_of(host: str, port: int) -> str:
    """Return where a browser on this machine finds the pages."""
    name = _ANY.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


@contextmanager
def serving(host: str, port: int, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server while the block lasts. Its standard input tells it when we are gone, however we end."""
    server = subprocess.Popen(  # noqa: S603 - this Python, our module, checked words
        [sys.executable, "-m", "ecosystemiser.dashboard", host, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **environment},
        start_new_session=True,  # Ctrl-C is for us; we end it
    )
    try:
        yield server
    finally:
        if server.stdin is not None:
            server.stdin.close()
        try:
            server.wait(END_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    """Return when the server answers. Raises EcoSystemiserError where it ends before, or never does."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if server.poll() is not None:
            message = "the explorer's server ended before it answered; what it said stands above"
            raise EcoSystemiserError(f"{message}. See whether all is installed: ecosystemiser doctor")
        if _answers(address):
            return
        time.sleep(LOOK_EVERY_S)
    raise EcoSystemiserError(f"the explorer's server did not answer within {READY_S:.0f} s. Try again.")


def _answers(address: str) -> bool:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", _HEALTH)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _try(host: str, port: int, *, is_asked: bool) -> bool:
    """Return whether we could listen there. Raises InputError where nobody could, or this port was asked for."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        remedy = "give an address of this machine, as 127.0.0.1"
        raise InputError([Finding(f"is no address ({error.strerror})", remedy, "--host", host)]) from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except PermissionError as error:
            finding = Finding("may not be used by you", "give one from 1024 on", "--port", port)
            raise InputError([finding]) from error
        except OSError as error:
            if is_asked:
                remedy = "give another one, or none: then the first free one is taken"
                raise InputError([Finding(f"cannot be used ({error.strerror})", remedy, "--port", port)]) from error
            return False
    return True
