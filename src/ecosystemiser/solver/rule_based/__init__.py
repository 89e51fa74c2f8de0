"""Dispatch by merit order, hour by hour, compiled; one kernel for every system."""
