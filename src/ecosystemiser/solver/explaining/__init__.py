"""Why a system has no plan, or one without end: which demand, when, which limits, what change would do.

An elastic program answers the first: what is short on each bus may be bought from nowhere, and as little as possible of
it is. A program in a box answers the second: what it pushes against the box makes money without end.
"""

from ecosystemiser.solver.explaining.shortages import Endless, Shortage, endless_gains, least_emissions, shortages_of
from ecosystemiser.solver.explaining.words import told_endless, told_limits, told_shortages

__all__ = [
    "Endless",
    "Shortage",
    "endless_gains",
    "least_emissions",
    "shortages_of",
    "told_endless",
    "told_limits",
    "told_shortages",
]
