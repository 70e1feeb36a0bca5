"""What sharing is about, as values.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from desktop import errors
from desktop.models import Person


class Strip(StrEnum):
    """What a shared copy is made without."""

    METADATA = "metadata"
    """Place, times, camera and its serial numbers, maker notes, XMP, IPTC, comments, embedded previews, file name."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture for which it did not work, and why."""

    picture_id: str
    error: errors.GlassineError


@dataclass(frozen=True, slots=True)
class ShareResult:
    """What became of sharing several pictures. All but ``copies`` name the pictures that were asked for.

    Attributes:
        shared: The person can open these now.
        waiting: These are shared as soon as the person has a key and it was compared.
        failed: The others.
        copies: Pictures of which a copy without metadata is shared instead: original id → id of the copy.
    """

    shared: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    copies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """Somebody who has a picture, or is to have it.

    Attributes:
        person: Who.
        role: ``read`` or ``write``.
        since: When the grant was made (aware, UTC), as the own program wrote it; None when it waits.
        waiting: The person has no key yet, or it was not compared: they cannot open it.
        opens: Whether what the server keeps for them opens the picture. False although not waiting: the server lost
            or changed it; sharing once more repairs it.
    """

    person: Person
    role: str
    since: datetime | None
    waiting: bool = False
    opens: bool = True


@dataclass(frozen=True, slots=True)
class StopResult:
    """What became of taking pictures back.

    Attributes:
        stopped: The person gets these no more from the server.
        resealed: Of those, the ones that were encrypted anew: what the person kept opens no later version.
        failed: The others.
    """

    stopped: tuple[str, ...] = ()
    resealed: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who shares with the account.

    Attributes:
        person: Who; the name is the server's claim until the person is pinned.
        count: Pictures.
        accepted: Their pictures are decoded and shown: compared, or accepted without.
        declined: Their pictures are not even listed.
    """

    person: Person
    count: int
    accepted: bool
    declined: bool = False


@dataclass(frozen=True, slots=True)
class KeySuccession:
    """A changed key whose old one vouches for it. For information only: it is compared all the same.

    Attributes:
        old: Fingerprint of the pinned key.
        new: Fingerprint of the offered key.
        when: As the record says (aware, UTC).
    """

    old: str
    new: str
    when: datetime


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version that was sealed here and whose place another one has taken, or which was not sent yet.

    Attributes:
        picture_id: As the gallery knows the picture.
        name: Its file name.
        sealed: When (aware, local clock).
        moved: Another version is in its place; False when it only waits to be sent.
    """

    picture_id: str
    name: str
    sealed: datetime
    moved: bool
