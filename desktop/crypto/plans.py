"""Where a revision that is about to be sealed stands: its place in the order, its picture key, who may write it.

FORMAT.md sections 5, 8 and 10.2. A plan is made from what was verified before and is good for one attempt to seal at a
time; a second attempt draws a new salt by itself. Must not import PySide6, the network or anything of the project but
``desktop.crypto`` and ``desktop.errors``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from desktop.crypto.canonical import Object
from desktop.crypto.envelope import check_grant
from desktop.crypto.keys import SECRET_BYTES, PrivateKey, PublicKey
from desktop.crypto.objects import MAX_COUNTER, NO_HEADER, Grant
from desktop.crypto.opened import OpenedEnvelope
from desktop.errors import NoGrant, Unsupported, WrongKey


@dataclass(frozen=True)
class Plan:
    """Where the next revision of a picture stands.

    Attributes:
        picture_id: 32 hex digits.
        owner: Owner's fingerprint.
        epoch: Of the deed.
        revision: Within the epoch.
        previous: Hash of the header before; 64 zeros for none.
        deed: The deed to carry verbatim; None when a new one is made, by the owner.
        grant: The author's write grant; None when the author is the owner.
        picture_key: The epoch's picture key.
    """

    picture_id: str
    owner: str
    epoch: int
    revision: int
    previous: str
    deed: Object | None
    grant: Grant | None
    picture_key: bytes = field(repr=False)


def first_revision(key: PrivateKey, picture_id: str) -> Plan:
    """Plan a new picture."""
    return Plan(picture_id, key.fingerprint, 1, 1, NO_HEADER, None, None, secrets.token_bytes(SECRET_BYTES))


def next_revision(current: OpenedEnvelope, key: PrivateKey, *, owner: PublicKey, grant: Grant | None = None) -> Plan:
    """Plan the revision after the current one, in the same epoch.

    Args:
        current: What was accepted last.
        key: The author's key: the owner's, or that of a person with a write grant.
        owner: The owner's own or pinned key.
        grant: The author's write grant, unless the author is the owner.

    Raises:
        NoGrant: The author holds no write grant of the owner for this very deed.
        Unsupported: The epoch has no revisions left; only the owner can go on, with a new epoch.
    """
    deed = current.header.deed
    if current.header.revision >= MAX_COUNTER:
        raise Unsupported("This picture has no revisions left. Its owner has to encrypt it anew.")
    if key.fingerprint == deed.owner:
        grant = None
    else:
        check_grant(grant, deed, owner, key.fingerprint, write=True)
    return Plan(
        picture_id=deed.picture_id,
        owner=deed.owner,
        epoch=deed.epoch,
        revision=current.header.revision + 1,
        previous=current.header.hash,
        deed=deed.source,
        grant=grant,
        picture_key=current.picture_key,
    )


def new_epoch(current: OpenedEnvelope, key: PrivateKey, *, successor: bool = False) -> Plan:
    """Plan the first revision of a new epoch: new picture key, new deed; nobody's old grant opens it.

    Args:
        current: What was accepted last.
        key: The owner's key.
        successor: ``key`` is the owner's new key pair, and the picture goes on under it (FORMAT.md section 11.3).

    Raises:
        WrongKey: The key is not the owner's; only the owner starts an epoch.
        Unsupported: There are no epochs left.
    """
    deed = current.header.deed
    if key.fingerprint != deed.owner and not successor:
        raise WrongKey("Only the owner of a picture can encrypt it anew.")
    if deed.epoch >= MAX_COUNTER:
        raise Unsupported("This picture was encrypted anew too often. Store it as a new picture.")
    return Plan(
        picture_id=deed.picture_id,
        owner=key.fingerprint,
        epoch=deed.epoch + 1,
        revision=1,
        previous=current.header.hash,
        deed=None,
        grant=None,
        picture_key=secrets.token_bytes(SECRET_BYTES),
    )


def check_author(plan: Plan, key: PrivateKey) -> None:
    """Check that a key may sign what is planned; raises NoGrant."""
    author = plan.grant.to if plan.grant is not None else plan.owner
    if key.fingerprint != author:
        raise NoGrant
