"""Tasks for the tests of studies, in the place of `make_runs`. Workers import them by name; tests put this folder on
the search path."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from ecosystemiser.jobs.events import RunStarted
from ecosystemiser.jobs.executors import Context
from ecosystemiser.services.orders import Order
from ecosystemiser.services.worker import make_runs

BAD = 13
"""The battery with which a run goes wrong. [kWh]"""
LONG_S = 60.0
"""Longer than any test. [s]"""


def make_runs_slowly(orders: Sequence[Order], context: Context) -> None:
    for order in orders:
        time.sleep(0.1)
        make_runs([order], context)


def make_runs_or_die(orders: Sequence[Order], context: Context) -> None:
    for order in orders:
        if is_bad(order):
            os.kill(os.getpid(), signal.SIGKILL)
        make_runs([order], context)


def make_runs_or_hang(orders: Sequence[Order], context: Context) -> None:
    for order in orders:
        if is_bad(order):
            context.send(RunStarted(study_id=order.config.study_id, run_id=order.run_id, job_id=context.job_id))
            time.sleep(LONG_S)
        make_runs([order], context)


def make_runs_until_told(orders: Sequence[Order], context: Context) -> None:
    """The first run is made; then, where there are more, nothing, until the job is asked to stop."""
    make_runs(orders[:1], context)
    if len(orders) == 1:
        return
    end = time.monotonic() + LONG_S
    while time.monotonic() < end and not context.should_stop():
        time.sleep(0.01)


def meet(folder: str, context: Context) -> None:
    """Return when two workers are here, each with all that it imports."""
    (Path(folder) / str(os.getpid())).touch()
    end = time.monotonic() + LONG_S
    while time.monotonic() < end and len(list(Path(folder).iterdir())) < 2:
        time.sleep(0.01)


def add_one(payload: int, context: Context) -> int:
    return payload + 1


def is_bad(order: Order) -> bool:
    return order.config.parameters.get("battery.capacity_kwh") == BAD
