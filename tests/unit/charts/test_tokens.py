"""Colours that can be read and told apart."""

from itertools import combinations

import pytest

from ecosystemiser.charts.tokens import MOST_RUNS, STATUSES, Theme, faded, mixed, shades, tokens_of
from ecosystemiser.model.kinds import Role
from ecosystemiser.store.states import RunStatus


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", Theme)
def test_text_and_lines_can_be_read(theme: Theme) -> None:
    colours = tokens_of(theme)
    texts = [colours.text, colours.muted, colours.accent, colours.better, colours.worse, colours.warning]
    lines = [colours.roles[Role.USED], colours.roles[Role.UNMET]]
    for text in texts:
        assert contrast(text, colours.ground) >= 4.5, text
        assert contrast(text, colours.raised) >= 4.5, text
    for line in lines:
        assert contrast(line, colours.ground) >= 4.5, line
    for run in colours.runs:
        assert contrast(run, colours.ground) >= 3.0, run


@pytest.mark.parametrize("theme", Theme)
def test_every_role_has_a_colour_of_its_own(theme: Theme) -> None:
    roles = tokens_of(theme).roles
    assert set(roles) == set(Role)
    assert len(set(roles.values())) == len(Role)
    for name, colour in roles.items():
        assert contrast(colour, tokens_of(theme).ground) >= 1.8, name


@pytest.mark.parametrize("theme", Theme)
def test_unmet_is_never_used_for_anything_else(theme: Theme) -> None:
    colours = tokens_of(theme)
    others = [*colours.runs, colours.worse, colours.better, colours.warning, colours.accent]
    assert colours.roles[Role.UNMET] not in others


@pytest.mark.parametrize("theme", Theme)
def test_eight_runs_have_eight_colours(theme: Theme) -> None:
    runs = tokens_of(theme).runs
    assert len(runs) == len(set(runs)) == MOST_RUNS


def test_shades_begin_with_the_colour_and_neighbours_differ() -> None:
    found = shades("#E69F00", 5)
    assert found[0] == "#E69F00"
    assert len(set(found)) == 5
    assert all(abs(luminance(a) - luminance(b)) > 0.03 for a, b in combinations(found, 2))


def test_mixing() -> None:
    assert mixed("#102030", "#102030", 0.7) == "#102030"
    assert mixed("#000000", "#FFFFFF", 0.5) == "#808080"
    assert faded("#102030", 0.25) == "rgba(16,32,48,0.25)"


def test_every_status_has_a_sign_and_a_word() -> None:
    assert {status.value for status in RunStatus} <= set(STATUSES)
    assert len({status.sign for status in STATUSES.values()}) == len(STATUSES)
