"""Sharing one's own pictures: people, their keys, giving and taking back.

Blocking; what takes long reports and can be cancelled. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from desktop.client.sharing_model import KeySuccession, Share, ShareResult, StopResult, Strip
from desktop.models import IsCancelled, Person, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext

Role = Literal["read", "write"]

__all__ = ["Role", "Share", "ShareResult", "Sharing", "StopResult", "Strip"]


class Sharing:
    """Shares the pictures of one account."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is sent yet."""
        self._context = context

    # -- people ---------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Person:
        """Find somebody by exact name and pin the key at the first meeting.

        Raises:
            PersonNotFound, ThatIsYou: As it says.
            KeyChanged: The key is not the pinned one; ``people`` shows the person as changed.
            KeyRefused, SchemeChanged: What the server says of this person cannot be.
        """
        raise NotImplementedError

    def look_again(self, user_id: str) -> Person:
        """Ask the server about somebody known: before something is shared with somebody chosen from a list.

        Raises:
            PersonNotFound: The account is gone.
            KeyChanged, KeyRefused, SchemeChanged: As :meth:`find`.
        """
        raise NotImplementedError

    def people(self) -> list[Person]:
        """Return everybody known, by name. Nothing is asked."""
        raise NotImplementedError

    def person(self, user_id: str) -> Person:
        """Return somebody known; raises PersonNotFound. Nothing is asked."""
        raise NotImplementedError

    def offered(self, user_id: str) -> Person | None:
        """Return a changed person with the key that is offered instead, to be compared; None if there is none."""
        raise NotImplementedError

    def succession(self, user_id: str) -> KeySuccession | None:
        """Return the record by which a changed person's old key vouches for the offered one, if there is one.

        For information only: it accepts nothing.
        """
        raise NotImplementedError

    def compared(self, user_id: str, fingerprint: str) -> Person:
        """Note that this very fingerprint was compared and is right.

        Raises:
            KeyChanged: It is not the fingerprint at hand any more.
        """
        raise NotImplementedError

    def compare(self, user_id: str, untrusted_text: str) -> Person:
        """Compare words, groups of digits, or the text of a QR code with the person's key, and note that it is right.

        Raises:
            KeyChanged: They differ; the person is marked by :meth:`differ`.
            Unsupported: It is nothing that could be compared.
        """
        raise NotImplementedError

    def differ(self, user_id: str) -> Person:
        """Note that the comparison failed: nothing is shared with the person until one succeeds."""
        raise NotImplementedError

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
        raise NotImplementedError

    def complete_waiting(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> ShareResult:
        """Share what waits with people who have a key meanwhile that was compared."""
        raise NotImplementedError

    def waiting(self) -> list[tuple[str, Person, str]]:
        """Return what waits: picture id, person, role. Nothing is asked."""
        raise NotImplementedError

    # -- who has it -----------------------------------------------------------------------------------------------

    def shares_of(self, picture_id: str) -> list[Share]:
        """Return who has a picture, those who wait for it included."""
        raise NotImplementedError

    def shared_with(self, user_id: str) -> list[str]:
        """Return the pictures that are shared with somebody, as remembered here. Nothing is asked."""
        raise NotImplementedError

    def counts(self) -> dict[str, tuple[int, bool]]:
        """Return for each shared picture with how many people, and whether one of them was never compared.

        As remembered here; nothing is asked.
        """
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def unfinished(self) -> list[str]:
        """Return pictures that are still to be encrypted anew because somebody lost them. Nothing is asked."""
        raise NotImplementedError

    def finish(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> StopResult:
        """Encrypt anew what is :meth:`unfinished`, such as after a crash or while the server was away."""
        raise NotImplementedError
