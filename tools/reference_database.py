"""The page of the database: its tables and columns from the declarations, how to read it with SQL."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable
from itertools import pairwise

from sqlalchemy import BigInteger, Column, Double, Table

from ecosystemiser.store import schema
from ecosystemiser.store.columns import UtcTime
from ecosystemiser.store.queries import FIELDS
from ecosystemiser.store.views import DETAIL_COLUMNS, RUN_COLUMNS

__all__ = ["INTRO", "table_parts", "tables", "view_parts"]

Rows = list[tuple[str, ...]]

_FIELDS = {field.name: field for field in FIELDS if field.alias_of is None}
_KEY = "key of the row"

OWN_MEANINGS = {
    "alembic_version.version_num": "the revision of the schema",
    "documents.kind": "`system`, `files`, `config` or `environment`",
    "documents.sha256": "hash of the content",
    "documents.content": "JSON text",
    "owners.host": "name of its machine",
    "owners.boot_id": "tells one start of the machine from the next",
    "owners.place": "its space of process numbers: that of a container, or of the machine",
    "owners.pid": "number of the process",
    "owners.process_start": "start of the process, in the machine's own count",
    "owners.beat": "counts up while the process lives",
    "owners.beat_every_s": "how often it does",
    "owners.started_at": "when it first had something under way, UTC",
    "owners.beat_at": "when it last counted, UTC by its own clock; for people only",
    "parameter_names.name": "path of the field",
    "run_counts.runs": "how many there are",
    "runs.deleted_at": "when somebody deleted it; NULL: it is there",
    "runs.owner_id": "the process that has it under way, or had it",
    "runs.system_document": "the system as its file gave it, in `documents`",
    "runs.files_document": "the files that the system names, with their hashes, in `documents`",
    "runs.config_document": "how it was asked to be solved, in `documents`",
    "runs.environment_document": "versions and machine, in `documents`",
    "runs.cancel_requested_at": "when somebody asked it to stop",
    "run_details.run_key": "key of the run in `runs`",
    "run_details.components_path": "the description of its components, a JSON file",
    "run_details.parameters_json": "the fields that it varies, with their values",
    "run_details.metadata_json": "`error` where it failed, and what else was noted",
    "run_details.kpis_json": "KPIs that were computed outside of the program",
    "run_details.objectives_json": "objectives of a genetic study",
    "run_parameters.run_key": "key of the run in `runs`",
    "run_parameters.name_key": "key of the field in `parameter_names`",
    "run_parameters.number": "its value where that is a number; 1 or 0 for true and false",
    "run_parameters.text": "its value where that is a text; 'true' or 'false' for these",
    "run_tags.run_key": "key of the run in `runs`",
    "run_tags.tag": "the word",
    "studies.study_id": "the study's id",
    "studies.system_id": "the system that it varies",
    "studies.study_type": "parametric, genetic_algorithm or monte_carlo",
    "studies.status": "running, completed, failed, cancelled or interrupted",
    "studies.timestamp": "when it started, UTC",
    "studies.finished_at": "when it last came to an end, UTC",
    "studies.settings_json": "what it was asked to do: all of its StudyConfig",
    "studies.points": "how many points it has in all",
    "studies.message": "why it ended as it did",
    "studies.answer_json": "what its kind adds: why a search ended, probabilities, differences of designs",
    "studies.owner_id": "the process that has it under way, or had it",
    "studies.cancel_requested_at": "when somebody asked it to stop",
    "convergence_metrics.generation": "the generation",
    "convergence_metrics.metric": "name of the number: hypervolume, best total_cost, ...",
    "convergence_metrics.value": "the number",
    "pareto_fronts.generation": "the generation as of which it stands",
    "pareto_fronts.objectives_json": "its objectives",
    "pareto_fronts.crowding_distance": "how far its neighbours on the front are",
    "uncertainty_analysis.kpi": "name of the KPI",
    "uncertainty_analysis.samples": "how many samples",
    "uncertainty_analysis.design": "which of the compared designs, counted from 0",
    "uncertainty_analysis.failed": "how many more samples failed; they are no part of the numbers",
    "uncertainty_analysis.mean": "mean of the samples",
    "uncertainty_analysis.mean_low": "lower end of its confidence interval",
    "uncertainty_analysis.mean_high": "upper end of its confidence interval",
    "uncertainty_analysis.p5": "5 % of the samples lie below",
    "uncertainty_analysis.p25": "25 % of the samples lie below",
    "uncertainty_analysis.p75": "75 % of the samples lie below",
    "uncertainty_analysis.p95": "95 % of the samples lie below",
    "uncertainty_analysis.value_at_risk": "what is exceeded with the probability 1 - `risk_level` only",
    "uncertainty_analysis.conditional_value_at_risk": "mean of what lies beyond",
    "uncertainty_analysis.percentiles_json": "the percentiles with their confidence intervals",
    "uncertainty_analysis.standard_deviation": "standard deviation of the samples",
    "uncertainty_analysis.minimum": "the smallest",
    "uncertainty_analysis.p10": "10 % of the samples lie below",
    "uncertainty_analysis.p50": "the median",
    "uncertainty_analysis.p90": "90 % of the samples lie below",
    "uncertainty_analysis.maximum": "the largest",
    "sensitivity_analysis.kpi": "name of the KPI",
    "sensitivity_analysis.parameter": "path of the field",
    "sensitivity_analysis.design": "which of the compared designs, counted from 0",
    "sensitivity_analysis.samples": "how many samples",
    "sensitivity_analysis.rank_correlation": "Spearman's rank correlation",
    "sensitivity_analysis.regression": "standardised coefficient of the linear regression on all numeric fields",
    "sensitivity_analysis.tornado_low": "the KPI with the field at its 10 % quantile, the others at their medians",
    "sensitivity_analysis.tornado_high": "the KPI with the field at its 90 % quantile, the others at their medians",
    "sensitivity_analysis.first_order": "share of the KPI's variance that the field explains alone",
    "sensitivity_analysis.first_order_low": "lower end of its confidence interval",
    "sensitivity_analysis.first_order_high": "upper end of its confidence interval",
    "sensitivity_analysis.total_order": "the same with all that it does together with others",
    "sensitivity_analysis.total_order_low": "lower end of its confidence interval",
    "sensitivity_analysis.total_order_high": "upper end of its confidence interval",
}
"""What columns mean that no filter asks for, or that mean something else there."""

INTRO = """\
Every run and every study stands in one database: `data/simulation_index.sqlite` under the current folder, unless
`--db` or `ECOSYSTEMISER_DB` names another file, or a database of PostgreSQL as `postgresql://user@host/name` (with the
extra `ecosystemiser[postgres]`; give its password by `PGPASSWORD` or `~/.pgpass`). Both engines have the same tables.
`ecosystemiser db info` shows where it is and what it holds, `db check` what is wrong with it, `db backup` writes a
file of it, `db copy` moves it to the other engine.

