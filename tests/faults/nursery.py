"""Command lines that are run in children of a process that has loaded the program: thousands of them in minutes.

A child bears what it is told to: the Nth call of its that touches a folder fails, or kills it.
"""

from __future__ import annotations

import atexit
import errno
import json
import select
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.faults.ledger import Verdict
from tests.faults.processes import environment, kill_session, start_program

__all__ = ["Answer", "Breakage", "Mode", "Nursery", "lacks_compiler", "nursery", "shared_nursery"]

READY_S = 60.0
SHIM_SOURCE = Path(__file__).with_name("shim.c")


class Mode(IntEnum):
    """How the Nth call goes wrong; see shim.c."""

    ONCE = 1
    """It fails; the next one works."""
    FULL = 2
    """It and all later ones that need room fail."""
    KILL = 3
    """The process is killed before it."""
    TEAR = 4
    """The process is killed when half of it is written."""
    READS = 5
    """As ONCE, of calls that read."""


@dataclass(frozen=True)
class Breakage:
    """Which call goes wrong, and how; 0: none, they are only counted."""

    folder: Path
    nth: int
    mode: Mode

    @property
    def error(self) -> int:
        """The error that the call reports."""
        return errno.ENOSPC if self.mode is Mode.FULL else errno.EIO


@dataclass(frozen=True)
class Answer:
    """How a command line ended."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    out: str
    err: str
    calls: int = 0
    """Calls that touched the folder."""
    fired: int = 0
    """How many of them went wrong."""


class Nursery:
    """The process that forks the children."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._folder = process, folder
        self._received()

    def run(
        self,
        *argv: object,
        folder: Path,
        breakage: Breakage | None = None,
        file_size: int | None = None,
        umask: int = 0o022,
    ) -> Answer:
        """Run a command line in `folder`. `file_size`: no file may grow beyond it."""
        order = {"argv": [str(word) for word in argv], "folder": str(folder), "file_size": file_size, "umask": umask}
        return self._answered(order, breakage)

    def call(self, function: str, *arguments: object, breakage: Breakage | None = None) -> Answer:
        """Call `module:function`; `out` is what it returns, as JSON."""
        order = {"call": function, "arguments": arguments, "folder": str(self._folder)}
        return self._answered(order, breakage)

    def judge(self, db: Path, acknowledged: Iterable[str]) -> Verdict:
        """Do as `ledger.judge`, in a child: it sees what the nursery has mounted."""
        return Verdict(**json.loads(self._must("tests.faults.ledger:judged", str(db), sorted(acknowledged))))

    def shell(self, script: str) -> None:
        """Run a shell script where the nursery's mounts are seen."""
        self._must("subprocess:check_call", ["sh", "-c", script])

    def _must(self, function: str, *arguments: object) -> str:
        answer = self.call(function, *arguments)
        if answer.code != 0:
            raise RuntimeError(f"{function} {arguments} failed: {answer.err[-500:]}")
        return answer.out

    def _answered(self, order: Mapping[str, object], breakage: Breakage | None) -> Answer:
        out, err = self._folder / "out", self._folder / "err"
        if breakage is not None:
            plan = {"folder": str(breakage.folder), "nth": breakage.nth, "mode": breakage.mode, "error": breakage.error}
            order = {**order, "break": plan}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**order, "out": str(out), "err": str(err)}).encode() + b"\n")
        self._process.stdin.flush()
        told = self._received()
        return Answer(told["code"], out.read_text(), err.read_text(), told["calls"], told["fired"])

    def _received(self) -> dict[str, int]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], READY_S)[0]:
            raise TimeoutError(f"the nursery did not answer in {READY_S:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the nursery died: {(self._folder / 'nursery.err').read_text()[-500:]}")
        answer: dict[str, int] = json.loads(line)
        return answer


def _folder() -> Path:
    """Make a folder that is gone at the end of this process."""
    folder = Path(mkdtemp(prefix="faults-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _shim() -> Path:
    """Compile the shim once for this process and return its library."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler is not None
    library = _folder() / "shim.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(SHIM_SOURCE), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def lacks_compiler() -> str | None:
    """Say that there is no C compiler; None: there is one."""
    found = shutil.which("cc") or shutil.which("gcc")
    return None if found else "no C compiler, with which calls are made to fail"


@contextmanager
def nursery(folder: Path, *arguments: object, before: Sequence[str] = (), breaks: bool = False) -> Iterator[Nursery]:
    """Start a nursery that keeps its own files in `folder`, and end it. `breaks`: its children can bear a Breakage."""
    folder.mkdir(exist_ok=True)
    variables = environment(**({"LD_PRELOAD": str(_shim())} if breaks else {}))
    with (folder / "nursery.err").open("wb") as err:
        process = start_program(
            "nursery",
            *arguments,
            before=before,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
        )
    try:
        yield Nursery(process, folder)
    finally:
        kill_session(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@cache
def shared_nursery(before: tuple[str, ...] = ()) -> Nursery:
    """Return a nursery for the rest of this process, whose children can bear a Breakage where there is a compiler.

    `before`: words before its command.
    """
    opened = nursery(_folder(), before=before, breaks=lacks_compiler() is None)
    atexit.register(opened.__exit__, None, None, None)
    return opened.__enter__()
