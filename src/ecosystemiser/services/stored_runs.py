"""A run as the log describes it, taken up again: its document, its configuration, its system."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.loading import SystemLoader, with_values
from ecosystemiser.model.system import System
from ecosystemiser.reader import Document
from ecosystemiser.services.plain_text import from_text
from ecosystemiser.services.provenance import (
    FileChange,
    SystemDescription,
    changed_files,
    config_hash,
    named_by_parameters,
    read_description,
    restore,
)

__all__ = ["StoredRun", "StoredSystems", "load_stored"]

KEPT_SYSTEMS = 2
"""Descriptions whose files stay read, so that variations of one are loaded quickly."""


@dataclass(frozen=True, eq=False)
class StoredRun:
    """What the row of a run says of what it was made from. Made by `StoredRun.of`."""

    row: Mapping[str, Any]
    description: SystemDescription
    config: SimulationConfig
    """Names the system where it lay, without an id of the run."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> StoredRun:
        """Return what `row` describes. Raises InputError where it holds no description, or none that can be read."""
        if not row.get("system_json") or not row.get("config_json"):
            remedy = "it was logged without one; run its system file again"
            raise InputError([Finding("holds no description of what it was made from", remedy, "run", row["run_id"])])
        description = read_description(row["system_json"], row.get("files_json") or "{}")
        try:
            asked = json.loads(row["config_json"])
            parameters = from_text(row.get("parameters_json") or "{}")
            named = {"system": description.system, "system_id": row.get("system_id"), "parameters": parameters}
            return cls(row, description, SimulationConfig.model_validate({**asked, **named}))
        except (ValueError, TypeError) as error:
            remedy = "the log was changed, or written by another version"
            message = f"holds no configuration that can be read ({_reason(error)})"
            raise InputError([Finding(message, remedy, "run", row["run_id"])]) from error

    @property
    def run_id(self) -> str:
        """The run."""
        return str(self.row["run_id"])

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields that were set, by path."""
        return dict(self.config.parameters)

    @property
    def config_sha(self) -> str:
        """SHA-256 of how it was asked to be solved (`describe_config`)."""
        return hashlib.sha256(str(self.row["config_json"]).encode()).hexdigest()

    @cached_property
    def document(self) -> Document:
        """The document before its variation."""
        return restore(self.description.content, self.description.files)

    def varied(self) -> Document:
        """Return the document with the run's parameters set. Raises InputError."""
        return with_values(self.document, self.parameters, "the stored parameters")

    def changed_files(self) -> list[FileChange]:
        """Return which of the system's files are not as they were."""
        return changed_files(self.description)

    def own_files(self) -> dict[str, str | None]:
        """Return the files that only a parameter names, with their SHA-256 as they are now."""
        return named_by_parameters(self.document, self.parameters)

    def is_as_hashed(self) -> bool:
        """Return whether the description has the hash that its row had from the start.

        False where the log was changed, or a file that only a parameter names.
        """
        known, seed = self.row.get("config_hash"), self.row.get("seed")
        named = (self.description.sha256, self.config_sha, self.parameters)
        return known in (config_hash(*named, seed=seed), config_hash(*named, seed=seed, files=self.own_files()))


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


class StoredSystems:
    """Loads the systems of stored runs; what variations of one description share is read once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], tuple[Document, SystemLoader]] = OrderedDict()

    def load(self, stored: StoredRun) -> System:
        """Return the system of a run, its files read as they are now. Raises InputError."""
        now = tuple((change.name, change.now) for change in stored.changed_files())
        key = (stored.description.sha256, stored.config.timesteps, now)
        if key not in self._known:
            self._known[key] = stored.document, SystemLoader(stored.config.timesteps)
        document, loader = self._known.pop(key)
        self._known[key] = document, loader
        while len(self._known) > KEPT_SYSTEMS:
            self._known.popitem(last=False)
        return loader.load(with_values(document, stored.parameters, "the stored parameters"))


def load_stored(row: Mapping[str, Any]) -> System:
    """Return the system that the run of `row` was made from: its stored description, its files as they lie now.

    Raises InputError where the row describes nothing, or where a file is missing or refused.
    """
    return StoredSystems().load(StoredRun.of(row))
