"""make_studies DB SYSTEM OUTPUT NAME SOLVER WORKERS TIMESERIES POINTS: run study after study, until killed.

Says `begin`, then `told ID` at each event RunCompleted, and `returned ID` for each run of a study that has returned.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from tests.faults.programs.words import get_ready, say

from ecosystemiser import DatabaseMetadataService, SimulationConfig, StudyConfig, StudyService
from ecosystemiser.jobs.bus import EventBus
from ecosystemiser.jobs.events import RunCompleted


def main() -> None:
    db, system, output, name, solver, workers, timeseries, points = sys.argv[1:]
    bus = EventBus()
    bus.subscribe(RunCompleted, lambda event: say(f"told {event.run_id}"))
    base = SimulationConfig.model_validate({"system": Path(system), "solver_type": solver})
    get_ready(base)
    sizes = {"battery.capacity_kwh": {"from": 0, "to": 8, "count": int(points)}}
    with DatabaseMetadataService(db) as log:
        service = StudyService(log, bus=bus)
        say("begin")
        for number in itertools.count():
            study = {"study_id": f"{name}-{number}", "base_config": base, "parameters": sizes, "workers": int(workers)}
            study |= {"timeseries": timeseries, "output_directory": output}
            for run in service.run_study(StudyConfig.model_validate(study)).completed:
                say(f"returned {run.run_id}")


if __name__ == "__main__":
    main()
