"""What a study is asked to do."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecosystemiser.config.plain import PlainValue
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.names import IDENTIFIER_RULE, is_identifier

__all__ = ["MOST_POINTS", "StudyConfig", "ValueRange"]

MOST_POINTS = 1_000_000
"""A study of more points is refused before its first run."""


class ValueRange(BaseModel):
    """Evenly spaced values, both ends included."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=True)

    first: float = Field(alias="from")
    to: float
    count: Annotated[int, Field(ge=1, le=MOST_POINTS)]

    @model_validator(mode="after")
    def _is_finite(self) -> Self:
        if not math.isfinite(self.to - self.first):
            raise ValueError("spans more than a number can hold; move its ends together")
        return self

    def values(self) -> list[float]:
        """Return the values."""
        if self.count == 1:
            return [self.first]
        step = (self.to - self.first) / (self.count - 1)
        return [self.first + at * step for at in range(self.count - 1)] + [self.to]


class StudyConfig(BaseModel):
    """Many simulations of one system; without parameters, the base simulation alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    study_id: str
    """Name under which the study and its runs are found."""
    study_type: Literal["parametric"] = "parametric"
    """How its points are found."""
    base_config: SimulationConfig = SimulationConfig()
    """What all its simulations share."""
    parameters: dict[str, list[PlainValue] | ValueRange] = {}
    """Values of each varied field of the system, by path: `{"battery.capacity_kwh": [0, 40, 80]}`."""
    combine: Literal["grid", "zipped"] = "grid"
    """Every combination of the values, or the first values together, then the second."""
    workers: Annotated[int, Field(ge=1, le=256, strict=True)] | None = None
    """Processes that solve at the same time; by default one a core, 1 works in this process."""
    timeseries: Literal["all", "none"] = "all"
    """Whether the hours of each run are kept, or its totals only."""
    output_directory: Path = Path("data/results")
    """Where hourly results go, each run in a folder of its own."""

    @field_validator("study_id")
    @classmethod
    def _is_identifier(cls, text: str) -> str:
        if not is_identifier(text):
            raise ValueError(f"is no id; use {IDENTIFIER_RULE}")
        return text

    @model_validator(mode="after")
    def _has_points(self) -> Self:
        values = self.values()
        empty = [name for name, listed in values.items() if not listed]
        if empty:
            raise ValueError(f"{empty[0]} has no values; list one or more")
        lengths = {len(listed) for listed in values.values()}
        if self.combine == "zipped" and len(lengths) > 1:
            raise ValueError("zipped values differ in number; give every field as many, or combine: grid")
        count = 1
        for listed in values.values():
            count = len(listed) if self.combine == "zipped" else count * len(listed)
        if count > MOST_POINTS:
            raise ValueError(f"makes {count:,} points, more than {MOST_POINTS:,}; list fewer values")
        if count > 1 and self.base_config.run_id is not None:
            raise ValueError(f"base_config.run_id names one run, and this study makes {count:,}; leave it out")
        return self

    def values(self) -> dict[str, list[Any]]:
        """Return the values of each varied field."""
        return {
            name: spec.values() if isinstance(spec, ValueRange) else list(spec)
            for name, spec in self.parameters.items()
        }
