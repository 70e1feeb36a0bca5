"""Start to first paint of Glassine against bare PySide6 windows: separate processes, alternating, medians.

There are two to compare with: the smallest window that shows a word, and the first example of PySide6's tutorial (a
label, centred, and a button in a layout). All print the monotonic clock when their window has been painted; this
process took it just before it started them. The data folder is fresh for each start; bytecode is cached for all, as it
is on a person's computer. Run: ``python benchmarks/bench_start.py [--runs N]``.
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

TUTORIAL = """
import time
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QVBoxLayout, QWidget
class Window(QWidget):
    painted = False
    def __init__(self):
        super().__init__()
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Glassine", alignment=Qt.AlignmentFlag.AlignCenter))
        layout.addWidget(QPushButton("Click me!"))
    def paintEvent(self, event):
        if not self.painted:
            self.painted = True
            QTimer.singleShot(0, lambda: print("first paint", time.monotonic_ns(), flush=True))
app = QApplication([])
window = Window()
window.resize(1280, 800)
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
    """Return medians in seconds and their ratios."""
    commands = {
        "bare": [sys.executable, "-c", BARE],
        "tutorial": [sys.executable, "-c", TUTORIAL],
        "glassine": [sys.executable, str(ROOT / "main.py")],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs + 1):
            for name, command in commands.items():
                seconds = seconds_to_first_paint(command, folder, f"{name}-{number}")
                if number:  # the first round only fills the caches of disk and bytecode
                    taken[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    return {
        **{f"{name}_s": value for name, value in medians.items()},
        "ratio": medians["glassine"] / medians["bare"],
        "ratio_to_tutorial": medians["glassine"] / medians["tutorial"],
    }


def main() -> int:
    """Print the medians and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.runs)
    if options.json:
        print(json.dumps(result))
        return 0
    print(
        f"start to first paint: Glassine {result['glassine_s'] * 1000:.0f} ms; "
        f"{result['ratio']:.2f} times the smallest PySide6 window ({result['bare_s'] * 1000:.0f} ms), "
        f"{result['ratio_to_tutorial']:.2f} times that of its tutorial ({result['tutorial_s'] * 1000:.0f} ms); "
        f"wanted: at most {LIMIT}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
