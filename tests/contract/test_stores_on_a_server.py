"""What the store promises where its database is on a PostgreSQL server."""

from __future__ import annotations

import logging
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from tests.servers import PASSWORD, PostgresServer
from tests.stores import log, read_back, run_ids

from ecosystemiser.errors import DatabaseUnreachableError, InputError, StoreError
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.store.engine import Database, database_exists, open_database
from ecosystemiser.store.location import locate
from ecosystemiser.store.runs import log_run


def test_two_that_log_the_same_new_run_at_once_keep_one(postgres_url: str) -> None:
    with open_database(postgres_url) as database, ThreadPoolExecutor(1) as pool:
        with database.transaction() as connection:
            log_run(connection, {"run_id": "r1", "system_id": "first"})
            second = pool.submit(log, database, "r1", system_id="second")
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)  # it waits for the first to end
        with pytest.raises(StoreError, match="there already"):
            second.result(timeout=30)
        assert read_back(database)["system_id"] == "first"


def test_a_swallowed_failure_does_not_pass_for_a_write(postgres_url: str) -> None:
    def swallow(database: Database) -> None:
        with database.transaction() as connection:
            log_run(connection, {"run_id": "r1"})
            with suppress(DBAPIError):
                connection.exec_driver_sql("select * from nowhere")

    with open_database(postgres_url) as database:
        with pytest.raises(StoreError, match="nothing of it was kept"):
            swallow(database)
        assert run_ids(database) == []


def test_sessions_are_durable_and_in_utc(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    for setting in ("synchronous_commit = off", "timezone = 'Asia/Tokyo'"):
        postgres.execute(f"ALTER DATABASE {name} SET {setting}")
    with open_database(postgres_url) as database:
        found = {}
        for kind, block in (("write", database.transaction), ("read", database.reading)):
            with block() as connection:
                found[kind] = [
                    connection.exec_driver_sql(f"SHOW {setting}").scalar()
                    for setting in ("synchronous_commit", "TimeZone", "client_encoding", "application_name")
                ] + [connection.exec_driver_sql("SHOW transaction_isolation").scalar()]
    assert found["write"] == ["on", "UTC", "UTF8", "ecosystemiser", "read committed"]
    assert found["read"] == ["on", "UTC", "UTF8", "ecosystemiser", "repeatable read"]


def test_a_read_only_session_writes_nothing_whoever_asks(postgres_url: str) -> None:
    open_database(postgres_url).close()
    with open_database(postgres_url, read_only=True) as database, database.reading() as connection:
        assert connection.exec_driver_sql("SHOW default_transaction_read_only").scalar() == "on"


@pytest.mark.parametrize("foreign", ["studies", "alembic_version", "simulation_runs"])
def test_foreign_tables_named_like_ours_are_refused_untouched(
    postgres: PostgresServer, postgres_url: str, foreign: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute(f"CREATE TABLE {foreign} (colour text)", name)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=f"not a database of EcoSystemiser.*{foreign}"):
            open_database(postgres_url, read_only=read_only)
    assert postgres.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name) == [(foreign,)]


