"""What must not break: each fault is tried for real, from outside, and its outcome counted.

The program is a black box here: its command line, its public calls, signals, files, and plain reads of the table
`simulation_runs`. "Acknowledged" is a run of which a command, a call, an event or a query said that it is recorded.

A module per fault holds a function that tries it so many times and returns `Facts`, and one or more `Fault`s that say
which figure is wanted. Its test runs the short version and a negative control: the same function with a program that
is broken on purpose must find it out. `python -m tests.faults` runs the long versions and prints the figures.
"""
