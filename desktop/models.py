"""Values that travel between the layers of the desktop program.

Must not import anything of the project but the kinds of places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.place_kind import PlaceKind

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "IsCancelled",
    "Picture",
    "PictureState",
    "Place",
    "PlaceKind",
    "Report",
    "Scheme",
    "never_cancelled",
    "no_report",
]

Report = Callable[[int, int], None]
"""``report(done, total)``: how far a piece of work is; the unit is the work's own, ``total`` 0 means unknown."""

IsCancelled = Callable[[], bool]
"""``cancelled()``: whether the person asked to stop. Work answers True by raising ``errors.Cancelled``."""


def no_report(done: int, total: int) -> None:
    """Report to nobody."""


def never_cancelled() -> bool:
    """Answer that nobody cancelled."""
    return False


class Scheme(StrEnum):
    """How a picture is protected. Classic is not secure and is never chosen silently."""

    SEALED = "sealed"
    CLASSIC = "classic"


class PictureState(StrEnum):
    """What the gallery can say about a picture without fetching its payload."""

    READY = "ready"
    UNREADABLE = "unreadable"  # cannot be opened: damaged or no key
    REFUSED = "refused"  # not what was stored: forged, swapped, rolled back


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account's pictures are kept.

    Attributes:
        kind: A server, or a vault folder on this computer.
        address: Base URL of the server; empty for a vault folder.
        folder: The vault folder, or for a server account the local folder with staged and cached ciphertext.
        user_name: Account name; empty for a vault folder.
    """

    kind: PlaceKind
    folder: Path
    address: str = ""
    user_name: str = ""

    @property
    def title(self) -> str:
        """What people call it: the host name, or the folder's name."""
        if self.kind is PlaceKind.SERVER:
            return self.address.split("://", 1)[-1].rstrip("/")
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as the gallery knows it, from its signed header alone.

    Attributes:
        id: 32 hex digits for sealed pictures; the stored name for classic ones.
        stored_name: Name on the server without extension (``p-<id>`` for sealed pictures).
        owner_id: The owner's user id on the server, 24 hex digits.
        scheme: Sealed or classic.
        name: Real file name; never known to the server for sealed pictures.
        media_type: Such as ``image/jpeg``.
        size: Plaintext size in bytes; 0 if unknown.
        stored_size: Size in bytes of what is stored.
        width: Pixels, after orientation; 0 if unknown.
        height: Pixels, after orientation; 0 if unknown.
        taken: When the photograph was taken, as the file says (camera's local time, naive), or None.
        added: When the server took it (aware, UTC).
        state: Ready, unreadable or refused.
        problem: The error's title and message when not ready, for the tile and its explanation.
        problem_code: The error's code when not ready.
    """

    id: str
    stored_name: str
    owner_id: str
    scheme: Scheme
    name: str
    media_type: str
    size: int
    stored_size: int
    width: int
    height: int
    taken: datetime | None
    added: datetime
    state: PictureState = PictureState.READY
    problem: str = ""
    problem_code: str = ""

    @property
    def when(self) -> datetime:
        """The time to sort and group by: when taken, else when added, naive local time."""
        return self.taken if self.taken is not None else self.added.astimezone().replace(tzinfo=None)
