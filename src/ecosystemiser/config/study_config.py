"""What a study is asked to do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from ecosystemiser.config.distributions import example_of_distribution
from ecosystemiser.config.genetic_settings import GeneticSettings, Seed
from ecosystemiser.config.monte_carlo_settings import MonteCarloSettings
from ecosystemiser.config.plain import PlainValue
from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.value_range import MOST_POINTS, ValueRange
from ecosystemiser.names import IDENTIFIER_RULE, is_identifier

__all__ = [
    "MOST_POINTS",
    "STUDY_TYPES",
    "UNCHECKED",
    "ExecutorName",
    "StudyConfig",
    "StudyProblem",
    "StudyType",
    "ValueRange",
]

ExecutorName = Literal["inline", "process", "dask"]
StudyType = Literal["parametric", "genetic_algorithm", "monte_carlo"]
STUDY_TYPES: tuple[StudyType, ...] = ("parametric", "genetic_algorithm", "monte_carlo")

MOST_WITH_HOURS = 1_000
"""Parametric studies of up to so many points keep the hours of all runs, unless told otherwise."""

UNCHECKED = {"is_checked_as_a_whole": False}
"""Context for `StudyConfig.model_validate` that leaves out `problems`: whoever gives it asks for them himself."""


@dataclass(frozen=True)
class StudyProblem:
    """Something that does not go together: where, what was found, what to do."""

    place: tuple[str | int, ...]
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.place))} {self.message}; {self.remedy}"


class StudyConfig(BaseModel):
    """Many simulations of one system; without parameters, the base simulation alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    study_id: str
    """Name under which the study and its runs are found."""
    study_type: StudyType = "parametric"
    """How its points are found."""
    base_config: SimulationConfig = SimulationConfig()
    """What all its simulations share."""
    around: str | None = None
    """A run in the log (its id, the beginning of it, or `last`) that the study stands around: its system as the log
    describes it, with the fields that it set. `base_config` then says only what differs from how that run was made."""
    parameters: dict[str, list[PlainValue] | ValueRange] = {}
    """Values of each varied field of the system, by path: `{"battery.capacity_kwh": [0, 40, 80]}`. Of a genetic study
    the space that it searches, of a Monte Carlo study the designs that it compares."""
    combine: Literal["grid", "zipped", "latin_hypercube", "sobol"] = "grid"
    """Every combination of the values, or the first values together, then the second; or `n_samples` spread over
    lists and ranges."""
    n_samples: Annotated[int, Field(ge=1, le=MOST_POINTS, strict=True)] | None = None
    """Points of combine: latin_hypercube and sobol."""
    seed: Seed | None = None
    """What chance starts from in combine: latin_hypercube and sobol; by default 0."""
    genetic_algorithm: GeneticSettings | None = None
    """What a genetic study is asked to do."""
    monte_carlo: MonteCarloSettings | None = None
    """What a Monte Carlo study is asked to do."""
    workers: Annotated[int, Field(ge=1, le=256, strict=True)] | None = None
    """Processes that solve at the same time; by default one a core, 1 works in this process. Of Dask: the most that
    are used; by default all that a scheduler has."""
    executor: ExecutorName | None = None
    """Where runs are solved: in this process, in worker processes, or on Dask workers. By default what `workers`
    says."""
    scheduler: str | None = None
    """Address of the Dask scheduler, as `tcp://HOST:8786`; by default Dask starts one of its own on this machine."""
    timeseries: Literal["all", "best", "none"] | None = None
    """Whose hours are kept: all runs', the ten best ones', or none, but totals only. By default all of parametric
    studies of up to 1,000 points, else the best."""
    output_directory: Path = Path("data/results")
    """Where hourly results go, each run in a folder of its own."""

    @field_validator("study_id")
    @classmethod
    def _is_identifier(cls, text: str) -> str:
        if not is_identifier(text):
            raise ValueError(f"is no id; use {IDENTIFIER_RULE}")
        return text

    @model_validator(mode="after")
    def _goes_together(self, info: ValidationInfo) -> Self:
        if info.context != UNCHECKED:
            for problem in self.problems():
                raise ValueError(str(problem))
        return self

    @property
    def is_sampled(self) -> bool:
        """Whether its points are spread over ranges by chance."""
        return self.combine in ("latin_hypercube", "sobol")

    @property
    def has_lists(self) -> bool:
        """Whether its parameters are lists of values: of a grid, zipped, or of designs to compare."""
        return self.study_type != "genetic_algorithm" and not self.is_sampled

    @property
    def points(self) -> int:
        """How many points it has; at most, where that shows only on the way."""
        if self.genetic_algorithm is not None:
            return self.genetic_algorithm.points
        if self.is_sampled:
            return self.n_samples or 0
        lengths = list(self._lengths().values())
        designs = (max(lengths) if lengths else 1) if self.combine == "zipped" else math.prod(lengths)
        return designs if self.monte_carlo is None else designs * self.monte_carlo.points

    @property
    def kept_hours(self) -> Literal["all", "best", "none"]:
        """Whose hours are kept, the default resolved."""
        keeps_all = self.study_type == "parametric" and self.points <= MOST_WITH_HOURS
        return self.timeseries or ("all" if keeps_all else "best")

    def values(self) -> dict[str, list[Any]]:
        """Return the values of each field of a parametric study.

        Raises ValueError for a study whose points are not made of such lists alone.
        """
        if self.study_type != "parametric" or self.is_sampled:
            raise ValueError("the points of this study are not made of lists alone; ask its strategy for them")
        return self._listed()

    def compared_values(self) -> dict[str, list[Any]]:
        """Return the values of the fields whose designs a Monte Carlo study compares. Raises ValueError for others."""
        if self.monte_carlo is None:
            raise ValueError("only a Monte Carlo study compares designs")
        return self._listed()

    def _listed(self) -> dict[str, list[Any]]:
        return {
            name: spec.values() if isinstance(spec, ValueRange) else list(spec)
            for name, spec in self.parameters.items()
        }

    def example_values(self) -> dict[str, Any]:
        """Return a value for each field that varies, one that its runs may take."""
        examples = {name: _example_of(spec) for name, spec in self.parameters.items()}
        for name, distribution in self.monte_carlo.distributions.items() if self.monte_carlo is not None else ():
            examples[name] = example_of_distribution(distribution)
        return examples

    def problems(self) -> Iterator[StudyProblem]:
        """Find what does not go together, though each field by itself is right."""
        yield from self._wrong_settings()
        wrong = list(self._wrong_parameters())
        yield from wrong
        if not wrong:
            yield from self._wrong_points()
        yield from self._varied_twice()
        yield from self._wrong_initial_designs()

    def _wrong_settings(self) -> Iterator[StudyProblem]:
        for kind in ("genetic_algorithm", "monte_carlo"):
            settings = getattr(self, kind)
            if self.study_type == kind and settings is None:
                yield StudyProblem((kind,), "is missing", f"a study of this type needs it: {kind}=...")
            if self.study_type != kind and settings is not None:
                yield StudyProblem((kind,), f"belongs to study_type: {kind}", "set that, or leave it out")
        if self.is_sampled and self.study_type != "parametric":
            yield StudyProblem(("combine",), "belongs to parametric studies", "leave it out")
        elif self.is_sampled and self.n_samples is None:
            yield StudyProblem(("n_samples",), "is missing", "give the number of points")
        if self.scheduler is not None and self.executor != "dask":
            yield StudyProblem(("scheduler",), "belongs to executor: dask", "set that, or leave it out")
        if self.executor == "inline" and (self.workers or 1) > 1:
            remedy = "leave it out, or set executor: process"
            yield StudyProblem(("workers",), "is more than executor: inline has, which is this process", remedy)
        if not self.is_sampled:
            for name in ("n_samples", "seed"):
                if getattr(self, name) is not None:
                    remedy = "set one of these, or leave it out"
                    yield StudyProblem((name,), "belongs to combine: latin_hypercube and sobol", remedy)

    def _wrong_parameters(self) -> Iterator[StudyProblem]:
        if not self.parameters and not self.has_lists:
            remedy = "give fields and their ranges, as battery.capacity_kwh: {from: 0, to: 80}"
            yield StudyProblem(("parameters",), "are missing", remedy)
        for name, spec in self.parameters.items():
            if spec == []:
                yield StudyProblem(("parameters", name), "has no values", "list one or more")
            if isinstance(spec, ValueRange) and not spec.is_listed and self.has_lists:
                remedy = "add it, or combine: latin_hypercube" if self.study_type == "parametric" else "add it"
                yield StudyProblem(("parameters", name), "is a range without count", remedy)

    def _wrong_points(self) -> Iterator[StudyProblem]:
        lengths = self._lengths()
        if self.has_lists and self.combine == "zipped" and len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} has {count:,}" for name, count in lengths.items())
            remedy = "give every field as many, or combine: grid"
            yield StudyProblem(("parameters",), f"are zipped, but differ in number: {told}", remedy)
        elif self.points > MOST_POINTS:
            fewer = "list fewer values, or split the study"
            remedy = fewer if self.monte_carlo is None else "lower n_samples, or compare fewer designs"
            place = "parameters" if self.monte_carlo is None else "n_samples"
            yield StudyProblem((place,), f"make {self.points:,} points, more than {MOST_POINTS:,}", remedy)
        if self.points > 1 and self.base_config.run_id is not None:
            told = f"names one run, and this study makes {self.points:,}"
            yield StudyProblem(("base_config", "run_id"), told, "leave it out")

    def _varied_twice(self) -> Iterator[StudyProblem]:
        for name in self.monte_carlo.distributions if self.monte_carlo is not None else ():
            if name in self.parameters:
                place = ("monte_carlo", "distributions", name)
                yield StudyProblem(place, "stands in parameters too", "leave it out in one of them")

    def _wrong_initial_designs(self) -> Iterator[StudyProblem]:
        settings = self.genetic_algorithm
        for at, design in enumerate(settings.initial_designs if settings is not None else ()):
            place = ("genetic_algorithm", "initial_designs", at)
            if set(design) != set(self.parameters):
                remedy = f"give it {', '.join(self.parameters)}"
                yield StudyProblem(place, "must hold a value of each parameter and nothing else", remedy)
                continue
            for name, value in design.items():
                if not _may_be(self.parameters[name], value):
                    told = f"is {value!r}, none of this parameter's values"
                    yield StudyProblem((*place, name), told, "take one of them, or widen the parameter")

    def _lengths(self) -> dict[str, int]:
        """Return how many values each listed field has; 0 for a range without count."""
        return {
            name: (spec.count or 0) if isinstance(spec, ValueRange) else len(spec)
            for name, spec in self.parameters.items()
        }


def _example_of(spec: list[Any] | ValueRange) -> Any:
    if isinstance(spec, ValueRange):
        return int(spec.first) if spec.integer else spec.first
    return spec[0]


def _may_be(spec: list[Any] | ValueRange, value: Any) -> bool:
    if isinstance(spec, list):
        return value in spec
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if spec.is_listed:
        return value in spec.values()
    return spec.first <= value <= spec.to and (not spec.integer or float(value).is_integer())
