"""Facts about a database as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ecosystemiser.cli.study_report import statuses
from ecosystemiser.cli.tables import as_pairs
from ecosystemiser.cli.text import NOTHING, local_time, number_of, size

if TYPE_CHECKING:
    from ecosystemiser.services.database_care import DatabaseInfo

__all__ = ["info_record", "info_report"]

_ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def info_record(info: DatabaseInfo, statistics: Mapping[str, Any], deleted: int) -> dict[str, Any]:
    """Return what is known of a database, for programs."""
    return {**asdict(info), **statistics, "deleted": deleted}


def info_report(record: Mapping[str, Any]) -> str:
    """Return the facts in groups."""
    engine = _ENGINES.get(record["engine"], record["engine"])
    by_status = f": {statuses(record['by_status'])}" if record["by_status"] else ""
    place = [
        ("database", str(record["location"])),
        ("engine", f"{engine} {record['engine_version']}"),
        ("schema", str(record["schema_version"])),
        ("size", size(record["size_bytes"])),
        ("journal", str(record["journal_mode"])),
    ]
    held = [
        ("runs", f"{number_of(record['runs'], 'run')}{by_status}"),
        ("deleted", f"{number_of(record['deleted'], 'run')} can be brought back" if record["deleted"] else NOTHING),
        ("studies", f"{record['studies']:,}"),
        ("first run", local_time(record["oldest"])),
        ("last run", local_time(record["newest"])),
    ]
    rows = [(name, f"{'' if each['is_exact'] else '~ '}{each['rows']:,}") for name, each in record["rows"].items()]
    groups = {"Where it is": place, "What it holds": held, "Rows of its tables": rows}
    groups["Settings"] = [(name, str(value)) for name, value in record["settings"].items()]
    return "\n\n".join(f"{title}\n{as_pairs(pairs)}" for title, pairs in groups.items() if pairs)
