"""How a solver is to work: closed and frozen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SOLVER_TYPES", "WARM_SOLVERS", "SolverOptions", "SolverType", "Strategy"]

SolverType = Literal["rule_based", "milp", "rolling_horizon", "hybrid"]
SOLVER_TYPES: tuple[SolverType, ...] = ("rule_based", "rolling_horizon", "hybrid", "milp")

WARM_SOLVERS: tuple[SolverType, ...] = ("hybrid", "milp")
"""Solvers that start a variation of a linear program from the answer before."""
Strategy = Literal["self_consumption", "time_of_use", "peak_shaving", "load_following", "cycle_charging"]


class SolverOptions(BaseModel):
    """Options of all solvers; each solver refuses what it cannot do."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    end: Literal["shortfall", "cyclic", "fixed", "free"] = "shortfall"
    """What must hold of storages at the end; rule_based knows `shortfall` and `free` only."""
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    """Longest time for the optimiser. [s]"""
    gap: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    """Distance to the bound at which a search over integers may end. [1]"""
    lookahead_h: Annotated[float, Field(gt=0, le=8784)] = 48.0
    """Hours that each window of rolling_horizon and hybrid sees. [h]"""
    commit_h: Annotated[float, Field(gt=0, le=8784)] = 24.0
    """Hours of a window that are kept; at most lookahead_h. [h]"""
    strategy: Strategy = "self_consumption"
    """Whom a rule serves first, and from what; rule_based alone."""
    peak_kw: Annotated[float, Field(ge=0)] | None = None
    """What peak_shaving buys at most from each electricity grid while storages can help. [kW]"""
    charge_setpoint: Annotated[float, Field(gt=0, le=1)] = 0.8
    """To what share of their capacity cycle_charging charges storages from units. [1]"""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of one solve."""
