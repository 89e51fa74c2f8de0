"""Monte Carlo of ten and of a hundred thousand years by rule, every one logged; beside kernel and sqlite3 alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.folders import disk_folder
from benchmarks.measure import Effort, Limit, Row, by_turns, peak_mb
from benchmarks.rule_study import Peer
from benchmarks.run_logging import bare
from benchmarks.startup import PROGRAM
from benchmarks.studies import system_of
from benchmarks.systems import REFERENCE

from ecosystemiser.config import SimulationConfig, SolverOptions, StudyConfig
from ecosystemiser.model.compiling import compile_problem
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_service import StudyService
from ecosystemiser.solver.rule_based.solver import stack

__all__ = ["rows"]

MOST, MOST_S, MOST_MB, FLAT = 4.0, 10.0, 50.0, 1.25
"""Times kernel and inserts; seconds from command to answer; growth of memory; times the seconds of the smaller."""
UNCERTAIN: dict[str, dict[str, Any]] = {
    "battery.capacity_kwh": {"distribution": "uniform", "minimum": 10.0, "maximum": 200.0},
    "roof_pv.capacity_kw": {
        "distribution": "normal", "mean": 60.0, "standard_deviation": 10.0, "minimum": 20.0, "maximum": 100.0,
    },
    "grid.export_price_per_kwh": {"distribution": "triangular", "minimum": 0.04, "mode": 0.08, "maximum": 0.12},
}  # fmt: skip
FILE = """\
study_id: mc
study_type: monte_carlo
system: reference.yaml
solver_type: rule_based
timesteps: {steps}
timeseries: best
monte_carlo: {settings}
"""


def rows(effort: Effort) -> list[Row]:
    """Measure."""
    some, many = (10_000, 100_000) if effort.is_full else (200, 400)
    return [_beside_kernel_and_inserts(some, effort), _from_command_to_answer(some, effort), *_flat(some, many, effort)]


def _settings(samples: int) -> dict[str, Any]:
    return {"n_samples": samples, "sampling": "lhs", "seed": 1, "distributions": UNCERTAIN}


def _config(folder: Path, study_id: str, samples: int, steps: int) -> StudyConfig:
    base = SimulationConfig(
        system=folder / "reference.yaml",
        solver_type="rule_based",
        timesteps=steps,
        solver=SolverOptions(end="shortfall", threads=1),
    )
    settings = {"monte_carlo": _settings(samples), "timeseries": "best", "output_directory": folder / "results"}
    return StudyConfig.model_validate(
        {"study_id": study_id, "study_type": "monte_carlo", "base_config": base} | settings, strict=False
    )


def _beside_kernel_and_inserts(number: int, effort: Effort) -> Row:
    with disk_folder() as folder:
        (folder / "reference.yaml").write_text(REFERENCE, encoding="utf-8")
        names = iter(range(1_000))
        with DatabaseMetadataService(folder / "runs.sqlite") as database:

            def study() -> str:
                return StudyService(database).run_study(
                    _config(folder, f"mc-{next(names)}", number, effort.steps)
                ).study_id

            # Hours and what follows from them are the study's own; the peer writes what its runs have in common.
            ours = [row for row in database.query_study_runs(study()) if row["flows_path"] is None]
            singles = [
                compile_problem(system_of(json.loads(row["parameters_json"]), effort.steps)) for row in ours
            ]
            with bare(folder / "runs.sqlite", folder / "bare.sqlite") as connection:
                peer = Peer(connection, ours, stack(singles))
                pair = by_turns(study, peer.run, min(3, effort.long_repeats), warm_ups=0)
    note = (
        f"{number:,} years, the best ten with hours, one worker within this process, percentiles told: "
        f"{1e3 * pair.ours_s / number:.2f} ms a run; kernel and sqlite3 alone {1e3 * pair.peer_s / number:.2f} ms"
    )
    details = pair.details()
    return Row("monte_carlo", pair.ours_s, pair.peer_s, "s", MOST, spread=pair.spread, note=note, details=details)


def _from_command_to_answer(number: int, effort: Effort) -> Row:
    with disk_folder() as folder:
        (folder / "reference.yaml").write_text(REFERENCE, encoding="utf-8")
        text = FILE.format(steps=effort.steps, settings=json.dumps(_settings(number)))
        (folder / "mc.yaml").write_text(text, encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
        begin = time.perf_counter()
        subprocess.run(  # noqa: S603 - our own program
            [PROGRAM, "study", "run", "mc.yaml", "--db", "runs.sqlite", "--yes"],
            cwd=folder, env=environment, check=True, capture_output=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        seconds = time.perf_counter() - begin
    note = f"{number:,} years, from the command to its end, all processors"
    return Row("monte_carlo, command", seconds, None, "s", MOST_S, Limit.VALUE, note=note)


def _flat(some: int, many: int, effort: Effort) -> list[Row]:
    """Measure each size in a process of its own, whose memory counts."""
    small, large = (_in_own_process(number, effort) for number in (some, many))
    note = f"a run of {many:,} and of {some:,}"
    growth = f"resident memory after {many:,} runs less that after 1,000 in the same process"
    return [
        Row("monte_carlo, large to small", large["s"], small["s"], "s", FLAT, note=note),
        Row("monte_carlo, memory", large["mb"], None, "MB", MOST_MB, Limit.VALUE, note=growth),
    ]


def _in_own_process(number: int, effort: Effort) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.monte_carlo", str(number), str(effort.steps)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)  # noqa: S603 - our own module
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measured(number: int, steps: int) -> dict[str, float]:
    """Return seconds a run, and by how much the peak of the memory has grown beyond that of a small study. [MB]"""
    with disk_folder() as folder:
        (folder / "reference.yaml").write_text(REFERENCE, encoding="utf-8")
        with DatabaseMetadataService(folder / "runs.sqlite") as database:
            StudyService(database).run_study(_config(folder, "small", min(number, 1_000), steps))
            before = peak_mb()
            begin = time.perf_counter()
            StudyService(database).run_study(_config(folder, "large", number, steps))
            seconds = time.perf_counter() - begin
    return {"s": seconds / number, "mb": peak_mb() - before}


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]), int(sys.argv[2]))))
