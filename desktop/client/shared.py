"""Pictures that others share with the account. Nothing of a sender is decoded before they were accepted.

Blocking; what takes long reports and can be cancelled. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from desktop.client.sharing_model import Sender
from desktop.models import IsCancelled, Person, Picture, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.vault import OpenedPicture
    from desktop.client.vault_context import VaultContext

__all__ = ["Sender", "SharedPictures"]

Pictures: TypeAlias = list[Picture]
Senders: TypeAlias = list[Sender]


class SharedPictures:
    """What is shared with one account.

    The ``id`` of these pictures is the owner's user id, a full stop and the picture's id: two owners may use the same.
    """

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is asked yet."""
        self._context = context

    def list(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Pictures:
        """Return what is shared, in the order of storing; those of declined senders are left out.

        ``owner_name`` and ``role`` are set. Pictures of senders who were not accepted are UNDECODED. A picture that is
        not there any more was taken back; that is nobody's fault.
        """
        raise NotImplementedError

    def senders(self) -> Senders:
        """Return who shares, by name, as of the last listing (which is made if there was none)."""
        raise NotImplementedError

    def accept(self, user_id: str) -> Person:
        """Accept somebody without having compared: their pictures are decoded from now on; list again.

        Raises:
            PersonNotFound: They share nothing, or their account is gone.
            KeyChanged, KeyRefused, SchemeChanged: Their key has to be compared, or cannot be used.
        """
        raise NotImplementedError

    def decline(self, user_id: str) -> None:
        """List nothing of somebody from now on; :meth:`accept` undoes it."""
        raise NotImplementedError

    def give_back(self, picture_id: str) -> None:
        """Give a picture back: it is not shared with the account any more."""
        raise NotImplementedError

    def thumbnails(
        self,
        picture_ids: Sequence[str],
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> dict[str, bytes]:
        """Return JPEG thumbnails by picture id; without those that there are not or that do not open."""
        raise NotImplementedError

    def open(
        self, picture_id: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> OpenedPicture:
        """Fetch and decrypt a picture into memory; nothing is returned before all of it is verified.

        Raises:
            NoLongerShared: It was taken back.
            NotAuthentic, Damaged, WrongKey: It is not what its owner shared, or cannot be opened.
        """
        raise NotImplementedError

    def export(
        self, picture_id: str, folder: Path, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Path:
        """Decrypt a picture into a folder under its own name and return its path; nothing is overwritten."""
        raise NotImplementedError
