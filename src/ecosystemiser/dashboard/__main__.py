"""The server of the explorer: `python -m ecosystemiser.dashboard HOST PORT`, started by `ecosystemiser explore`.

It ends with whoever started it: when that process is gone, its end of our standard input closes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from ecosystemiser.dashboard.themes import options_of_themes

__all__ = ["main", "options"]

END_S = 4.0
"""How long the server has to end by itself."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_FIXED: Mapping[str, object] = {
    "server.headless": True,
    "server.showEmailPrompt": False,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.maxUploadSize": 5,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.disableDataExport": True,  # of what a table shows: ours exports what passes, and neutralises formulas
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "runner.magicEnabled": False,
    "logger.level": "warning",
}


def options(host: str, port: int) -> dict[str, object]:
    """Return the options of the server, by Streamlit's names; they stand over those of a user's own file.

    Where it listens on this machine alone, only its own names are let in: another site whose name a visitor's browser
    was led to take for this machine's address (DNS rebinding) is not.
    """
    where: dict[str, object] = {"server.address": host, "server.port": port, "browser.serverPort": port}
    if host in LOOPBACK:
        where |= {"server.allowedHosts": list(LOOPBACK), "browser.serverAddress": host}
    return {**_FIXED, **where, **options_of_themes()}


def main(host: str, port: int) -> None:
    """Serve the pages until this process is asked to end."""
    from streamlit.web import cli as streamlit

    threading.Thread(target=_end_with_the_parent, name="parent", daemon=True).start()
    script = Path(__file__).parent / "script" / "server.py"
    streamlit.main(["run", str(script), *_flags(options(host, port))], prog_name="streamlit")


def _flags(chosen: Mapping[str, object]) -> Iterator[str]:
    for name, value in chosen.items():
        for each in value if isinstance(value, list) else [value]:
            yield f"--{name}={str(each).lower() if isinstance(each, bool) else each}"


def _end_with_the_parent() -> None:
    while sys.stdin.buffer.read(1024):  # nothing is ever written: this waits for the end
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(END_S)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
