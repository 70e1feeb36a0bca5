"""Renders the application icon of ``resources/app`` from the drawing in ``desktop/widgets/sleeve.py``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)


def main() -> int:
    """Write one PNG for each size."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QGuiApplication

    from desktop.widgets.sleeve import render_icon

    _app = QGuiApplication([])
    folder = ROOT / "resources" / "app"
    for side in SIZES:
        path = folder / f"glassine-{side}.png"
        if not render_icon(side).save(str(path)):
            print(f"cannot write {path}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