Times are UTC: text as `2026-11-23T03:16:00.000000Z` in SQLite, `timestamptz` in PostgreSQL. Columns that end in
`_json` hold JSON text. NULL: not known, or not defined (0/0). The hours of a run do not lie in the database, but in the
Parquet file that `flows_path` names; `hourly_sha256` is its hash.

## Reading it with SQL

Any tool may read it, also while runs are made: `sqlite3 -readonly data/simulation_index.sqlite`, `psql`,
`pandas.read_sql`. The views hold what is not deleted.

The cheapest runs:

```sql
SELECT run_id, system_id, solver_type, total_cost, total_co2
FROM simulation_runs
WHERE simulation_status = 'completed'
ORDER BY total_cost
LIMIT 10;
```

What a varied field does to the cost of a study:

```sql
SELECT p.number AS capacity_kwh, min(r.total_cost) AS cheapest, count(*) AS runs
FROM simulation_runs r
JOIN run_parameters p ON p.run_key = r.id
JOIN parameter_names n ON n.id = p.name_key
WHERE r.study_id = 'sizing' AND n.name = 'battery.capacity_kwh' AND r.simulation_status = 'completed'
GROUP BY p.number
ORDER BY p.number;
```

Why runs failed, without reading them:

```sql
SELECT study_id, failure_cause, sum(runs) AS runs
FROM run_counts
WHERE simulation_status = 'failed'
GROUP BY study_id, failure_cause
HAVING sum(runs) > 0
ORDER BY study_id, failure_cause;
```

