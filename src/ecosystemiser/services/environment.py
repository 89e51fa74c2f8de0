"""On what a run was computed: versions, machine, and the commit of the source."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ecosystemiser.services.plain_text import as_text, digest, mapping_in

__all__ = ["VersionChange", "commit_of", "describe_environment", "version_changes"]

PACKAGES = ("ecosystemiser", "highspy", "numba", "numpy", "scipy", "pvlib", "pyarrow", "SQLAlchemy")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOST_LINKS = 5
"""Refs that name refs; git itself follows as many."""


@dataclass(frozen=True)
class VersionChange:
    """Something of the program or the machine that is not as it was."""

    name: str
    then: object
    now: object


@cache
def describe_environment() -> tuple[str, str]:
    """Return what this process computes with, as JSON text, and its SHA-256; found out once.

    `checkout` says whether the package runs from the checkout of its repository; `commit` is then what is checked
    out, or null where that could not be told. Changes that are not committed do not show.
    """
    root = _checkout()
    described = {
        "python": platform.python_version(),
        **{name.lower(): _version(name) for name in PACKAGES},
        "platform": sys.platform,
        "machine": platform.machine(),
        "processor": _processor(),
        "checkout": root is not None,
        "commit": None if root is None else commit_of(root),
    }
    return as_text(described), digest(described)


def version_changes(then: str | None, now: str | None) -> tuple[VersionChange, ...]:
    """Return what differs between two environments (`describe_environment`); nothing where one is not known."""
    before, after = mapping_in(then), mapping_in(now)
    if not before or not after:
        return ()
    names = dict.fromkeys([*before, *after])
    return tuple(
        VersionChange(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str | None:
    """Return the name of the processor, whose instructions decide the last digits; None where Linux does not tell."""
    try:
        told = Path("/proc/cpuinfo").read_text("utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return found[1].strip() if found else None


def _checkout() -> Path | None:
    """Return the root of the repository that this package is checked out in.

    None where it is installed: a repository that some environment happens to lie in says nothing of the package.
    """
    package = Path(__file__).resolve().parents[1]
    root = package.parents[1]
    is_ours = package.parent.name == "src" and (root / "pyproject.toml").is_file() and (root / ".git").exists()
    return root if is_ours else None


def commit_of(root: Path) -> str | None:
    """Return the commit that is checked out at `root`, read from its `.git`; None where that cannot be told."""
    try:
        folder = _git_folder(root)
        shared = folder / "commondir"
        common = (folder / shared.read_text("utf-8").strip()) if shared.is_file() else folder
        return _followed("HEAD", folder, common)
    except (OSError, ValueError):
        return None


def _git_folder(root: Path) -> Path:
    """Return the repository's folder: `.git`, or what the file of that name in a further worktree names."""
    place = root / ".git"
    if place.is_dir():
        return place
    return root / place.read_text("utf-8").strip().removeprefix("gitdir: ")


def _followed(name: str, folder: Path, common: Path) -> str | None:
    """Return the commit that the ref `name` leads to."""
    for _ in range(_MOST_LINKS):
        text = _ref(name, folder, common)
        if text is None or _SHA.fullmatch(text):
            return text
        if not text.startswith("ref: ") or ".." in text:
            return None
        name = text.removeprefix("ref: ")
    return None


def _ref(name: str, folder: Path, common: Path) -> str | None:
    for place in (folder, common):
        if (place / name).is_file():
            return (place / name).read_text("utf-8").strip()
    packed = common / "packed-refs"
    lines = packed.read_text("utf-8").splitlines() if packed.is_file() else []
    return next((line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}")), None)
