"""The kinds of columns that tables are made of, alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import TIMESTAMP, BigInteger, Column, Dialect, Double, ForeignKey, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from ecosystemiser.store.clock import utc_text

__all__ = ["KEY", "TEXT", "TIME", "UtcTime", "count", "key", "number", "of_run", "text", "time"]

KEY = BigInteger().with_variant(Integer, "sqlite")
"""Integer keys; in SQLite such a primary key is the rowid itself."""

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points, as SQLite's."""


class UtcTime(TypeDecorator[str]):
    """A moment: fixed-width UTC text in Python and SQLite (`clock.utc_text`), timestamptz in PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the engine stores."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: object, dialect: Dialect) -> Any:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Return what the engine takes for a time or its text."""
        return utc_text(value) if isinstance(value, datetime | str) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the text of what the engine gave."""
        return utc_text(value) if isinstance(value, datetime) else value


TIME = UtcTime()


def key() -> Column[int]:
    """Return the primary key of a table."""
    return Column("id", KEY, primary_key=True)


def text(name: str, *, nullable: bool = True) -> Column[str]:
    """Return a column of text."""
    return Column(name, TEXT, nullable=nullable)


def time(name: str, *, nullable: bool = True) -> Column[str]:
    """Return a column of moments."""
    return Column(name, TIME, nullable=nullable)


def number(name: str) -> Column[float]:
    """Return a column of 64-bit floats."""
    return Column(name, Double)


def count(name: str, *, nullable: bool = True) -> Column[int]:
    """Return a column of whole numbers."""
    return Column(name, KEY, nullable=nullable)


def of_run(name: str = "run_key", **options: Any) -> Column[int]:
    """Return a column that names a run by its key and goes with it."""
    return Column(name, KEY, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, **options)
