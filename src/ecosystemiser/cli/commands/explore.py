"""Look at the log in a browser."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from ecosystemiser.cli.options import DbOption, read_log_of, settings_of
from ecosystemiser.cli.text import printable

__all__ = ["explore"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def explore(
    context: typer.Context,
    *,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, metavar="N", help="Port; else the first free one from 8501 on."),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; other machines reach only what is not 127.0.0.1.")
    ] = "127.0.0.1",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only look: no notes and tags, nothing is started or stopped.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser; print the address alone.")] = False,
    db: DbOption = None,
) -> None:
    """Look at runs and studies in a browser, until Ctrl-C.

    The pages read the log through a connection that cannot write. A study
    that is started there goes on when the explorer ends.

    \b
    Examples:
      ecosystemiser explore
      ecosystemiser explore --db runs.sqlite --read-only
      ecosystemiser explore --port 8600 --no-browser
    """
    from ecosystemiser.cli import explorer

    with read_log_of(context, db) as log:
        location = log.location
    number = explorer.chosen_port(host, port)
    address = explorer.address_of(host, number)
    told = {"ECOSYSTEMISER_EXPLORE_READ_ONLY": "1" if read_only else "0"}
    if location.chosen:
        told["ECOSYSTEMISER_DB"] = location.address
    if host not in LOOPBACK:
        _warn(host, is_read_only=read_only)
    stop = settings_of(context).stop
    try:
        with explorer.serving(host, number, told) as server:
            explorer.wait_until_ready(server, address)
            typer.echo(f"{printable(location)}\nis shown at {address}\nCtrl-C ends the explorer.")
            sys.stdout.flush()
            if not no_browser:
                _open(address)
            code = server.wait()
    except KeyboardInterrupt:
        stop.forget()  # it is how this command ends
        return
    if code != 0:
        typer.echo(f"ecosystemiser: failed: the explorer's server ended (exit code {code}).", err=True)
        raise typer.Exit(1)


def _warn(host: str, *, is_read_only: bool) -> None:
    also = "" if is_read_only else ", write notes, and start and stop work (--read-only takes that away)"
    typer.echo(
        f"Warning: the explorer listens on {printable(host)} and asks for no password.\n"
        f"Whoever reaches this machine over the network can look at all runs{also}.",
        err=True,
    )


def _open(address: str) -> None:
    """Open a browser where there is a screen for one: in a bare terminal it would take the terminal."""
    has_screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if has_screen:
        import webbrowser

        webbrowser.open(address)
