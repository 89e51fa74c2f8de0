"""What the README shows works as shown."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PROGRAM = Path(sys.executable).parent / "ecosystemiser"


def block(containing: str) -> str:
    """Return the fenced block of the README that holds a word, without its first line (the language)."""
    blocks = README.split("```")[1::2]
    return next(text for text in blocks if containing in text).partition("\n")[2]


@pytest.fixture
def farm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the README's system file; the current folder."""
    (tmp_path / "farm.yaml").write_text(block("system_id: farm"), "utf-8")
    (tmp_path / "sizing.yaml").write_text(block("study_id: sizing"), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
    return tmp_path


def test_the_commands_of_the_readme_run(farm: Path) -> None:
    """Each line of all shell blocks, in order, ends with exit code 0."""
    first_words = ("ecosystemiser check", "ecosystemiser study run", "ecosystemiser runs diff")
    lines = [line for words in first_words for line in block(words).splitlines()]
    commands = [line.partition("#")[0].strip() for line in lines]
    assert len(commands) == 14
    for command in commands:
        words = shlex.split(command)
        done = subprocess.run([PROGRAM, *words[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "None of" not in done.stdout  # what is looked for is found
    assert len((farm / "good.csv").read_text("utf-8").splitlines()) == 2


def test_the_python_of_the_readme_runs(farm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The block completes a run and finds it in the log."""
    names: dict[str, object] = {}
    exec(compile(block("simulate("), "README.md", "exec"), names)  # noqa: S102
    assert capsys.readouterr().out.startswith("completed ")
    assert len(names["cheap"]) == 1  # type: ignore[arg-type]
