"""What the repository holds and what it keeps out."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Folders of one person's machine. A web address whose path looks alike has a word before the slash.
MACHINE_PATH = re.compile(r"(?<![\w.\-~}])/(?:home|root|work|Users|opt/pypi|tmp/scratch)/")

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)


def kept_files() -> list[Path]:
    """Files in git, and those that the next `git add --all` would bring in."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def is_ignored(path: str) -> bool:
    return git("check-ignore", "--no-index", "--quiet", path).returncode == 0


def test_no_file_names_a_path_of_one_machine() -> None:
    files = kept_files()
    assert ROOT / "pyproject.toml" in files
    texts = {path: content for path in files if b"\0" not in (content := path.read_bytes())}
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, content in texts.items()
        for number, line in enumerate(content.decode(errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "path",
    [
        ".venv/bin/python",
        "bench-results/a.json",
        "build/lock/bin/uv",
        "data/runs/a/hourly.parquet",
        "data/simulation_index.sqlite",
    ],
)
def test_results_and_builds_stay_out_of_git(path: str) -> None:
    assert is_ignored(path)


@pytest.mark.parametrize(
    "path",
    [
        "src/ecosystemiser/data/profiles/profiles.parquet",
        "src/ecosystemiser/data/systems/a.yaml",
        "tests/data/a.sqlite",
        "requirements/base.txt",
    ],
)
def test_packaged_data_is_never_ignored(path: str) -> None:
    assert not is_ignored(path)


def test_the_newest_entry_of_the_changelog_is_the_packages_version() -> None:
    entries = re.findall(r"^## \[(.+?)\] - \S+$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert entries[0] == project["version"]


def test_the_licence_is_there_and_is_the_one_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "MIT"
    assert [(ROOT / name).read_text().split()[0] for name in project["license-files"]] == ["MIT"]
