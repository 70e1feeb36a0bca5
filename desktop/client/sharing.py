"""Sharing one's own pictures: people, their keys, giving and taking back.

Blocking; what takes long reports and can be cancelled. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.acquaintances import Acquaintances
from desktop.client.current import fetch_own, name_to_share
from desktop.client.giving import Giving, Role
from desktop.client.resealing import Resealing
from desktop.client.sharing_model import Failure, KeySuccession, Share, ShareResult, StopResult, Strip
from desktop.client.ties import TieKind
from desktop.models import IsCancelled, Person, PersonState, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext

__all__ = ["Role", "Share", "ShareResult", "Sharing", "StopResult", "Strip"]


class Sharing:
    """Shares the pictures of one account."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is sent yet."""
        self._context = context
        self._ties = context.memory.ties
        self._acquaintances = Acquaintances(context)
        self._resealing = Resealing(context, self._acquaintances)
        self._giving = Giving(context, self._acquaintances, self._resealing)

    # -- people ---------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Person:
        """Find somebody by exact name and pin the key at the first meeting.

        Raises:
            PersonNotFound, ThatIsYou: As it says.
            KeyChanged: The key is not the pinned one; ``people`` shows the person as changed.
            KeyRefused, SchemeChanged: What the server says of this person cannot be.
        """
        return self._acquaintances.find(name)

    def look_again(self, user_id: str) -> Person:
        """Ask the server about somebody known: before something is shared with somebody chosen from a list.

        Raises:
            PersonNotFound: The account is gone.
            KeyChanged, KeyRefused, SchemeChanged: As :meth:`find`.
        """
        return self._acquaintances.look_again(user_id)

    def people(self) -> list[Person]:
        """Return everybody known, by name. Nothing is asked."""
        return self._acquaintances.people()

    def person(self, user_id: str) -> Person:
        """Return somebody known; raises PersonNotFound. Nothing is asked."""
        return self._acquaintances.person(user_id)

    def offered(self, user_id: str) -> Person | None:
        """Return a changed person with the key that is offered instead, to be compared; None if there is none."""
        return self._acquaintances.offered(user_id)

    def succession(self, user_id: str) -> KeySuccession | None:
        """Return the record by which a changed person's old key vouches for the offered one, if there is one.

        For information only: it accepts nothing.
        """
        return self._acquaintances.succession(user_id)

    def compared(self, user_id: str, fingerprint: str) -> Person:
        """Note that this very fingerprint was compared and is right.

        Raises:
            KeyChanged: It is not the fingerprint at hand any more.
        """
        return self._acquaintances.compared(user_id, fingerprint)

    def compare(self, user_id: str, untrusted_text: str) -> Person:
        """Compare words, groups of digits, or the text of a QR code with the person's key, and note that it is right.

        Raises:
            KeyChanged: They differ; the person is marked by :meth:`differ`.
            Unsupported: It is nothing that could be compared.
        """
        return self._acquaintances.compare(user_id, untrusted_text)

    def differ(self, user_id: str) -> Person:
        """Note that the comparison failed: nothing is shared with the person until one succeeds."""
        return self._acquaintances.differ(user_id)

    # -- giving ---------------------------------------------------------------------------------------------------

    def share(
        self,
        picture_ids: Sequence[str],
        user_id: str,
        role: Role,
        *,
        fingerprint: str = "",
        accept_unverified: bool = False,
        wait_for_comparison: bool = False,
        strip: Strip | None = None,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> ShareResult:
        """Share pictures with somebody known, for the pinned key; pictures they have already get the new role.

        Args:
            picture_ids: One's own pictures.
            user_id: From :meth:`find` or :meth:`look_again`.
            role: ``read`` or ``write``.
            fingerprint: What was shown; refused if the pin is another one now. Empty: whatever is pinned.
            accept_unverified: The key was never compared, and that is all right.
            wait_for_comparison: The key was never compared, and the pictures are to wait until it was.
            strip: Share copies without metadata instead; the originals stay as they are.
            report: Pictures done and in all.
            cancelled: Asked between pictures and while copies are sealed.

        Raises:
            Unverified: The key was never compared, and neither of the two was said.
            KeyChanged: The person's key has to be compared first, or the server altered one's own key.
            Cancelled: What was shared until then stays shared.
        """
        person = self.person(user_id)
        if person.state is PersonState.CHANGED:
            raise errors.KeyChanged
        waits = person.state is PersonState.NO_KEY or (person.state is PersonState.UNVERIFIED and wait_for_comparison)
        if person.state is PersonState.UNVERIFIED and not (waits or accept_unverified):
            raise errors.Unverified
        key = None if waits else self._acquaintances.key_for(user_id, fingerprint)
        self._acquaintances.check_own_key()
        copies: dict[str, str] = {}

        def give(picture_id: str) -> None:
            shared = picture_id
            if strip is not None:
                shared = copies[picture_id] = self._giving.copies.without_metadata(picture_id, cancelled)
            if key is None:
                self._ties.set(TieKind.WAITING, shared, user_id, role)
            else:
                self._giving.give(shared, user_id, role, key, cancelled)

        done, failed = _each(picture_ids, give, report, cancelled)
        copied = {one: copies[one] for one in done if one in copies}
        return ShareResult((), done, failed, copied) if waits else ShareResult(done, (), failed, copied)

    def complete_waiting(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> ShareResult:
        """Share what waits with people who have a key meanwhile that was compared."""
        waiting = self._ties.every(TieKind.WAITING)
        keys = {user_id: self._giving.key_of_waiting(user_id) for user_id in {tie.other for tie in waiting}}
        ready = {tie.pair: tie for tie in waiting if keys[tie.other] is not None}
        if ready:
            self._acquaintances.check_own_key()
        shared: list[str] = []
        failed: list[Failure] = []
        for at, tie in enumerate(ready.values()):
            if cancelled():
                raise errors.Cancelled
            key = keys[tie.other]
            role: Role = "write" if tie.value == "write" else "read"
            try:
                if key is not None:
                    self._giving.give(tie.about, tie.other, role, key, cancelled)
                shared.append(tie.about)
            except errors.GlassineError as error:
                if self._giving.is_gone(tie.about):  # nothing to wait for; from the bin it could come back
                    self._ties.set(TieKind.WAITING, tie.about, tie.other, "")
                failed.append(Failure(tie.about, error))
            report(at + 1, len(ready))
        still = tuple(tie.about for tie in waiting if tie.pair not in ready)
        return ShareResult(tuple(shared), still, tuple(failed))

    def waiting(self) -> list[tuple[str, Person, str]]:
        """Return what waits: picture id, person, role. Nothing is asked."""
        return [
            (tie.about, self.person(tie.other), tie.value)
            for tie in self._ties.every(TieKind.WAITING)
            if self._context.memory.people.get(tie.other) is not None
        ]

    # -- who has it -----------------------------------------------------------------------------------------------

    def shares_of(self, picture_id: str) -> list[Share]:
        """Return who has a picture, those who wait for it included; one request where nobody has it, else two."""
        permissions = self._context.api.permissions(self._context.user_id, name_to_share(picture_id))
        found: list[Share] = []
        if permissions:
            current = fetch_own(self._context, picture_id)
            found = [self._giving.share_of(current, permission) for permission in permissions]
        listed = {permission.user_id for permission in permissions}
        for user_id, role in self._ties.of(TieKind.SHARED, picture_id).items():
            if user_id not in listed and self._context.memory.people.get(user_id) is not None:
                found.append(Share(self.person(user_id), role, None, opens=False))
        for user_id, role in self._ties.of(TieKind.WAITING, picture_id).items():
            if user_id not in listed and self._context.memory.people.get(user_id) is not None:
                found.append(Share(self.person(user_id), role, None, waiting=True, opens=False))
        return found

    def shared_with(self, user_id: str) -> list[str]:
        """Return the pictures that are shared with somebody, as remembered here. Nothing is asked."""
        return [tie.about for tie in self._ties.every(TieKind.SHARED) if tie.other == user_id]

    def holders(self) -> dict[str, tuple[tuple[str, ...], bool]]:
        """Return for each shared picture the user ids of who has it, and whether one of them was never compared.

        As remembered here; nothing is asked.
        """
        found: dict[str, tuple[tuple[str, ...], bool]] = {}
        verified: dict[str, bool] = {}
        for tie in self._ties.every(TieKind.SHARED):
            if tie.other not in verified:
                verified[tie.other] = self._acquaintances.is_verified(tie.other)
            people, unverified = found.get(tie.about, ((), False))
            found[tie.about] = ((*people, tie.other), unverified or not verified[tie.other])
        return found

    # -- taking back ----------------------------------------------------------------------------------------------

    def set_role(
        self,
        picture_id: str,
        user_id: str,
        role: Role,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> None:
        """Change what somebody may do. Lowering a writer encrypts the picture anew; ``report`` counts its bytes."""
        if self._ties.get(TieKind.WAITING, picture_id, user_id) and not self._acquaintances.is_verified(user_id):
            self._ties.set(TieKind.WAITING, picture_id, user_id, role)
            return
        key = self._acquaintances.key_for(user_id)
        self._acquaintances.check_own_key()
        self._giving.give(picture_id, user_id, role, key, cancelled, report)

    def stop(
        self,
        picture_ids: Sequence[str],
        user_id: str,
        *,
        reseal: bool,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> StopResult:
        """Take pictures back from somebody. What the person opened they may have kept.

        Args:
            picture_ids: One's own pictures.
            user_id: Who loses them.
            reseal: Encrypt them anew, so that what the person kept opens no later version. Done for a writer in any
                case.
            report: Pictures done and in all.
            cancelled: Asked between pictures, and while one is encrypted anew.
        """
        resealed: list[str] = []

        def take(picture_id: str) -> None:
            if self._giving.take(picture_id, user_id, reseal, cancelled):
                resealed.append(picture_id)

        done, failed = _each(picture_ids, take, report, cancelled)
        return StopResult(done, tuple(resealed), failed)

    def unfinished(self) -> list[str]:
        """Return pictures that are still to be encrypted anew because somebody lost them. Nothing is asked."""
        return self._resealing.due()

    def finish(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> StopResult:
        """Encrypt anew what is :meth:`unfinished`, such as after a crash or while the server was away."""
        due = self._resealing.due()
        done, failed = _each(
            due, lambda picture_id: self._resealing.reseal(picture_id, cancelled=cancelled), report, cancelled
        )
        # what is in the bin waits there
        failed = tuple(one for one in failed if not isinstance(one.error, errors.NotFound))
        return StopResult(done, done, failed)


def _each(
    picture_ids: Sequence[str], work: Callable[[str], object], report: Report, cancelled: IsCancelled
) -> tuple[tuple[str, ...], tuple[Failure, ...]]:
    """Do something for each picture; one that fails does not stop the others."""
    done: list[str] = []
    failed: list[Failure] = []
    unique = list(dict.fromkeys(picture_ids))
    for at, picture_id in enumerate(unique):
        if cancelled():
            raise errors.Cancelled
        try:
            work(picture_id)
            done.append(picture_id)
        except errors.GlassineError as error:
            failed.append(Failure(picture_id, error))
        report(at + 1, len(unique))
    return tuple(done), tuple(failed)
