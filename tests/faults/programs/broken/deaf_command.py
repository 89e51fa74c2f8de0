"""deaf_command DB: a broken command, which on SIGTERM goes on for long, leaves its run and a process behind, and ends
as if all were well."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from ecosystemiser import DatabaseMetadataService


def main() -> None:
    ended = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.append(True))
    subprocess.Popen(["sleep", "60"])
    with DatabaseMetadataService(sys.argv[1]) as log:
        log.log_simulation_run({"run_id": "held"})
    while not ended:
        time.sleep(0.01)
    time.sleep(1.5)


if __name__ == "__main__":
    main()
