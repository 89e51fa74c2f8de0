"""The tables, and that the migrations make the same ones."""

from contextlib import closing

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import StaticPool, create_engine, inspect

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.store import views  # noqa: F401 - they are made with the tables
from ecosystemiser.store.schema import SCHEMA_VERSION, metadata
from ecosystemiser.store.upgrade import MIGRATIONS, migrate

CUSTOMERS_RUN_COLUMNS = {
    "run_id",
    "study_id",
    "system_id",
    "timesteps",
    "timestamp",
    "solver_type",
    "simulation_status",
    "total_cost",
    "total_co2",
    "self_consumption_rate",
    "self_sufficiency_rate",
    "renewable_fraction",
    "total_generation_kwh",
    "total_demand_kwh",
    "net_grid_usage_kwh",
    "results_path",
    "flows_path",
    "components_path",
    "created_at",
    "updated_at",
    "metadata_json",
}
CUSTOMERS_TABLES = {
    "simulation_runs",
    "studies",
    "study_runs",
    "convergence_metrics",
    "pareto_fronts",
    "uncertainty_analysis",
    "sensitivity_analysis",
}


def described(engine):
    """Return all of a database's schema but the order of columns, which an added column cannot keep."""
    found = inspect(engine)
    return {
        table: {
            "columns": {
                (c["name"], str(c["type"]), c["nullable"], c["default"], c["primary_key"])
                for c in found.get_columns(table)
            },
            "indexes": {(i["name"], tuple(i["column_names"]), i["unique"]) for i in found.get_indexes(table)},
            "unique": {(u["name"], tuple(u["column_names"])) for u in found.get_unique_constraints(table)},
            "foreign": {
                (
                    f["name"],
                    *f["constrained_columns"],
                    f["referred_table"],
                    *f["referred_columns"],
                    *f["options"].items(),
                )
                for f in found.get_foreign_keys(table)
            },
        }
        for table in found.get_table_names()
    } | {view: {column["name"] for column in found.get_columns(view)} for view in found.get_view_names()}


@pytest.fixture
def fresh():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with closing(engine.connect()) as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def test_the_customers_tables_and_columns_are_there(fresh):
    found = inspect(fresh)
    assert {*found.get_table_names(), *found.get_view_names()} > CUSTOMERS_TABLES
    assert {column["name"] for column in found.get_columns("simulation_runs")} > CUSTOMERS_RUN_COLUMNS


def test_every_kpi_is_a_typed_column(fresh):
    types = {column["name"]: str(column["type"]) for column in inspect(fresh).get_columns("runs")}
    assert {types[name] for name in KPI_NAMES} == {"DOUBLE"}


def test_the_migrations_make_the_tables_of_the_schema():
    migrated, fresh = create_engine("sqlite://"), create_engine("sqlite://")
    with closing(migrated.connect()) as connection, connection.begin():
        migrate(connection)
        by_migration = described(connection)
    with closing(fresh.connect()) as connection:
        metadata.create_all(connection)
        by_schema = described(connection)
    migrated.dispose()
    fresh.dispose()
    assert by_migration == by_schema


def test_the_version_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_VERSION]
