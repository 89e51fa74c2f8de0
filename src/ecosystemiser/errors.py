"""Every exception that EcoSystemiser raises on purpose.

    EcoSystemiserError
     ├── InputError       the request is wrong: what, where, and what to do (exit code 2)
     ├── SolveError       a solve came to no acceptable answer; carries a FailureCause (exit code 1)
     ├── NotAgreedError   somebody was asked whether a study is to go on, and did not agree (exit code 1)
     ├── WorkersGoneError those who were to do the work are gone for good (exit code 1)
     └── StoreError       the database or an hourly file cannot be read or written (exit code 1)
          └── DatabaseUnreachableError   the database server cannot be reached at this moment

Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "DatabaseUnreachableError",
    "EcoSystemiserError",
    "FailureCause",
    "Finding",
    "InputError",
    "NotAgreedError",
    "SolveError",
    "StoreError",
    "WorkersGoneError",
]


class FailureCause(StrEnum):
    """Why a run failed; the word that stands in its row."""

    INFEASIBLE = "infeasible"
    """Proved: no plan meets every demand and limit."""
    UNMET = "unmet"
    """The plan leaves a demand short that must be met."""
    UNBOUNDED = "unbounded"
    """A price makes money without end."""
    DATA = "data"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    BALANCE = "balance"
    """The audit found a balance or a bound violated."""
    SOLVER = "solver"
    STORAGE = "storage"
    """The results could not be written."""


class EcoSystemiserError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with an input: where, what was found, what to do.

    >>> print(Finding("is negative", "give a size of 0 or more", "pv.capacity_kw", -3, "a.yaml", 12))
    a.yaml:12: pv.capacity_kw: -3 is negative; give a size of 0 or more
    """

    message: str
    remedy: str
    key: str = ""
    value: object = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place = f"{place or 'line '}:{self.line}" if self.file else f"line {self.line}"
        shown = "" if self.value is None else f"{_shorten(self.value)} "
        parts = [part for part in (place, self.key) if part]
        text = f"{shown}{self.message}; {self.remedy}" if self.remedy else f"{shown}{self.message}"
        return ": ".join([*parts, text])


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


class InputError(EcoSystemiserError):
    """The request is wrong. `findings` holds everything that is wrong with it, in the order of the file."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Finding, ...]]]:
        return type(self), (self.findings,)


class SolveError(EcoSystemiserError):
    """A solve came to no acceptable answer; `cause` is the word that goes into the run's row."""

    def __init__(self, cause: FailureCause, message: str) -> None:
        self.cause = cause
        super().__init__(message)

    def __reduce__(self) -> tuple[type[SolveError], tuple[FailureCause, str]]:
        return type(self), (self.cause, str(self))


class NotAgreedError(EcoSystemiserError):
    """Somebody was asked whether a study is to go on, and did not agree; what was done until then is kept."""


class WorkersGoneError(EcoSystemiserError):
    """Those who were to do the work are gone for good, such as a cluster whose scheduler died."""


class StoreError(EcoSystemiserError):
    """The database or an hourly file cannot be read or written; the message says what to do."""


class DatabaseUnreachableError(StoreError):
    """The database server cannot be reached at this moment: it refused, was lost, or shuts down.

    The same call may succeed later. Nothing of the write was kept, but where `is_write_uncertain`: then the
    server went away while it confirmed the write, which may have been kept as a whole or not at all.
    """

    def __init__(self, message: str, *, is_write_uncertain: bool = False) -> None:
        self.is_write_uncertain = is_write_uncertain
        super().__init__(message)

    def __reduce__(self) -> tuple[type[DatabaseUnreachableError], tuple[str], dict[str, bool]]:
        return type(self), (str(self),), {"is_write_uncertain": self.is_write_uncertain}
