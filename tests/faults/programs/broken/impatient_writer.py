"""impatient_writer DB NAME TIMES GATE: a broken writer: it creates the table in place, reads before it writes in one
deferred transaction, and waits for nobody."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

from tests.faults.programs.words import say

TABLE = "create table simulation_runs (run_id text, simulation_status text, total_cost real)"


def main() -> None:
    db, name, times, gate = sys.argv[1:]
    say("ready")
    while not Path(gate).exists():
        time.sleep(0.0005)
    is_new = not Path(db).exists()
    connection = sqlite3.connect(db, timeout=0, isolation_level=None)
    if is_new:
        connection.execute(TABLE)
    for number in range(int(times)):
        run_id = f"{name}-{number}"
        connection.execute("begin deferred")
        connection.execute("select count(*) from simulation_runs").fetchall()
        connection.execute("insert into simulation_runs values (?, 'completed', ?)", (run_id, number))
        connection.execute("commit")
        say(f"returned {run_id}")


if __name__ == "__main__":
    main()
