"""Many numbers side by side that pass for one: so one reading of a component serves all variations of its sizes."""

from __future__ import annotations

from math import nan
from typing import Any, NoReturn, Self

import numpy as np

from ecosystemiser.model.kinds import Floats

__all__ = ["DividedError", "Lanes", "largest", "smallest"]


class DividedError(TypeError):
    """Something was asked of lanes that has no one answer for all of them."""


class Lanes(float):
    """One float a lane. Where it stands for a float, each lane's result is bit by bit that of its own number.

    Sums, products, quotients and powers are taken lane by lane, as Python takes them. A comparison is answered where it
    has one answer for all lanes; else, and where a single number is asked for, DividedError is raised. Compiled code
    that reads it as a float all the same finds NaN.
    """

    __slots__ = ("values",)
    __array_ufunc__ = None  # arrays leave arithmetic with lanes to them, where it is refused
    values: Floats

    def __new__(cls, values: Floats) -> Self:
        """Return lanes of `values`. (lanes,)"""
        lanes = super().__new__(cls, nan)
        lanes.values = values
        return lanes

    def __add__(self, other: float) -> Lanes:
        return Lanes(self.values + _operand(other))

    def __sub__(self, other: float) -> Lanes:
        return Lanes(self.values - _operand(other))

    def __rsub__(self, other: float) -> Lanes:
        return Lanes(_operand(other) - self.values)

    def __mul__(self, other: float) -> Lanes:
        return Lanes(self.values * _operand(other))

    def __truediv__(self, other: float) -> Lanes:
        return _quotient(self.values, _operand(other))

    def __rtruediv__(self, other: float) -> Lanes:
        return _quotient(_operand(other), self.values)

    def __pow__(self, other: float, _modulus: None = None) -> Lanes:
        return _power(self.values, _operand(other))

    def __rpow__(self, other: float, _modulus: None = None) -> Lanes:
        return _power(_operand(other), self.values)

    def __neg__(self) -> Lanes:
        return Lanes(-self.values)

    __radd__, __rmul__ = __add__, __mul__

    def __bool__(self) -> bool:
        return _one_answer(self.values != 0)

    def __eq__(self, other: object) -> bool:
        return _one_answer(self.values == _operand(other))

    def __ne__(self, other: object) -> bool:
        return _one_answer(self.values != _operand(other))

    def __lt__(self, other: float) -> bool:
        return _one_answer(self.values < _operand(other))

    def __le__(self, other: float) -> bool:
        return _one_answer(self.values <= _operand(other))

    def __gt__(self, other: float) -> bool:
        return _one_answer(self.values > _operand(other))

    def __ge__(self, other: float) -> bool:
        return _one_answer(self.values >= _operand(other))

    def __repr__(self) -> str:
        return f"Lanes({self.values!r})"

    def __hash__(self) -> int:
        raise DividedError("lanes are no single number")

    def _refuse(self, *_: object) -> NoReturn:
        raise DividedError("lanes are no single number")

    __abs__ = __ceil__ = __divmod__ = __float__ = __floor__ = __floordiv__ = __format__ = _refuse
    __int__ = __mod__ = __pos__ = __rdivmod__ = __rfloordiv__ = __rmod__ = __round__ = __str__ = __trunc__ = _refuse
    as_integer_ratio = hex = is_integer = _refuse


def largest(*numbers: float) -> float:
    """Return the largest number, lane by lane where some are lanes."""
    if any(isinstance(number, Lanes) for number in numbers):
        return Lanes(np.maximum.reduce(np.broadcast_arrays(*map(_operand, numbers))))
    return max(numbers)


def smallest(*numbers: float) -> float:
    """Return the smallest number, lane by lane where some are lanes."""
    return -largest(*(-number for number in numbers))


def _operand(other: object) -> Any:
    if isinstance(other, Lanes):
        return other.values
    if type(other) in (float, int):
        return other
    raise DividedError(f"lanes do not go with {type(other).__name__}")


def _quotient(above: Any, below: Any) -> Lanes:
    if np.any(below == 0):
        raise DividedError("a lane would divide by 0")
    return Lanes(above / below)


def _power(bases: Any, exponents: Any) -> Lanes:
    """Return powers as Python takes them: those of arrays may differ in the last bit."""
    pairs = zip(*(array.tolist() for array in np.broadcast_arrays(bases, exponents)), strict=True)
    return Lanes(np.array([base**exponent for base, exponent in pairs], dtype=np.float64))


def _one_answer(answers: Any) -> bool:
    if np.all(answers):
        return True
    if np.any(answers):
        raise DividedError("lanes differ in the answer")
    return False
