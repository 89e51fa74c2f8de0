"""make_runs DB SYSTEM OUTPUT: run one simulation after the other, until killed; says `begin`, then `returned ID`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.programs.words import get_ready, say

from ecosystemiser import DatabaseMetadataService, SimulationConfig, SimulationService


def main() -> None:
    db, system, output = sys.argv[1:4]
    config = SimulationConfig(system=Path(system), output_directory=Path(output))
    get_ready(config)
    with DatabaseMetadataService(db) as log:
        service = SimulationService(log)
        say("begin")
        while True:
            result = service.run_simulation(config)
            if result.has_completed:
                say(f"returned {result.run_id}")


if __name__ == "__main__":
    main()
