"""The tables. What the customer calls `simulation_runs` and `study_runs` are views over them (`views.py`).

After any change here: a new file in `migrations/versions`, and its revision in `SCHEMA_VERSION`. A test
compares what the migrations make with what stands here.

A list of a million runs is filtered and sorted by reading `runs` alone, so that table is kept narrow: long text
lies in `run_details`, and what many runs share lies once in `documents`. Times are fixed-width UTC text
(timestamptz in PostgreSQL). The columns `*_json` hold JSON text. NULL: not known, or not defined (0/0).
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy import (
    text as sql,
)

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.store.columns import KEY, TEXT, count, key, number, of_run, text, time

__all__ = [
    "SCHEMA_VERSION",
    "documents",
    "metadata",
    "owners",
    "parameter_names",
    "run_counts",
    "run_details",
    "run_parameters",
    "run_tags",
    "runs",
    "schema_version",
    "studies",
]

SCHEMA_VERSION = "0003"
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

documents = Table(
    "documents",
    metadata,
    key(),
    text("kind", nullable=False),
    text("sha256", nullable=False),
    text("content", nullable=False),
    UniqueConstraint("sha256", "kind"),
)
"""What many runs share, stored once: the described system, the files that it names, the
configuration, the environment (`kind`)."""

owners = Table(
    "owners",
    metadata,
    key(),
    *(text(name, nullable=False) for name in ("host", "boot_id", "place")),
    count("pid", nullable=False),
    text("process_start", nullable=False),
    count("beat", nullable=False),
    number("beat_every_s"),
    time("started_at", nullable=False),
    time("beat_at", nullable=False),
)
"""The processes that have runs or studies under way (`owners.py`). `beat` counts while its process lives."""


def _document(name: str) -> Column[int]:
    return Column(name, KEY, ForeignKey("documents.id"))


runs = Table(
    "runs",
    metadata,
    key(),
    text("run_id", nullable=False),
    text("simulation_status", nullable=False),
    text("solver_type"),
    text("study_id"),
    text("system_id"),
    count("timesteps"),
    time("timestamp", nullable=False),
    text("failure_cause"),
    time("deleted_at"),
    text("currency"),
    *(number(name) for name in KPI_NAMES),
    number("mip_gap"),
    text("solver_status"),
    *(number(name) for name in ("objective", "bound", "solve_seconds", "wall_seconds", "balance_residual")),
    text("failure_stage"),
    count("point"),
    count("generation"),
    number("constraint_violation"),
    count("seed"),
    Column("owner_id", KEY),
    _document("system_document"),
    _document("files_document"),
    _document("config_document"),
    _document("environment_document"),
    time("cancel_requested_at"),
    time("updated_at", nullable=False),
    UniqueConstraint("run_id"),
    Index(None, "study_id", "total_cost"),
    Index(None, "timestamp"),
    Index(None, "total_cost"),
    Index(None, "system_document"),
    Index(
        "ix_runs_running",
        "owner_id",
        sqlite_where=sql("simulation_status = 'running'"),
        postgresql_where=sql("simulation_status = 'running'"),
    ),
    Index(
        "ix_runs_deleted",
        "deleted_at",
        sqlite_where=sql("deleted_at IS NOT NULL"),
        postgresql_where=sql("deleted_at IS NOT NULL"),
    ),
)
"""One row a run: all that lists filter and order by. `timestamp` is when it started; `mip_gap` is relative;
`bound` the best proved one; `balance_residual` the largest that the audit found, relative to the peak flow;
`point` its number within its study. A deleted run keeps its row until it is purged."""

run_details = Table(
    "run_details",
    metadata,
    of_run(primary_key=True, autoincrement=False),
    time("created_at", nullable=False),
    *(text(name) for name in ("results_path", "flows_path", "components_path", "hourly_sha256")),
    *(text(name) for name in ("parameters_json", "config_hash", "metadata_json", "kpis_json", "objectives_json")),
    *(text(name) for name in ("retry_of", "reused_from", "note")),
)
"""What is read of one run at a time. `kpis_json`: KPIs from outside; `config_hash`: what decides the result;
`retry_of`: the run that this one attempts again; `reused_from`: the run whose result this one took."""

parameter_names = Table(
    "parameter_names",
    metadata,
    key(),
    text("name", nullable=False),
    UniqueConstraint("name"),
)
"""The paths of varied fields, as `battery.capacity_kwh`."""

run_parameters = Table(
    "run_parameters",
    metadata,
    of_run(),
    Column("name_key", KEY, ForeignKey("parameter_names.id"), nullable=False),
    number("number"),
    text("text"),
    PrimaryKeyConstraint("run_key", "name_key"),
    Index(None, "name_key", "number"),
    sqlite_with_rowid=False,
)
"""The parameters of runs that can be asked for: numbers and texts; true and false stand as both, 1 and 'true'."""

run_tags = Table(
    "run_tags",
    metadata,
    of_run(),
    text("tag", nullable=False),
    PrimaryKeyConstraint("run_key", "tag"),
    Index(None, "tag"),
    sqlite_with_rowid=False,
)
"""Words that people gave to runs."""

run_counts = Table(
    "run_counts",
    metadata,
    *(
        Column(name, TEXT, nullable=False)
        for name in ("study_id", "system_id", "solver_type", "simulation_status", "failure_cause")
    ),
    count("runs", nullable=False),
    PrimaryKeyConstraint("study_id", "system_id", "solver_type", "simulation_status", "failure_cause"),
    sqlite_with_rowid=False,
)
"""How many runs there are of each, kept in the transactions that change them, so that a summary costs the same
at a million runs ('': no value). Deleted runs do not count."""


def _of_study() -> Column[str]:
    return Column("study_id", TEXT, ForeignKey("studies.study_id", ondelete="CASCADE"), nullable=False)


studies = Table(
    "studies",
    metadata,
    key(),
    text("study_id", nullable=False),
    text("study_type"),
    text("system_id"),
    text("status", nullable=False),
    time("timestamp", nullable=False),
    time("finished_at"),
    time("created_at", nullable=False),
    time("updated_at", nullable=False),
    text("settings_json"),
    count("points"),
    text("message"),
    text("answer_json"),
    Column("owner_id", KEY),
    time("cancel_requested_at"),
    UniqueConstraint("study_id"),
    Index(None, "timestamp"),
)
"""One row a study. `timestamp` is when it started, `finished_at` when it last came to an end; `points`: how many
it has in all; `message`: why it ended as it did; `answer_json`: what its kind of study adds to its runs."""

convergence_metrics = Table(
    "convergence_metrics",
    metadata,
    key(),
    _of_study(),
    count("generation", nullable=False),
    text("metric", nullable=False),
    number("value"),
    time("created_at", nullable=False),
    UniqueConstraint("study_id", "generation", "metric"),
)
"""How a study came on: one number (hypervolume, best total_cost, ...) of one generation."""

pareto_fronts = Table(
    "pareto_fronts",
    metadata,
    key(),
    _of_study(),
    count("generation", nullable=False),
    Column("run_id", TEXT, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    text("objectives_json"),
    number("crowding_distance"),
    time("created_at", nullable=False),
    UniqueConstraint("study_id", "generation", "run_id"),
    Index(None, "run_id"),
)
"""The runs of a generation that no other run of the study so far beats in every objective. The front of all runs
stands under the generation after the last one."""

uncertainty_analysis = Table(
    "uncertainty_analysis",
    metadata,
    key(),
    _of_study(),
    count("design", nullable=False),
    text("kpi", nullable=False),
    count("samples", nullable=False),
    count("failed"),
    *(number(name) for name in ("mean", "mean_low", "mean_high", "standard_deviation", "minimum")),
    *(number(name) for name in ("p5", "p10", "p25", "p50", "p75", "p90", "p95", "maximum")),
    *(number(name) for name in ("value_at_risk", "conditional_value_at_risk")),
    text("percentiles_json"),
    time("created_at", nullable=False),
    UniqueConstraint("study_id", "design", "kpi"),
)
"""The distribution of a KPI over the samples of a design; p10: 10 % of the samples lie below. `design` counts the
designs that the study compares, from 0; `mean_low` and `mean_high` are the ends of the mean's confidence interval, and
`percentiles_json` holds those of the percentiles."""

sensitivity_analysis = Table(
    "sensitivity_analysis",
    metadata,
    key(),
    _of_study(),
    count("design", nullable=False),
    text("kpi", nullable=False),
    text("parameter", nullable=False),
    count("samples"),
    *(number(name) for name in ("first_order", "first_order_low", "first_order_high")),
    *(number(name) for name in ("total_order", "total_order_low", "total_order_high")),
    *(number(name) for name in ("rank_correlation", "regression", "tornado_low", "tornado_high")),
    time("created_at", nullable=False),
    UniqueConstraint("study_id", "design", "kpi", "parameter"),
)
"""What a KPI depends on: Sobol indices with the ends of their confidence intervals, Spearman's rank correlation, the
standardised regression coefficient, and the KPI with the parameter alone at its 10 % and 90 % quantile (tornado)."""
