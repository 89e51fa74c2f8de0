"""Executors run tasks and tell a listener what becomes of them.

InlineExecutor runs them in the process and thread of whoever submits, ProcessExecutor in workers of its own,
DaskExecutor in those of Dask.
"""

from ecosystemiser.jobs.executors.dask import DaskExecutor
from ecosystemiser.jobs.executors.inline import InlineExecutor
from ecosystemiser.jobs.executors.process import ProcessExecutor
from ecosystemiser.jobs.executors.promises import (
    Capabilities,
    Delivery,
    Ended,
    Executor,
    Listener,
    Lost,
    Patience,
    Said,
    Started,
)
from ecosystemiser.jobs.executors.task import Context, Task, task_name

__all__ = [
    "Capabilities",
    "Context",
    "DaskExecutor",
    "Delivery",
    "Ended",
    "Executor",
    "InlineExecutor",
    "Listener",
    "Lost",
    "Patience",
    "ProcessExecutor",
    "Said",
    "Started",
    "Task",
    "task_name",
]
