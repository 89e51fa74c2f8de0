"""ruamel.yaml's scanner and parser, made three times as fast on ordinary files, and stricter.

The grammar stays ruamel's: the methods below shorten the common case (a scalar on one line) by a regular
expression and hand everything else to the base class. Refused where they first appear: tags, directives and
flow collections nested deeper than `MAX_DEPTH`.

Importing this module imports ruamel.yaml (30 ms), so the package does it at the first parse.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.parser import Parser
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import ScalarToken

__all__ = ["MAX_DEPTH", "MarkedYAMLError", "Refused", "event_source"]

MAX_DEPTH = 50

# The quantifiers are possessive: the others remember each step, a gigabyte for ten megabytes of blank lines.
_BLANKS = re.compile(r"(?: *+(?:#[^\n\0]*+)?+\n)*+ *+(?:#[^\n\0]*+)?+")
_FLOW_BLANKS = re.compile(r"(?:[ \t]*+(?:#[^\n\0]*+)?+\n)*+[ \t]*+(?:#[^\n\0]*+)?+")
_PLAIN_WORD = r"(?:[^ \t\n\0:]|:(?![ \t\n\0]))"
_PLAIN = re.compile(rf"{_PLAIN_WORD}++(?: ++(?!#){_PLAIN_WORD}++)*+")
_FLOW_WORD = r"(?:[^ \t\n\0:,\[\]{}]|:(?![ \t\n\0]))"
_FLOW_PLAIN = re.compile(rf"{_FLOW_WORD}++(?: ++(?!#){_FLOW_WORD}++)*+")
_TO_NEXT_LINE = re.compile(r" *+\n[ \n]*+")
_QUOTED = re.compile(r"'([^'\n\0]*+)'(?!')|\"([^\"\\\n\0]*+)\"")
_PLAIN_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.")

_FETCHERS = {
    "[": "fetch_flow_sequence_start",
    "]": "fetch_flow_sequence_end",
    "{": "fetch_flow_mapping_start",
    "}": "fetch_flow_mapping_end",
    ",": "fetch_flow_entry",
    "'": "fetch_single",
    '"': "fetch_double",
}


class Refused(Exception):  # noqa: N818 - not an error of ours to show: `tree` turns it into a Finding
    """Something that YAML allows and this package does not; `line` counts from 0."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        super().__init__(message)
        self.line, self.message, self.remedy = line, message, remedy


class _Mark(NamedTuple):
    line: int


class _Text(Reader):
    """The characters of a string whose line breaks are all `\\n`; a mark knows only its line."""

    def __init__(self, text: str) -> None:
        self.reset_reader()
        self.buffer = text + "\0"
        self._mark = _Mark(0)

    def peek(self, index: int = 0) -> str:
        return self.buffer[self.pointer + index]

    def prefix(self, length: int = 1) -> str:
        return self.buffer[self.pointer : self.pointer + length]

    def forward(self, length: int = 1) -> None:
        self.move(self.pointer + length)

    def move(self, end: int) -> None:
        """Advance to the index `end`."""
        breaks = self.buffer.count("\n", self.pointer, end)
        if breaks:
            self.line += breaks
            self.column = end - self.buffer.rfind("\n", self.pointer, end) - 1
        else:
            self.column += end - self.pointer
        self.pointer = self.index = end

    def get_mark(self) -> _Mark:
        if self._mark.line != self.line:
            self._mark = _Mark(self.line)
        return self._mark


