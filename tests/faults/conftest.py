"""What all tests of faults need."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with no database named from outside; faults are watched through Linux' /proc."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ECOSYSTEMISER_DB", raising=False)
