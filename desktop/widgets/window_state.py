"""Remembers where the window was. What is unreadable is forgotten: it is only a convenience."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray

_MAX_BYTES: Final = 4096


def load_geometry(path: Path) -> QByteArray | None:
    """What :func:`save_geometry` wrote, or None."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError:
        return None
    return QByteArray(content) if 0 < len(content) <= _MAX_BYTES else None


def save_geometry(path: Path, geometry: QByteArray) -> None:
    """Keep the geometry; a full or read-only disk costs nothing but the position."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(path.name + ".new")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(geometry.data())
        temporary.replace(path)
