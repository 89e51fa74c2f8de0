"""`python -m benchmarks [NAME...] [--quick]`: measure against the peers; ends with 1 where a limit is missed."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.folders import RESULTS

MEASUREMENTS = {
    "pypsa_objective": "benchmarks.pypsa_objective",
    "milp_overhead": "benchmarks.milp_overhead",
    "demand_charge": "benchmarks.demand_charge",
    "matrix_size": "benchmarks.matrix_size",
    "rule_batch": "benchmarks.rule_batch",
    "rule_component_hour": "benchmarks.rule_component_hour",
    "rule_single": "benchmarks.rule_single",
    "logging": "benchmarks.run_logging",
    "study_log": "benchmarks.study_logging",
    "many_runs": "benchmarks.many_pages",
    "explorer": "benchmarks.explorer",
    "startup": "benchmarks.startup",
    "warm_variation": "benchmarks.warm_variation",
    "lp_study": "benchmarks.lp_study",
    "rule_study": "benchmarks.rule_study",
    "monte_carlo": "benchmarks.monte_carlo",
    "genetic": "benchmarks.search",
    "two_workers": "benchmarks.two_workers",
    "solvers": "benchmarks.solvers",
    "committed": "benchmarks.committed",
}
"""Module of each; every one has a function `rows(effort)`."""
OUTPUT = RESULTS / "bench.json"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the file; return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against the peers.")
    parser.add_argument("name", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="a week instead of a year, few repeats")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the figures go (default: %(default)s)")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.name if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; names are {', '.join(MEASUREMENTS)}")
    os.environ.update(dict.fromkeys(THREADS, "1"))  # read when numpy and numba are imported, which is below
    from benchmarks.measure import QUICK, Effort, Row
    from benchmarks.report import has_missed, table, write_json

    effort = QUICK if asked.quick else Effort()
    rows: list[Row] = []
    for name in asked.name or MEASUREMENTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            rows += import_module(MEASUREMENTS[name]).rows(effort)
        except Exception as error:  # noqa: BLE001 - the others are measured and printed all the same
            traceback.print_exc()
            rows.append(Row(name, note=f"{type(error).__name__}: {error}", has_failed=True))
    print(table(rows, effort))
    write_json(rows, effort, asked.output)
    return 1 if has_missed(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
