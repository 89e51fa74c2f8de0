"""What a run was made from: the system and the files it names, the solver's settings, the program.

A description is stored once, by its hash, and taken up again: `restore` gives the document back that it was made of.
"""

from __future__ import annotations

import hashlib
import json
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.errors import Finding, InputError
from ecosystemiser.model.profiles.packaged import packaged_names, packaged_weather_names
from ecosystemiser.model.profiles.weather import pvlib_example_file
from ecosystemiser.reader import Document
from ecosystemiser.services.environment import describe_environment
from ecosystemiser.services.plain_text import as_text, digest, from_text

__all__ = [
    "PACKAGED_DATA",
    "FileChange",
    "SystemDescription",
    "changed_files",
    "config_hash",
    "describe_config",
    "describe_environment",
    "describe_system",
    "named_by_parameters",
    "read_description",
    "restore",
]

PACKAGED_DATA = "packaged:profiles.parquet"
"""Stands among the files of a system that uses a packaged series or packaged weather."""

_PVLIB = "pvlib:"
_FRESH_NS = 2_000_000_000
"""A file that was changed so shortly before may change again within one tick of its clock: its hash is not kept."""

FileHashes = dict[str, str | None]
"""SHA-256 of each file by its name as written; None where there was no file."""


@dataclass(frozen=True)
class SystemDescription:
    """A system as its file gives it, before variations."""

    system_id: str | None
    content: str
    """JSON text: the document's data in the order of the file, and where it lay."""
    files: FileHashes
    """Every file that it names, and the packaged data where it uses them."""
    sha256: str
    """Over all of it. The order of keys makes no difference, but that of the components does: it decides ties."""

    @property
    def files_json(self) -> str:
        """`files` as text, for the store."""
        return json.dumps(self.files, ensure_ascii=False, sort_keys=True)

    @property
    def system(self) -> str | Path:
        """What `SimulationConfig.system` calls it: a packaged name, or the absolute path of the file."""
        place = self._parts["place"]
        return str(place["packaged"]) if "packaged" in place else Path(place["file"])

    @property
    def data(self) -> dict[str, Any]:
        """What the file held."""
        data: dict[str, Any] = self._parts["system"]
        return data

    @property
    def _parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = from_text(self.content)
        return parts


@dataclass(frozen=True)
class FileChange:
    """A file that is not as it was."""

    name: str
    path: Path
    then: str | None
    """SHA-256 when the system was described; None: it was not there."""
    now: str | None
    """SHA-256 now; None: it is not there, or cannot be read."""

    def __str__(self) -> str:
        return f"{self.name} changed since the run (sha {_short(self.then)}, now {_short(self.now)})"


def _short(sha256: str | None) -> str:
    return "missing" if sha256 is None else sha256[:12]


def describe_system(document: Document) -> SystemDescription:
    """Return the description of a document before variations; files that it names are hashed as they are now.

    A file is read again only where its time or size has changed.
    """
    return _description(_place(document), document.data, _hashes(_folder_of(document), _named(document.data)))


def read_description(content: str, files: Mapping[str, str | None] | str) -> SystemDescription:
    """Return the description that `content` and `files` (or its `files_json`) were taken from.

    Its `sha256` is computed anew, so that a change of what was stored shows. Raises InputError for text that is no
    description.
    """
    try:
        parts = from_text(content)
        known = json.loads(files) if isinstance(files, str) else dict(files)
        place, data = parts["place"], parts["system"]
        is_whole = isinstance(data, dict) and isinstance(known, dict) and ("packaged" in place or "file" in place)
        if is_whole and all(isinstance(each, str) for each in place.values()):
            return _description(place, data, known)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_description(str(error)) from error
    raise _no_description("parts of it are missing")


def restore(content: str, files: Mapping[str, str | None] | str = "{}") -> Document:
    """Return the document of a stored description, so that relative names lead where they did; it knows no lines.

    Series and weather files are read where they lie now: `changed_files` tells whether they are the same. Raises
    InputError for text that is no description.
    """
    description = read_description(content, files)
    return Document(description.data, str(_file_of(description)))


def changed_files(description: SystemDescription) -> list[FileChange]:
    """Return the named files that are missing, or hold something else than when the system was described."""
    folder = _file_of(description).parent
    changes = []
    for name, then in description.files.items():
        now = _hash(folder, name)
        if now != then:
            changes.append(FileChange(name, _path(folder, name), then, now))
    return changes


def named_by_parameters(document: Document, parameters: Mapping[str, object]) -> FileHashes:
    """Return the files that a variation names beyond those of the document; mostly none."""
    own = {"site": {"weather": parameters.get("site.weather")}, "components": dict(parameters)}
    return _hashes(_folder_of(document), set(_named(own)) - set(_named(document.data)))


