"""One condition of a filter: a name, what is asked of it, and values that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, cast

from ecosystemiser.store.filtering.fields import Field, FieldTable
from ecosystemiser.store.filtering.operands import check_operator, read_pattern, read_value, read_values
from ecosystemiser.store.filtering.places import Findings
from ecosystemiser.store.filtering.tokens import Token
from ecosystemiser.store.filtering.tree import Between, Comparison, In, IsNull, Leaf, Like, Operator

__all__ = ["MOST_VALUES", "ConditionReader", "Cursor", "NoConditionError"]

MOST_VALUES = 1_000
"""In one list of IN."""

_MIRRORED: dict[Operator, Operator] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class NoConditionError(Exception):
    """What stands here is no condition; the finding is told, and what follows may be read on."""


class Cursor:
    """Where the reading stands among the tokens; the last one, of kind `end`, is never passed."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self.depth = 0
        """How many parentheses are open here."""

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._next]

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.token
        self._next = min(self._next + 1, len(self._tokens) - 1)
        self.depth += (token.kind == "(") - (token.kind == ")")
        return token

    def took(self, kind: str) -> bool:
        """Return whether the next token is of this kind; if so, go past it."""
        fits = self.token.kind == kind
        if fits:
            self.take()
        return fits


class ConditionReader:
    """Reads conditions; what does not fit the fields goes to `findings`."""

    def __init__(self, cursor: Cursor, fields: FieldTable, findings: Findings) -> None:
        self._cursor = cursor
        self._fields = fields
        self._findings = findings

    def read(self) -> Leaf | None:
        """Return the condition that begins here; None where it has its form but does not fit the fields.

        Raises NoConditionError where it has no form.
        """
        first = self._cursor.token
        if first.kind not in {"name", "value"}:
            self._refuse(first, "a condition", "begin one with a name, as in total_cost < 20000")
        self._cursor.take()
        return self._after_name(first) if first.kind == "name" else self._after_value(first)

    def _after_name(self, name: Token) -> Leaf | None:
        field = self._field(name)
        negated = self._cursor.took("not")
        asked = self._cursor.token
        known = {"in", "between", "like"} if negated else {"in", "between", "like", "is", "operator"}
        if asked.kind not in known:
            remedy = "write NOT IN, NOT BETWEEN or NOT LIKE" if negated else "write one, as < 20000, or IS NULL"
            self._refuse(asked, "IN, BETWEEN or LIKE" if negated else f"a comparison with {name.text}", remedy)
        self._cursor.take()
        fits = field is not None and (asked.kind == "is" or check_operator(asked, field, self._findings))
        leaf = self._asked(asked, name, field, negated=negated)
        return leaf if fits else None

    def _asked(self, asked: Token, name: Token, field: Field | None, *, negated: bool) -> Leaf | None:
        full, at = field.name if field else name.text, name.at
        match asked.kind:
            case "is":
                return self._null(full, at)
            case "in":
                values = read_values(self._list(), field, self._findings)
                return None if values is None else In(full, values, negated, at)
            case "between":
                ends = read_values(self._ends(), field, self._findings, ordered=True)
                return None if ends is None else Between(full, ends[0], ends[1], negated, at)
            case "like":
                pattern = read_pattern(self._value(), self._findings)
                return None if pattern is None else Like(full, pattern, negated, at)
        return self._comparison(cast("Operator", asked.value), full, field, self._value(), at)

    def _comparison(
        self, operator: Operator, full: str, field: Field | None, token: Token, at: int
    ) -> Comparison | None:
        value = read_value(token, field, self._findings, ordered=operator not in {"=", "!="})
        return None if value is None else Comparison(full, operator, value, at)

    def _after_value(self, value: Token) -> Comparison | None:
        if self._cursor.token.kind != "operator":
            remedy = "write a comparison, as in 20000 > total_cost"
            self._refuse(self._cursor.token, f"a comparison with {value.text}", remedy)
        sign = self._cursor.take()
        name = self._cursor.token
        if name.kind != "name":
            self._refuse(name, "a name", f"name what {value.text} is to be compared with")
        self._cursor.take()
        field = self._field(name)
        fits = field is not None and check_operator(sign, field, self._findings)
        mirrored = _MIRRORED[cast("Operator", sign.value)]
        leaf = self._comparison(mirrored, field.name if field else name.text, field, value, value.at)
        return leaf if fits else None

    def _null(self, full: str, at: int) -> IsNull:
        negated = self._cursor.took("not")
        if not self._cursor.took("null"):
            self._refuse(self._cursor.token, "NULL", "write IS NULL or IS NOT NULL")
        return IsNull(full, negated, at)

    def _ends(self) -> list[Token]:
        low = self._value()
        if not self._cursor.took("and"):
            self._refuse(self._cursor.token, "AND", "write BETWEEN 10 AND 20")
        return [low, self._value()]

    def _list(self) -> list[Token]:
        if not self._cursor.took("("):
            self._refuse(self._cursor.token, "the list of IN", "write IN ('a', 'b')")
        values = [self._value()]
        while self._cursor.took(","):
            values.append(self._value())
            if len(values) == MOST_VALUES + 1:
                message = f"is value {len(values):,} of the list"
                self._findings.add(values[-1].at, len(values[-1].text), message, f"give {MOST_VALUES:,} at most")
        if not self._cursor.took(")"):
            self._refuse(self._cursor.token, "the rest of the list of IN", "write , or )")
        return values

    def _value(self) -> Token:
        token = self._cursor.token
        if token.kind == "null":
            message = "is no value, and equals nothing"
            self._findings.add(token.at, len(token.text), message, "write IS NULL or IS NOT NULL")
            raise NoConditionError
        if token.kind not in {"value", "name"}:
            self._refuse(token, "a value", "give a number, or text in single quotes")
        return self._cursor.take()

    def _field(self, name: Token) -> Field | None:
        plain = str(name.value)
        field = self._fields.find(plain)
        if field is None:
            remedy = self._fields.remedy(plain)
            self._findings.add(name.at, len(name.text), "is nothing that can be asked for", remedy)
        return field

    def _refuse(self, token: Token, awaited: str, remedy: str) -> NoReturn:
        if token.kind != "bad":
            self._findings.add_misplaced(token.at, len(token.text), awaited, remedy)
        raise NoConditionError
