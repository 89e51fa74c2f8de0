"""A worker as its pool sees it: a process, a socket that never blocks, and the work it has in hand."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ecosystemiser.jobs.executors.frames import Frame, FrameReader, packed
from ecosystemiser.jobs.executors.waiting_line import Work

__all__ = ["THREAD_VARIABLES", "WorkerProcess"]

THREAD_VARIABLES = ("MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""How many threads libraries start; they read these when they are imported."""

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from ecosystemiser.jobs.executors.worker import main; main(*map(int, sys.argv[1:3] + sys.argv[4:]))"
)
_RECEIVED_AT_ONCE = 1 << 18
_MB = 1_000_000


class WorkerProcess:
    """A fresh interpreter that runs `worker.main`.

    It is not a multiprocessing.Process: that would run the caller's main script once more in every worker, need the
    environment of the whole parent changed at each start, and be open to Ctrl-C until it is up. Nothing is shared
    but the socket, so a worker that dies can hold no lock.

    Start it from the thread that outlives it: Linux ends a worker with the thread that started it.
    """

    def __init__(self, environment: Mapping[str, str], deadline_s: float, memory_limit_mb: float | None = None) -> None:
        ours, theirs = socket.socketpair()
        words = [str(theirs.fileno()), str(os.getpid()), json.dumps(_search_path())]
        if memory_limit_mb is not None:
            words.append(str(round(memory_limit_mb * _MB)))
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-c", _PROGRAM, *words],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
                process_group=0,  # a Ctrl-C in the terminal reaches the parent only
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.settimeout(0)
        self.line = ours
        self.deadline_s: float | None = deadline_s
        """When it is to be killed, by the monotonic clock; at first, unless it is ready by then. [s]"""
        self.is_ready = False
        self.is_dismissed = False
        """Whether it was told to end, having no work."""
        self.has_hung_up = False
        """Whether nothing more can come from it."""
        self.work: Work | None = None
        self.token = 0
        """Numbers the attempt that it has in hand; 0: none."""
        self._unsent: deque[memoryview] = deque()
        self._reader = FrameReader()

    @property
    def is_idle(self) -> bool:
        """Whether it may be given work."""
        return self.is_ready and self.work is None and not self.is_dismissed and not self.has_hung_up

    @property
    def has_unsent(self) -> bool:
        """Whether something waits to be sent to it."""
        return bool(self._unsent)

    def post(self, frame: Frame) -> None:
        """Send a frame, now or when `flush` is called. Never waits."""
        self._unsent.append(memoryview(packed(frame)))
        self.flush()

    def flush(self) -> None:
        """Send what the socket takes. Never waits."""
        try:
            while self._unsent:
                view = self._unsent.popleft()
                sent = self._send(view)
                if sent < len(view):
                    self._unsent.appendleft(view[sent:])
                    return
        except OSError:  # it died; reading finds that, too, after what it still said
            self._unsent.clear()

    def _send(self, view: memoryview) -> int:
        try:
            return self.line.send(view)
        except BlockingIOError:
            return 0

    def receive(self) -> list[Frame]:
        """Return the frames that have come; sets `has_hung_up` at the end of the line. Never waits."""
        try:
            data = self.line.recv(_RECEIVED_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            data = b""
        self.has_hung_up = not data
        return list(self._reader.feed(data))

    def last_words(self) -> list[Frame]:
        """Return the frames that are still in the socket of a worker that has died, and close it."""
        frames: list[Frame] = []
        with self.line, suppress(OSError):
            while data := self.line.recv(_RECEIVED_AT_ONCE):
                frames += self._reader.feed(data)
        self.has_hung_up = True
        return frames

    def memory_mb(self) -> float:
        """Return how much memory the process has of its own, swapped out or not; 0 where it has ended. Needs /proc."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        except OSError:
            return 0.0
        own = [line.split() for line in lines if line.startswith(("RssAnon:", "VmSwap:"))]
        return sum(int(words[1]) * 1024 for words in own) / _MB

    def has_died(self, wait_s: float = 0.0) -> bool:
        """Whether the process has ended and left nothing behind, after waiting for that for at most `wait_s`."""
        try:
            self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def cause_of_death(self) -> str:
        """Return how the process ended, in words."""
        code = self.process.returncode
        if code is None:
            return "hung up without ending"
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"


def _search_path() -> list[str]:
    return [entry for entry in sys.path if isinstance(entry, str)]
