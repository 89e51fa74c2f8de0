"""Long texts that many runs share, stored once by their hash."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ecosystemiser.store.batches import insert_or
from ecosystemiser.store.schema import documents

__all__ = ["store_document"]

_FIND = select(documents.c.id).where(documents.c.sha256 == bindparam("hash"), documents.c.kind == bindparam("the_kind"))


def store_document(connection: Connection, kind: str, content: str) -> int:
    """Return the key of the document, stored now where it was not yet."""
    found = {"hash": hashlib.sha256(content.encode()).hexdigest(), "the_kind": kind}
    key = connection.scalar(_FIND, found)
    if key is None:
        row = {"kind": kind, "sha256": found["hash"], "content": content}
        connection.execute(_insert(connection.dialect.name), row)
        key = connection.scalar(_FIND, found)
    return int(key or 0)


@cache
def _insert(engine: str) -> Any:
    return insert_or(documents, engine).on_conflict_do_nothing(index_elements=["sha256", "kind"])
