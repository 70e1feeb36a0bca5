"""The present revision of one picture: fetched, verified, measured against the memory, opened.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from desktop import errors
from desktop.client import fetching
from desktop.models import IsCancelled, never_cancelled

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.judging import History
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PrivateKey, PublicKey
    from desktop.crypto.objects import Grant
    from desktop.crypto.opened import OpenedEnvelope
    from desktop.crypto.order import Known
    from desktop.crypto.sealed import Envelope

_PICTURE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Current:
    """A picture as it is stored now, accepted and open.

    Attributes:
        owner_id: The owner's account.
        owner: The owner's own or pinned key.
        row: As the server lists it.
        envelope: Verified.
        opened: Its metadata, and the way to thumbnail and payload.
        grant: The account's own verified grant; None for the owner.
    """

    owner_id: str
    owner: PublicKey
    row: Row
    envelope: Envelope
    opened: OpenedEnvelope
    grant: Grant | None

    @property
    def picture_id(self) -> str:
        """32 hex digits."""
        return self.envelope.picture_id

    @property
    def stored_name(self) -> str:
        """Name on the server."""
        return f"p-{self.envelope.picture_id}"

    def content(self, context: VaultContext, cancelled: IsCancelled) -> AbstractContextManager[BinaryIO]:
        """Open the stored PNG; raises MovedOn from the block when another revision took its place."""
        return fetching.content(context.api, self.owner_id, self.stored_name, self.envelope.text, cancelled)

    def thumbnail(self, context: VaultContext, cancelled: IsCancelled = never_cancelled) -> bytes:
        """Fetch and open the thumbnail; raises NotFound when the server has none, and Damaged."""
        found = context.api.thumbnails(self.owner_id, [self.stored_name], cancelled)
        if self.stored_name not in found:
            raise errors.NotFound("The server does not have the preview of this picture any more.")
        return self.opened.open_thumbnail(found[self.stored_name])


def own_keys(context: VaultContext) -> list[PrivateKey]:
    """Return the account's key and those it followed, the last one first; not to be kept over locking.

    What others shared with a former key opens until they have compared the new one.
    """
    from desktop.client import key_change_state

    return [context.key, *key_change_state.former_keys(context.folder, context.key)]


def authors(context: VaultContext, keys: Sequence[PrivateKey] = ()) -> Callable[[str], PublicKey | None]:
    """Return what gives the key of somebody who may have written a revision: one of one's own or a pinned one.

    Args:
        context: Of the account.
        keys: What :func:`own_keys` returned, where that is needed more than once.
    """
    own = {key.fingerprint: key.public for key in keys or own_keys(context)}
    people = context.memory.people
    return lambda fingerprint: own.get(fingerprint) or people.key_of(fingerprint)


def name_to_share(picture_id: str) -> str:
    """Return the stored name of one of one's own pictures; raises Unsupported for one of the classic scheme."""
    if not _PICTURE_ID.fullmatch(picture_id):
        raise errors.Unsupported("Pictures of the classic scheme protect nothing, so Glassine does not share them.")
    return f"p-{picture_id}"


def fetch_own(context: VaultContext, picture_id: str, cancelled: IsCancelled = never_cancelled) -> Current:
    """Fetch one of one's own pictures.

    Raises:
        Unsupported: It is one of the classic scheme.
        NotFound: It is not there any more.
        NotAuthentic, Damaged: What the server handed out is not to be believed.
    """
    name_to_share(picture_id)
    return fetch(context, context.user_id, context.key.public, picture_id, cancelled)


def fetch(
    context: VaultContext,
    owner_id: str,
    owner: PublicKey,
    picture_id: str,
    cancelled: IsCancelled = never_cancelled,
) -> Current:
    """Fetch a picture, one's own or one that is shared.

    Args:
        context: Of the account.
        owner_id: The owner's account.
        owner: The owner's own or pinned key.
        picture_id: 32 hex digits.
        cancelled: Asked between tries.

    Raises:
        NotFound, NotAllowed: It is not there, or not shared (any more).
        NotAuthentic, Damaged, WrongKey: What the server handed out is not to be believed, or does not open.
    """
    from desktop.client.judging import judge, read_listed

    memory = context.memory.snapshot()  # first: what is stored from here meanwhile does not make the answer an old one
    present = context.api.present(owner_id, f"p-{picture_id}", cancelled)
    key, keys = context.key, own_keys(context)
    listed = read_listed(present.row.envelope, picture_id, owner, memory, authors(context, keys))
    steps = history(context, owner_id, cancelled)
    judgement = context.memory.commit(judge([listed], memory, own=key.fingerprint, history=steps))
    verdict = judgement.verdicts[listed.key]
    if verdict.error is not None:
        raise verdict.error
    envelope = listed.envelope
    if envelope is None:
        raise errors.Damaged
    opened, grant = open_shared(keys, envelope, present.grant)
    return Current(owner_id, owner, present.row, envelope, opened, grant)


def open_shared(
    keys: Sequence[PrivateKey], envelope: Envelope, untrusted_grant: str
) -> tuple[OpenedEnvelope, Grant | None]:
    """Open a verified picture, one's own or by the grant that the server handed out with it.

    Args:
        keys: What :func:`own_keys` returned; a grant opens with the one it was made for.
        envelope: Verified.
        untrusted_grant: Text of the grant, empty without one.

    Raises:
        GrantRefused: There is no proper grant.
        Damaged: The grant is proper, and what it opens is not.
    """
    key = keys[0]
    if envelope.owner == key.public:
        return envelope.open(key), None
    if not untrusted_grant:
        raise errors.GrantRefused(
            "What lets you open this picture did not come along. Ask its owner to share it with you once more."
        )
    key, grant = _granted(keys, envelope, untrusted_grant)
    try:
        return envelope.open(key, grant), grant
    except (errors.NoGrant, errors.WrongKey) as error:
        raise errors.GrantRefused(details=f"{error.code} {error.details}".strip()) from error


def _granted(keys: Sequence[PrivateKey], envelope: Envelope, untrusted_grant: str) -> tuple[PrivateKey, Grant]:
    """Return a verified grant and the key it was made for; raises GrantRefused."""
    from desktop.crypto.envelope import parse_grant
    from desktop.crypto.grants import read_grant

    try:
        to = parse_grant(untrusted_grant).to
        key = next((known for known in keys if known.fingerprint == to), keys[0])
        return key, read_grant(untrusted_grant, envelope, envelope.owner, key.fingerprint)
    except (errors.NoGrant, errors.Damaged) as error:
        raise errors.GrantRefused(details=f"{error.code} {error.details}".strip()) from error


def history(context: VaultContext, owner_id: str, cancelled: IsCancelled = never_cancelled) -> History:
    """Return what asks the server for the steps between two revisions of somebody's picture and verifies them."""
    from desktop.client.vault_history import fetch_steps

    def steps(offered: Envelope, known: Known) -> Sequence[Envelope]:
        return fetch_steps(context, owner_id, offered, known, authors(context), cancelled)

    return steps
