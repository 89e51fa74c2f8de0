"""The page of solvers: what each does, the strategies of the rule, the options."""

from __future__ import annotations

import inspect

from ecosystemiser.solver.hybrid import solver as hybrid
from ecosystemiser.solver.milp import switching
from ecosystemiser.solver.rule_based.strategies import WORDS

__all__ = ["page"]

SOLVERS = """\
| solver | what it does | what it promises |
|---|---|---|
| `rule_based` | dispatches hour by hour by a named strategy, never looking ahead | the fastest; no bound |
| `rolling_horizon` | plans `lookahead_h`, keeps `commit_h`, carries levels, what is on, the month's peaks | a bound |
| `hybrid` | linear programs whole; where devices are switched, prices and dynamic programs | a certified gap |
| `milp` | plans all hours at once with HiGHS | the optimum, within `gap` |

`ecosystemiser run SYSTEM --solver all` solves with each of them, and tells what each decided differently.

A system without a plan is explained: what is short where and when, which limits are reached, and what would do; so is
one in which a price earns money without end. Charging and discharging at once, and buying and selling at once, are
forbidden in the steps in which a plan without that rule did both; the result says so.
"""


def page(note: str, options: str) -> str:
    """Return the page; `options`: the table of the options."""
    strategies = "\n".join(f"- `{name}`: {' '.join(words.split())}" for name, words in WORDS.items())
    parts = [
        "# Solvers\n",
        note,
        SOLVERS,
        "## Strategies of rule_based\n",
        f"{strategies}\n",
        "## hybrid\n",
        f"```\n{inspect.getdoc(hybrid)}\n```\n",
        "## Switched devices in milp\n",
        f"```\n{inspect.getdoc(switching)}\n```\n",
        "## Options\n",
        "In a study file below `base_config: {solver: ...}`; of `run` as options of the command line.\n",
        options,
    ]
    return "\n".join(parts)
