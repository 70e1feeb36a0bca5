"""Giving one picture to one person, lowering what they may do, taking it back.

What is decided is written down before it is sent. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from desktop import errors
from desktop.client.copies import Copies
from desktop.client.current import Current, fetch_own
from desktop.client.resealing import DUE, TRIES, Resealing
from desktop.client.sharing_model import Share
from desktop.client.ties import TieKind
from desktop.models import IsCancelled, Person, PersonState, Report, no_report

if TYPE_CHECKING:
    from desktop.client.acquaintances import Acquaintances
    from desktop.client.answers import Shared
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PublicKey

Role = Literal["read", "write"]

_LAST: Final = 253_402_300_799
"""The last second that a time can show."""


class Giving:
    """What one account gives and takes.

    Attributes:
        copies: Its copies without metadata.
    """

    def __init__(self, context: VaultContext, acquaintances: Acquaintances, resealing: Resealing) -> None:
        """Prepare; nothing is sent yet."""
        self._context = context
        self._ties = context.memory.ties
        self._acquaintances = acquaintances
        self._resealing = resealing
        self.copies = Copies(context)

    def give(
        self,
        picture_id: str,
        user_id: str,
        role: Role,
        key: PublicKey,
        cancelled: IsCancelled,
        report: Report = no_report,
    ) -> None:
        """Give somebody a role, whatever they had."""
        from desktop.crypto.grants import grant_to

        context = self._context
        for _ in range(TRIES):
            current = fetch_own(context, picture_id, cancelled)
            if role == "read" and self._had(current, user_id) == "write":
                self._lower(current, user_id, key, cancelled, report)
                return
            grant = grant_to(current.opened, context.key, key, role, int(time.time()))
            before = self._ties.get(TieKind.SHARED, picture_id, user_id)
            # before it is sent: who may have a picture is never forgotten
            self._ties.set(TieKind.SHARED, picture_id, user_id, role)
            try:
                self._send(current, user_id, role, grant)
            except errors.Conflict:
                continue  # a new epoch began meanwhile
            except (errors.ServerSilent, errors.ServerFailed):
                raise  # it may have arrived
            except errors.GlassineError:
                self._ties.set(TieKind.SHARED, picture_id, user_id, before)
                raise
            self._ties.set(TieKind.WAITING, picture_id, user_id, "")
            return
        raise errors.Conflict("Others keep changing this picture. Try again.")

    def _send(self, current: Current, user_id: str, role: Role, grant: str) -> None:
        """Send a grant, in the place of another if there is one; raises Conflict if it is for another epoch."""
        api, own = self._context.api, self._context.user_id
        try:
            api.add_permission(own, current.stored_name, user_id, role, grant)
        except (errors.Conflict, errors.ServerSilent):
            # there is one, or it may have arrived
            try:
                api.set_permission(own, current.stored_name, user_id, role, grant)
            except errors.NotFound as error:
                raise errors.Conflict(details=error.details) from error

    def _had(self, current: Current, user_id: str) -> str:
        """Return somebody's role: what is remembered here, else what one's own grant at the server says."""
        if self._ties.known(TieKind.SHARED, current.picture_id, user_id):
            return self._ties.get(TieKind.SHARED, current.picture_id, user_id)
        try:
            shared = self._context.api.permission(self._context.user_id, current.stored_name, user_id)
        except errors.NotFound:
            return ""
        return shared.role

    def _lower(self, current: Current, user_id: str, key: PublicKey, cancelled: IsCancelled, report: Report) -> None:
        """Make a writer a reader: what they sign under the old grant must not count any more."""
        from desktop.crypto.grants import grant_to

        self._ties.set_all(
            [
                (TieKind.SHARED, current.picture_id, user_id, "read"),
                (TieKind.RESEAL, current.picture_id, "", DUE),
                (TieKind.WAITING, current.picture_id, user_id, ""),
            ]
        )
        # at the server at once, whatever becomes of the new epoch
        grant = grant_to(current.opened, self._context.key, key, "read", int(time.time()))
        with suppress(errors.NotFound, errors.Conflict):
            self._context.api.set_permission(self._context.user_id, current.stored_name, user_id, "read", grant)
        self._resealing.reseal(current.picture_id, report, cancelled)

    def is_gone(self, picture_id: str) -> bool:
        """Whether one of one's own pictures was deleted for good."""
        entry = self._context.memory.entry(self._context.key.fingerprint, picture_id)
        return entry is not None and entry.gone

    def take(self, picture_id: str, user_id: str, reseal: bool, cancelled: IsCancelled) -> bool:
        """Take a picture back; return whether it was encrypted anew."""
        context = self._context
        self._ties.set(TieKind.WAITING, picture_id, user_id, "")
        current = fetch_own(context, picture_id, cancelled)
        before = self._had(current, user_id)
        if before == "write" or reseal:
            # from here on it happens, now or after a crash
            self._ties.set_all([(TieKind.SHARED, picture_id, user_id, ""), (TieKind.RESEAL, picture_id, "", DUE)])
            self._remove(current, user_id)
            self._resealing.reseal(picture_id, cancelled=cancelled)
            return True
        self._ties.set(TieKind.SHARED, picture_id, user_id, "")
        try:
            self._remove(current, user_id)
        except errors.GlassineError:
            self._ties.set(TieKind.SHARED, picture_id, user_id, before)
            raise
        return False

    def _remove(self, current: Current, user_id: str) -> None:
        with suppress(errors.NotFound):  # they gave it back, or it was done before
            self._context.api.remove_permission(self._context.user_id, current.stored_name, user_id)

    def key_of_waiting(self, user_id: str) -> PublicKey | None:
        """Return the key of somebody who waits, if it was compared; raises what stands between here and the server."""
        try:
            self._acquaintances.look_again(user_id)
        except (errors.NotAuthentic, errors.KeyRefused, errors.PersonNotFound):
            return None
        return self._acquaintances.key_for(user_id) if self._acquaintances.is_verified(user_id) else None

    def share_of(self, current: Current, shared: Shared) -> Share:
        """Describe a permission that the server lists, by one's own grant."""
        from desktop.crypto.grants import read_grant

        pin = self._context.memory.people.get(shared.user_id)
        if pin is None:
            # nobody one ever met: the server's invention, or given by a program that remembered it elsewhere
            stranger = Person(shared.user_id, self._name_of(shared.user_id), "", (), (), PersonState.NO_KEY)
            return Share(stranger, shared.role, None, opens=False)
        person = self._acquaintances.person_of(pin)
        try:
            grant = read_grant(shared.grant, current.envelope, current.owner, pin.fingerprint)
        except errors.GlassineError:
            role = self._ties.get(TieKind.SHARED, current.picture_id, shared.user_id) or shared.role
            return Share(person, role, None, opens=False)
        return Share(person, grant.role, datetime.fromtimestamp(min(grant.time, _LAST), UTC))

    def _name_of(self, user_id: str) -> str:
        try:
            return self._context.api.user(user_id).user_name
        except errors.NetworkError:
            return ""
