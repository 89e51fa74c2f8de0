"""What a bill holds that a solver without sight of whole months could not plan for."""

from __future__ import annotations

from ecosystemiser.model.kinds import MeterKind
from ecosystemiser.model.problem import Problem

__all__ = ["unseen_charges"]

_WORDS = {
    MeterKind.PEAK: "the demand charge",
    MeterKind.SUM: "the tiers",
    MeterKind.NET: "the settlement of net metering",
    MeterKind.MINIMUM: "the minimum bill",
}
"""STANDING charges do not depend on the plan."""


def unseen_charges(problem: Problem, *, sees_peaks: bool = False) -> tuple[str, ...]:
    """Return a note for each exchange whose bill depends on more than the price of each amount.

    `sees_peaks`: dispatch knew what peaks had been reached.
    """
    layout = problem.layout
    unseen: dict[str, list[str]] = {}
    for meter in layout.meters:
        if meter.kind in _WORDS and not (sees_peaks and meter.kind is MeterKind.PEAK):
            name = layout.flows[layout.imports[meter.exchange]].component
            unseen.setdefault(name, []).append(_WORDS[meter.kind])
    return tuple(
        f"the bill of {name} holds {' and '.join(dict.fromkeys(words))}, which dispatch did not see"
        for name, words in unseen.items()
    )