What a run was made from:

```sql
SELECT d.kind, d.content
FROM runs r
JOIN documents d ON d.id IN (r.system_document, r.files_document, r.config_document, r.environment_document)
WHERE r.run_id = '01a20690-73d6-78e7-8f50-caaa62630945';
```

Runs with a tag:

```sql
SELECT r.run_id, r.total_cost
FROM simulation_runs r
JOIN run_tags t ON t.run_key = r.id
WHERE t.tag = 'good';
```

Writing goes through the program. What must be written by SQL goes to the views `simulation_runs` and `study_runs`:
their triggers keep the counts and refuse to change the state of a run that ended, and a DELETE only marks the run as
deleted. Never write to the tables below.
"""


def tables() -> list[Table]:
    """Return the tables, those of runs and studies first."""
    of_runs = ("runs", "run_details", "run_parameters", "parameter_names", "run_tags", "documents", "run_counts")
    first = (*of_runs, "studies")
    by_name = dict(schema.metadata.tables)
    return [by_name[name] for name in first] + [table for name, table in by_name.items() if name not in first]


def table_parts(table: Table) -> tuple[str, Rows]:
    """Return what a table is for, and its columns: name, type, unit, meaning."""
    return _sentences()[table.name], _rows(table.columns)


def view_parts() -> list[tuple[str, str, Rows]]:
    """Return name, sentence and columns of the views."""
    runs, details = schema.runs, schema.run_details
    point = [runs.c[name] for name in ("id", "run_id", "study_id", "point", "generation", "constraint_violation")]
    point += [details.c[name] for name in ("parameters_json", "objectives_json", "created_at")]
    return [
        ("simulation_runs", "All runs that are not deleted.", _rows([runs.c.id, *RUN_COLUMNS, *DETAIL_COLUMNS])),
        ("study_runs", "Those of them that are points of a study.", _rows(point)),
    ]


def _rows(columns: Iterable[Column[object]]) -> Rows:
    head: Rows = [("column", "type", "unit", "meaning")]
    return head + [(f"`{column.name}`", _type(column), _unit(column), _meaning(column)) for column in columns]


def _type(column: Column[object]) -> str:
    if isinstance(column.type, UtcTime):
        return "time"
    if isinstance(column.type, Double):
        return "number"
    return "integer" if isinstance(column.type, BigInteger) else "text"


def _unit(column: Column[object]) -> str:
    if column.name == "beat_every_s":
        return "s"
    field = _FIELDS.get(column.name)
    return (field.unit or "") if field is not None else ""


def _meaning(column: Column[object]) -> str:
    """Return what a column means. Raises KeyError where nobody said."""
    own = OWN_MEANINGS.get(f"{column.table.name}.{column.name}")
    if own is not None:
        return own
    if column.name == "id":
        return _KEY
    return _FIELDS[column.name].meaning


def _sentences() -> dict[str, str]:
    """Return what stands below each table in the schema's source, in one line."""
    body = ast.parse(inspect.getsource(schema)).body
    found = {}
    for statement, after in pairwise(body):
        is_table = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
        if is_table and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            table = getattr(schema, statement.targets[0].id)
            if isinstance(table, Table):
                found[table.name] = " ".join(str(after.value.value).split())
    return found
