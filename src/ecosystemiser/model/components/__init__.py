"""The components, one file each. A new one is a new file here; nothing else names it."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal, get_args, get_origin

from ecosystemiser.model.components.base import Component

__all__ = ["Component", "component_types"]


@cache
def component_types() -> dict[str, type[Component]]:
    """Return each component class by the word that `type:` names it with, in alphabetical order."""
    found: dict[str, type[Component]] = {}
    for module in iter_modules(__path__):
        for _, item in inspect.getmembers(import_module(f"{__name__}.{module.name}"), inspect.isclass):
            if issubclass(item, Component) and (name := _type_name(item)) is not None:
                found[name] = item
    return dict(sorted(found.items()))


def _type_name(item: type[Component]) -> str | None:
    """Return the one word that a component's `type` may hold; None for base classes."""
    annotation = item.model_fields["type"].annotation
    if get_origin(annotation) is not Literal:
        return None
    (word,) = get_args(annotation)
    return str(word)
