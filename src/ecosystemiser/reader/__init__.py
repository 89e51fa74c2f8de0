"""YAML text to plain data that knows its lines, and what is wrong with it to findings. Knows no schema."""

from ecosystemiser.reader.document import Document, Path, dotted
from ecosystemiser.reader.text import MAX_BYTES, parse_value, parse_yaml, read_yaml
from ecosystemiser.reader.validation import findings_from_pydantic

__all__ = [
    "MAX_BYTES",
    "Document",
    "Path",
    "dotted",
    "findings_from_pydantic",
    "parse_value",
    "parse_yaml",
    "read_yaml",
]
