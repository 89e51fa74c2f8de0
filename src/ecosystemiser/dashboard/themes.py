"""Light and dark, as Streamlit's options, from the one table of colours; pages follow what the visitor prefers."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ecosystemiser.charts.frame import FONT
from ecosystemiser.charts.tokens import Theme, Tokens, tokens_of

__all__ = ["current_theme", "options_of_themes"]


def options_of_themes() -> Mapping[str, object]:
    """Return the options of both themes by Streamlit's names."""
    shared: dict[str, object] = {
        "theme.font": FONT.replace("'", ""),
        "theme.baseRadius": "small",
        "theme.baseFontSize": 15,
        "theme.showWidgetBorder": True,
        "theme.metricValueFontSize": "1.7rem",
        "theme.headingFontSizes": "1.7rem,1.35rem,1.1rem,1rem,1rem,1rem",
    }
    for theme in Theme:
        shared |= {f"theme.{theme}.{name}": colour for name, colour in _colours(tokens_of(theme)).items()}
    return shared


def current_theme() -> Theme:
    """Return the theme that the visitor sees; charts are drawn for it."""
    return Theme.DARK if st.context.theme.type == "dark" else Theme.LIGHT


def _colours(tokens: Tokens) -> dict[str, str]:
    return {
        "primaryColor": tokens.accent,
        "backgroundColor": tokens.ground,
        "secondaryBackgroundColor": tokens.raised,
        "textColor": tokens.text,
        "linkColor": tokens.accent,
        "borderColor": tokens.grid,
        "dataframeBorderColor": tokens.grid,
        "dataframeHeaderBackgroundColor": tokens.raised,
    }
