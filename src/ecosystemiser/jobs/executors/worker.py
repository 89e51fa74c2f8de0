"""The program of a worker process: takes jobs one after another from its parent, until the parent says so or is gone.

Whatever a task keeps in the globals of its module lives as long as the worker, so a prepared problem serves many jobs.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import signal
import socket
import sys
import threading
from functools import partial
from queue import SimpleQueue

from ecosystemiser.jobs.executors.frames import CLOSE, ENDED, JOB, MESSAGE, READY, STOP, Frame, FrameReader, packed
from ecosystemiser.jobs.executors.task import Context, perform_pickled
from ecosystemiser.jobs.states import JobStatus, Outcome

__all__ = ["main"]

EXIT_ORPHANED = 70
_PR_SET_PDEATHSIG = 1
_RECEIVED_AT_ONCE = 1 << 16


def main(descriptor: int, parent: int, memory_limit: int | None = None) -> None:
    """Serve the parent process with id `parent` over the inherited socket `descriptor`.

    `memory_limit`: so much the parent lets this process have. [bytes]
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which tells us what to do
    if sys.stderr is not None:
        faulthandler.enable()  # a crash says on stderr where it was
    _die_with(parent)
    if memory_limit is not None:
        _never_take(2 * memory_limit)
    parent_line = socket.socket(fileno=descriptor)
    parent_line.set_inheritable(False)  # what a task starts must not keep the line open
    line = _ParentLine(parent_line)
    threading.Thread(target=line.listen, name="parent-line", daemon=True).start()
    line.send(Frame(READY))
    while (frame := line.jobs.get()).kind == JOB:
        line.send(Frame(ENDED, frame.token, _performed(frame, line)))


def _performed(frame: Frame, line: _ParentLine) -> bytes:
    """Run the job of a frame; return its pickled outcome."""
    job_id, attempt, name, payload, time_limit_s = pickle.loads(frame.body)  # noqa: S301 - from our own parent

    def send(body: bytes) -> None:
        line.send(Frame(MESSAGE, frame.token, body))

    context = Context(job_id, attempt, send, partial(line.has_been_stopped, frame.token), time_limit_s)
    try:
        outcome = perform_pickled(name, payload, context)
    except KeyboardInterrupt:
        outcome = Outcome(JobStatus.CANCELLED, message="interrupted")
    return pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)


class _ParentLine:
    """The worker's end of the line. `listen` runs in its own thread, so a busy worker hears all the same."""

    def __init__(self, line: socket.socket) -> None:
        self.jobs: SimpleQueue[Frame] = SimpleQueue()
        """Jobs, and a last frame CLOSE."""
        self._line = line
        self._sending = threading.Lock()
        self._stopped = 0

    def has_been_stopped(self, token: int) -> bool:
        """Whether the parent asked the attempt `token` to stop."""
        return self._stopped == token

    def send(self, frame: Frame) -> None:
        """Send a frame; waits while the parent is behind. Ends the process where the parent is gone."""
        try:
            with self._sending:
                self._line.sendall(packed(frame))
        except OSError:
            os._exit(EXIT_ORPHANED)

    def listen(self) -> None:
        """Hear the parent until it is gone; then end the process, whatever it is doing."""
        reader = FrameReader()
        try:
            while data := self._line.recv(_RECEIVED_AT_ONCE):
                for frame in reader.feed(data):
                    if frame.kind == STOP:
                        self._stopped = frame.token
                    else:
                        self.jobs.put(frame)
                        if frame.kind == CLOSE:
                            return
        except OSError:
            pass
        os._exit(EXIT_ORPHANED)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies: also while compiled code lets no other thread run."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(EXIT_ORPHANED)


def _never_take(memory: int) -> None:
    """Have allocations fail beyond this, in case a task is faster than the parent, who kills it long before."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
