"""Starts runs and studies as processes of their own, which nobody's leaving ends; and sees how they get on.

Each has a folder with the files that it was asked with and what it said. They name no other file: what is written in a
browser may not lead to what else lies on this machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from ecosystemiser.config.simulation_config import SimulationConfig
from ecosystemiser.config.study_config import StudyConfig
from ecosystemiser.errors import Finding, InputError, StoreError
from ecosystemiser.reader import parse_yaml
from ecosystemiser.services.checking import Explanation, explain, requested
from ecosystemiser.services.database_metadata_service import DatabaseMetadataService
from ecosystemiser.services.study_file import read_study
from ecosystemiser.services.worker import packaged_systems
from ecosystemiser.store.identifiers import check_identifier, new_run_id, results_folder

__all__ = [
    "LAUNCHES",
    "MOST_CHARACTERS",
    "check_study_text",
    "check_system_text",
    "output_of",
    "packaged_systems",
    "packaged_text",
    "start_run",
    "start_study",
]

LAUNCHES = Path("data/launches")
"""Where the folders are, under the current one."""

SYSTEM_FILE, STUDY_FILE, OUTPUT_FILE = "system.yaml", "study.yaml", "output.txt"
MOST_CHARACTERS = 200_000
_Place = tuple[str | int, ...]

MOST_OUTPUT = 4_000
"""Characters of what a process said that are read: its last ones."""


def packaged_text(name: str) -> str:
    """Return the text of a packaged system. Raises InputError for a name that is none."""
    if name not in packaged_systems():
        remedy = f"use one of {', '.join(packaged_systems())}"
        raise InputError([Finding("is no packaged system", remedy, "system", name)])
    return (files("ecosystemiser") / "data" / "systems" / f"{name}.yaml").read_text("utf-8")


def check_system_text(text: str, folder: Path, asked: Mapping[str, Any]) -> Explanation:
    """Return what the system file `text` says. Raises InputError with everything that is wrong.

    `asked` holds further fields of the configuration, as `timesteps`. The file is written into `folder`.
    """
    _refuse_files(text, SYSTEM_FILE)
    path = _written(folder, SYSTEM_FILE, text)
    with _told_by_name(folder):
        return explain(_config(path, asked))


def check_study_text(text: str, folder: Path) -> StudyConfig:
    """Return the study that the file `text` describes, whose system lies in `folder` or is a packaged one.

    Raises InputError with everything that is wrong.
    """
    document = parse_yaml(_of_bearable_length(text, STUDY_FILE), STUDY_FILE)
    system = document.data.get("system", SYSTEM_FILE)
    if system not in (SYSTEM_FILE, *packaged_systems()):
        remedy = f"write {SYSTEM_FILE} for the one above, or one of {', '.join(packaged_systems())}"
        raise InputError([document.finding(("system",), "is not a system that this page knows", remedy)])
    _refuse_files(text, STUDY_FILE)
    path = _written(folder, STUDY_FILE, text)
    with _told_by_name(folder):
        return read_study(path)


def start_run(log: DatabaseMetadataService, text: str, asked: Mapping[str, Any], place: Path = LAUNCHES) -> str:
    """Start the run of the system file `text`; return the id that its row will have.

    Raises InputError where the request is wrong; then nothing is started.
    """
    run_id = new_run_id()
    folder = results_folder(place, run_id)
    check_system_text(text, folder, asked)
    words = ["run", str(folder / SYSTEM_FILE), "--run-id", run_id, "--solver", str(asked.get("solver_type", "milp"))]
    if asked.get("timesteps") is not None:
        words += ["--steps", str(asked["timesteps"])]
    _start(log, words, folder)
    return run_id


def start_study(log: DatabaseMetadataService, text: str, system_text: str, place: Path = LAUNCHES) -> str:
    """Start the study of the file `text`, with `system_text` as `system.yaml`; return its id. Raises as `start_run`."""
    folder = results_folder(place, new_run_id())
    _refuse_files(system_text, SYSTEM_FILE)
    _written(folder, SYSTEM_FILE, system_text)
    study = check_study_text(text, folder)
    if log.get_study_summary(study.study_id)["study"] is not None:
        remedy = "give the new study another study_id"
        raise InputError([Finding("is in the log already", remedy, "study_id", study.study_id, STUDY_FILE)])
    own = results_folder(place, study.study_id)
    _make(own)
    for name in (SYSTEM_FILE, STUDY_FILE):
        (folder / name).replace(own / name)
    folder.rmdir()
    _start(log, ["study", "run", str(own / STUDY_FILE)], own)
    return study.study_id


def output_of(name: str, place: Path = LAUNCHES) -> str | None:
    """Return the end of what the process of a run or study said; None where it was not started here."""
    path = results_folder(place, check_identifier(name, "id")) / OUTPUT_FILE
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MOST_OUTPUT))
            return file.read().decode(errors="replace")
    except OSError:
        return None


@contextmanager
def _told_by_name(folder: Path) -> Iterator[None]:
    """Let findings name the files of `folder` by their names alone: nobody chose that folder."""
    try:
        yield
    except InputError as error:
        names = {str(folder / name): name for name in (SYSTEM_FILE, STUDY_FILE)}
        told = [replace(found, file=names.get(found.file or "", found.file)) for found in error.findings]
        raise InputError(told) from None


def _config(path: Path, asked: Mapping[str, Any]) -> SimulationConfig:
    return requested({**asked, "system": str(path)})


def _start(log: DatabaseMetadataService, words: Sequence[str], folder: Path) -> None:
    """Run the command line as a process in a session of its own; what it says goes into a file of its folder."""
    environment = dict(os.environ)
    if log.location.chosen:
        environment["ECOSYSTEMISER_DB"] = log.location.address
    with (folder / OUTPUT_FILE).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this Python, our module, ids and numbers
            [sys.executable, "-m", "ecosystemiser.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name="launched", daemon=True).start()  # so that it leaves no zombie


def _written(folder: Path, name: str, text: str) -> Path:
    _make(folder)
    path = folder / name
    try:
        path.write_text(_of_bearable_length(text, name), "utf-8")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}). Make room, or start elsewhere.") from error
    return path


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made ({error.strerror}). Start the explorer elsewhere.") from error


def _of_bearable_length(text: str, file: str) -> str:
    if len(text) > MOST_CHARACTERS:
        remedy = f"at most {MOST_CHARACTERS:,} can be edited here; use the command line"
        raise InputError([Finding(f"has {len(text):,} characters", remedy, file=file)])
    return text


def _refuse_files(text: str, file: str) -> None:
    """Raise InputError for a document that names files of this machine."""
    document = parse_yaml(_of_bearable_length(text, file), file)
    remedy = "start a system with files of its own from the command line: ecosystemiser run FILE"
    findings = [document.finding(place, "names a file of this machine", remedy) for place in _named(document.data)]
    if findings:
        raise InputError(findings)


def _named(node: object, place: _Place = (), *, is_weather: bool = False) -> Iterator[_Place]:
    """Yield where files are named: by a key `file`, and by weather that is no plain name."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "file":
                yield (*place, key)
            else:
                yield from _named(value, (*place, key), is_weather=is_weather or str(key).endswith("weather"))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from _named(value, (*place, at), is_weather=is_weather)
    elif is_weather and isinstance(node, str) and ("/" in node or "\\" in node or ".." in node):
        yield place
