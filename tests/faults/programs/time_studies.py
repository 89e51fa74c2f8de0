"""time_studies DB SYSTEM OUTPUT WORKERS SECONDS: run studies for so long; print all durations that anything told.

Says `begin`, then a JSON object: `elapsed` by the monotonic clock, `durations` by name, `statuses`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.faults.programs.words import get_ready, say

from ecosystemiser import DatabaseMetadataService, SimulationConfig, StudyConfig, StudyService
from ecosystemiser.jobs.events import JobCompleted, StudyProgress


def main() -> None:
    db, system, output, workers, seconds = sys.argv[1:]
    base = SimulationConfig(system=Path(system), output_directory=Path(output))
    get_ready(base)
    durations: dict[str, list[float | None]] = {}

    def note(name: str, duration: float | None) -> None:
        durations.setdefault(name, []).append(duration)

    with DatabaseMetadataService(db) as log:
        service = StudyService(log)
        service.bus.subscribe(JobCompleted, lambda event: note("JobCompleted.seconds", event.seconds))
        service.bus.subscribe(StudyProgress, lambda event: note("StudyProgress.seconds_left", event.seconds_left))
        service.bus.subscribe(StudyProgress, lambda event: note("StudyProgress.rate", event.rate))
        say("begin")
        begin, number = time.monotonic(), 0
        while number == 0 or time.monotonic() - begin < float(seconds):
            study = StudyConfig(
                study_id=f"s{number}",
                base_config=base,
                parameters={"battery.capacity_kwh": [size / 5 for size in range(40)]},
                workers=int(workers),
                output_directory=Path(output),
            )
            note("StudyResult.wall_seconds", service.run_study(study).wall_seconds)
            number += 1
        elapsed = time.monotonic() - begin
        rows = log.query_simulation_runs()
    for row in rows:
        note("wall_seconds of a row", row["wall_seconds"])
        note("solve_seconds of a row", row["solve_seconds"])
    say(json.dumps({"elapsed": elapsed, "durations": durations, "statuses": [r["simulation_status"] for r in rows]}))


if __name__ == "__main__":
    main()
