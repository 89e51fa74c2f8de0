"""The command line: `ecosystemiser`, or `eco` for short."""

from ecosystemiser.cli.entry import main

__all__ = ["main"]
