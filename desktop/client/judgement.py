"""The values of judging a listing; see ``desktop.client.judging``.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.memory_model import Entry, Intent, Key, Snapshot
from desktop.models import Scheme

if TYPE_CHECKING:
    from desktop.crypto.sealed import Envelope


class Standing(StrEnum):
    """How a picture stands to the memory."""

    NEW = "new"
    SAME = "same"
    NEXT = "next"
    GONE = "gone"  # deleted for good by its owner, here or elsewhere
    MISSING = "missing"
    REFUSED = "refused"  # see the error
    UNREADABLE = "unreadable"  # see the error: damaged, too new; nobody is accused


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a listing, its envelope read.

    A row called ``p-<id>`` is the sealed picture of that id whatever scheme the server claims; ``scheme`` is the claim.

    Attributes:
        owner: Fingerprint of the owner it was listed for; empty for a picture of the classic scheme.
        picture_id: The id, or the stored name of a classic picture.
        scheme: As the server says.
        envelope: Verified; None for a classic picture, or when it could not be.
        error: Why not.
    """

    owner: str
    picture_id: str
    scheme: Scheme = Scheme.SEALED
    envelope: Envelope | None = None
    error: errors.GlassineError | None = None

    @property
    def key(self) -> Key:
        """What it is remembered by."""
        return self.owner, self.picture_id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be thought of one picture. With an error nothing of it is shown."""

    standing: Standing
    error: errors.GlassineError | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be thought of a listing.

    Attributes:
        memory: What it was measured against.
        verdicts: By picture, those that are missing or gone included.
        entries: What is to be remembered from now on, where it differs.
        settled: Intents whose outcome is known now.
        conflicts: Headers sealed here whose place another revision has taken: kept, and never sent as they are.
    """

    memory: Snapshot
    verdicts: dict[Key, Verdict]
    entries: tuple[Entry, ...]
    settled: tuple[Intent, ...]
    conflicts: tuple[Intent, ...]

    def with_standing(self, standing: Standing) -> list[Key]:
        """Return the pictures that stand so."""
        return [key for key, verdict in self.verdicts.items() if verdict.standing is standing]
