"""What tells a process from all others, and whether it lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Identity", "own_identity"]


@dataclass(frozen=True)
class Identity:
    """What tells a process from all others, on this machine and elsewhere."""

    host: str
    boot_id: str
    place: str
    """The space of process numbers: two containers of one machine may each have a process 7."""
    pid: int
    process_start: str
    """In the machine's own count since its start; '' where that cannot be told."""

    @property
    def machine(self) -> tuple[str, str, str]:
        """What processes share that can see each other."""
        return self.host, self.boot_id, self.place

    def lives(self) -> bool | None:
        """Return whether the process lives; None where that cannot be told from here."""
        here = own_identity()
        if self.host == here.host and self.boot_id and here.boot_id and self.boot_id != here.boot_id:
            return False  # the machine was started anew since
        if self.machine != here.machine:
            return None
        return _is_alive(self.pid) and self.process_start in ("", _process_start(self.pid))


def own_identity() -> Identity:
    """Return the identity of this process."""
    return _identity_of(os.getpid())


@cache
def _identity_of(pid: int) -> Identity:
    return Identity(socket.gethostname(), _boot_id(), _place(), pid, _process_start(pid))


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:  # not Linux: the counter of beats has to do
        return ""


def _place() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _process_start(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name of the program, in parentheses, may hold anything
    return "" if fields[0] in "ZX" else fields[19]


def _is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        return _process_start(pid) != ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
