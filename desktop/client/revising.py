"""A new version in the place of a stored picture, one's own or one that is shared for writing.

Nothing is lost when another version was faster: the own one stays here as ciphertext until the person has chosen.
Blocking; what takes long reports and can be cancelled. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from desktop import errors, image_formats
from desktop.client.attempts import attempt
from desktop.client.current import fetch, fetch_own
from desktop.client.kept_versions import Kept, KeptVersions, Target
from desktop.client.memory_model import Intent, IntentKind
from desktop.client.resealing import CARRIER, TRIES, now_stored
from desktop.client.sharing_model import KeptVersion
from desktop.models import IsCancelled, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.opened import OpenedEnvelope
    from desktop.crypto.plans import Plan
    from desktop.crypto.sealed import Envelope, Sealed

log = logging.getLogger(__name__)

Choice = Literal["mine", "theirs", "both"]

__all__ = ["Choice", "KeptVersion", "Revising"]


class Revising:
    """Replaces stored pictures. Ids are those of the gallery, of one's own pictures or of shared ones."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is sent yet."""
        self._context = context
        self._kept = KeptVersions(context)

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
        from desktop.crypto.plans import next_revision

        target = self._kept.target(picture_id)
        if self._kept.has(target):
            raise errors.ConflictKept("Another version of this picture waits here. Choose first which one counts.")
        current = fetch(self._context, target.owner_id, target.owner, target.picture_id, cancelled)
        plan = next_revision(current.opened, self._context.key, owner=target.owner, grant=current.grant)
        seen = self._seen(target)
        if seen not in ("", current.envelope.header_hash):
            # whoever replaces it has another version before them than the stored one, which they have not seen
            self._kept.seal(target, source, replace(plan, previous=seen), report, cancelled)
            raise errors.ConflictKept
        kept = self._kept.seal(target, source, plan, report, cancelled)
        return self._send(kept, cancelled)

    def _seen(self, target: Target) -> str:
        """Return the header hash of the version that was listed or opened last; empty if none was."""
        if target.is_own:
            listed = self._context.catalog.find(target.picture_id)
            return listed.header_hash if listed is not None else ""
        item = self._context.shared.find(target.gallery_id)
        return item.opened.header.hash if item is not None and item.opened is not None else ""

    def kept(self) -> list[KeptVersion]:
        """Return the versions that are kept here. Nothing is asked."""
        return [
            KeptVersion(one.target.gallery_id, one.opened.metadata.name, one.sealed, self._moved(one))
            for one in self._kept.all()
        ]

    def open_kept(
        self, picture_id: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> bytearray:
        """Decrypt a version that is kept here into memory, for showing it beside the other.

        Raises:
            NotFound: None is kept for this picture.
            Damaged: What is kept has changed on the disk.
        """
        kept = self._kept.get(self._kept.target(picture_id))
        with kept.open_carrier() as untrusted:
            return kept.opened.open_payload_to_memory(untrusted, report, cancelled, limit=image_formats.MAX_FILE_BYTES)

    def send_kept(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> list[str]:
        """Send versions that were not stored because of a crash or because the server was away.

        Returns:
            The pictures whose version is stored now; those of a conflict wait for :meth:`resolve`.
        """
        waiting = [one for one in self._kept.all() if not self._moved(one)]
        done: list[str] = []
        for at, one in enumerate(waiting):
            if cancelled():
                raise errors.Cancelled
            try:
                self._send(one, cancelled)
                done.append(one.target.gallery_id)
            except errors.ConflictKept:
                pass
            except (errors.NotFound, errors.TooLarge, errors.NotAuthentic, errors.Damaged) as error:
                # its picture may come back from the bin; the others are not held up
                log.warning("a kept version was not stored: %s %s", error.code, error.details)
            report(at + 1, len(waiting))
        return done

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
            ConflictKept: ``mine``, and others keep being faster.
            ChangedTooOften: ``mine``, and the server keeps no more versions of the picture.
        """
        target = self._kept.target(picture_id)
        kept = self._kept.get(target)
        result = picture_id
        if choice == "mine":
            self._store_mine(kept, report, cancelled)
        elif choice == "both":
            result = self._store_copy(kept, report, cancelled)
        self._forget(kept)
        return result

    # -- inside ---------------------------------------------------------------------------------------------------

    def _moved(self, kept: Kept) -> bool:
        entry = self._context.memory.entry(*kept.target.key)
        if entry is None or entry.known is None or entry.gone:
            return True
        return entry.known.header_hash != kept.envelope.previous

    def _send(self, kept: Kept, cancelled: IsCancelled) -> str:
        """Send what is kept as it is, and forget it when it is stored."""
        target, header_hash = kept.target, kept.envelope.header_hash
        memory = self._context.memory
        try:
            row = self._put(target, kept.envelope, kept.carrier, kept.sealed_thumbnail(), cancelled)
        except (errors.Conflict, errors.NotAllowed) as error:
            if not self._was_stored(target, header_hash, cancelled):
                memory.drop(*target.key, IntentKind.HEADER)
                words = error.message if isinstance(error, errors.ChangedTooOften) else ""
                raise errors.ConflictKept(words, details=f"{error.code} {error.details}") from error
        else:
            self._now_stored(target, kept.envelope, row, kept.sealed_thumbnail())
        self._kept.remove(target)
        return header_hash

    def _put(self, target: Target, envelope: Envelope, carrier: Path, thumbnail: bytes, cancelled: IsCancelled) -> Row:
        intent = Intent(*target.key, IntentKind.HEADER, envelope.header_hash, envelope.previous)
        self._context.memory.begin(intent)
        return self._context.api.put_revision(
            target.owner_id,
            target.picture_id,
            replaces=envelope.previous,
            carrier=carrier,
            envelope=envelope.text,
            thumbnail=thumbnail,
            cancelled=cancelled,
        )

    def _was_stored(self, target: Target, header_hash: str, cancelled: IsCancelled) -> bool:
        """Whether a revision arrived although its answer was lost, and others followed it."""
        try:
            fetch(self._context, target.owner_id, target.owner, target.picture_id, cancelled)
        except (errors.NotAllowed, errors.NotFound, errors.NotAuthentic):
            return False
        entry = self._context.memory.entry(*target.key)
        return entry is not None and entry.known is not None and header_hash in entry.known.accepted

    def _now_stored(self, target: Target, envelope: Envelope, row: Row, sealed_thumbnail: bytes) -> None:
        if target.is_own:
            now_stored(self._context, envelope, envelope.open(self._context.key), row, sealed_thumbnail)
        else:
            self._context.memory.stored(envelope)
            item = self._context.shared.find(target.gallery_id)
            if item is not None:
                self._context.shared.exchange(item, item.with_revision(envelope.open(self._context.key), row))

    def _forget(self, kept: Kept) -> None:
        self._context.memory.drop(*kept.target.key, IntentKind.HEADER)
        self._kept.remove(kept.target)

    def _store_mine(self, kept: Kept, report: Report, cancelled: IsCancelled) -> None:
        from desktop.crypto.plans import next_revision

        target = kept.target
        for _ in range(TRIES):
            current = fetch(self._context, target.owner_id, target.owner, target.picture_id, cancelled)
            mine = current.envelope.author == self._context.key.fingerprint
            if mine and _same_file(current.opened, kept.opened):  # an earlier try whose answer was lost
                return
            plan = next_revision(current.opened, self._context.key, owner=target.owner, grant=current.grant)
            with attempt(self._context.folder) as folder:
                made = self._seal_again(kept, folder, plan, report, cancelled)
                envelope = self._kept.read(target, made.envelope)
                try:
                    row = self._put(target, envelope, made.carrier, made.thumbnail, cancelled)
                except errors.ChangedTooOften:
                    raise
                except errors.Conflict:
                    if self._was_stored(target, made.header_hash, cancelled):
                        return
                    continue
                self._now_stored(target, envelope, row, made.thumbnail)
                return
        raise errors.ConflictKept

    def _store_copy(self, kept: Kept, report: Report, cancelled: IsCancelled) -> str:
        from desktop.crypto.objects import NO_HEADER
        from desktop.crypto.plans import first_revision

        context, key = self._context, self._context.key
        # the same id at every try, so that a crash after the upload makes no second copy
        picture_id = kept.copy_id
        with attempt(context.folder) as folder:
            made = self._seal_again(kept, folder, first_revision(key, picture_id), report, cancelled)
            own = Target(context.user_id, key.public, picture_id, is_own=True)
            envelope = self._kept.read(own, made.envelope)
            context.memory.begin(Intent(*own.key, IntentKind.HEADER, made.header_hash, NO_HEADER))
            try:
                row = context.api.upload_sealed(
                    context.user_id,
                    picture_id,
                    carrier=made.carrier,
                    envelope=made.envelope,
                    thumbnail=made.thumbnail,
                    cancelled=cancelled,
                )
            except errors.Conflict:
                context.memory.drop(*own.key, IntentKind.HEADER)
                fetch_own(context, picture_id, cancelled)  # an earlier try's
                return picture_id
            self._now_stored(own, envelope, row, made.thumbnail)
        return picture_id

    def _seal_again(self, kept: Kept, folder: Path, plan: Plan, report: Report, cancelled: IsCancelled) -> Sealed:
        from desktop.crypto.reseal import reseal

        with kept.open_carrier() as untrusted:
            return reseal(
                kept.opened,
                untrusted,
                folder / CARRIER,
                self._context.key,
                plan,
                thumbnail=kept.opened.open_thumbnail(kept.sealed_thumbnail()),
                report=report,
                cancelled=cancelled,
            )


def _same_file(one: OpenedEnvelope, other: OpenedEnvelope) -> bool:
    return (one.metadata.b3, one.metadata.name) == (other.metadata.b3, other.metadata.name)
