"""Hourly files that were cut, flipped, exchanged or removed: found when they are read, and by `runs verify`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tests.faults.facts import Facts, Fault
from tests.faults.nursery import shared_nursery
from tests.faults.systems import write_farm

from ecosystemiser import DatabaseMetadataService, SimulationConfig, StudyConfig, StudyService
from ecosystemiser.errors import StoreError
from ecosystemiser.store.hourly import read_hourly

__all__ = ["DAMAGES", "READ", "VERIFIED", "damage_and_read", "damage_and_verify"]

Damage = Callable[[Path, Path, np.random.Generator], None]


def cut(path: Path, _other: Path, rng: np.random.Generator) -> None:
    """Keep only the beginning."""
    content = path.read_bytes()
    path.write_bytes(content[: rng.integers(0, len(content))])


def flip(path: Path, _other: Path, rng: np.random.Generator) -> None:
    """Turn one bit."""
    content = bytearray(path.read_bytes())
    content[rng.integers(0, len(content))] ^= 1 << rng.integers(0, 8)
    path.write_bytes(content)


def remove(path: Path, _other: Path, _rng: np.random.Generator) -> None:
    """Take it away."""
    path.unlink()


def exchange(path: Path, other: Path, _rng: np.random.Generator) -> None:
    """Put the sound file of another run in its place."""
    shutil.copyfile(other, path)


def lengthen(path: Path, _other: Path, rng: np.random.Generator) -> None:
    """Add some bytes."""
    path.write_bytes(path.read_bytes() + rng.bytes(int(rng.integers(1, 100))))


DAMAGES: tuple[Damage, ...] = (cut, flip, remove, exchange, lengthen)

Read = Callable[[dict[str, Any]], object]


def read_of_row(row: dict[str, Any]) -> object:
    """Read the hourly file that a row names, as the program does."""
    return read_hourly(Path(row["flows_path"]), row["hourly_sha256"])


def _rows(folder: Path, runs: int) -> list[dict[str, Any]]:
    """Make runs and return their rows."""
    db = folder / "runs.sqlite"
    base = SimulationConfig(system=write_farm(folder))
    study = StudyConfig(
        study_id="s",
        base_config=base,
        parameters={"battery.capacity_kwh": [1 + number / 10 for number in range(runs)]},
        workers=1,
        output_directory=folder / "results",
    )
    with DatabaseMetadataService(db) as log:
        StudyService(log).run_study(study)
        return log.query_simulation_runs(status="completed")


def damage_and_read(folder: Path, *, times: int, read: Read = read_of_row, seed: int = 1) -> Facts:
    """Damage files, one after the other and in every way, and read them; each is put right again."""
    facts = Facts({"damaged": 0, "detected": 0, "undetected": 0, "not named": 0, "sound ones refused": 0})
    rng, rows = np.random.default_rng(seed), _rows(folder, 10)
    for number in range(times):
        row, other = rows[number % len(rows)], rows[(number + 1) % len(rows)]
        damage, path = DAMAGES[number // 2 % len(DAMAGES)], Path(row["flows_path"])
        content = path.read_bytes()
        damage(path, Path(other["flows_path"]), rng)
        facts.count("damaged")
        try:
            read(row)
        except StoreError as error:
            facts.count("detected")
            if str(path) not in str(error):
                facts.blame("not named", f"{damage.__name__} of {path}: {error}")
        except Exception as error:  # noqa: BLE001 - anything else is no clear error
            facts.blame("not named", f"{damage.__name__} of {path}: {type(error).__name__}: {error}")
        else:
            facts.blame("undetected", f"{damage.__name__} of {path}")
        path.write_bytes(content)
        try:
            read(row)
        except StoreError as error:
            facts.blame("sound ones refused", str(error))
    return facts


def damage_and_verify(folder: Path, *, runs: int, verifies: Callable[..., Any] | None = None) -> Facts:
    """Damage the files of half of the runs and have `runs verify` find them; then put them right."""
    facts = Facts({"damaged": 0, "detected": 0, "undetected": 0, "sound ones named": 0})
    rng, rows = np.random.default_rng(2), _rows(folder, runs)
    verify = verifies or shared_nursery().run
    contents = {}
    for number, row in enumerate(rows[::2]):
        path = Path(row["flows_path"])
        contents[path] = path.read_bytes()
        DAMAGES[number % len(DAMAGES)](path, Path(rows[1]["flows_path"]), rng)
    words = ("runs", "verify", "--study", "s", "--format", "json", "--db", folder / "runs.sqlite")
    answer = verify(*words, folder=folder)
    told = {each["run_id"]: each["hours"] for each in json.loads(answer.out)} if answer.code == 1 else {}
    for number, row in enumerate(rows):
        is_damaged, hours = number % 2 == 0, told.get(row["run_id"])
        facts.count("damaged", is_damaged)
        facts.count("detected", is_damaged and hours in ("damaged", "missing"))
        if is_damaged and hours not in ("damaged", "missing"):
            facts.blame("undetected", f"{row['run_id']} {hours}; exit code {answer.code}: {answer.err.strip()[-200:]}")
        elif not is_damaged and hours != "intact":
            facts.blame("sound ones named", f"{row['run_id']} {hours}")
    for path, content in contents.items():
        path.write_bytes(content)
    sound = verify(*words, folder=folder)
    if sound.code != 0:
        facts.blame("sound ones named", f"exit code {sound.code}: {sound.err.strip()[-200:]}")
    return facts


READ = Fault(
    "hourly file cut, flipped, exchanged, missing: read",
    "100 of 100 detected and named",
    damage_and_read,
    short={"times": 100},
    long={"times": 1000},
)
VERIFIED = Fault(
    "the same, looked for by `runs verify`",
    "100 of 100 detected",
    damage_and_verify,
    short={"runs": 10},
    long={"runs": 200},
)
