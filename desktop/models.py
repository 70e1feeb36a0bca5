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
    "Person",
    "PersonState",
    "Picture",
    "PictureState",
    "Place",
    "PlaceKind",
    "Report",
    "Scheme",
    "Trust",
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
    UNREADABLE = "unreadable"  # cannot be opened: damaged, no key, or nobody can tell who changed it
    REFUSED = "refused"  # not what was stored: forged, swapped, rolled back
    MISSING = "missing"  # known, and not on the server any more although its owner did not delete it
    UNDECODED = "undecoded"  # from somebody who was not accepted yet: nothing of it was decoded


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
        state: Whether it can be shown, and why not.
        problem: The error's title and message when not ready, for the tile and its explanation.
        problem_code: The error's code when not ready.
        owner_name: Whose it is, as the pin says; empty for one's own.
        role: ``read`` or ``write`` for a picture of somebody else; empty for one's own.
        shared_with: Names of the people it is shared with; empty for one whose name is not known.
        unverified: It is shared with somebody whose key was never compared.
        conflict: Two revisions stand in each other's place; the person has to choose.
        deleted: When it was moved to the bin (aware, UTC), as the server says; None outside the bin.
        revision: Header hash of the revision at hand, 64 hex digits; empty when unknown.
        revision_number: Which one it is since the keys were last made anew, from 1; 0 when unknown.
        epoch: How often its keys were made, from 1; 0 when unknown.
        waiting_for: Names of people who are to have it and cannot open it yet: no key, or not compared.
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
    owner_name: str = ""
    role: str = ""
    shared_with: tuple[str, ...] = ()
    unverified: bool = False
    conflict: bool = False
    deleted: datetime | None = None
    revision: str = ""
    revision_number: int = 0
    epoch: int = 0
    waiting_for: tuple[str, ...] = ()

    @property
    def when(self) -> datetime:
        """What to sort and group by, naive local time: in the bin when deleted, else when taken, else when added."""
        if self.deleted is not None:
            return self.deleted.astimezone().replace(tzinfo=None)
        return self.taken if self.taken is not None else self.added.astimezone().replace(tzinfo=None)


class PersonState(StrEnum):
    """How far it is known that a person's key is theirs."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    CHANGED = "changed"  # the server offers another key than the known one
    NO_KEY = "no-key"
    CLASSIC = "classic"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody one shares with.

    Attributes:
        user_id: On the server, 24 hex digits.
        name: As the pin says.
        fingerprint: Of the key, 64 hex digits; empty without one.
        words: The fingerprint as words, for comparing; empty without a key.
        groups: The fingerprint as sixteen groups of four hex digits; empty without a key.
        state: How far the key is known to be theirs.
        since: When the fingerprints were compared, or when first met (aware, UTC).
        differs: The key did not change, but its words were not those that the person said when they were compared.
    """

    user_id: str
    name: str
    fingerprint: str
    words: tuple[str, ...]
    groups: tuple[str, ...]
    state: PersonState
    since: datetime | None = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """What the last complete listing found. All but the last three are ids of pictures.

    Attributes:
        rolled_back: An older revision was handed out.
        forked: Another revision of the same number was handed out, or the steps between two were left out.
        missing: Known, not listed, and not deleted by their owner.
        resurrected: Deleted for good and handed out again.
        injected: Among one's own and not signed by one's own key.
        scheme_changed: Offered in another scheme than before.
        new_device: Nothing was remembered on this computer before: what the server offered first was taken as it is.
        ledger_time: When the list of another computer, which was taken over or compared, was written (aware, UTC).
        ledger_problem: Code of the error that the sealed list on the server ended in; empty for none.
    """

    rolled_back: tuple[str, ...] = ()
    forked: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    resurrected: tuple[str, ...] = ()
    injected: tuple[str, ...] = ()
    scheme_changed: tuple[str, ...] = ()
    new_device: bool = False
    ledger_time: datetime | None = None
    ledger_problem: str = ""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to warn about."""
        found = self.rolled_back, self.forked, self.missing, self.resurrected, self.injected, self.scheme_changed
        return not (any(found) or self.ledger_problem)
