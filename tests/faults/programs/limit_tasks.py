"""Tasks of a study's jobs, in the place of its own: some runs hang, or take all memory. Workers import them by name."""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Sequence

from ecosystemiser.jobs.events import RunStarted
from ecosystemiser.jobs.executors import Context
from ecosystemiser.services.orders import Order
from ecosystemiser.services.worker import make_runs

SLEEPS, HOLDS, SWELLS, FLAWED = 101.0, 102.0, 103.0, 104.0
"""Batteries with which a run sleeps, holds the interpreter in compiled code, takes all memory, raises. [kWh]"""

LONG_S = 300.0
MEMORY = 2_000_000_000
"""More than a worker needs, and less than it asks for. [bytes]"""


def make_runs_or_hang(orders: Sequence[Order], context: Context) -> None:
    """Make the runs; those with a battery of these sizes go wrong as a solver may that hears nothing."""
    for order in orders:
        size = order.config.parameters.get("battery.capacity_kwh")
        if size in (SLEEPS, HOLDS, SWELLS, FLAWED):
            context.send(RunStarted(study_id=order.config.study_id, run_id=order.run_id, job_id=context.job_id))
        if size == SLEEPS:
            time.sleep(LONG_S)
        elif size == HOLDS:
            re.match(r"(a+)+$", "a" * 60 + "b")
        elif size == SWELLS:
            _swell()
        elif size == FLAWED:
            raise ValueError("an error of another kind")
        make_runs([order], context)


def _swell() -> None:
    """Take memory, on a machine that has so much and no more, until there is none."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    kept = []
    try:
        while True:
            kept.append(bytearray(100_000_000))
    finally:
        kept.clear()
