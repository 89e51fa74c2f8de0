"""wall_clock DB SYSTEM OUTPUT WORKERS SECONDS: a broken program, which measures durations by the time of day."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime

from tests.faults.programs.words import say


def main() -> None:
    say("begin")
    begin, begun = time.monotonic(), (time.time(), datetime.now(UTC))
    time.sleep(float(sys.argv[5]))
    durations = {
        "time.time": [time.time() - begun[0]],
        "datetime": [(datetime.now(UTC) - begun[1]).total_seconds()],
    }
    told = {"elapsed": time.monotonic() - begin, "durations": durations, "statuses": ["completed"]}
    say(json.dumps(told))


if __name__ == "__main__":
    main()
