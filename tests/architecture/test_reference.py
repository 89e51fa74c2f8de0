"""The reference pages say what the declarations say."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.run_filters import filter_text
from ecosystemiser.store.queries import FIELDS
from ecosystemiser.store.schema import metadata

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_are_up_to_date() -> None:
    """`tools/build_reference.py --check` finds nothing to change."""
    tool = ROOT / "tools" / "build_reference.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_field_of_every_component_is_documented() -> None:
    """No row of the components' tables has an empty meaning."""
    rows = (ROOT / "docs" / "reference" / "components.md").read_text("utf-8").splitlines()
    fields = [row for row in rows if row.startswith("| `")]
    assert len(fields) > 100
    assert not [row for row in fields if row.split("|")[4].strip() == ""]


def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text("utf-8")


def test_every_column_of_every_table_is_documented() -> None:
    """Each table has a sentence of its own, and no column an empty meaning."""
    text = page("database.md")
    for table in metadata.sorted_tables:
        section = text.partition(f"\n### {table.name}\n")[2].partition("\n### ")[0]
        sentence, *lines = [line for line in section.splitlines() if line]
        assert sentence
        assert not sentence.startswith("|")
        meanings = {row.split("|")[1].strip(" `"): row.split("|")[4].strip() for row in lines if row.startswith("| `")}
        assert list(meanings) == [column.name for column in table.columns]
        assert all(meanings.values())


def test_every_field_of_a_filter_is_documented() -> None:
    text = page("filters.md")
    assert [field.name for field in FIELDS if not re.search(rf"\b{re.escape(field.name)}(?!\w)", text)] == []


@pytest.mark.parametrize("name", ["filters.md", "commands.md"])
def test_the_filters_that_are_shown_are_filters(name: str) -> None:
    """Each text after `--where`, or in `where=`, parses."""
    shown = re.findall(r'(?:--where |where=)"([^"]+)"', page(name))
    assert len(shown) > 3
    assert all(filter_text(text) for text in shown)


def examples() -> Iterator[str]:
    yield from re.findall(r"```sql\n(.*?)```", page("database.md"), re.DOTALL)


@pytest.mark.parametrize("statement", list(examples()))
def test_the_sql_of_the_page_of_the_database_runs(statement: str, tmp_path: Path) -> None:
    """Each on a database that has what it asks for; it finds one row or more."""
    path = tmp_path / "runs.sqlite"
    with DatabaseMetadataService(path) as log:
        run_id = "01a20690-73d6-78e7-8f50-caaa62630945"
        documents = log.store_documents({"system": "{}", "config": "{}"})
        done = {"run_id": run_id, "simulation_status": "completed", "total_cost": 1.0, "study_id": "sizing"}
        log.log_simulation_run({**done, **documents, "parameters_json": {"battery.capacity_kwh": 40}})
        log.log_simulation_run({"run_id": "b", "simulation_status": "failed", "failure_cause": "unmet"})
        log.tag_runs([run_id], add=["good"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).fetchall()


def test_the_page_of_the_database_has_examples() -> None:
    assert len(list(examples())) == 5
