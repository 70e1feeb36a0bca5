"""Start to first paint of Glassine against a bare PySide6 window: separate processes, alternating, medians.

Both print the monotonic clock when their window has been painted; this process took it just before it started them.
The data folder is fresh for each start; bytecode is cached for both, as it is on a person's computer. Run: ``python benchmarks/bench_start.py [--runs N]``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 1.5

BARE = """
import time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QWidget
class Window(QWidget):
    painted = False
    def paintEvent(self, event):
        if not self.painted:
            self.painted = True
            QTimer.singleShot(0, lambda: print("first paint", time.monotonic_ns(), flush=True))
app = QApplication([])
window = Window()
window.resize(1280, 800)
QLabel("Glassine", window)
window.show()
app.exec()
"""


def seconds_to_first_paint(command: list[str], folder: str, name: str) -> float:
    """Start a process and return the seconds until it says that it painted."""
    environment = os.environ | {
        "GLASSINE_DATA_DIR": f"{folder}/{name}",
        "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
        "GLASSINE_REPORT_FIRST_PAINT": "1",
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.monotonic_ns()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("first paint"):
                return (int(line.split()[-1]) - begin) / 1e9
        raise SystemExit(f"{command[-1]} ended without painting: {process.stderr.read() if process.stderr else ''}")
    finally:
        process.kill()
        process.communicate()


def measure(runs: int) -> dict[str, float]:
    """Return medians in seconds and their ratio."""
    bare, own = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs + 1):
            first = seconds_to_first_paint([sys.executable, "-c", BARE], folder, "bare")
            second = seconds_to_first_paint([sys.executable, str(ROOT / "main.py")], folder, f"data-{number}")
            if number:  # the first pair only fills the caches of disk and bytecode
                bare.append(first)
                own.append(second)
    medians = statistics.median(bare), statistics.median(own)
    ratios = [b / a for a, b in zip(bare, own, strict=True)]
    return {
        "bare_s": medians[0],
        "glassine_s": medians[1],
        "ratio": medians[1] / medians[0],
        "median_of_ratios": statistics.median(ratios),
    }


def main() -> int:
    """Print the medians and the ratio; the exit code is 1 if the ratio is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.runs)
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"start to first paint: bare PySide6 {result['bare_s'] * 1000:.0f} ms, Glassine "
            f"{result['glassine_s'] * 1000:.0f} ms, ratio {result['ratio']:.2f} (limit {LIMIT})"
        )
    return 0 if result["ratio"] <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main())