class _Scanner(Scanner):
    reader: Any = None  # with the next, a property in the base class that is looked up 13 times a token
    scanner_processing_version = (1, 2)

    def __init__(self, text: _Text, *, comments: bool) -> None:
        self.reader = text
        self.comments = comments
        super().__init__()

    def need_more_tokens(self) -> bool:
        if not self.tokens:
            return not self.done
        return bool(self.possible_simple_keys) and super().need_more_tokens()

    def peek_token(self) -> Any:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        return self.tokens[0] if self.tokens else None

    def check_token(self, *choices: Any) -> bool:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def get_token(self) -> Any:
        token = self.peek_token()
        if token is not None:
            self.tokens_taken += 1
            del self.tokens[0]
        return token

    def fetch_more_tokens(self) -> Any:
        text = self.reader
        self.scan_to_next_token()
        if self.possible_simple_keys:
            self.stale_possible_simple_keys()
        if self.indent > text.column:
            self.unwind_indent(text.column)
        character = text.buffer[text.pointer]
        if character in _PLAIN_START and not (text.column == 0 and self.check_document_end()):
            return self.fetch_plain()
        if character == ":" and self.check_value():
            return self.fetch_value()
        if character == "?" and self.flow_context and text.peek(1) not in " \t\n\0,[]{}":
            return self.fetch_plain()  # where ruamel takes `[?x]` for a key
        if character in _FETCHERS:
            return getattr(self, _FETCHERS[character])()
        return super().fetch_more_tokens()

    def scan_to_next_token(self) -> None:
        text = self.reader
        if text.buffer[text.pointer] not in " \n#\t":
            return
        line = text.line
        blanks = _FLOW_BLANKS if self.flow_context else _BLANKS
        start = end = text.pointer
        if found := blanks.match(text.buffer, start):  # always
            end = found.end()
        if not self.comments and "#" in text.buffer[start:end]:
            raise Refused(text.line, "holds a comment, from '#' on", "put quotes around a text with '#'")
        text.move(end)
        if text.line != line and not self.flow_context:
            self.allow_simple_key = True

    def scan_plain(self) -> Any:
        text = self.reader
        found = (_FLOW_PLAIN if self.flow_context else _PLAIN).match(text.buffer, text.pointer)
        if not found or text.buffer[text.pointer] == "#":
            return super().scan_plain()
        rest = _TO_NEXT_LINE.match(text.buffer, found.end())
        if rest and (
            self.flow_context
            or (
                rest.end() - text.buffer.rfind("\n", 0, rest.end()) > self.indent + 1
                and text.buffer[rest.end()] not in "#\0"
            )
        ):
            return super().scan_plain()  # goes on in the next line
        mark = text.get_mark()
        text.move(rest.end() if rest else found.end())
        self.allow_simple_key = rest is not None
        return ScalarToken(found.group(), plain=True, start_mark=mark, end_mark=mark)

    def scan_flow_scalar(self, style: Any) -> Any:
        found = _QUOTED.match(self.reader.buffer, self.reader.pointer)
        if not found:
            return super().scan_flow_scalar(style)
        mark = self.reader.get_mark()
        self.reader.move(found.end())
        value = found.group(found.lastindex or 0)
        return ScalarToken(value, plain=False, start_mark=mark, end_mark=mark, style=style)

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - ruamel's name
        if len(self.flow_context) >= MAX_DEPTH:
            raise Refused(self.reader.line, f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
        super().fetch_flow_collection_start(TokenClass, to_push)

    def fetch_tag(self) -> NoReturn:
        tag = re.match(r"\S*", self.reader.buffer[self.reader.pointer : self.reader.pointer + 40])
        shown = tag.group() if tag else "!"
        raise Refused(
            self.reader.line,
            f"the tag {shown!r} is not allowed",
            "remove the tag, or put quotes around a text that starts with '!'",
        )

    def fetch_directive(self) -> NoReturn:
        raise Refused(
            self.reader.line,
            "a directive (a line that starts with '%') is not allowed",
            "remove the line, or put quotes around a text that starts with '%'",
        )


class _Parser(Parser):
    scanner: _Scanner = None  # type: ignore[assignment]  # a property in the base class
    resolver: Any = None

    def __init__(self, loader: _Loader) -> None:
        super().__init__(loader)
        self.scanner = loader.scanner
        self.resolver = loader

    def get_event(self) -> Any:
        return self.state() if self.state else None

    def parse_node(self, block: bool = False, indentless_sequence: bool = False) -> Any:  # noqa: FBT001, FBT002
        token = self.scanner.peek_token()
        if type(token) is not ScalarToken:
            return super().parse_node(block, indentless_sequence)
        self.scanner.get_token()
        self.state = self.states.pop()
        implicit = (token.plain, not token.plain)
        return ScalarEvent(None, None, implicit, token.value, token.start_mark, token.end_mark, token.style)


class _Loader:
    """What ruamel's parts ask of one another."""

    typ = "safe"
    comment_handling = None
    processing_version = (1, 2)

    def __init__(self, text: str, *, comments: bool) -> None:
        self.reader = _Text(text)
        self.scanner = _Scanner(self.reader, comments=comments)
        self.parser = _Parser(self)


def event_source(text: str, *, comments: bool = True) -> _Parser:
    """Return a parser of `text`, whose `get_event()` gives one event at a time and None at the end.

    `text` must be printable and its line breaks all `\\n`; with `comments` false it may hold none.
    Raises `MarkedYAMLError` where it is not YAML, `Refused` where it is but is not allowed.
    """
    return _Loader(text, comments=comments).parser
