"""The two kinds of places, apart from ``desktop.models`` because the first page needs nothing else of it.

Must not import anything of the project.
"""

from __future__ import annotations

from enum import StrEnum


class PlaceKind(StrEnum):
    """Where pictures are kept."""

    SERVER = "server"
    THIS_COMPUTER = "this-computer"
