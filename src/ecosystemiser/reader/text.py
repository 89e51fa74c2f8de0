"""The ways in: a file, a text, a value typed on a command line."""

from __future__ import annotations

import re
import stat
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from ecosystemiser.errors import Finding, InputError
from ecosystemiser.reader.document import Document

if TYPE_CHECKING:
    from os import PathLike

    from ecosystemiser.reader.document import Lines

__all__ = ["MAX_BYTES", "parse_value", "parse_yaml", "read_yaml"]

MAX_BYTES = 10_000_000
_INVISIBLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def read_yaml(path: str | PathLike[str]) -> Document:
    """Return what the YAML file at `path` holds. Raises InputError with everything that is wrong with it."""
    file = str(path)
    content = _content(FilePath(path), file)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error(file, None, "is UTF-16 text", "save it as UTF-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"holds the byte 0x{content[error.start]:02x}, which is not UTF-8"
        raise _error(file, line, message, "save the file as UTF-8") from None
    return parse_yaml(text, file)


def parse_yaml(text: str, file: str) -> Document:
    """Return what the YAML `text` holds; `file` is its name in findings. Raises InputError."""
    root = _build(text, file)
    if root is None:
        raise _error(file, None, "is empty", "write 'key: value' lines")
    data, lines = root
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else "a single value"
        raise _error(file, 1, f"is {kind} where 'key: value' lines belong", "give each value a key")
    return Document(data, file, lines or {})


def parse_value(text: str, source: str = "command line") -> object:
    """Return the value of a `text` typed on a command line: `100`, `[1, 2]`, `{from: 1, to: 2}`.

    The rules are those of a file; nothing is null. Raises InputError, with `source` as the place.
    """
    root = _build(text, source, one_line=True)
    if root is None and text.strip():
        raise _error(source, None, "holds no value", "put quotes around the text")
    return root[0] if root else None


def _build(text: str, file: str, *, one_line: bool = False) -> tuple[object, Lines | None] | None:
    from ecosystemiser.reader.builder import Builder  # imports ruamel.yaml: 30 ms

    return Builder(file, one_line=one_line).build(_clean(text, file, one_line=one_line))


def _content(path: FilePath, file: str) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _error(file, None, "is a folder", "name the YAML file in it")
        if not stat.S_ISREG(status.st_mode):
            raise _error(file, None, "is not a regular file", "name a YAML file")
        if status.st_size <= MAX_BYTES:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
            if len(content) <= MAX_BYTES:
                return content
    except FileNotFoundError:
        raise _error(file, None, "does not exist", "check the name and the folder") from None
    except PermissionError:
        raise _error(file, None, "may not be read", "ask for read permission, or copy it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise _error(file, None, f"cannot be read ({reason})", "check the name and the disk") from None
    remedy = "put long series in CSV files and name them in it"
    raise _error(file, None, f"is larger than {MAX_BYTES // 1_000_000} MB", remedy)


def _error(file: str, line: int | None, message: str, remedy: str) -> InputError:
    return InputError([Finding(message, remedy, file=file, line=line)])


def _clean(text: str, file: str, *, one_line: bool) -> str:
    """Return `text` without byte order mark, its line breaks all `\\n`; refuse what cannot be seen."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    hidden = _INVISIBLE.search(text)
    if hidden:
        line = None if one_line else text.count("\n", 0, hidden.start()) + 1
        message = f"holds the control or invisible character U+{ord(hidden.group()):04X}"
        raise _error(file, line, message, "delete it")
    return text
