"""What a genetic study is asked to do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ecosystemiser.config.kpi_words import Direction, KpiLimit, KpiName, LimitText
from ecosystemiser.config.plain import PlainValue
from ecosystemiser.config.value_range import MOST_POINTS
from ecosystemiser.names import IDENTIFIER_RULE, is_identifier

__all__ = ["GeneticSettings", "Seed"]

Seed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]
"""What chance starts from: the same seed gives the same points."""

MOST_COMPARED_BY_CROWDING = 3
"""With more objectives nearly no design is better than another in all; NSGA-III spreads them along directions."""


class GeneticSettings(BaseModel):
    """A search by a genetic algorithm: for one objective, or for the front of several (NSGA-II, NSGA-III)."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    objectives: Annotated[dict[KpiName, Direction], Field(min_length=1, max_length=6)]
    """KPIs and where they are to go: `{total_cost: minimise, total_co2: minimise}`."""
    constraints: list[LimitText] = []
    """Limits on KPIs that a design must keep: `[self_sufficiency_rate >= 0.8]`."""
    algorithm: Literal["ga", "nsga2", "nsga3"] | None = None
    """By default ga for one objective, nsga2 for two and three, nsga3 for more."""
    population_size: Annotated[int, Field(ge=4, le=10_000)] = 40
    """Designs of a generation."""
    max_evaluations: Annotated[int, Field(ge=1, le=MOST_POINTS)] | None = None
    """It ends after so many runs."""
    max_generations: Annotated[int, Field(ge=1, le=100_000)] = 50
    """It ends after so many generations."""
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    """No generation is begun after so long. [s]"""
    patience: Annotated[int, Field(ge=1)] | None = 10
    """It ends when the hypervolume grew by less than `tolerance` over so many generations; null: never for that."""
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    """Growth of the hypervolume (one objective: of the best value) that counts, as a share. [1]"""
    reference_point: dict[KpiName, float] | None = None
    """The corner that the hypervolume is measured from; by default a little worse than the first generation."""
    seed: Seed = 0
    """What chance starts from: the same seed gives the same points."""
    initial_designs: list[dict[str, PlainValue]] = []
    """Designs of the first generation, each with a value for every parameter; chance adds the others."""
    start_from: str | None = None
    """A study whose best designs are initial designs of this one."""

    @field_validator("algorithm")
    @classmethod
    def _suits_the_objectives(cls, algorithm: str | None, info: ValidationInfo) -> str | None:
        count = len(info.data.get("objectives", ()))
        if algorithm == "ga" and count > 1:
            raise ValueError(f"takes one objective, and there are {count}; use nsga2 or nsga3")
        if algorithm in ("nsga2", "nsga3") and count == 1:
            raise ValueError("takes two objectives or more; use ga for one")
        return algorithm

    @field_validator("max_generations")
    @classmethod
    def _makes_not_too_many(cls, generations: int, info: ValidationInfo) -> int:
        points = info.data.get("population_size", 0) * generations
        if info.data.get("max_evaluations") is None and points > MOST_POINTS:
            raise ValueError(f"may make {points:,} points, more than {MOST_POINTS:,}; lower it, or set max_evaluations")
        return generations

    @field_validator("reference_point")
    @classmethod
    def _holds_the_objectives(cls, point: dict[str, float] | None, info: ValidationInfo) -> dict[str, float] | None:
        objectives = info.data.get("objectives")
        if point is not None and objectives is not None and set(point) != set(objectives):
            raise ValueError(f"must hold the objectives and no other KPI; give it {', '.join(objectives)}")
        return point

    @field_validator("initial_designs")
    @classmethod
    def _fit_into_a_generation(cls, designs: list[dict[str, Any]], info: ValidationInfo) -> list[dict[str, Any]]:
        size = info.data.get("population_size", len(designs))
        if len(designs) > size:
            raise ValueError(f"are {len(designs)}, more than a generation; set population_size: {len(designs)}")
        return designs

    @field_validator("start_from")
    @classmethod
    def _is_identifier(cls, text: str | None) -> str | None:
        if text is not None and not is_identifier(text):
            raise ValueError(f"is no id; use {IDENTIFIER_RULE}")
        return text

    @property
    def points(self) -> int:
        """How many points it may make."""
        most = self.population_size * self.max_generations
        return most if self.max_evaluations is None else min(most, self.max_evaluations)

    @property
    def chosen_algorithm(self) -> Literal["ga", "nsga2", "nsga3"]:
        """The algorithm, the default resolved."""
        if self.algorithm is not None:
            return self.algorithm
        if len(self.objectives) == 1:
            return "ga"
        return "nsga2" if len(self.objectives) <= MOST_COMPARED_BY_CROWDING else "nsga3"

    @property
    def limits(self) -> list[KpiLimit]:
        """The constraints, read."""
        return [KpiLimit.parse(text) for text in self.constraints]
