"""A private PostgreSQL server for the tests, and an empty database on it for each of them."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["PostgresServer", "find_programs", "own_postgres", "postgres", "postgres_url"]

USER = "tester"
PASSWORD = "pass-word-of-tester"  # noqa: S105 - of a server that lives as long as the tests

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
port = {port}
shared_buffers = '16MB'
max_wal_size = '256MB'
max_connections = 80
log_min_messages = fatal
lc_messages = 'C'
"""

CLEAN_UP = 'read -r _; "$0" stop --mode=immediate --pgdata "$1/data"; rm -rf "$1"'


@dataclass
class PostgresServer:
    """A server that runs on 127.0.0.1 alone, with its files in a folder of its own."""

    programs: Path
    folder: Path
    port: int

    def url(self, database: str = "postgres", *, user: str = USER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute one statement as the superuser, outside a transaction."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create_database(self, options: str = "") -> str:
        """Create an empty database and return its name."""
        name = f"t{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def start(self) -> None:
        self._control("start", "--log", str(self.folder / "log"), "--timeout=60")

    def stop(self, mode: str = "fast") -> None:
        """Stop: `fast` ends all connections, `immediate` is a crash."""
        self._control("stop", f"--mode={mode}", "--timeout=60")

    def _control(self, *words: str) -> None:
        command = [str(self.programs / "pg_ctl"), "--silent", "--wait", "--pgdata", str(self.folder / "data"), *words]
        done = subprocess.run(_as_owner(command), check=False, cwd=self.folder, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            log = self.folder / "log"
            pytest.fail(f"{command} failed: {log.read_text() if log.exists() else 'no log'}")


def find_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, of the newest version where there are several."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(installed, key=lambda place: float(place.parent.name), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def _as_owner(command: list[str]) -> list[str]:
    """Return the command as one of the user postgres: a server refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start_server() -> Iterator[PostgresServer]:
    programs = find_programs()
    if programs is None:
        if "postgres" in os.environ.get("ECOSYSTEMISER_REQUIRE", "").split(","):
            pytest.fail("no initdb and pg_ctl on PATH or in /usr/lib/postgresql: install PostgreSQL")
        pytest.skip("needs PostgreSQL's initdb and pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="eco-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    server = PostgresServer(programs, folder, _free_port())
    # Whatever happens to the tests: when they are gone their end of the pipe closes, and this cleans up.
    cleaner = subprocess.Popen(
        _as_owner(["sh", "-c", CLEAN_UP, str(programs / "pg_ctl"), str(folder)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    try:
        _make_cluster(server)
        server.start()
        yield server
    finally:
        cleaner.communicate(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _make_cluster(server: PostgresServer) -> None:
    password = server.folder / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        shutil.chown(password, "postgres")
    command = [
        *(str(server.programs / "initdb"), "--pgdata", str(server.folder / "data"), "--username", USER),
        *("--pwfile", str(password), "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"),
    ]
    # Where the server can (from 15 on), text sorts as people do, not by bytes as in SQLite.
    as_people_do = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    for locale in (as_people_do, ["--no-locale"]):
        done = subprocess.run(
            _as_owner([*command, *locale]), check=False, cwd=server.folder, capture_output=True, text=True
        )
        if done.returncode == 0:
            break
    else:
        pytest.fail(f"initdb failed: {done.stderr}")
    settings = SETTINGS.format(folder=server.folder, port=server.port)
    with (server.folder / "data" / "postgresql.conf").open("a") as file:
        file.write(settings)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give the server of this session; skip without one, or fail where ECOSYSTEMISER_REQUIRE names postgres."""
    yield from _start_server()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Give a server of this test alone, which it may stop."""
    yield from _start_server()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Give the URL of an empty database on the server of this session."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)
