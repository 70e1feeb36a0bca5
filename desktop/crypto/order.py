"""The order of revisions: which header may follow which (FORMAT.md section 10.2).

Pure functions over what was accepted before; keeping that memory durably is the caller's part. Must not import PySide6,
the network or anything of the project but ``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.crypto.envelope import Envelope
from desktop.crypto.records import Succession
from desktop.errors import Forked, HistoryMissing, RolledBack, WrongPicture


@dataclass(frozen=True, slots=True)
class Known:
    """What a reader remembers of one picture.

    Attributes:
        owner: Owner's fingerprint.
        picture_id: 32 hex digits.
        epoch: Of the header accepted last.
        revision: Of the header accepted last.
        header_hash: Of the header accepted last.
        deed_hash: Of the header accepted last.
        accepted: The hashes of all headers ever accepted.
    """

    owner: str
    picture_id: str
    epoch: int
    revision: int
    header_hash: str
    deed_hash: str
    accepted: frozenset[str]


def accept(
    known: Known | None,
    offered: Envelope,
    history: Sequence[Envelope] = (),
    *,
    succession: Succession | None = None,
) -> Known:
    """Return what is known after a verified header is accepted; ``known`` itself never changes.

    Args:
        known: What was known; None at first contact.
        offered: The header.
        history: Verified headers between the known and the offered one, oldest first.
        succession: The verified record, and the person's word, that the owner has another key now.

    Raises:
        WrongPicture: It is another picture's.
        RolledBack, Forked, HistoryMissing: It may not follow.
    """
    if known is None:
        return _following(offered, frozenset())
    for envelope in history:
        if envelope.header_hash not in known.accepted:
            known = _step(known, envelope, succession)
    return _step(known, offered, succession)


def _step(known: Known, offered: Envelope, succession: Succession | None) -> Known:
    owner = offered.owner.fingerprint
    if succession is not None and (known.owner, owner) == (succession.old, succession.new):
        # the same picture under the next key: only as a new epoch that follows something accepted
        if offered.epoch <= known.epoch:
            raise RolledBack
    elif owner != known.owner:
        raise WrongPicture
    if offered.picture_id != known.picture_id:
        raise WrongPicture
    if offered.header_hash == known.header_hash:
        return known
    if (offered.epoch, offered.revision) < (known.epoch, known.revision):
        raise RolledBack
    if offered.epoch == known.epoch:
        if offered.revision > known.revision + 1:
            raise HistoryMissing
        if (
            offered.revision == known.revision
            or offered.deed_hash != known.deed_hash
            or offered.previous != known.header_hash
        ):
            raise Forked
    elif (offered.epoch, offered.revision) != (known.epoch + 1, 1) or offered.previous not in known.accepted:
        raise HistoryMissing
    return _following(offered, known.accepted)


def _following(envelope: Envelope, accepted: frozenset[str]) -> Known:
    return Known(
        owner=envelope.owner.fingerprint,
        picture_id=envelope.picture_id,
        epoch=envelope.epoch,
        revision=envelope.revision,
        header_hash=envelope.header_hash,
        deed_hash=envelope.deed_hash,
        accepted=accepted | {envelope.header_hash},
    )
