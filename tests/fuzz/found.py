"""Inputs that once found something, one folder for each parser; they are tried in every run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOUND: Final = Path(__file__).parent / "found"


def found(name: str) -> dict[str, bytes]:
    """Return those of a parser, by file name."""
    folder = FOUND / name.replace(" ", "-")
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}
