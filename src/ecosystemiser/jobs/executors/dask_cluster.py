"""A Dask cluster of our own: a scheduler and workers on this machine, in a process that goes when its owner does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ecosystemiser.jobs.executors.worker_process import THREAD_VARIABLES

if TYPE_CHECKING:
    from distributed import LocalCluster

__all__ = ["OwnCluster", "main"]

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from ecosystemiser.jobs.executors.dask_cluster import main; main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4])"
)
_RECEIVED_AT_ONCE = 1 << 12
_CLOSING_S = 1.0
"""How long Dask may take to end its workers until they are killed. [s]"""


class OwnCluster:
    """A Dask LocalCluster in a process of its own.

    In this process, Dask would run the caller's main script once more in every worker, and workers would hear
    the Ctrl-C of the terminal. The process and its workers are one process group, which is killed as a whole when
    the owner closes it or dies.
    """

    def __init__(self, workers: int) -> None:
        ours, theirs = socket.socketpair()
        self._folder = tempfile.TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True)
        search_path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])
        words = [str(theirs.fileno()), str(workers), search_path, self._folder.name]
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                [sys.executable, "-c", _PROGRAM, *words],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | dict.fromkeys(THREAD_VARIABLES, "1"),
                process_group=0,
            )
        except BaseException:
            ours.close()
            self._folder.cleanup()
            raise
        finally:
            theirs.close()
        self._line = ours

    def address(self, within_s: float) -> str:
        """Return the scheduler's address once all workers are up. Raises RuntimeError where they do not come up."""
        self._line.settimeout(within_s)
        said = b""
        with suppress(OSError):
            while not said.endswith(b"\n") and (data := self._line.recv(_RECEIVED_AT_ONCE)):
                said += data
        if not said.endswith(b"\n"):
            self.close(0.0)
            raise RuntimeError("Dask's scheduler and workers did not come up; their own words are on stderr")
        return said.decode().strip()

    def close(self, within_s: float) -> None:
        """End the scheduler and all workers, by force after `within_s`. May be called again."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._line.close()
        self._folder.cleanup()


def main(descriptor: int, workers: int, folder: str) -> None:
    """Run a cluster until the other end of the socket `descriptor` is closed; then end all processes of this group."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the workers inherit this
    owner = socket.socket(fileno=descriptor)
    owner.set_inheritable(False)
    try:
        asyncio.run(_serve(owner, workers, folder))
    finally:
        os.killpg(0, signal.SIGKILL)


async def _serve(owner: socket.socket, workers: int, folder: str) -> None:
    loop, is_alone = asyncio.get_running_loop(), asyncio.Event()
    with suppress(NotImplementedError):  # Windows has no handlers of loops
        loop.add_signal_handler(signal.SIGTERM, is_alone.set)  # its workers would be left alone
    threading.Thread(target=_watch, args=(owner, loop, is_alone), name="owner", daemon=True).start()
    cluster = await _started_cluster(workers, folder)
    owner.sendall(f"{cluster.scheduler_address}\n".encode())
    await is_alone.wait()
    await cluster.close()


async def _started_cluster(workers: int, folder: str) -> LocalCluster:
    import dask
    from distributed import LocalCluster

    settings = {
        # Which job is repeated, how often and beside what is decided by the executor.
        "distributed.scheduler.allowed-failures": 0,
        # 15 s after the death of a worker Dask looks whether it is there, and gives it up if it has died once more.
        "distributed.deploy.lost-worker-timeout": "1000 days",
    }
    dask.config.set(settings)
    return await LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=folder,
        silence_logs="CRITICAL",
        asynchronous=True,
    )


def _watch(owner: socket.socket, loop: asyncio.AbstractEventLoop, is_alone: asyncio.Event) -> None:
    """Wait for the end of the owner; kill this group a while later, whatever it does, be it still coming up."""
    with suppress(OSError):
        while owner.recv(_RECEIVED_AT_ONCE):
            pass
    loop.call_soon_threadsafe(is_alone.set)
    time.sleep(_CLOSING_S)
    os.killpg(0, signal.SIGKILL)
