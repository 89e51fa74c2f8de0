"""What a run was computed with, and which commit is checked out."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from ecosystemiser.services.environment import VersionChange, commit_of, describe_environment, version_changes

ROOT = Path(__file__).parents[3]


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def test_the_commit_of_a_branch(repository: Path) -> None:
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_the_commit_of_a_packed_branch(repository: Path) -> None:
    git(repository, "branch", "other/main")
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git/refs/heads/main").exists()
    assert commit_of(repository) == git(repository, "rev-parse", "main")


def test_the_commit_without_a_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_the_commit_of_a_further_worktree(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "aside", str(tmp_path / "aside"))
    git(tmp_path / "aside", "commit", "-q", "--allow-empty", "-m", "aside")
    assert commit_of(tmp_path / "aside") == git(tmp_path / "aside", "rev-parse", "HEAD") != commit_of(repository)


@pytest.mark.parametrize("head", ["", "ref: refs/heads/none", "ref: ../../secret", "no commit", "ref: HEAD"])
def test_what_cannot_be_told_is_none(head: str, repository: Path) -> None:
    (repository / ".git/HEAD").write_text(head)
    assert commit_of(repository) is None


def test_no_repository_has_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    assert commit_of(tmp_path) is None


def test_the_environment_names_versions_and_machine() -> None:
    text, sha256 = describe_environment()
    told = json.loads(text)
    assert told["python"] == platform.python_version()
    assert told["machine"] == platform.machine()
    for name in ("ecosystemiser", "highspy", "numba", "numpy", "scipy", "pvlib", "pyarrow", "SQLAlchemy"):
        assert told[name.lower()] == version(name)
    assert len(sha256) == 64
    assert describe_environment() is describe_environment()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_a_checkout_names_its_commit() -> None:
    told = json.loads(describe_environment()[0])
    assert (told["checkout"], told["commit"]) == (True, git(ROOT, "rev-parse", "HEAD"))


def test_it_is_told_what_changed() -> None:
    then = '{"numpy": "2.1", "python": "3.11", "commit": null, "gone": "1"}'
    now = '{"numpy": "2.2", "python": "3.11", "commit": "abc"}'
    assert version_changes(then, now) == (
        VersionChange("numpy", "2.1", "2.2"),
        VersionChange("commit", None, "abc"),
        VersionChange("gone", "1", None),
    )


@pytest.mark.parametrize("then", [None, "", "{", "[]"])
def test_an_unknown_environment_has_not_changed(then: str | None) -> None:
    assert version_changes(then, '{"numpy": "2.2"}') == ()
