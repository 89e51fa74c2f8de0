"""Write docs/reference/*.md from what is declared in the code: components, KPIs, tables, filters, commands ...

`--check` only compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import reference_commands
import reference_database
import reference_solvers
import reference_studies
from ecosystemiser.config.solver_options import SolverOptions
from ecosystemiser.kpis import KPIS
from ecosystemiser.model.components import component_types
from ecosystemiser.model.profiles.packaged import provenance
from ecosystemiser.services.run_filters import filter_help
from ecosystemiser.units import Unit

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tools/build_reference.py; change the declarations instead. -->\n"


def components_page() -> str:
    """Return the page of all components: what each is and its table of attributes."""
    intro = "Every component of a system file, in alphabetical order. Sizes are of one unit.\n"
    parts = ["# Components\n", NOTE, intro]
    for name, component in component_types().items():
        parts += [f"## {name}\n", f"{_paragraph(component)}\n", _table(_rows(component))]
    parts += ["# Tables within fields\n", "What stands in a field in braces, as `tariff: {fixed_per_month: 12}`.\n"]
    for table, places in _inner_tables().items():
        where = ", ".join(f"`{place}`" for place in places)
        parts += [f"## {table.__name__}\n", f"{_paragraph(table)} In {where}.\n", _table(_rows(table))]
    return "\n".join(parts)


def _inner_tables() -> dict[type[BaseModel], list[str]]:
    """Return the tables that fields of components hold, however deep, and the fields that hold them."""
    found: dict[type[BaseModel], list[str]] = {}
    waiting: list[type[BaseModel]] = [*component_types().values()]
    for outer in waiting:
        for name, field in outer.model_fields.items():
            for inner in _models_in(field.annotation):
                if inner not in found:
                    waiting.append(inner)
                places = found.setdefault(inner, [])
                places += [name] if name not in places else []
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _paragraph(component: type[BaseModel]) -> str:
    return " ".join((component.__doc__ or "").split())


def _rows(component: type[BaseModel]) -> Iterable[tuple[str, ...]]:
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


def database_page() -> str:
    """Return the page of the database: how to read it, its views, its tables."""
    parts = ["# The database\n", NOTE, reference_database.INTRO, "## Views\n"]
    for name, sentence, rows in reference_database.view_parts():
        parts += [f"### {name}\n", f"{sentence}\n", _table(rows)]
    parts.append("## Tables\n")
    for table in reference_database.tables():
        sentence, rows = reference_database.table_parts(table)
        parts += [f"### {table.name}\n", f"{sentence}\n", _table(rows)]
    return "\n".join(parts)


def filters_page() -> str:
    """Return the page of what a filter may ask for."""
    return "\n".join(["# Filters\n", NOTE, FILTERS_INTRO, f"```\n{filter_help()}\n```\n"])


FILTERS_INTRO = """\
One language says which runs are meant, on the command line (`runs list`, `runs export`, `runs delete`, `runs tag`) and
in Python:

```
ecosystemiser runs list --where "cost < 20000 and solver = 'hybrid'"
ecosystemiser runs list --where "params.battery.capacity_kwh between 40 and 80" --sort cost
ecosystemiser runs export good.csv --where "tag = 'good' or note like '%roof%'"
```

```python
DatabaseMetadataService().query_simulation_runs(where="status = 'failed' and timestamp >= '2026-11-01'")
```

A field without a value passes no condition but `is null`: where a run has no cost, neither `cost < 5` nor
`not cost < 5` passes it. A mistake is shown with its place and what was probably meant.
"""


def commands_page() -> str:
    """Return the page of all commands."""
    helps = list(reference_commands.command_helps())
    listed = "\n".join(f"- [`{path}`](#{path.replace(' ', '-')})" for path, _ in helps) + "\n"
    parts = ["# Commands\n", NOTE, reference_commands.INTRO, listed]
    for path, text in helps:
        parts.append(f"## {path}\n\n```\n{text}\n```\n")
    return "\n".join(parts)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def solvers_page() -> str:
    """Return the page of solvers and their options."""
    rows = [("option", "default", "meaning")]
    rows += [(f"`{name}`", _default(field), _meaning(field)) for name, field in SolverOptions.model_fields.items()]
    return reference_solvers.page(NOTE, _table(rows))


def studies_page() -> str:
    """Return the page of study files."""
    parts = ["# Study files\n", NOTE]
    for title, text, model, hidden in reference_studies.SECTIONS:
        rows = [("key", "default", "meaning")]
        for name, field in model.model_fields.items():
            if name not in hidden:
                default = "" if isinstance(field.default, BaseModel) else _default(field)
                rows.append((f"`{field.alias or name}`", default, _meaning(field)))
        parts += [f"## {title}\n", text, _table(rows)]
    parts += [reference_studies.TEXTS, _table(reference_studies.event_rows())]
    return "\n".join(parts)


PAGES = {
    "commands.md": commands_page,
    "components.md": components_page,
    "database.md": database_page,
    "filters.md": filters_page,
    "kpis.md": kpis_page,
    "profiles.md": profiles_page,
    "solvers.md": solvers_page,
    "studies.md": studies_page,
}


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