def describe_config(config: SimulationConfig) -> tuple[str, str]:
    """Return how `config` asks to solve, as JSON text, and its SHA-256: solver, options, steps.

    What it calls the run, where results go, the system and its varied fields are not part of it.
    """
    asked = config.model_dump(mode="json", include={"solver_type", "solver", "timesteps"})
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text, hashlib.sha256(text.encode()).hexdigest()


def config_hash(
    system_sha: str,
    config_sha: str,
    parameters: Mapping[str, object],
    *,
    seed: int | None = None,
    files: Mapping[str, str | None] | None = None,
) -> str:
    """Return the SHA-256 of all that decides a result: equal for a study's variation and the same single run.

    `files` are those of `named_by_parameters`. The order of parameters makes no difference, nor do 40 and 40.0.
    """
    parts: dict[str, object] = {"system": system_sha, "config": config_sha, "parameters": dict(parameters)}
    if seed is not None:
        parts["seed"] = seed
    if files:
        parts["files"] = dict(files)
    return digest(parts)


def _description(place: Mapping[str, str], data: Mapping[str, Any], files: FileHashes) -> SystemDescription:
    components = data.get("components")
    ordered = list(components.items()) if isinstance(components, dict) else components
    sha256 = digest({"place": dict(place), "system": {**data, "components": ordered}, "files": files})
    system_id = data.get("system_id")
    text = as_text({"place": dict(place), "system": dict(data)})
    return SystemDescription(system_id if isinstance(system_id, str) else None, text, files, sha256)


def _no_description(why: str) -> InputError:
    remedy = "the log was changed, or written by another version; take the system file instead"
    return InputError([Finding(f"is no description of a system ({why})", remedy, "system_json")])


def _systems_folder() -> Path:
    return Path(str(package_files("ecosystemiser") / "data" / "systems"))


def _place(document: Document) -> dict[str, str]:
    """Return where a document lay; a packaged system has a name, since each installation has it elsewhere."""
    file = Path(document.file).absolute()
    return {"packaged": file.stem} if file.parent == _systems_folder() else {"file": str(file)}


def _file_of(description: SystemDescription) -> Path:
    system = description.system
    return system if isinstance(system, Path) else _systems_folder() / f"{system}.yaml"


def _folder_of(document: Document) -> Path:
    return Path(document.file).absolute().parent


def _named(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the files that a document's data need, packaged ones as `PACKAGED_DATA`."""
    site, components = data.get("site"), data.get("components")
    weather = site.get("weather") if isinstance(site, dict) else None
    uses_packaged = weather in packaged_weather_names() or _names_packaged(components)
    if isinstance(weather, str) and weather not in packaged_weather_names():
        yield weather
    yield from _files_in(components)
    if uses_packaged:
        yield PACKAGED_DATA


def _files_in(node: object) -> Iterator[str]:
    """Yield the files of all `{file: loads.csv, column: houses}` in `node`."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "file" and isinstance(value, str):
                yield value
            else:
                yield from _files_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from _files_in(value)


def _names_packaged(node: object) -> bool:
    if isinstance(node, dict):
        return any(_names_packaged(value) for value in node.values())
    if isinstance(node, list):
        return any(_names_packaged(value) for value in node)
    return isinstance(node, str) and node in _packaged()


@cache
def _packaged() -> frozenset[str]:
    return frozenset(packaged_names())


def _hashes(folder: Path, names: Iterable[str]) -> FileHashes:
    return {name: _hash(folder, name) for name in sorted(set(names))}


def _path(folder: Path, name: str) -> Path:
    if name == PACKAGED_DATA:
        return Path(str(package_files("ecosystemiser") / "data" / "profiles" / name.partition(":")[2]))
    if name.startswith(_PVLIB):
        return pvlib_example_file(name.removeprefix(_PVLIB))
    return folder / name


def _hash(folder: Path, name: str) -> str | None:
    """Return the SHA-256 of the file that `name` stands for; None where none can be read."""
    try:
        path = _path(folder, name)
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a device may never end
            return None
        key = (str(path), status.st_mtime_ns, status.st_size)
        is_fresh = abs(time.time_ns() - status.st_mtime_ns) < _FRESH_NS
        return _sha256(*key) if is_fresh else _known_sha256(*key)
    except (OSError, ValueError, InputError):  # a NUL in the name; no file that pvlib brings
        return None


def _sha256(path: str, _mtime_ns: int, _size: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_known_sha256 = lru_cache(maxsize=1024)(_sha256)
