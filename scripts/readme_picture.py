"""Make the picture in the README: the real window and drawn landscapes. ``python -m scripts.readme_picture``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from desktop.app import name_application
from tests.end_to_end.driver import Driver
from tests.sample_pictures import photograph, write_all

TARGET = Path(__file__).resolve().parent.parent / "docs" / "gallery.png"


def main() -> None:
    """Make it."""
    application = QApplication(["glassine"])
    name_application(application)
    days = ((26, 9), (25, 4), (24, 10))
    pictures = {
        f"IMG_{4400 + 20 * day + number}.jpg": photograph(
            31 * day + number, taken=f"2026:11:{day:02} {18 - number:02}:{(number * 17) % 60:02}:00"
        )
        for day, count in days
        for number in range(count)
    }
    with tempfile.TemporaryDirectory(prefix="glassine-picture-") as work:
        os.environ["GLASSINE_DATA_DIR"] = str(Path(work) / "data")
        glassine = Driver(Path(work) / "data")
        glassine.create_vault("a long walk by the river")
        glassine.add(write_all(pictures, Path(work) / "photographs"))
        glassine.until(lambda: glassine.shown() == len(pictures) and not glassine.busy(), "all tiles")
        glassine.until(glassine.thumbnails_painted, "the thumbnails")
        glassine.grab(TARGET)
        glassine.close()


if __name__ == "__main__":
    main()
