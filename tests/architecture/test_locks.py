"""The lock files cover what pyproject.toml asks for, on every kind of machine named here; no addresses."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))
ASKED_FOR_BY = {
    "base": ["project"],
    "bench": ["bench"],
    "build": ["build"],
    "data": ["data"],
    "dev": ["project", "dev"],
}
MACHINES = [
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": cpu,
    }
    for python in ("3.11", "3.12", "3.13")
    for cpu in ("x86_64", "aarch64")
]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def asked_for(source: str) -> list[Requirement]:
    """What the project itself or one of its dependency groups asks for, with the groups it includes."""
    if source == "project":
        return [Requirement(entry) for entry in pyproject()["project"]["dependencies"]]
    found = []
    for entry in pyproject()["dependency-groups"][source]:
        found += asked_for(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


def entries(lock: str) -> list[str]:
    """The lock's logical lines, without comments."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def pins(lock: str, machine: dict[str, str]) -> dict[str, str]:
    """Name to version as pip would read them on that machine; a name pinned twice there is a mistake."""
    found: dict[str, str] = {}
    for entry in entries(lock):
        requirement = Requirement(entry.split("--hash")[0])
        if requirement.marker is None or requirement.marker.evaluate(machine):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{lock}.txt pins {name} twice on {machine}"
            found[name] = str(requirement.specifier).removeprefix("==")
    return found


def test_every_lock_is_known_here() -> None:
    assert sorted(ASKED_FOR_BY) == LOCKS


@pytest.mark.parametrize("lock", LOCKS)
def test_an_entry_is_one_version_and_its_hashes_and_nothing_else(lock: str) -> None:
    shape = re.compile(r"[a-z0-9-]+==[^\s;]+( ; [^-][^\\]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [entry[:80] for entry in entries(lock) if not shape.fullmatch(entry)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address_and_no_path(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert re.findall(r".*(?:://|file:|index-url|find-links|(?<!\w)/\w).*", text) == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['python_version']}-{m['platform_machine']}")
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_covers_what_pyproject_asks_for(lock: str, machine: dict[str, str]) -> None:
    pinned = pins(lock, machine)
    wanted = [requirement for source in ASKED_FOR_BY[lock] for requirement in asked_for(source)]
    wrong = [
        f"{requirement}, pinned: {pinned.get(canonicalize_name(requirement.name))}"
        for requirement in wanted
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "none"))
    ]
    assert wrong == [], "run `make lock`"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['python_version']}-{m['platform_machine']}")
def test_all_locks_fit_into_one_environment(machine: dict[str, str]) -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in pins(lock, machine).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_tests_have_the_drivers_of_the_extras() -> None:
    extras = [entry for entries in pyproject()["project"]["optional-dependencies"].values() for entry in entries]
    assert [entry for entry in extras if entry not in pyproject()["dependency-groups"]["dev"]] == []


def test_the_build_lock_is_for_what_builds_the_package() -> None:
    assert [str(each) for each in asked_for("build")] == pyproject()["build-system"]["requires"]
