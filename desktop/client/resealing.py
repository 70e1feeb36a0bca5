"""A new epoch of one's own picture: new keys, everybody's new grants, stored as one step or not at all.

Ciphertext goes straight to ciphertext. Every attempt is sealed with fresh keys; what a crash leaves is thrown away, and
that a picture is due was written down before. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from desktop import errors
from desktop.client.api_revisions import Permission
from desktop.client.attempts import attempt
from desktop.client.current import Current, fetch_own
from desktop.client.memory_model import Intent, IntentKind
from desktop.client.ties import TieKind
from desktop.client.vault_listing import at_revision, ready, sealed_picture
from desktop.models import IsCancelled, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.acquaintances import Acquaintances
    from desktop.client.answers import Row
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.opened import OpenedEnvelope
    from desktop.crypto.sealed import Envelope, Sealed

DUE = "due"
TRIES = 5
"""Attempts while others keep storing revisions in between."""
CARRIER = "carrier.png"


@dataclass(frozen=True, slots=True)
class Remaining:
    """Who keeps a picture.

    Attributes:
        given: Account → role and pinned key.
        lost: Account → role, of those whose key has to be compared first: they wait.
    """

    given: dict[str, tuple[Literal["read", "write"], PublicKey]]
    lost: dict[str, str]


class Resealing:
    """Begins new epochs of the pictures of one account."""

    def __init__(self, context: VaultContext, acquaintances: Acquaintances) -> None:
        """Prepare."""
        self._context = context
        self._acquaintances = acquaintances
        self._ties = context.memory.ties

    def due(self) -> list[str]:
        """Return the pictures that are still to be encrypted anew."""
        return [tie.about for tie in self._ties.every(TieKind.RESEAL)]

    def reseal(self, picture_id: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> str:
        """Begin a new epoch for those who keep the picture; return the new header hash.

        Args:
            picture_id: 32 hex digits.
            report: Bytes of plaintext and in all.
            cancelled: Asked before every chunk.

        Raises:
            MovedOn: Others stored revision after revision; it stays due.
            NotFound, DeletedForGood: It is not there; it is due no longer when it was deleted for good.
            GlassineError: It did not work; it stays due.
        """
        for _ in range(TRIES):
            try:
                current = fetch_own(self._context, picture_id, cancelled)
                return self._attempt(current, report, cancelled)
            except errors.MovedOn:
                continue
            except errors.NotFound:
                entry = self._context.memory.entry(self._context.key.fingerprint, picture_id)
                if entry is not None and entry.gone:  # else it is in the bin, and due when it comes back
                    self._ties.set(TieKind.RESEAL, picture_id, "", "")
                raise
        raise errors.MovedOn("Others keep changing this picture. It is encrypted anew later.")

    def _attempt(self, current: Current, report: Report, cancelled: IsCancelled) -> str:
        from desktop.crypto.plans import new_epoch
        from desktop.crypto.reseal import reseal

        context, key, picture_id = self._context, self._context.key, current.picture_id
        remaining = self.remaining(current)
        thumbnail = current.thumbnail(context, cancelled)
        with attempt(context.folder) as folder:
            with current.content(context, cancelled) as untrusted:
                sealed = reseal(
                    current.opened,
                    untrusted,
                    folder / CARRIER,
                    key,
                    new_epoch(current.opened, key),
                    thumbnail=thumbnail,
                    report=report,
                    cancelled=cancelled,
                )
            envelope, opened = own_envelope(context, sealed)
            permissions = self._permissions(opened, remaining)
            intent = Intent(
                key.fingerprint, picture_id, IntentKind.HEADER, sealed.header_hash, current.envelope.header_hash
            )
            context.memory.begin(intent)
            try:
                row = context.api.put_revision(
                    context.user_id,
                    picture_id,
                    replaces=current.envelope.header_hash,
                    carrier=sealed.carrier,
                    envelope=sealed.envelope,
                    thumbnail=sealed.thumbnail,
                    permissions=permissions,
                    cancelled=cancelled,
                )
            except (errors.MovedOn, errors.NotFound, errors.NotAllowed, errors.TooLarge, errors.StorageFull):
                context.memory.drop(key.fingerprint, picture_id, IntentKind.HEADER)
                raise
            now_stored(context, envelope, opened, row, sealed.thumbnail)
        self._settle(picture_id, remaining)
        return sealed.header_hash

    def remaining(self, current: Current) -> Remaining:
        """Return who keeps a picture: those it was given to, by what is remembered here.

        The server's list only adds people of whom nothing was ever decided here, on the strength of one's own grant:
        it could put somebody back who was taken off.
        """
        from desktop.crypto.grants import read_grant

        context, picture_id = self._context, current.picture_id
        roles = self._ties.of(TieKind.SHARED, picture_id)
        for shared in context.api.permissions(context.user_id, current.stored_name):
            pin = context.memory.people.get(shared.user_id)
            if pin is None or self._ties.known(TieKind.SHARED, picture_id, shared.user_id):
                continue
            try:
                grant = read_grant(shared.grant, current.envelope, current.owner, pin.fingerprint)
            except errors.GlassineError:
                continue
            roles[shared.user_id] = grant.role
        remaining = Remaining({}, {})
        for user_id, role in roles.items():
            try:
                key = self._acquaintances.key_for(user_id)
            except errors.GlassineError:
                remaining.lost[user_id] = role
            else:
                remaining.given[user_id] = cast('Literal["read", "write"]', role), key
        return remaining

    def _permissions(self, opened: OpenedEnvelope, remaining: Remaining) -> list[Permission]:
        from desktop.crypto.grants import grant_to

        now = int(time.time())
        return [
            Permission(user_id, role, grant_to(opened, self._context.key, key, role, now))
            for user_id, (role, key) in remaining.given.items()
        ]

    def _settle(self, picture_id: str, remaining: Remaining) -> None:
        decided = [(TieKind.RESEAL, picture_id, "", "")]
        decided += [(TieKind.SHARED, picture_id, user_id, role) for user_id, (role, _) in remaining.given.items()]
        for user_id, role in remaining.lost.items():
            decided += [(TieKind.SHARED, picture_id, user_id, ""), (TieKind.WAITING, picture_id, user_id, role)]
        self._ties.set_all(decided)


def own_envelope(context: VaultContext, sealed: Sealed) -> tuple[Envelope, OpenedEnvelope]:
    """Read what was just sealed of one's own picture, as anybody would."""
    from desktop.crypto.sealed import read_envelope

    envelope = read_envelope(sealed.envelope, owner=context.key.public, picture_id=sealed.picture_id)
    return envelope, envelope.open(context.key)


def now_stored(
    context: VaultContext, envelope: Envelope, opened: OpenedEnvelope, row: Row, sealed_thumbnail: bytes
) -> None:
    """Take over that the server has a revision of one's own picture: memory, catalog, thumbnail."""
    from desktop.client.notes import Notes

    before = context.catalog.find(envelope.picture_id)
    picture = sealed_picture(envelope.picture_id, opened.metadata, context.user_id, row.size, row.created)
    if before is not None:
        context.thumbnails.drop(before)
        picture = replace(picture, added=before.picture.added)
    picture = at_revision(picture, opened)
    context.memory.stored(envelope, Notes(context.key).seal(picture, opened))
    known = ready(picture, envelope.text, opened, row.id)
    context.catalog.add(known)
    context.thumbnails.keep(known, sealed_thumbnail)
