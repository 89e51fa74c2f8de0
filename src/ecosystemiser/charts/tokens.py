"""The one table of colours and signs: charts, pages and reports take theirs from here.

Colours are those of Okabe and Ito, which the colour-blind tell apart, with lighter ones of the same hues on a dark
ground. Text and lines have a contrast of at least 4.5:1 on their ground, areas of at least 1.8:1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ecosystemiser.model.kinds import Role
from ecosystemiser.wording import OWNER_GONE, SIGNS

__all__ = [
    "MOST_RUNS",
    "ROLE_WORDS",
    "STATUSES",
    "Status",
    "Theme",
    "Tokens",
    "best_ramp",
    "better_or_worse",
    "faded",
    "mixed",
    "scale_of_colours",
    "shades",
    "tokens_of",
]

MOST_RUNS = 8
"""Runs that have a colour of their own in a comparison."""


class Theme(StrEnum):
    """The ground that charts are drawn on."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Tokens:
    """The colours of one theme, as `#RRGGBB`."""

    ground: str
    raised: str
    """Of cards, and of what the pointer shows."""
    text: str
    muted: str
    """Of text that stands behind: units, captions."""
    grid: str
    accent: str
    better: str
    worse: str
    warning: str
    roles: dict[Role, str]
    runs: tuple[str, ...]
    """The baseline, then the others of a comparison, by their fixed order."""
    ramp: tuple[str, ...]
    """From little to much, for carpets and heat maps; even steps of lightness (after viridis' sister cividis)."""
    diverging: tuple[str, ...]
    """From less to more, by way of nothing."""


_LIGHT = Tokens(
    ground="#FFFFFF",
    raised="#F3F5F7",
    text="#1B2530",
    muted="#59636E",
    grid="#D5DBE1",
    accent="#0B61A4",
    better="#0072B2",
    worse="#A85500",
    warning="#8A5A00",
    roles={
        Role.BOUGHT: "#6E7781",
        Role.SUN: "#E69F00",
        Role.SKY: "#56B4E9",
        Role.STORED: "#009E73",
        Role.CONVERTED: "#D55E00",
        Role.USED: "#0072B2",
        Role.SOLD: "#CC79A7",
        Role.LOST: "#AFB8C1",
        Role.UNMET: "#B00020",
    },
    runs=("#1B2530", "#0072B2", "#D55E00", "#009E73", "#A8508A", "#2E8FC7", "#A66F00", "#5B4DB1"),
    ramp=("#00224E", "#35456C", "#666970", "#948E77", "#C8B866", "#FEE838"),
    diverging=("#0072B2", "#8FC3E2", "#F3F5F7", "#F0B27A", "#A85500"),
)

_DARK = Tokens(
    ground="#11171D",
    raised="#1B242D",
    text="#E6EBF0",
    muted="#9EA7B3",
    grid="#33404D",
    accent="#6CB6F0",
    better="#58A6E0",
    worse="#F0A04B",
    warning="#E3B341",
    roles={
        Role.BOUGHT: "#9AA4AF",
        Role.SUN: "#F2B632",
        Role.SKY: "#7CC7F2",
        Role.STORED: "#2DBE91",
        Role.CONVERTED: "#F07B2E",
        Role.USED: "#4C9BE8",
        Role.SOLD: "#DD94BB",
        Role.LOST: "#5D6772",
        Role.UNMET: "#FF5C72",
    },
    runs=("#E6EBF0", "#58A6E0", "#F07B2E", "#2DBE91", "#DD94BB", "#9AD4F5", "#E3B341", "#A99CF0"),
    ramp=("#00224E", "#35456C", "#666970", "#948E77", "#C8B866", "#FEE838"),
    diverging=("#58A6E0", "#2F5875", "#1B242D", "#7A5127", "#F0A04B"),
)

_THEMES = {Theme.LIGHT: _LIGHT, Theme.DARK: _DARK}


def tokens_of(theme: Theme) -> Tokens:
    """Return the colours of a theme."""
    return _THEMES[theme]


ROLE_WORDS: dict[Role, str] = {
    Role.BOUGHT: "bought",
    Role.SUN: "from the sun",
    Role.SKY: "from wind and rain",
    Role.STORED: "stored",
    Role.CONVERTED: "converted",
    Role.USED: "used",
    Role.SOLD: "sold",
    Role.LOST: "lost",
    Role.UNMET: "unmet",
}
"""What a legend calls a role."""


@dataclass(frozen=True)
class Status:
    """How a status of a run or a study is shown: never by its colour alone."""

    sign: str
    word: str
    tone: Literal["plain", "good", "bad", "quiet"]


_TONES: dict[str, Literal["plain", "good", "bad", "quiet"]] = {
    "running": "plain",
    OWNER_GONE: "quiet",
    "completed": "good",
    "failed": "bad",
    "interrupted": "quiet",
    "cancelled": "quiet",
}

STATUSES: dict[str, Status] = {name: Status(sign, name, _TONES[name]) for name, sign in SIGNS.items()}
"""By the status that stands in a row."""


def better_or_worse(tokens: Tokens, *, is_better: bool) -> tuple[str, str]:
    """Return the colour and the word for a difference; an arrow beside it says which way the value went."""
    return (tokens.better, "better") if is_better else (tokens.worse, "worse")


def best_ramp(theme: Theme, *, low_is_best: bool) -> list[list[float | str]]:
    """Return plotly's scale of colours from low to high on which the best stands out from the ground."""
    ramp = tokens_of(theme).ramp
    if low_is_best is (theme is Theme.DARK):
        ramp = ramp[::-1]
    return scale_of_colours(ramp)


def scale_of_colours(colours: Sequence[str]) -> list[list[float | str]]:
    """Return colours in even steps as plotly's scale."""
    return [[at / (len(colours) - 1), colour] for at, colour in enumerate(colours)]


_STEPS = {Theme.LIGHT: (0.0, -0.32, 0.36, -0.55, 0.62), Theme.DARK: (0.0, 0.42, -0.26, 0.68, -0.45)}
"""How far each of the shades of a role is from its colour: lighter above 0, darker below."""


def shades(colour: str, count: int, theme: Theme = Theme.LIGHT) -> list[str]:
    """Return `count` shades of a colour, the colour itself first, then what stands out from the ground.

    Neighbours differ in lightness. Beyond five they repeat: names on hover tell them apart.
    """
    steps = _STEPS[theme]
    return [_shaded(colour, steps[at % len(steps)]) for at in range(count)]


def _shaded(colour: str, step: float) -> str:
    return mixed(colour, "#FFFFFF", step) if step >= 0 else mixed(colour, "#000000", -step)


def mixed(colour: str, other: str, part: float) -> str:
    """Return a colour with a part (0 to 1) of another mixed in.

    >>> mixed("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * part):02X}" for one, two in pairs)


def faded(colour: str, opacity: float) -> str:
    """Return a colour through which the ground shows, as `rgba(...)`."""
    red, green, blue = _channels(colour)
    return f"rgba({red},{green},{blue},{opacity:g})"


def _channels(colour: str) -> Sequence[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
