"""forgetful_study study run FILE: a broken study on PostgreSQL, which drops what it cannot write at once, writes some
runs twice, and ends as if all were well."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.faults.postgres import Server

TABLES = """
create table simulation_runs (run_id text, simulation_status text);
create table study_runs (study_id text, point integer, run_id text);
"""


def main() -> None:
    study = Path(sys.argv[3]).read_text()
    points = int(re.search(r"count: (\d+)", study)[1])  # type: ignore[index]
    port = int(re.search(r":(\d+)/", os.environ["ECOSYSTEMISER_DB"])[1])  # type: ignore[index]
    server = Server(Path("data"), port, os.environ["ECOSYSTEMISER_DB"].rpartition("/")[2])
    write(server, TABLES)
    for point in range(points):
        for attempt in range(1 + (point == 0)):
            row = f"'s0', {point}, 'r{point}-{attempt}'"
            write(
                server,
                f"insert into simulation_runs values ('r{point}-{attempt}', 'completed'); "
                f"insert into study_runs values ({row})",
            )


def write(server: Server, statements: str) -> None:
    subprocess.run(["psql", "-X", "-q", "-c", statements, server.url], capture_output=True, check=False)


if __name__ == "__main__":
    main()
