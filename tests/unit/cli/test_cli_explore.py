"""The explorer as a process: its address, its port, its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ecosystemiser.cli import explorer
from ecosystemiser.errors import InputError

EXPLORE = [sys.executable, "-m", "ecosystemiser.cli", "explore", "--no-browser"]


def taken() -> socket.socket:
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen()
    return held


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with taken() as held:
        port = held.getsockname()[1]
        done = subprocess.run([*EXPLORE, "--port", str(port)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"--port: {port} cannot be used" in done.stderr
    assert "give another one" in done.stderr


def test_without_a_port_the_next_free_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with taken() as held:
        first = held.getsockname()[1]
        monkeypatch.setattr(explorer, "FIRST_PORT", first)
        assert first < explorer.chosen_port("127.0.0.1", None) < first + explorer.PORTS_TRIED


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(InputError, match="is no address"):
        explorer.chosen_port("no such host", None)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")],  # noqa: S104
)
def test_the_address_is_one_that_a_browser_here_can_open(host: str, expected: str) -> None:
    assert explorer.address_of(host, 80) == expected


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0)])
def test_it_ends_by_a_signal_without_a_traceback(number: signal.Signals, code: int, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*EXPLORE, "--host", "0.0.0.0", "--db", "x.sqlite"],  # noqa: S104 - that it warns
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    address = lines[1].split()[-1]
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        head = answer.read().decode().partition("</head>")[0]
    (link,) = [line for line in head.split("<link ") if "PlotlyChart" in line]  # what pages draw with comes with them
    assert 'rel="modulepreload"' in link
    with urllib.request.urlopen(address + link.split('href="')[1].partition('"')[0], timeout=10) as answer:  # noqa: S310
        assert answer.status == 200
        assert "javascript" in answer.headers["content-type"]
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Warning: the explorer listens on 0.0.0.0" in said
    assert "Traceback" not in said
    with socket.socket() as probe:  # nobody listens any more; what was said before may linger
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(address.rpartition(":")[2])))
    assert not (tmp_path / "x.sqlite").exists()


def test_the_server_ends_with_whoever_started_it(tmp_path: Path) -> None:
    process = subprocess.Popen([*EXPLORE, "--db", "x.sqlite"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = int([process.stdout.readline() for _ in range(3)][1].rpartition(":")[2])
    process.kill()
    process.communicate()
    until = time.monotonic() + 15
    while time.monotonic() < until:
        time.sleep(0.1)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
    pytest.fail("the server outlived its command")