def test_the_search_path_says_in_which_schema_the_tables_are(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute("CREATE TABLE studies (of_somebody_else text)", name)
    for schema in ("one", "two"):
        postgres.execute(f"CREATE SCHEMA {schema}", name)
        with open_database(f"{postgres_url}?options=-csearch_path%3D{schema}") as database:
            log(database, f"in-{schema}")
            assert run_ids(database) == [f"in-{schema}"]
    tables = postgres.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'studies' ORDER BY 1", name)
    assert tables == [("one",), ("public",), ("two",)]
    postgres.execute("DROP TABLE two.studies CASCADE", name)
    with pytest.raises(StoreError, match="several schemas"):
        open_database(f"{postgres_url}?options=-csearch_path%3Dtwo,one")


def test_a_search_path_that_leads_nowhere_is_named(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="search_path"):
        open_database(f"{postgres_url}?options=-csearch_path%3Dnowhere")


def test_a_database_without_unicode_is_refused(postgres: PostgresServer) -> None:
    name = postgres.create_database("ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")
    with pytest.raises(StoreError, match="encoding LATIN1"):
        open_database(postgres.url(name))
    postgres.drop_database(name)


def test_refusals_of_a_server_say_what_to_do_and_no_password(
    postgres: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres_url.rpartition("/")[2]
    said = {}
    for what, url in {
        "no database": postgres.url("nowhere"),
        "wrong password": postgres.url(name, password="se-cret"),  # noqa: S106
        "no user": postgres.url(name, user="nobody"),
        "no server": "postgresql://tester:se-cret@127.0.0.1:1/x",
        "no service": "postgresql://tester:se-cret@/?service=nowhere",
    }.items():
        with pytest.raises(StoreError) as caught:
            open_database(url)
        said[what] = str(caught.value)
        shown = [caught.value, caught.value.__cause__, caught.value.__context__]
        assert "se-cret" not in repr([(each, vars(each)) for each in shown if each is not None])
        assert isinstance(caught.value, DatabaseUnreachableError) == (what == "no server")
    assert "createdb" in said["no database"]
    assert "does not let this user in" in said["wrong password"]
    assert "does not let this user in" in said["no user"]
    assert "cannot be reached" in said["no server"]
    assert "service" in said["no service"]
    with pytest.raises(InputError, match="parameter") as caught:
        open_database(f"{postgres_url}?passwort=se-cret")
    assert "se-cret" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_the_password_may_come_from_the_environment(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres_url.rpartition("/")[2]
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with open_database(f"postgresql+psycopg://tester@127.0.0.1:{postgres.port}/{name}") as database:
        log(database)
    monkeypatch.delenv("PGPASSWORD")
    service = tmp_path / "services"
    service.write_text(
        f"[eco]\nhost=127.0.0.1\nport={postgres.port}\ndbname={name}\nuser=tester\npassword={PASSWORD}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    monkeypatch.setenv("ECOSYSTEMISER_DB", "postgresql://?service=eco")
    with open_database() as database:
        assert run_ids(database) == ["r1"]
        assert str(database.location) == "postgresql://?service=eco"


def test_rights_that_are_missing_are_named(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres.execute("DROP ROLE IF EXISTS guest")
    postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'guest-word'")
    guest = postgres.url(name, user="guest", password="guest-word")  # noqa: S106
    with pytest.raises(StoreError, match=r"may not do that.*schema public"):
        open_database(guest)
    with open_database(postgres_url) as database:
        log(database)
    with pytest.raises(StoreError, match="may not do that"):
        open_database(guest)
    postgres.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest", name)
    with open_database(guest) as database:
        assert run_ids(database) == ["r1"]
        with pytest.raises(StoreError, match="may not do that"):
            log(database, "r2")
    postgres.execute("DROP OWNED BY guest", name)
    postgres.execute("DROP ROLE guest")


def test_too_many_connections_are_named_and_may_be_tried_again(postgres: PostgresServer, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    open_database(postgres_url).close()
    postgres.execute("DROP ROLE IF EXISTS single")
    postgres.execute("CREATE ROLE single LOGIN PASSWORD 'single-word' CONNECTION LIMIT 1")
    postgres.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO single", name)
    url = postgres.url(name, user="single", password="single-word")  # noqa: S106
    with (
        open_database(url, read_only=True) as database,
        database.reading(),
        pytest.raises(DatabaseUnreachableError, match="no more connections"),
    ):
        open_database(url, read_only=True)
    postgres.execute("DROP OWNED BY single", name)
    postgres.execute("DROP ROLE single")


def test_a_lock_held_too_long_is_named(postgres: PostgresServer, postgres_url: str) -> None:
    def wait_briefly(database: Database) -> None:
        with database.transaction() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
            log_run(connection, {"run_id": "r1", "total_cost": 2})

    with open_database(postgres_url) as database:
        log(database)
        with open_database(postgres_url) as other, other.transaction() as holder:
            log_run(holder, {"run_id": "r1", "total_cost": 1})
            with pytest.raises(StoreError, match="locked for too long"):
                wait_briefly(database)
        log(database, total_cost=3)
        assert read_back(database)["total_cost"] == 3


def test_a_lost_connection_is_told_and_the_next_use_connects_anew(
    postgres: PostgresServer, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def lose_it_before(database: Database, *run_ids_after: str) -> None:
        with database.transaction() as connection:
            log_run(connection, {"run_id": "r2"})
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            postgres.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
            for run_id in run_ids_after:
                log_run(connection, {"run_id": run_id})

    with open_database(postgres_url) as database:
        log(database)
        with pytest.raises(DatabaseUnreachableError) as caught:
            lose_it_before(database, "r3")
        assert not caught.value.is_write_uncertain
        assert "terminating connection" in str(caught.value)
        log(database, "r4")
        with pytest.raises(DatabaseUnreachableError) as caught:
            lose_it_before(database)  # the commit
        assert caught.value.is_write_uncertain
        assert run_ids(database) == ["r4", "r1"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []  # nor on the terminal


def test_a_server_that_goes_and_comes_back(own_postgres: PostgresServer) -> None:
    def write_while_it_stops(database: Database, mode: str) -> None:
        with database.transaction() as connection:
            log_run(connection, {"run_id": f"lost-{mode}"})
            own_postgres.stop(mode)
            log_run(connection, {"run_id": f"lost-too-{mode}"})

    url = own_postgres.url()
    with open_database(url) as database:
        log(database, "r1")
        for mode in ("fast", "immediate"):
            with pytest.raises(DatabaseUnreachableError):
                write_while_it_stops(database, mode)
            for attempt in range(2):
                with pytest.raises(DatabaseUnreachableError, match="cannot be reached"):
                    log(database, f"down-{mode}-{attempt}")
            with pytest.raises(DatabaseUnreachableError), database.reading():
                pass
            with pytest.raises(DatabaseUnreachableError):
                database_exists(url)
            own_postgres.start()
            log(database, f"back-{mode}")
        own_postgres.stop()
        own_postgres.start()
        log(database, "after-a-pause")  # a connection that died while it was free is not an error
        assert run_ids(database) == ["after-a-pause", "back-immediate", "back-fast", "r1"]


def test_nothing_of_a_password_is_shown() -> None:
    location = locate("postgresql://me:se-cret@host:5432/runs?sslmode=require&password=se-cret&sslpassword=se-cret")
    database = Database(location, read_only=True)
    engine = database.dialect.make_engine(read_only=True)
    for shown in (location, database, database.dialect, engine, engine.url):
        assert "se-cret" not in f"{shown} {shown!r}"
    assert str(location) == "postgresql://me@host:5432/runs"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:se/cret@host/db",
        "postgresql://me:se@cret@host/db",
        "postgresql://me:se#cret@host/db",
        "postgresql://me:se?cret@host/db",
        "postgresql://me:se%cret@host/db",
        "postgresql://me:cret",
        "postgresql://host/db?cret",
        "mysql://me:cret@host/db",
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InputError) as caught:
        open_database(url)
    assert "cret" not in str(caught.value)


def test_a_failure_that_crosses_to_another_process_keeps_what_it_says() -> None:
    for is_uncertain in (False, True):
        error = DatabaseUnreachableError("gone", is_write_uncertain=is_uncertain)
        arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert (type(arrived), str(arrived), arrived.is_write_uncertain) == (type(error), "gone", is_uncertain)


def test_a_missing_driver_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"pip install 'ecosystemiser\[postgres\]'") as caught:
        open_database("postgresql://me:se-cret@host/db")
    assert "se-cret" not in str(caught.value)


def test_the_log_asks_an_empty_server_without_creating_anything_and_then_logs(
    postgres: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    with DatabaseMetadataService(postgres_url) as service:
        assert service.query_simulation_runs() == []
        assert service.get_statistics()["runs"] == 0
        assert postgres.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
        service.log_study({"study_id": "s1"})
        service.log_simulation_runs(
            [{"run_id": f"r{n}", "study_id": "s1", "point": n, "total_cost": 10.0 - n} for n in range(3)]
        )
        service.log_simulation_runs([{"run_id": f"r{n}", "simulation_status": "completed"} for n in range(3)])
        service.tag_runs(["r1"], add=["good"])
        summary = service.get_study_summary("s1")
        assert (summary["runs"], summary["best_run_id"]) == (3, "r2")
        page = service.page_simulation_runs("total_cost > 8", order_by="total_cost", limit=1)
        assert [row["run_id"] for row in page.rows] == ["r1"]
        assert service.get_tags(["r1"]) == {"r1": ["good"]}
        assert str(service.location) == postgres.url(name).replace(f":{PASSWORD}", "")
