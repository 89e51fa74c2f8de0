"""Run things and say what happened: states of a job, typed events, the event bus, executors.

Knows nothing of databases, solvers and studies; needs the standard library only, so that a worker process comes up
at once and nothing is imported before the number of threads is set.
"""
