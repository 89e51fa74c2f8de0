"""The tables. Column names are the customer's; the columns of KPIs come from their declaration.

After any change here: a new file in `migrations/versions`, and its revision in `SCHEMA_VERSION`. A test
compares what the migrations make with what stands here.

Times are fixed-width UTC text (`clock.py`). The columns `*_json` hold JSON text. NULL: not known, or not
defined (0/0).
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ecosystemiser.kpis import KPI_NAMES

__all__ = ["SCHEMA_VERSION", "metadata", "schema_version", "simulation_runs", "studies", "study_runs"]

SCHEMA_VERSION = "0001"
"""The newest revision in `migrations/versions`. Revisions are four digits: text order is their order."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
"""Every constraint has a name, so that a migration can alter it."""

schema_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""One row: the revision that the file has. The table is Alembic's own."""


def _created_and_updated() -> tuple[Column[str], Column[str]]:
    return Column("created_at", Text, nullable=False), Column("updated_at", Text, nullable=False)


def _of_study() -> Column[str]:
    return Column("study_id", Text, ForeignKey("studies.study_id", ondelete="CASCADE"), nullable=False)


simulation_runs = Table(
    "simulation_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Text, nullable=False, unique=True),
    Column("study_id", Text),
    Column("system_id", Text),
    Column("timesteps", Integer),
    Column("timestamp", Text, nullable=False),
    Column("solver_type", Text),
    Column("simulation_status", Text, nullable=False),
    *(Column(name, Double) for name in KPI_NAMES),
    Column("results_path", Text),
    Column("flows_path", Text),
    Column("components_path", Text),
    *_created_and_updated(),
    Column("metadata_json", Text),
    Column("solver_status", Text),
    Column("objective", Double),
    Column("mip_gap", Double),
    Column("bound", Double),
    Column("solve_seconds", Double),
    Column("wall_seconds", Double),
    Column("balance_residual", Double),
    Column("failure_cause", Text),
    Column("failure_stage", Text),
    Column("hourly_sha256", Text),
    Column("parameters_json", Text),
    Column("config_hash", Text),
    Index(None, "study_id"),
    Index(None, "simulation_status"),
    Index(None, "timestamp"),
    Index(None, "total_cost"),
)
"""One row a run. `timestamp` is when it started; `mip_gap` is relative; `bound` is the best proved one;
`balance_residual` the largest that the audit found, relative to the peak flow."""

studies = Table(
    "studies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study_id", Text, nullable=False, unique=True),
    Column("study_type", Text),
    Column("system_id", Text),
    Column("status", Text, nullable=False),
    Column("timestamp", Text, nullable=False),
    Column("finished_at", Text),
    *_created_and_updated(),
    Column("settings_json", Text),
    Index(None, "timestamp"),
)
"""One row a study. `timestamp` is when it started, `finished_at` when it last came to an end."""

study_runs = Table(
    "study_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("point", Integer, nullable=False),
    Column(
        "run_id", Text, ForeignKey("simulation_runs.run_id", ondelete="CASCADE"), nullable=False, unique=True
    ),
    Column("generation", Integer),
    Column("parameters_json", Text),
    Column("objectives_json", Text),
    Column("constraint_violation", Double),
    Column("created_at", Text, nullable=False),
    Index(None, "study_id", "point"),
)
"""Which run evaluated which point of a study; a point that was tried again has several."""

convergence_metrics = Table(
    "convergence_metrics",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("generation", Integer, nullable=False),
    Column("metric", Text, nullable=False),
    Column("value", Double),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("study_id", "generation", "metric"),
)
"""How a study came on: one number (hypervolume, best total_cost, ...) of one generation."""

pareto_fronts = Table(
    "pareto_fronts",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("generation", Integer, nullable=False),
    Column("run_id", Text, ForeignKey("simulation_runs.run_id", ondelete="CASCADE"), nullable=False),
    Column("objectives_json", Text),
    Column("crowding_distance", Double),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("study_id", "generation", "run_id"),
    Index(None, "run_id"),
)
"""The runs that no other run of the study beats in every objective, as of a generation."""

uncertainty_analysis = Table(
    "uncertainty_analysis",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("kpi", Text, nullable=False),
    Column("samples", Integer, nullable=False),
    *(
        Column(name, Double)
        for name in ("mean", "standard_deviation", "minimum", "p10", "p50", "p90", "maximum")
    ),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("study_id", "kpi"),
)
"""The distribution of a KPI over the samples of a Monte Carlo study; p10: 10 % of the samples lie below."""

sensitivity_analysis = Table(
    "sensitivity_analysis",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_study(),
    Column("kpi", Text, nullable=False),
    Column("parameter", Text, nullable=False),
    *(Column(name, Double) for name in ("first_order", "first_order_low", "first_order_high")),
    *(Column(name, Double) for name in ("total_order", "total_order_low", "total_order_high")),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("study_id", "kpi", "parameter"),
)
"""Sobol indices of a KPI with the ends of their confidence intervals."""
