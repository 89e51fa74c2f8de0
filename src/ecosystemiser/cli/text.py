"""What people read on a terminal: `wording`'s numbers, and text that cannot steer it."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

from ecosystemiser import wording
from ecosystemiser.wording import (
    NOTHING,
    OWNER_GONE,
    SIGNS,
    cents,
    duration,
    number_of,
    share,
    significant,
    size,
    told_apart,
)

__all__ = [
    "NOTHING",
    "OWNER_GONE",
    "SIGNS",
    "amount",
    "cents",
    "duration",
    "local_time",
    "money",
    "number_of",
    "printable",
    "share",
    "sign",
    "signed",
    "significant",
    "size",
    "told_apart",
    "wrapped",
]


def printable(text: object) -> str:
    """Return `text` on one line, with everything that could steer a terminal made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(text))


def sign(status: object) -> str:
    """Return the sign of a run's status."""
    return SIGNS.get(str(status), "?")


def signed(status: object) -> str:
    """Return a status with its sign before it."""
    return f"{sign(status)} {printable(status)}"


def amount(value: float | None, unit: str, currency: str | None = None) -> str:
    """Return `value` with its unit; see `wording.amount`."""
    return wording.amount(value, unit, printable(currency or ""))


def money(value: float | None, currency: str | None) -> str:
    """Return an amount of money with its currency, where that is known."""
    return wording.money(value, printable(currency or ""))


def local_time(utc_text: object, *, is_short: bool = False) -> str:
    """Return a time of the database on this machine's clock; short: without year and zone."""
    try:
        moment = datetime.fromisoformat(str(utc_text))
    except ValueError:
        return printable(utc_text) if utc_text else NOTHING
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone()
    return f"{moment:%m-%d %H:%M}" if is_short else f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def wrapped(text: str, width: int, indent: str = "", *, keeps_words: bool = False) -> str:
    """Return `text` in lines of at most `width`, each indented; with `keeps_words` a long path stays whole."""
    return textwrap.fill(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=not keeps_words,
        break_on_hyphens=not keeps_words,
    )
