"""A new version in the place of a stored picture, one's own or one that is shared for writing.

Nothing is lost when another version was faster: the own one stays here as ciphertext until the person has chosen.
Blocking; what takes long reports and can be cancelled. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from desktop.client.sharing_model import KeptVersion
from desktop.models import IsCancelled, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext

Choice = Literal["mine", "theirs", "both"]

__all__ = ["Choice", "KeptVersion", "Revising"]


class Revising:
    """Replaces stored pictures. Ids are those of the gallery, of one's own pictures or of shared ones."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is sent yet."""
        self._context = context

    def replace(
        self, picture_id: str, source: Path, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> str:
        """Seal a file as the next revision of a picture and store it; return its header hash. List again afterwards.

        Raises:
            ConflictKept: Another version was faster, or one waits here already; the new one is kept here.
            NoGrant: The picture is shared for reading only.
            ServerSilent: The new version is kept here and sent by :meth:`send_kept`.
            Unsupported, TooLarge, FileUnreadable, SourceChanged: The file cannot be taken.
        """
        raise NotImplementedError

    def kept(self) -> list[KeptVersion]:
        """Return the versions that are kept here. Nothing is asked."""
        raise NotImplementedError

    def send_kept(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> list[str]:
        """Send versions that were not stored because of a crash or because the server was away.

        Returns:
            The pictures whose version is stored now; those of a conflict wait for :meth:`resolve`.
        """
        raise NotImplementedError

    def resolve(
        self,
        picture_id: str,
        choice: Choice,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> str:
        """Settle a conflict.

        Args:
            picture_id: Of :meth:`kept`.
            choice: ``mine`` becomes the next revision after the stored one, sealed anew; ``theirs`` drops the own one;
                ``both`` stores the own one as a new picture of one's own.
            report: Bytes done and in all.
            cancelled: Asked now and then; the version stays kept.

        Returns:
            Id of the new picture for ``both``; else the same id.

        Raises:
            NoGrant: ``mine``, and the picture may not be written any more.
        """
        raise NotImplementedError
