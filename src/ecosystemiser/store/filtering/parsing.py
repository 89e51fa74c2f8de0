"""The text of a filter to its tree, with everything that is wrong at once.

    filter     = condition {"or" condition}, "and" binding closer, "not" closest; parentheses
    condition  = name operator value | value operator name | name ["not"] "in" (value, ...)
               | name ["not"] "between" value "and" value | name ["not"] "like" 'pattern' | name "is" ["not"] "null"

Reads without recursion: open parentheses are a list, so no text can exhaust the stack.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.store.filtering.conditions import ConditionReader, Cursor, NoConditionError
from ecosystemiser.store.filtering.fields import Field, FieldTable
from ecosystemiser.store.filtering.places import Findings
from ecosystemiser.store.filtering.tokens import Token, tokens
from ecosystemiser.store.filtering.tree import And, IsNull, Not, Or, Tree

__all__ = ["LONGEST_TEXT", "MOST_CONDITIONS", "MOST_NESTED", "MOST_TURNS", "parse"]

LONGEST_TEXT = 10_000
"""Characters of a filter, as written and in canonical form."""
MOST_NESTED = 100
"""Parentheses and NOTs within each other."""
MOST_TURNS = 50
"""AND within OR within AND ...: each turn is a level for the database and what talks to it."""
MOST_CONDITIONS = 200
"""A chain of conditions is as deep a tree for SQLite, twice as deep within IN (SELECT ...), and it takes 1,000."""


def parse(text: str, fields: Iterable[Field]) -> Tree:
    """Return what `text` says.

    Raises InputError with a finding for everything that is wrong: unknown names, values that do not fit,
    broken syntax, what is over the limits.
    """
    _check_text(text)
    findings = Findings(text)
    tree = _Parser(text, FieldTable(fields), findings).read()
    findings.raise_if_any()
    if len(str(tree)) > LONGEST_TEXT:
        raise InputError([_too_long("has, with full names and times,", len(str(tree)))])
    return tree


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise InputError([_too_long("has", len(text))])
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"holds something that is no Unicode at character {error.start + 1}"
        raise InputError([Finding(found, "take it out", "filter")]) from error
    if "\0" in text:
        raise InputError([Finding(f"holds a NUL at character {text.index(chr(0)) + 1}", "take it out", "filter")])
    if not text.strip():
        raise InputError([Finding("is empty", "write a condition, as total_cost < 20000", "filter")])


def _too_long(has: str, length: int) -> Finding:
    return Finding(f"{has} {length:,} characters", f"give {LONGEST_TEXT:,} at most", "filter")


@dataclass(frozen=True)
class _Part:
    tree: Tree
    turns: int = 0
    """How many levels of AND and OR it has."""


_WRONG = _Part(IsNull("?"))
"""Stands for a condition that is wrong, and told."""


@dataclass
class _Level:
    """What is read so far between one pair of parentheses."""

    opened: Token
    ors: list[_Part] = field(default_factory=list)
    ands: list[_Part] = field(default_factory=list)
    """Since the last OR."""
    nots: list[Token] = field(default_factory=list)
    """In front of what comes next."""

    def add(self, part: _Part) -> None:
        tree = part.tree
        for sign in reversed(self.nots):
            tree = Not(tree, sign.at)
        self.nots.clear()
        self.ands.append(_Part(tree, part.turns))

    def end_and(self) -> None:
        self.ors.append(_joined(And, self.ands))
        self.ands = []

    def closed(self) -> _Part:
        self.end_and()
        return _joined(Or, self.ors)


def _joined(kind: type[And | Or], parts: list[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    turns = max(part.turns + (not isinstance(part.tree, kind)) for part in parts)
    return _Part(kind(tuple(part.tree for part in parts), parts[0].tree.at), turns)


class _Parser:
    def __init__(self, text: str, fields: FieldTable, findings: Findings) -> None:
        self._findings = findings
        self._cursor = Cursor(tokens(text, findings))
        self._conditions = ConditionReader(self._cursor, fields, findings)
        self._levels = [_Level(Token("(", "", 0))]
        self._count = 0

    def read(self) -> Tree:
        """Return the tree; it means nothing where there are findings."""
        awaited = True
        while awaited or self._cursor.token.kind != "end":
            awaited = self._before_condition() if awaited else self._after_condition()
        while len(self._levels) > 1:
            self._findings.add(self._levels[-1].opened.at, 1, "is never closed", "close it with )")
            self._close()
        whole = self._levels[0].closed()
        if whole.turns > MOST_TURNS:
            message = f"is the first of {whole.turns} levels of AND within OR within AND"
            self._findings.add(whole.tree.at, 1, message, f"nest {MOST_TURNS} at most")
        return whole.tree

    def _before_condition(self) -> bool:
        """Read a condition or what may stand in front of it; return whether one must follow."""
        token = self._cursor.token
        if token.kind == "not":
            self._levels[-1].nots.append(self._cursor.take())
        elif token.kind == "(":
            self._levels.append(_Level(self._cursor.take()))
        else:
            self._levels[-1].add(self._condition(token))
            return False
        if len(self._levels) - 1 + sum(len(level.nots) for level in self._levels) > MOST_NESTED:
            self._stop(
                token, f"lies in more than {MOST_NESTED - 1} parentheses and NOTs", f"nest {MOST_NESTED} at most"
            )
        return True

    def _after_condition(self) -> bool:
        """Read what joins or ends conditions; return whether another one must follow."""
        token = self._cursor.token
        if token.kind in {"and", "or"}:
            self._cursor.take()
            if token.kind == "or":
                self._levels[-1].end_and()
            return True
        if token.kind == ")":
            self._cursor.take()
            if len(self._levels) > 1:
                self._close()
            else:
                self._findings.add(token.at, 1, "closes nothing", "take it out, or open one with (")
            return False
        if token.kind == "operator":
            self._findings.add(token.at, len(token.text), "compares a second time", "join two comparisons with AND")
        elif token.kind != "bad":
            remedy = (
                "join conditions with one" if token.kind != "," else "write numbers without it; a list belongs to IN"
            )
            self._findings.add_misplaced(token.at, len(token.text), "AND or OR", remedy)
            if token.kind in {"name", "value", "not", "("}:
                return True
        self._skip(self._cursor.depth)
        return False

    def _close(self) -> None:
        part = self._levels.pop().closed()
        self._levels[-1].add(part)

    def _condition(self, token: Token) -> _Part:
        if token.kind in {"and", "or", ")", "end"}:
            remedy = "write one, or take out what joins it"
            self._findings.add_misplaced(token.at, len(token.text), "a condition", remedy)
            return _WRONG
        self._count += 1
        if self._count > MOST_CONDITIONS:
            remedy = f"give {MOST_CONDITIONS} at most; name IN (...) is one"
            self._stop(token, f"begins condition {self._count}", remedy)
        depth = self._cursor.depth
        try:
            leaf = self._conditions.read()
        except NoConditionError:
            self._skip(depth)
            return _WRONG
        return _WRONG if leaf is None else _Part(leaf)

    def _skip(self, depth: int) -> None:
        """Go on to what may stand after a condition that began at this depth of parentheses."""
        follows = {"and", "or", ")"}
        while self._cursor.token.kind != "end":
            if self._cursor.depth <= depth and self._cursor.token.kind in follows:
                return
            self._cursor.take()

    def _stop(self, token: Token, message: str, remedy: str) -> NoReturn:
        self._findings.add(token.at, len(token.text), message, remedy)
        self._findings.raise_if_any()
        raise NoConditionError
