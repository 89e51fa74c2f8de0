"""The first schema.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
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


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _text(name: str, *, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double)


def _count(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f("_".join(("uq", table, *columns))))


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f("_".join(("ix", table, *columns))), table, list(columns))


def upgrade() -> None:
    """Create every table."""
    _create_simulation_runs()
    _create_studies()
    _create_study_runs()
    _create_pareto_fronts()
    _create_analyses()


def _create_simulation_runs() -> None:
    op.create_table(
        "simulation_runs",
        _key(),
        _text("run_id", nullable=False),
        _text("study_id"),
        _text("system_id"),
        _count("timesteps"),
        _text("timestamp", nullable=False),
        _text("solver_type"),
        _text("simulation_status", nullable=False),
        *(_number(name) for name in _KPIS),
        *(_text(name) for name in ("results_path", "flows_path", "components_path")),
        _text("created_at", nullable=False),
        _text("updated_at", nullable=False),
        _text("metadata_json"),
        _text("solver_status"),
        *(_number(name) for name in ("objective", "mip_gap", "bound")),
        *(_number(name) for name in ("solve_seconds", "wall_seconds", "balance_residual")),
        *(_text(name) for name in ("failure_cause", "failure_stage", "hourly_sha256")),
        *(_text(name) for name in ("parameters_json", "config_hash")),
        _unique("simulation_runs", "run_id"),
    )
    for column in ("study_id", "simulation_status", "timestamp", "total_cost"):
        _index("simulation_runs", column)


def _create_studies() -> None:
    op.create_table(
        "studies",
        _key(),
        _text("study_id", nullable=False),
        *(_text(name) for name in ("study_type", "system_id")),
        *(_text(name, nullable=False) for name in ("status", "timestamp")),
        _text("finished_at"),
        *(_text(name, nullable=False) for name in ("created_at", "updated_at")),
        _text("settings_json"),
        _unique("studies", "study_id"),
    )
    _index("studies", "timestamp")


def _create_study_runs() -> None:
    op.create_table(
        "study_runs",
        _key(),
        _text("study_id", nullable=False),
        _count("point", nullable=False),
        _text("run_id", nullable=False),
        _count("generation"),
        *(_text(name) for name in ("parameters_json", "objectives_json")),
        _number("constraint_violation"),
        _text("created_at", nullable=False),
        _refers("study_runs", "study_id", "studies.study_id"),
        _refers("study_runs", "run_id", "simulation_runs.run_id"),
        _unique("study_runs", "run_id"),
    )
    _index("study_runs", "study_id", "point")


def _create_pareto_fronts() -> None:
    op.create_table(
        "pareto_fronts",
        _key(),
        _text("study_id", nullable=False),
        _count("generation", nullable=False),
        _text("run_id", nullable=False),
        _text("objectives_json"),
        _number("crowding_distance"),
        _text("created_at", nullable=False),
        _refers("pareto_fronts", "study_id", "studies.study_id"),
        _refers("pareto_fronts", "run_id", "simulation_runs.run_id"),
        _unique("pareto_fronts", "study_id", "generation", "run_id"),
    )
    _index("pareto_fronts", "run_id")


def _create_analyses() -> None:
    op.create_table(
        "convergence_metrics",
        _key(),
        _text("study_id", nullable=False),
        _count("generation", nullable=False),
        _text("metric", nullable=False),
        _number("value"),
        _text("created_at", nullable=False),
        _refers("convergence_metrics", "study_id", "studies.study_id"),
        _unique("convergence_metrics", "study_id", "generation", "metric"),
    )
    op.create_table(
        "uncertainty_analysis",
        _key(),
        _text("study_id", nullable=False),
        _text("kpi", nullable=False),
        _count("samples", nullable=False),
        *(_number(name) for name in ("mean", "standard_deviation", "minimum", "p10", "p50", "p90", "maximum")),
        _text("created_at", nullable=False),
        _refers("uncertainty_analysis", "study_id", "studies.study_id"),
        _unique("uncertainty_analysis", "study_id", "kpi"),
    )
    op.create_table(
        "sensitivity_analysis",
        _key(),
        _text("study_id", nullable=False),
        _text("kpi", nullable=False),
        _text("parameter", nullable=False),
        *(_number(name) for name in ("first_order", "first_order_low", "first_order_high")),
        *(_number(name) for name in ("total_order", "total_order_low", "total_order_high")),
        _text("created_at", nullable=False),
        _refers("sensitivity_analysis", "study_id", "studies.study_id"),
        _unique("sensitivity_analysis", "study_id", "kpi", "parameter"),
    )
