"""A process that has loaded the program, and forks a child for each command line that it is told to try.

Reads a JSON object a line: `argv`, `folder` to run in, `umask`, `out` and `err` files, and what the child has to bear:
`break` (of shim.c: folder, nth, mode, error), `file_size` (RLIMIT_FSIZE). Answers with `code`, `calls` and `fired`.
Instead of a command line a child may `call` a `module:function` with `arguments`, and prints what it returns as JSON.
`nursery FOLDER BYTES` mounts a small file system first.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from typing import Any, NoReturn

import ecosystemiser

LOADED = (
    "alembic.command",
    "ecosystemiser.cli.app",
    "ecosystemiser.services.study_service",
    "ecosystemiser.services.study_file",
    "highspy",
    "pyarrow.parquet",
    "sqlalchemy.dialects.sqlite",
    "ruamel.yaml",
    "pvlib.solarposition",
    "ecosystemiser.solver.hybrid",
)
"""What a run needs, so that a child need not load it."""

LONGEST_S = 30.0
SHIM = ctypes.CDLL(None) if "LD_PRELOAD" in os.environ else None


def mount(folder: str, size: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)


def serve() -> dict[str, Any] | None:
    """Fork a child for each order; return the order in the child, None at the end in the parent."""
    print(json.dumps({"is_ready": True}), flush=True)  # noqa: T201 - the answer
    while line := sys.stdin.readline():
        order: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            return order
        code = waited_for(child)
        counted = (SHIM.fault_calls(), SHIM.fault_fired()) if SHIM and order.get("break") else (0, 0)
        if SHIM:
            SHIM.fault_disarm()
        print(json.dumps({"code": code, "calls": counted[0], "fired": counted[1]}), flush=True)  # noqa: T201
    return None


def waited_for(child: int) -> int:
    """Return the exit code of a child, negative where a signal ended it; kill one that takes too long."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def become(order: dict[str, Any]) -> None:
    """Turn this child into the command line that the order asks for."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(order["folder"])
    os.umask(order.get("umask", 0o022))
    os.environ.update(order.get("environment", {}))
    if size := order.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    if plan := order.get("break"):
        assert SHIM is not None
        SHIM.fault_arm(plan["folder"].encode(), plan["nth"], plan["mode"], plan["error"])
    if "call" in order:
        module, _, function = order["call"].partition(":")
        result = getattr(importlib.import_module(module), function)(*order["arguments"])
        sys.stdout.write(json.dumps(result))
        return
    from ecosystemiser.cli import main

    main(order["argv"])


def begin() -> dict[str, Any] | None:
    if len(sys.argv) > 1:
        mount(*sys.argv[1:3])
    for name in LOADED:
        importlib.import_module(name)
    ecosystemiser.load(ecosystemiser.SimulationConfig(timesteps=24))  # what components are is found at the first use
    gc.freeze()
    return serve()


def end(code: object) -> NoReturn:
    """End this process as the interpreter does, but for taking all modules apart, which a forked child pays dearly."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    if (asked := begin()) is not None:
        try:
            become(asked)
        except SystemExit as leaving:
            end(leaving.code)
        end(0)
