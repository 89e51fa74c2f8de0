"""Write docs/reference/*.md from the declarations: components, KPIs, packaged profiles. `--check` only compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ecosystemiser.kpis import KPIS
from ecosystemiser.model.components import Component, component_types
from ecosystemiser.model.profiles.packaged import provenance
from ecosystemiser.units import Unit

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tools/build_reference.py; change the declarations instead. -->\n"


def components_page() -> str:
    """Return the page of all components: what each is and its table of attributes."""
    intro = "Every component of a system file, in alphabetical order. Sizes are of one unit.\n"
    parts = ["# Components\n", NOTE, intro]
    for name, component in component_types().items():
        parts += [f"## {name}\n", f"{_paragraph(component)}\n", _table(_rows(component))]
    return "\n".join(parts)


def _paragraph(component: type[Component]) -> str:
    return " ".join((component.__doc__ or "").split())


def _rows(component: type[Component]) -> Iterable[tuple[str, ...]]:
    yield "field", "unit", "default", "meaning"
    for name, field in component.model_fields.items():
        if name != "type":
            yield f"`{name}`", _unit(field), _default(field), _meaning(field)


def _meaning(field: FieldInfo) -> str:
    text = " ".join((field.description or "").split()).replace("|", "\\|")
    return re.sub(r" \[[^]]*\]$", "", text)


def _unit(field: FieldInfo) -> str:
    for item in [*field.metadata, *_nested_metadata(field.annotation)]:
        if isinstance(item, Unit):
            return item.symbol
    return ""


def _nested_metadata(annotation: Any) -> list[Any]:
    found = list(getattr(annotation, "__metadata__", ()))
    return found + [item for part in get_args(annotation) for item in _nested_metadata(part)]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "**required**" if field.is_required() else ""
    return "" if field.default is None else f"{field.default}"


def kpis_page() -> str:
    """Return the page of all KPIs."""
    rows = [("KPI", "unit", "better", "meaning")]
    rows += [(f"`{kpi.name}`", kpi.unit, kpi.better, kpi.meaning) for kpi in KPIS]
    intro = (
        "Every KPI is a column of `simulation_runs`. "
        "One that is 0/0, or belongs to carriers that the system lacks, is NULL.\n"
    )
    return "\n".join(["# Key performance indicators\n", NOTE, intro, _table(rows)])


def profiles_page() -> str:
    """Return the page of packaged series with their provenance."""
    keys = ("column", "unit", "nature", "package", "version", "file", "licence", "what_was_done", "credit")
    rows = [keys, *(tuple(row[key] for key in keys) for row in provenance())]
    intro = (
        "A composed year: each series is real or a published reference, but they come from different places and years, "
        "so cross-correlations between them are not real.\n"
    )
    return "\n".join(["# Packaged profiles\n", NOTE, intro, _table(rows)])


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


PAGES = {"components.md": components_page, "kpis.md": kpis_page, "profiles.md": profiles_page}


def main() -> int:
    """Write the pages, or with --check say which are out of date (exit 1)."""
    stale = []
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if "--check" in sys.argv:
            stale += [name] if not path.exists() or path.read_text("utf-8") != text else []
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if stale:
        print(f"out of date: {', '.join(stale)}; run tools/build_reference.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
