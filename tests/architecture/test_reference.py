"""The reference pages say what the declarations say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_are_up_to_date() -> None:
    """`tools/build_reference.py --check` finds nothing to change."""
    tool = ROOT / "tools" / "build_reference.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_field_of_every_component_is_documented() -> None:
    """No row of the components' tables has an empty meaning."""
    rows = (ROOT / "docs" / "reference" / "components.md").read_text("utf-8").splitlines()
    fields = [row for row in rows if row.startswith("| `")]
    assert len(fields) > 100
    assert not [row for row in fields if row.split("|")[4].strip() == ""]
