"""KPIs as a person names them: alone, as an objective, with a limit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from ecosystemiser.kpis import KPI_NAMES
from ecosystemiser.names import did_you_mean

__all__ = ["Direction", "KpiLimit", "KpiName", "LimitText"]

Direction = Literal["minimise", "maximise"]

_LIMIT = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=)\s*(\S+)\s*")
_EXAMPLE = "write a KPI, >= or <=, and a number, as 'self_sufficiency_rate >= 0.8'"


def _known_kpi(name: str) -> str:
    if name not in KPI_NAMES:
        raise ValueError(f"is no KPI; {did_you_mean(name, KPI_NAMES)}use one of {', '.join(KPI_NAMES)}")
    return name


@dataclass(frozen=True)
class KpiLimit:
    """A limit on a KPI: at least (`>=`) or at most (`<=`) so much."""

    kpi: str
    relation: Literal[">=", "<="]
    limit: float

    @classmethod
    def parse(cls, text: str) -> KpiLimit:
        """Return the limit that `text` states. Raises ValueError with what is wrong and what to write."""
        found = _LIMIT.fullmatch(text)
        if found is None:
            raise ValueError(f"is no limit on a KPI; {_EXAMPLE}")
        try:
            limit = float(found[3])
        except ValueError:
            limit = math.nan
        if not math.isfinite(limit):
            raise ValueError(f"names no number; {_EXAMPLE}")
        if found[1] not in KPI_NAMES:
            remedy = f"{did_you_mean(found[1], KPI_NAMES)}use one of {', '.join(KPI_NAMES)}"
            raise ValueError(f"limits {found[1]!r}, which is no KPI; {remedy}")
        return cls(found[1], ">=" if found[2] == ">=" else "<=", limit)

    def __str__(self) -> str:
        return f"{self.kpi} {self.relation} {self.limit:g}"


def _is_limit(text: str) -> str:
    KpiLimit.parse(text)
    return text


KpiName = Annotated[str, AfterValidator(_known_kpi)]
"""The name of a KPI."""

LimitText = Annotated[str, AfterValidator(_is_limit)]
"""A limit on a KPI, as `self_sufficiency_rate >= 0.8`."""
