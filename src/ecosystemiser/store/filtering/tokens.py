"""The text of a filter, cut into names, values, operators and keywords."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ecosystemiser.store.filtering.literals import KEYWORDS, NAME, Value, name_of
from ecosystemiser.store.filtering.places import Findings

__all__ = ["Token", "tokens"]


@dataclass(frozen=True)
class Token:
    """One piece of the text."""

    kind: str
    """`name`, `value`, `operator`, a keyword, one of ( ) and comma, `end`, or `bad`: already found wrong."""
    text: str
    at: int
    value: Value = ""
    """Of a value; of a name the plain name; of an operator the one that is meant."""


_OTHER_QUOTES = "\u2018\u2019\u201a\u201c\u201d\u201e`"
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"(?P<space>\s+)"
    rf"|(?P<text>'(?:[^']|'')*')"
    rf"|(?P<name>(?>{NAME.pattern})(?!\.))"
    rf"|(?P<broken_name>(?>{NAME.pattern})\.(?>(?:\"\"|[\w.])*)(?!\"))"
    rf"|(?P<open_name>(?>{NAME.pattern})\.\".*)"
    rf"|(?P<number>{_NUMBER}(?![\w.]|-[0-9]))"
    rf"|(?P<broken_number>[+-]?\.?[0-9][\w.:+-]*)"
    rf"|(?P<operator><=|>=|<>|!=|==|=|<|>|&&|\|\|)"
    rf"|(?P<mark>[(),])"
    rf"|(?P<other_quotes>[{_OTHER_QUOTES}][^{_OTHER_QUOTES}]*[{_OTHER_QUOTES}]?)"
    rf"|(?P<open_quote>['\"].*)"
    rf"|(?P<other>.)",
    re.DOTALL,
)
_MEANT = {"<>": "!=", "==": "="}
_CONNECTIVES = {"&&": "and", "||": "or"}
_INSTEAD = {
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "\u2212": "write - for minus",
    "!": "write != or NOT",
    ";": "write one condition, without ;",
}


def tokens(text: str, findings: Findings) -> list[Token]:
    """Return the pieces of `text`, the last of kind `end`; what is none goes to `findings` and is `bad`."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind != "space":
            found.append(_token(str(kind), match.group(), match.start(), findings))
    return [*found, Token("end", "", len(text))]


def _token(kind: str, text: str, at: int, findings: Findings) -> Token:
    match kind:
        case "text":
            return Token("value", text, at, text[1:-1].replace("''", "'"))
        case "name":
            return _named(text, at, findings)
        case "number":
            number = _number(text)
            if math.isfinite(number):
                return Token("value", text, at, number)
            findings.add(at, len(text), "is too large for a number", "give one below 1.8e308")
        case "operator":
            if text in _CONNECTIVES:
                return Token(_CONNECTIVES[text], text, at)
            return Token("operator", text, at, _MEANT.get(text, text))
        case "mark":
            return Token(text, text, at)
        case _:
            findings.add(at, 1 if kind.startswith("open") else len(text), *_wrong(kind, text))
    return Token("bad", text, at)


def _wrong(kind: str, text: str) -> tuple[str, str]:
    """Return what is wrong with what is no token, and what to do."""
    match kind:
        case "broken_number":
            dated = re.match(r"[0-9]{4}-[0-9]", text)
            return "is not a number", f"put times into quotes: '{text}'" if dated else "write it as 40, -0.5 or 1.2e6"
        case "broken_name":
            return "has an empty part", "give a name between all dots"
        case "open_name":
            return "begins a name that never ends", 'close its last part with "'
        case "open_quote":
            return "opens text that never ends", f"close it with {text[0]}"
        case "other_quotes":
            return "stands in other quotes", "write text between straight ones: '...'"
    remedy = _INSTEAD.get(text, "take it out, or put it into quotes where it is part of a text")
    return "means nothing in a filter", remedy


def _named(text: str, at: int, findings: Findings) -> Token:
    word = text.lower()
    if word in {"true", "false"}:
        return Token("value", text, at, word == "true")
    if word in KEYWORDS:
        return Token(word, text, at)
    name = name_of(text)
    if "" in name.split("."):
        findings.add(at, len(text), "has an empty part", "give a name between all dots")
        return Token("bad", text, at)
    return Token("name", text, at, name)


def _number(text: str) -> int | float:
    whole = re.fullmatch(r"[+-]?[0-9]{1,19}", text) is not None
    return int(text) if whole and abs(int(text)) < 1 << 63 else float(text)
