"""A program with two workers that ends only when somebody ends it: KIND, TASK, then ADDRESS of a Dask scheduler or -.

Says `begin` when it has come up, then the ids of the processes in which its tasks run.
"""

from __future__ import annotations

import os
import sys
import threading

from tests.faults.programs.worker_tasks import TASKS

from ecosystemiser.jobs.executors import DaskExecutor, Delivery, Executor, ProcessExecutor, Said


def tell(delivery: Delivery) -> None:
    if isinstance(delivery, Said):
        os.write(1, f"{delivery.message}\n".encode())


kind, task, address, payload = sys.argv[1:5]
os.write(1, b"begin\n")
executor: Executor = ProcessExecutor(2) if kind == "process" else DaskExecutor(None if address == "-" else address, 2)
with executor:
    executor.listen(tell)
    for number in range(2):
        executor.submit(str(number), f"{TASKS}:{task}", payload if task == "work_until_unwanted" else 600.0)
    threading.Event().wait()
