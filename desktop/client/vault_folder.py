"""How a vault on this computer is laid out in its folder. Light: the first page asks before anything else is loaded."""

from __future__ import annotations

import os
from pathlib import Path

KEYS = "keys"
BACKEND = "backend"


def vault_exists(folder: Path) -> bool:
    """Whether there is a vault, or what is left of one, in this folder."""
    try:
        names = os.listdir(folder / KEYS)  # noqa: PTH208 - a glob costs a millisecond of the start
    except OSError:
        names = []
    return any(name.endswith(".glassine-key") for name in names) or (folder / BACKEND).is_dir()
