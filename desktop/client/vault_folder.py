"""How a vault on this computer is laid out in its folder. Light: the first page asks before anything else is loaded."""

from __future__ import annotations

from pathlib import Path

KEYS = "keys"
BACKEND = "backend"


def vault_exists(folder: Path) -> bool:
    """Whether there is a vault, or what is left of one, in this folder."""
    return any((folder / KEYS).glob("*.glassine-key")) or (folder / BACKEND).is_dir()
