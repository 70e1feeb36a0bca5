"""Forty photographs dropped at once: how long it takes, and the longest time the window does not answer.

Run: ``python -m benchmarks.bench_drop``. The photographs are those of Debian's mate-backgrounds if it is installed,
made up to forty with drawn ones. The peer of the stall is the same window, idle for as long; that of the time is making
the thumbnails alone, one after the other. Copies of all are saved and compared with the originals.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from desktop.app import name_application
from desktop.image_formats import make_thumbnail
from scripts.demo import collect_photographs, installed_photographs
from tests.end_to_end.driver import Driver

PASSPHRASE = "a long walk by the river"


def idle_stall(glassine: Driver, seconds: float) -> float:
    """The longest stall of the window while nothing is going on, in ms."""
    glassine.stalls.begin()
    end = time.perf_counter() + seconds
    glassine.until(lambda: time.perf_counter() > end, "the idle time to pass")
    return glassine.stalls.end()


def thumbnail_seconds(paths: list[Path]) -> float:
    """Make a thumbnail of each file, one after the other, and nothing else."""
    begun = time.perf_counter()
    for path in paths:
        make_thumbnail(path)
    return time.perf_counter() - begun


def main() -> int:
    """Run it and print the figures."""
    application = QApplication(["glassine"])
    name_application(application)
    with tempfile.TemporaryDirectory(prefix="glassine-drop-") as name:
        work = Path(name)
        photographs = collect_photographs(work / "photographs", installed_photographs())
        size = sum(path.stat().st_size for path in photographs)
        thumbnails = thumbnail_seconds(photographs)
        glassine = Driver(work / "data")
        glassine.create_vault(PASSPHRASE)
        glassine.drop(photographs)
        glassine.button("Start")
        glassine.stalls.begin()
        begun = time.perf_counter()
        glassine.press("Start")
        glassine.until(lambda: glassine.shown() > 0, "the first tile")
        first = time.perf_counter() - begun
        glassine.until(lambda: glassine.shown() == len(photographs) and not glassine.busy(), "all tiles")
        whole = time.perf_counter() - begun
        stall = glassine.stalls.end()
        idle = idle_stall(glassine, whole)
        saved = work / "saved"
        saved.mkdir()
        glassine.save_copies_of_all(saved)
        glassine.until(lambda: len(list(saved.iterdir())) == len(photographs) and not glassine.saving(), "the copies")
        same = sum((saved / path.name).read_bytes() == path.read_bytes() for path in photographs)
        glassine.close()
    print(f"{len(photographs)} photographs, {size / 1e6:.1f} MB; identical after saving copies: {same}")
    print(
        f"first tile {first:.2f} s; all stored {whole:.2f} s;"
        f" thumbnails alone {thumbnails:.2f} s; ratio {whole / thumbnails:.2f}"
    )
    print(f"longest stall of the window {stall:.0f} ms; of the idle window {idle:.0f} ms")
    return 0 if same == len(photographs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
