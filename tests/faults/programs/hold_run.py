"""hold_run DB RUN RELEASE HOW [BEAT]: log a run as running, say `held`, hold it for long, and complete it.

HOW: `wait` until the file RELEASE is there; or a number of seconds, for which compiled code lets no other thread of
this process run, as a solver may. BEAT: how often this process says that it lives, in seconds. Says `completed` at the
end, or `refused: WHY`.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

from tests.faults.programs.words import say

from ecosystemiser import DatabaseMetadataService, StoreError

SAMPLE = 2_000_000


def hold_the_interpreter(seconds: float) -> None:
    begin = time.perf_counter()
    sum(itertools.repeat(0, SAMPLE))
    rate = SAMPLE / (time.perf_counter() - begin)
    sum(itertools.repeat(0, round(seconds * rate)))


def main() -> None:
    db, run_id, release, how, *beat = sys.argv[1:]
    every: dict[str, Any] = {"beat_every_s": float(beat[0])} if beat else {}
    with DatabaseMetadataService(db, **every) as log:
        log.log_simulation_run({"run_id": run_id})
        say("held")
        if how != "wait":
            hold_the_interpreter(float(how))
        while not Path(release).exists():
            time.sleep(0.01)
        try:
            log.log_simulation_run({"run_id": run_id, "simulation_status": "completed", "total_cost": 1.0})
        except StoreError as error:
            say(f"refused: {error}")
        else:
            say("completed")


if __name__ == "__main__":
    main()
