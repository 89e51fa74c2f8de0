"""A report as one HTML file that needs nothing else: parts with text, tables and figures, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ecosystemiser.charts.html import Figure, figure_html, plotly_script
from ecosystemiser.charts.tokens import Theme, tokens_of

__all__ = ["Block", "Code", "Drawing", "Facts", "Part", "Table", "Text", "page"]


@dataclass(frozen=True)
class Text:
    """A paragraph; `is_warning` sets it off."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Code:
    """Text as it was written, line by line."""

    text: str
    title: str


@dataclass(frozen=True)
class Facts:
    """Large numbers with what they are."""

    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table: heads with their units, cells as text. Columns of `numbers` stand right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure with what it shows."""

    figure: Figure
    caption: str


Block = Text | Code | Facts | Table | Drawing


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a report, under a heading."""

    heading: str
    blocks: Sequence[Block] = field(default=())


def page(title: str, subtitle: str, parts: Iterable[Part]) -> str:
    """Return the whole page. It loads nothing: its policy forbids it to."""
    shown = [part for part in parts if part.blocks]
    places = [f"part-{at}" for at in range(1, len(shown) + 1)]
    links = "".join(
        f'<li><a href="#{place}">{_plain(part.heading)}</a></li>' for place, part in zip(places, shown, strict=True)
    )
    sections = "".join(_section(place, part) for place, part in zip(places, shown, strict=True))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_plain(title)}</title>\n<style>{_style()}</style>\n"
        f"<script>{plotly_script()}</script>\n</head>\n<body>\n"
        f"<header><h1>{_plain(title)}</h1><p>{_plain(subtitle)}</p></header>\n"
        f'<nav aria-label="Contents"><ol>{links}</ol></nav>\n<main>\n{sections}</main>\n</body>\n</html>\n'
    )


# Figures are scripts within the page; parallel coordinates compile theirs. Nothing may be fetched from anywhere.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def _plain(text: object) -> str:
    return html.escape(str(text))


def _section(place: str, part: Part) -> str:
    blocks = "\n".join(_block(block, f"{place}-{at}") for at, block in enumerate(part.blocks, 1))
    return f'<section id="{place}">\n<h2>{_plain(part.heading)}</h2>\n{blocks}\n</section>\n'


def _block(block: Block, name: str) -> str:
    if isinstance(block, Text):
        kind = ' class="warning"' if block.is_warning else ""
        return f"<p{kind}>{_plain(block.text)}</p>"
    if isinstance(block, Code):
        return f"<details><summary>{_plain(block.title)}</summary><pre>{_plain(block.text)}</pre></details>"
    if isinstance(block, Facts):
        pairs = "".join(f"<div><dt>{_plain(name)}</dt><dd>{_plain(value)}</dd></div>" for name, value in block.facts)
        return f'<dl class="facts">{pairs}</dl>'
    if isinstance(block, Table):
        return _table(block)
    drawn = figure_html(block.figure, f"figure-{name}")
    return f"<figure>{drawn}<figcaption>{_plain(block.caption)}</figcaption></figure>"


def _table(table: Table) -> str:
    kinds = [' class="number"' if at in table.numbers else "" for at in range(len(table.heads))]
    heads = "".join(f'<th scope="col"{kind}>{_plain(head)}</th>' for head, kind in zip(table.heads, kinds, strict=True))
    rows = "".join(
        "<tr>" + "".join(f"<td{kind}>{_plain(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>\n"
        for row in table.rows
    )
    return f'<div class="table"><table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _style() -> str:
    colours = tokens_of(Theme.LIGHT)
    return f"""
:root {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; max-width: 1180px; padding: 1.5rem; background: {colours.ground}; color: {colours.text};
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 1.7rem; margin: 0; overflow-wrap: anywhere; }}
header p {{ color: {colours.muted}; margin: .3rem 0 1rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.25rem; margin: 2.2rem 0 .8rem; padding-top: .8rem; border-top: 1px solid {colours.grid}; }}
nav ol {{ list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0; padding: 0; }}
a {{ color: {colours.accent}; }}
p {{ max-width: 75ch; overflow-wrap: anywhere; }}
.warning {{ border-left: 4px solid {colours.warning}; background: {colours.raised}; padding: .5rem .8rem; }}
.facts {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .8rem; margin: 0; }}
.facts div {{ background: {colours.raised}; border-radius: 6px; padding: .7rem .9rem; }}
.facts dt {{ color: {colours.muted}; font-size: .85rem; }}
.facts dd {{ margin: 0; font-size: 1.35rem; font-weight: 600; overflow-wrap: anywhere; }}
.table {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .9rem; width: 100%; }}
th, td {{ text-align: left; padding: .35rem .7rem; border-bottom: 1px solid {colours.grid}; vertical-align: top; }}
th {{ background: {colours.raised}; font-weight: 600; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
figure {{ margin: 1rem 0 1.6rem; }}
figcaption {{ color: {colours.muted}; font-size: .9rem; }}
pre {{ background: {colours.raised}; padding: .8rem; overflow-x: auto; font-size: .85rem; }}
summary {{ cursor: pointer; margin: .6rem 0; }}
@media (max-width: 600px) {{ body {{ padding: .8rem; font-size: 15px; }} }}
@media print {{ nav {{ display: none; }} figure, .facts {{ break-inside: avoid; }} }}
"""
