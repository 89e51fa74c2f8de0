"""A program that leaves its workers behind when it is killed, and does not hear Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

signal.signal(signal.SIGINT, signal.SIG_IGN)
os.write(1, b"begin\n")
for _ in range(2):
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    os.write(1, f"{worker.pid}\n".encode())
threading.Event().wait()
