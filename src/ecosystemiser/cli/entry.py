"""The way in and out: arguments to a command, whatever ends it to an exit code and a sentence."""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from ecosystemiser.cli.signals import Stop, stoppable
from ecosystemiser.errors import EcoSystemiserError, InputError, SolveError

__all__ = ["exit_code", "main"]

DONE, FAILED, WRONG_REQUEST = 0, 1, 2

TRACEBACK = "--traceback"

OBJECTS_A_COLLECTION = 50_000
"""Python looks for garbage after so many new objects: its 700 takes a fifth of a short command's time."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 wrong request, 130 or 143 stopped."""
    gc.set_threshold(OBJECTS_A_COLLECTION)
    sys.exit(exit_code(sys.argv[1:] if arguments is None else arguments))


def exit_code(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code. No exception leaves it."""
    for stream in (sys.stdout, sys.stderr):
        _let_pass_all_characters(stream)
    with stoppable() as stop:
        try:
            return _run(arguments, stop)
        except KeyboardInterrupt:  # while an error was told
            return stop.exit_code


def _run(arguments: Sequence[str], stop: Stop) -> int:
    shows_traceback = TRACEBACK in arguments
    try:
        code = _called([argument for argument in arguments if argument != TRACEBACK], stop)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = stop.exit_code
    except Exception as error:  # noqa: BLE001 - nothing may end in a traceback that nobody asked for
        if shows_traceback:
            traceback.print_exception(error)
        return _told(error)
    if stop.signal is not None or code == stop.exit_code:  # without a signal: by a request in the log
        _say("Stopped. What was done is in the log: ecosystemiser runs list")
        return stop.exit_code
    return code


def _called(arguments: Sequence[str], stop: Stop) -> int:
    """Call the command; typer tells wrong usage itself, and everything it ends with is an exit code."""
    import typer

    from ecosystemiser.cli.app import app

    try:
        typer.main.get_command(app).main(list(arguments), prog_name="ecosystemiser", obj=stop)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    return DONE


def _told(error: Exception) -> int:
    """Tell a person what is wrong and what to do; return the exit code."""
    from ecosystemiser.cli.text import printable

    if isinstance(error, InputError):
        for finding in error.findings:
            _say("\n".join(printable(line) for line in str(finding).split("\n")))
        count = len(error.findings)
        _say("Nothing was done." if count == 1 else f"{count} problems found; nothing was done.")
        return WRONG_REQUEST
    if isinstance(error, EcoSystemiserError):
        cause = f" ({error.cause})" if isinstance(error, SolveError) else ""
        _say(f"ecosystemiser: failed{cause}: {printable(str(error))}")
        return FAILED
    if isinstance(error, MemoryError):
        _say("ecosystemiser: failed: the memory of this machine did not suffice. Take fewer steps, or close programs.")
        return FAILED
    if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC, errno.EIO):
        return _output_is_gone(error)
    _say(
        f"ecosystemiser: a fault of its own: {type(error).__name__}: {printable(str(error))} ({_place(error)}).\n"
        f"Please report it, with what the same command says with {TRACEBACK}."
    )
    return FAILED


def _output_is_gone(error: OSError) -> int:
    """Say why the output could not be written; a reader that has seen enough (`| head`) needs no words."""
    if error.errno != errno.EPIPE:
        _say(f"ecosystemiser: failed: the output could not be written: {error.strerror}. Make room.")
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the exit tries to write again
    except (OSError, ValueError):
        return FAILED
    return FAILED


def _place(error: Exception) -> str:
    """Return the last place of ours that the error came through."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "ecosystemiser" in frame.filename]
    return f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else "place unknown"


def _say(text: str) -> None:
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        return  # nobody listens


def _let_pass_all_characters(stream: TextIO) -> None:
    """Show what a terminal's encoding lacks as `?`: no sign is worth an error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
