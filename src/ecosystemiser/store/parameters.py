"""The parameters of runs as rows, so that runs can be found by them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ecosystemiser.store.batches import execute_columns, fetch_of, insert_or
from ecosystemiser.store.schema import parameter_names, run_parameters

__all__ = ["all_names", "find_name_keys", "replace_parameters", "store_parameters"]

_KEYS = select(parameter_names.c.name, parameter_names.c.id)
LARGEST = 1 << 1023
"""Whole numbers below it fit a float."""

_FORGET = run_parameters.delete().where(run_parameters.c.run_key == bindparam("the_run"))


def find_name_keys(connection: Connection, names: list[str]) -> dict[str, int]:
    """Return the keys of those of the names that some run has a parameter of."""
    return dict(fetch_of(connection, _KEYS, parameter_names.c.name, names))


def all_names(connection: Connection) -> list[str]:
    """Return the paths of all fields that some run varied."""
    return list(connection.scalars(select(parameter_names.c.name).order_by(parameter_names.c.name)))


def store_parameters(connection: Connection, run_keys: Sequence[int], texts: Sequence[str | None]) -> None:
    """Store what can be asked for of the parameters of new runs: the key of each, and its JSON text."""
    asked = [
        (key, name, *value)
        for key, text in zip(run_keys, texts, strict=True)
        if text
        for name, value in _asked_for(json.loads(text))
    ]
    if not asked:
        return
    of_run, names, numbers, words = zip(*asked, strict=True)
    keys = _name_keys(connection, sorted(set(names)))
    columns = {"run_key": of_run, "name_key": [keys[name] for name in names], "number": numbers, "text": words}
    execute_columns(connection, _INSERT, columns)


def replace_parameters(connection: Connection, run_keys: Sequence[int], texts: Sequence[str | None]) -> None:
    """Store the parameters of runs that may have had others."""
    execute_columns(connection, _FORGET, {"the_run": run_keys})
    store_parameters(connection, run_keys, texts)


def _name_keys(connection: Connection, names: list[str]) -> dict[str, int]:
    found = find_name_keys(connection, names)
    missing = [name for name in names if name not in found]
    if missing:
        execute_columns(connection, _insert_names(connection.dialect.name), {"name": missing})
        found = find_name_keys(connection, names)
    return found


@cache
def _insert_names(engine: str) -> Any:
    return insert_or(parameter_names, engine).on_conflict_do_nothing(index_elements=["name"])


_INSERT = run_parameters.insert()


def _asked_for(parameters: object) -> Iterator[tuple[str, tuple[float | None, str | None]]]:
    """Yield the name of each parameter that can be asked for, and its value as number and text."""
    if not isinstance(parameters, dict):
        return
    for name, value in parameters.items():
        asked = _as_asked(value)
        if asked is not None and _is_storable(name):
            yield name, asked


def _as_asked(value: object) -> tuple[float | None, str | None] | None:
    """Return a value as number and text; None where it cannot be asked for, as lists and tables cannot."""
    if isinstance(value, float):
        return (value, None) if math.isfinite(value) else None  # 1e999 is JSON
    if isinstance(value, bool):
        return float(value), json.dumps(value)
    if isinstance(value, int):
        return (float(value), None) if abs(value) < LARGEST else None
    return (None, value) if isinstance(value, str) and _is_storable(value) else None


def _is_storable(text: str) -> bool:
    """Return whether a database takes the text: JSON can say what none does."""
    return text.isprintable() or ("\0" not in text and text.encode(errors="ignore").decode() == text)
