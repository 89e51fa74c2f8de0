"""Draw docs/demo.svg: what `ecosystemiser demo` prints in a terminal of 80 columns."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).parent.parent / "docs" / "demo.svg"


def main() -> int:
    """Run the demo in an empty folder and draw what it printed."""
    command = [str(Path(sys.executable).parent / "ecosystemiser"), "demo"]
    environment = {**os.environ, "COLUMNS": "80"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
        printed = done.stdout.replace(folder, ".")
    console = Console(record=True, width=80, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    console.print(Text(f"$ ecosystemiser demo\n{printed.rstrip()}"))
    console.save_svg(str(TARGET), title="ecosystemiser demo")
    return 0


if __name__ == "__main__":
    sys.exit(main())
