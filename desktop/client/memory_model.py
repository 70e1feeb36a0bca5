"""What is remembered of pictures and people, as values.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from desktop.models import Scheme

if TYPE_CHECKING:
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.order import Known

Key: TypeAlias = tuple[str, str]
"""Owner's fingerprint (empty for a picture of the classic scheme) and the picture's id (or stored name)."""

CLASSIC_OWNER = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of one picture.

    Attributes:
        owner: Owner's fingerprint; empty for a classic picture, which nobody signs.
        picture_id: 32 hex digits; the stored name of a classic picture.
        scheme: Pinned: a picture never changes it.
        known: The headers accepted; None for a classic picture, or one that was gone when first heard of.
        text_hash: Of the envelope verified last, see ``desktop.crypto.envelope.text_hash``; empty to verify it again.
        gone: Its owner deleted it for good; final.
        moves: How often its owner moved it to the bin and back; odd: into the bin last. No clock decides, and of two
            computers the one that has seen more moves is right.
    """

    owner: str
    picture_id: str
    scheme: Scheme = Scheme.SEALED
    known: Known | None = None
    text_hash: str = ""
    gone: bool = False
    moves: int = 0

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.owner, self.picture_id

    @property
    def in_bin(self) -> bool:
        """Whether its owner moved it to the bin, whose time may have run out."""
        return self.moves % 2 == 1


class IntentKind(StrEnum):
    """What is about to be asked of the server."""

    HEADER = "header"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before a request is sent, settled when its outcome is known: a crash between the two explains itself.

    Attributes:
        owner: Owner's fingerprint.
        picture_id: 32 hex digits.
        kind: A new header, or a deletion for good.
        header_hash: Of the new header; of the last accepted one for a deletion.
        previous: The new header's predecessor; empty for a deletion.
    """

    owner: str
    picture_id: str
    kind: IntentKind
    header_hash: str
    previous: str = ""

    @property
    def key(self) -> Key:
        """The picture it is about."""
        return self.owner, self.picture_id


class PinState(StrEnum):
    """How far a person's key is known to be theirs."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    CHANGED = "changed"  # the server offers another key than the pinned one


@dataclass(frozen=True, slots=True)
class Pin:
    """A person, as first met or as compared.

    Attributes:
        user_id: On the server.
        name: As it was when pinned; what people are shown.
        public: The pinned key; None while the person has only a key of the classic scheme.
        state: See :class:`PinState`.
        seen: When pinned, seconds since 1970; for display only.
        compared: When the fingerprints were compared, 0 for never; for display only.
        offered: The key that is offered instead, when changed.
        offered_user_id: The account that offers it: another one when somebody came back under the same name.
    """

    user_id: str
    name: str
    public: PublicKey | None
    state: PinState
    seen: int
    compared: int = 0
    offered: PublicKey | None = None
    offered_user_id: str = ""

    @property
    def fingerprint(self) -> str:
        """Of the pinned key; empty without one."""
        return self.public.fingerprint if self.public is not None else ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The memory of pictures at one moment, for judging a listing. Does not change.

    Attributes:
        entries: What is remembered of each picture.
        intents: What was about to be stored.
        former: Public keys (PEM) by fingerprint that people had before those that were compared since.
    """

    entries: Mapping[Key, Entry] = field(default_factory=dict)
    intents: Mapping[tuple[Key, IntentKind], Intent] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)

    def entry(self, owner: str, picture_id: str) -> Entry | None:
        """Return what is remembered of a picture."""
        return self.entries.get((owner, picture_id))

    def text_hash(self, owner: str, picture_id: str) -> str:
        """Return the hash of the envelope verified last, or an empty string."""
        entry = self.entries.get((owner, picture_id))
        return entry.text_hash if entry is not None else ""
