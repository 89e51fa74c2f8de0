"""A Dask scheduler and workers, started with Dask's own commands as people start them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.contract.executors import TASKS

__all__ = ["OWN_MOUNTS", "ByHand"]

UP_S = 60.0
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
"""Begins a command that sees mounts of its own."""


class ByHand:
    """A scheduler; workers are started one by one. All of them end with the `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        file = self._folder / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--scheduler-file", file]
        self.scheduler = self._start("scheduler", *words, "--dashboard-address", "127.0.0.1:0")
        end = time.monotonic() + UP_S
        while not (self.said("scheduler").count("Scheduler at:")):
            assert time.monotonic() < end, self.said("scheduler")
            time.sleep(0.05)
        self.address = self.said("scheduler").split("Scheduler at:")[1].split()[0]
        return self

    def add_worker(self, *words: str, hidden: Path | None = None) -> None:
        """Start one more worker, with these words behind its command, and wait until the scheduler has it.

        `hidden`: a folder in whose place this worker sees an empty one of its own, as on another machine.
        """
        before = self.said("scheduler").count("Register worker")
        self._start(
            "worker", self.address, "--host", "127.0.0.1", "--local-directory", self._folder, *words, hidden=hidden
        )
        end = time.monotonic() + UP_S
        while self.said("scheduler").count("Register worker") == before:
            assert time.monotonic() < end, self.said("worker")
            time.sleep(0.05)

    def said(self, command: str) -> str:
        """Return what the scheduler, or the workers, have logged."""
        return (self._folder / f"{command}.log").read_text()

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, command: str, *words: object, hidden: Path | None = None) -> subprocess.Popen[bytes]:
        paths = [str(TASKS), *(entry for entry in sys.path if entry)]
        before = [] if hidden is None else [*OWN_MOUNTS, 'mount -t tmpfs none "$0" && exec "$@"', str(hidden)]
        with (self._folder / f"{command}.log").open("ab") as log:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", "dask", command, *map(str, words)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(process)
        return process
