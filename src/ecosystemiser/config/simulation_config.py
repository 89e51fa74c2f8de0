"""What one simulation is asked to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ecosystemiser.config.plain import PlainValue
from ecosystemiser.config.solver_options import SolverOptions, SolverType
from ecosystemiser.names import IDENTIFIER_RULE, is_identifier

__all__ = ["DEFAULT_SYSTEM", "SimulationConfig"]

DEFAULT_SYSTEM = "riverside-community"


class SimulationConfig(BaseModel):
    """One simulation; with nothing said, a year of the packaged example system."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    system: str | Path = DEFAULT_SYSTEM
    """A packaged system's name, or the path of a system file."""
    system_id: str | None = None
    """Name under which the run is found; by default the one that the file gives."""
    solver_type: SolverType = "milp"
    """The solver."""
    timesteps: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] | None = None
    """Solve the first so many steps; by default all that the file names."""
    parameters: dict[str, PlainValue] = {}
    """Fields of the system to set, by path: `{"battery.capacity_kwh": 100}`."""
    solver: SolverOptions = SolverOptions()
    """How the solver is to work."""
    output_directory: Path = Path("data/results")
    """Where hourly results go, each run in a folder of its own."""
    reuse: bool = False
    """Take the result of an equal run over where the log has one, instead of solving again."""
    run_id: str | None = None
    """Id of the run; by default a new one."""
    study_id: str | None = None
    """The study that it belongs to."""

    @field_validator("run_id", "study_id", "system_id")
    @classmethod
    def _is_identifier(cls, text: str | None) -> str | None:
        if text is not None and not is_identifier(text):
            raise ValueError(f"is no id; use {IDENTIFIER_RULE}")
        return text

    @model_validator(mode="after")
    def _names_the_packaged_system(self) -> Self:
        if self.system_id is None and self.system == DEFAULT_SYSTEM:
            object.__setattr__(self, "system_id", DEFAULT_SYSTEM)
        return self
