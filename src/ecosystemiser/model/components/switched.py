"""What converters share that are switched on and off: least load, starts, times, efficiency at part load."""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Annotated, Self

from pydantic import Field, model_validator

from ecosystemiser.model.components.base import Component, Site
from ecosystemiser.model.fields import ClosedModel, Money, Share
from ecosystemiser.model.kinds import Commitment
from ecosystemiser.units import Unit

__all__ = ["PartLoad", "Switched"]

Hours = Annotated[float, Field(ge=0, le=8784), Unit("h")]
ROUNDING = 1e-9


class PartLoad(ClosedModel):
    """Efficiency by load, as a share of that at full load; the output is straight between the points."""

    load: list[Share]
    """Loads, rising to 1: input as a share of that at full load. The first is the least load."""
    efficiency: list[Annotated[float, Field(ge=0, le=10), Unit("1")]]
    """Share of the full-load efficiency (COP, ratio) at each load; the last is 1."""

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        if len(self.load) < 2 or len(self.load) != len(self.efficiency):
            raise ValueError("needs as many efficiency as load, two or more; add what is missing")
        if any(after <= before for before, after in pairwise(self.load)):
            raise ValueError("load does not rise; sort the points")
        if self.load[-1] != 1 or self.efficiency[-1] != 1:
            raise ValueError("does not end at load 1 with efficiency 1; efficiencies are shares of that at full load")
        if any(after[1] < before[1] for before, after in pairwise(self.points)):
            raise ValueError("gives less at a higher load; mend efficiency")
        return self

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Input and output at each point, as shares of full load."""
        return tuple([(load, load * efficiency) for load, efficiency in zip(self.load, self.efficiency, strict=True)])

    @property
    def is_bent_down(self) -> bool:
        """Whether each further bit of load gives no more than the one before."""
        slopes = [(high[1] - low[1]) / (high[0] - low[0]) for low, high in pairwise(self.points)]
        return all(after <= before + ROUNDING for before, after in pairwise(slopes))


class Switched(Component):
    """A component that may have a least load, cost something to start, and have to stay on or off for a time.

    Without these fields it runs at any load. With a `count` above 1 its units are switched one by one.
    """

    minimum_load: Share = 0.0
    """Least load of a unit that is on, as a share of its full load."""
    start_cost: Money = 0.0
    """Cost of switching one unit on."""
    min_up_h: Hours = 0.0
    """Hours that a unit stays on at least. [h]"""
    min_down_h: Hours = 0.0
    """Hours that a unit stays off at least. [h]"""
    part_load: PartLoad | None = None
    """Efficiency at part load; without it that of full load holds at every load."""

    @model_validator(mode="after")
    def _has_one_least_load(self) -> Self:
        if self.part_load is not None and self.minimum_load not in (0.0, self.part_load.load[0]):
            raise ValueError("has a minimum_load that is not the first load of part_load; leave it out")
        if self.part_load is not None and self.count > 1 and not self.part_load.is_bent_down:
            raise ValueError(
                "has a part_load whose efficiency rises with the load, and a count above 1: units would not share "
                "their load equally; write them as components of their own"
            )
        return self

    @property
    def is_switched(self) -> bool:
        """Whether it matters when it is on."""
        fields = (self.minimum_load, self.start_cost, self.min_up_h, self.min_down_h)
        return self.part_load is not None or any(field > 0 for field in fields)

    def commitment(self, site: Site) -> Commitment | None:
        """Return what switching it means; None where it means nothing."""
        if not self.is_switched:
            return None
        least = self.minimum_load
        step_h = site.clock.step_h
        return Commitment(
            curve=((least, least), (1.0, 1.0)) if self.part_load is None else self.part_load.points,
            units=self.count,
            start_cost=self.start_cost,
            min_up=max(1, ceil(self.min_up_h / step_h - ROUNDING)),
            min_down=max(1, ceil(self.min_down_h / step_h - ROUNDING)),
        )
