"""Runs in a narrow table with their long text aside; owners, parameters, tags, counts and shared documents.

Revision: 0002
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KPIS = (
    "total_cost",
    "total_co2",
    "self_consumption_rate",
    "self_sufficiency_rate",
    "renewable_fraction",
    "total_generation_kwh",
    "total_demand_kwh",
    "net_grid_usage_kwh",
    "grid_import_kwh",
    "grid_export_kwh",
    "peak_import_kw",
    "peak_export_kw",
    "curtailed_kwh",
    "unmet_kwh",
    "unmet_m3",
    "total_water_demand_m3",
    "mains_water_m3",
    "rain_harvested_m3",
    "water_self_sufficiency",
    "overflow_m3",
    "evaporation_m3",
    "mean_water_level",
    "battery_cycles",
    "storage_utilisation",
    "capital_cost",
    "operating_cost",
    "energy_cost",
    "export_revenue",
    "unmet_cost",
    "end_shortfall_cost",
    "co2_cost",
    "co2_operational_kg",
    "co2_embodied_kg",
)

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_STILL_RUNNING = "simulation_status = 'running'"
_ROWS = 1000


def _key() -> sa.Column[int]:
    return sa.Column("id", _KEY, primary_key=True)


def _text(*names: str, nullable: bool = True) -> Iterator[sa.Column[str]]:
    return (sa.Column(name, _TEXT, nullable=nullable) for name in names)


def _time(*names: str, nullable: bool = True) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, _TIME, nullable=nullable) for name in names)


def _number(*names: str) -> Iterator[sa.Column[float]]:
    return (sa.Column(name, sa.Double) for name in names)


def _count(*names: str, nullable: bool = True) -> Iterator[sa.Column[int]]:
    return (sa.Column(name, _KEY, nullable=nullable) for name in names)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f("_".join(("uq", table, *columns))))


def _refers(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _index(table: str, *columns: str, name: str | None = None, where: str | None = None) -> None:
    partial: Any = {} if where is None else {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.create_index(op.f(name or "_".join(("ix", table, *columns))), table, list(columns), **partial)


def upgrade() -> None:
    """Make the new tables, fill them from the old ones, and drop these."""
    _create_shared()
    _create_runs()
    _create_parameters()
    _extend_studies()
    _copy_runs()
    _copy_points()
    _copy_parameters()
    _copy_pareto_fronts()
    _create_analyses()
    _count_runs()
    op.drop_table("study_runs")
    op.drop_table("simulation_runs")


def _create_shared() -> None:
    op.create_table(
        "documents",
        _key(),
        *_text("kind", "sha256", "content", nullable=False),
        _unique("documents", "sha256", "kind"),
    )
    op.create_table(
        "owners",
        _key(),
        *_text("host", "boot_id", "place", nullable=False),
        *_count("pid", nullable=False),
        *_text("process_start", nullable=False),
        *_count("beat", nullable=False),
        *_number("beat_every_s"),
        *_time("started_at", "beat_at", nullable=False),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        _key(),
        *_text("run_id", "simulation_status", nullable=False),
        *_text("solver_type", "study_id", "system_id"),
        *_count("timesteps"),
        *_time("timestamp", nullable=False),
        *_text("failure_cause"),
        *_time("deleted_at"),
        *_text("currency"),
        *_number(*_KPIS, "mip_gap"),
        *_text("solver_status"),
        *_number("objective", "bound", "solve_seconds", "wall_seconds", "balance_residual"),
        *_text("failure_stage"),
        *_count("point", "generation"),
        *_number("constraint_violation"),
        *_count("seed", "owner_id", "system_document", "files_document", "config_document", "environment_document"),
        *_time("cancel_requested_at"),
        *_time("updated_at", nullable=False),
        *(
            _refers("runs", name, "documents.id")
            for name in ("system_document", "files_document", "config_document", "environment_document")
        ),
        _unique("runs", "run_id"),
    )
    _index("runs", "study_id", "total_cost")
    for column in ("timestamp", "total_cost", "system_document"):
        _index("runs", column)
    _index("runs", "owner_id", name="ix_runs_running", where=_STILL_RUNNING)
    _index("runs", "deleted_at", name="ix_runs_deleted", where="deleted_at IS NOT NULL")
    op.create_table(
        "run_details",
        sa.Column("run_key", _KEY, primary_key=True, autoincrement=False),
        *_time("created_at", nullable=False),
        *_text("results_path", "flows_path", "components_path", "hourly_sha256"),
        *_text("parameters_json", "config_hash", "metadata_json", "kpis_json", "objectives_json"),
        *_text("retry_of", "reused_from", "note"),
        _refers("run_details", "run_key", "runs.id", "CASCADE"),
    )


def _create_parameters() -> None:
    op.create_table("parameter_names", _key(), *_text("name", nullable=False), _unique("parameter_names", "name"))
    op.create_table(
        "run_parameters",
        *_count("run_key", "name_key", nullable=False),
        *_number("number"),
        *_text("text"),
        _refers("run_parameters", "run_key", "runs.id", "CASCADE"),
        _refers("run_parameters", "name_key", "parameter_names.id"),
        sa.PrimaryKeyConstraint("run_key", "name_key"),
        sqlite_with_rowid=False,
    )
    _index("run_parameters", "name_key", "number")
    op.create_table(
        "run_tags",
        *_count("run_key", nullable=False),
        *_text("tag", nullable=False),
        _refers("run_tags", "run_key", "runs.id", "CASCADE"),
        sa.PrimaryKeyConstraint("run_key", "tag"),
        sqlite_with_rowid=False,
    )
    _index("run_tags", "tag")
    counted = ("study_id", "system_id", "solver_type", "simulation_status", "failure_cause")
    op.create_table(
        "run_counts",
        *_text(*counted, nullable=False),
        *_count("runs", nullable=False),
        sa.PrimaryKeyConstraint(*counted),
        sqlite_with_rowid=False,
    )


def _extend_studies() -> None:
    columns: list[sa.Column[Any]] = [*_count("points", "owner_id"), *_text("message", "answer_json")]
    columns += _time("cancel_requested_at")
    for column in columns:
        op.add_column("studies", column)


def _copy_runs() -> None:
    before = "id, run_id, solver_type, study_id, system_id, timesteps, timestamp, failure_cause"
    after = "solver_status, objective, bound, solve_seconds, wall_seconds, balance_residual, failure_stage, updated_at"
    names = ", ".join((before, *_KPIS, "mip_gap", after))
    # Nobody knows who owns what stands as running: its process knew no owners, and cannot write any more.
    op.execute(
        f"INSERT INTO runs ({names}, simulation_status) SELECT {names}, "
        "CASE simulation_status WHEN 'running' THEN 'interrupted' ELSE simulation_status END FROM simulation_runs"
    )
    details = "results_path, flows_path, components_path, created_at, metadata_json, hourly_sha256, config_hash"
    op.execute(
        f"INSERT INTO run_details (run_key, {details}, parameters_json) "
        f"SELECT id, {details}, parameters_json FROM simulation_runs"
    )
    op.execute("UPDATE studies SET status = 'interrupted' WHERE status = 'running'")
    if op.get_bind().dialect.name == "sqlite":  # the only engine that databases of 0001 lie on
        op.execute(
            "UPDATE runs SET currency = (SELECT json_extract(metadata_json, '$.currency') FROM run_details "
            "WHERE run_key = runs.id AND json_valid(metadata_json))"
        )


def _copy_points() -> None:
    of_run = "FROM study_runs WHERE study_runs.run_id = runs.run_id"
    op.execute(
        f"UPDATE runs SET point = (SELECT point {of_run}), generation = (SELECT generation {of_run}), "
        f"constraint_violation = (SELECT constraint_violation {of_run}), study_id = (SELECT study_id {of_run}) "
        f"WHERE EXISTS (SELECT 1 {of_run})"
    )
    op.execute(
        "UPDATE run_details SET objectives_json = (SELECT objectives_json FROM study_runs "
        "JOIN runs ON runs.run_id = study_runs.run_id WHERE runs.id = run_details.run_key)"
    )


def _copy_parameters() -> None:
    connection = op.get_bind()
    details = sa.table("run_details", sa.column("run_key"), sa.column("parameters_json"))
    names = sa.table("parameter_names", sa.column("id"), sa.column("name"))
    rows = sa.table("run_parameters", *map(sa.column, ("run_key", "name_key", "number", "text")))
    keys: dict[str, int] = {}
    last = -1
    while True:
        chosen = sa.select(details).where(details.c.run_key > last).order_by(details.c.run_key).limit(_ROWS)
        page = connection.execute(chosen).all()
        if not page:
            return
        last = page[-1].run_key
        found = [(key, *each) for key, text in page for each in _asked(text)]
        for _, name, _, _ in found:
            if name not in keys:
                keys[name] = len(keys) + 1
                connection.execute(names.insert(), {"id": keys[name], "name": name})
        if found:
            connection.execute(
                rows.insert(),
                [
                    {"run_key": key, "name_key": keys[name], "number": number, "text": text}
                    for key, name, number, text in found
                ],
            )


def _asked(text: str | None) -> Iterator[tuple[str, float | None, str | None]]:
    """Yield name, number and text of the parameters that can be asked for."""
    parameters = json.loads(text or "{}")
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if isinstance(value, bool):
            yield name, float(value), json.dumps(value)
        elif isinstance(value, int | float):
            yield name, float(value), None
        elif isinstance(value, str):
            yield name, None, value


def _copy_pareto_fronts() -> None:
    """Make the table anew, referring to the new one."""
    columns = "study_id, generation, run_id, objectives_json, crowding_distance, created_at"
    op.rename_table("pareto_fronts", "old_pareto_fronts")
    op.drop_index("ix_pareto_fronts_run_id", "old_pareto_fronts")
    op.create_table(
        "pareto_fronts",
        _key(),
        *_text("study_id", nullable=False),
        *_count("generation", nullable=False),
        *_text("run_id", nullable=False),
        *_text("objectives_json"),
        *_number("crowding_distance"),
        *_time("created_at", nullable=False),
        _refers("pareto_fronts", "study_id", "studies.study_id", "CASCADE"),
        _refers("pareto_fronts", "run_id", "runs.run_id", "CASCADE"),
        _unique("pareto_fronts", "study_id", "generation", "run_id"),
    )
    _index("pareto_fronts", "run_id")
    op.execute(f"INSERT INTO pareto_fronts ({columns}) SELECT {columns} FROM old_pareto_fronts")
    op.drop_table("old_pareto_fronts")


def _create_analyses() -> None:
    """Make the tables anew with what they lacked; nothing wrote them before."""
    op.drop_table("uncertainty_analysis")
    op.drop_table("sensitivity_analysis")
    op.create_table(
        "uncertainty_analysis",
        _key(),
        *_text("study_id", nullable=False),
        *_count("design", nullable=False),
        *_text("kpi", nullable=False),
        *_count("samples", nullable=False),
        *_count("failed"),
        *_number("mean", "mean_low", "mean_high", "standard_deviation", "minimum"),
        *_number("p5", "p10", "p25", "p50", "p75", "p90", "p95", "maximum"),
        *_number("value_at_risk", "conditional_value_at_risk"),
        *_text("percentiles_json"),
        *_time("created_at", nullable=False),
        _refers("uncertainty_analysis", "study_id", "studies.study_id", "CASCADE"),
        _unique("uncertainty_analysis", "study_id", "design", "kpi"),
    )
    op.create_table(
        "sensitivity_analysis",
        _key(),
        *_text("study_id", nullable=False),
        *_count("design", nullable=False),
        *_text("kpi", "parameter", nullable=False),
        *_count("samples"),
        *_number("first_order", "first_order_low", "first_order_high"),
        *_number("total_order", "total_order_low", "total_order_high"),
        *_number("rank_correlation", "regression", "tornado_low", "tornado_high"),
        *_time("created_at", nullable=False),
        _refers("sensitivity_analysis", "study_id", "studies.study_id", "CASCADE"),
        _unique("sensitivity_analysis", "study_id", "design", "kpi", "parameter"),
    )


def _count_runs() -> None:
    counted = ("study_id", "system_id", "solver_type", "simulation_status", "failure_cause")
    values = ", ".join(f"coalesce({name}, '')" for name in counted)
    op.execute(
        f"INSERT INTO run_counts ({', '.join(counted)}, runs) SELECT {values}, count(*) FROM runs "
        f"GROUP BY {', '.join(map(str, range(1, len(counted) + 1)))}"
    )
