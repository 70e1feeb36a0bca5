"""Copies without metadata, made for sharing: pictures of their own, linked to the original in one's own memory only.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop import errors, image_formats
from desktop.client.attempts import attempt
from desktop.client.current import Current, fetch_own
from desktop.client.memory_model import Intent, IntentKind
from desktop.client.resealing import CARRIER, TRIES, now_stored, own_envelope
from desktop.client.ties import TieKind
from desktop.models import IsCancelled, never_cancelled

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext


class Copies:
    """The copies of one account."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare."""
        self._context = context
        self._ties = context.memory.ties

    def without_metadata(self, picture_id: str, cancelled: IsCancelled = never_cancelled) -> str:
        """Return the id of a picture's copy without metadata; one that is there already is used again.

        Raises:
            Unsupported: Its format cannot be copied without loss.
            GlassineError: It cannot be opened or stored; nothing is left.
        """
        for _ in range(TRIES):
            try:
                return self._copy(fetch_own(self._context, picture_id, cancelled), cancelled)
            except errors.MovedOn:  # while it was read
                continue
        raise errors.MovedOn("Others keep changing this picture. Try again.")

    def _copy(self, original: Current, cancelled: IsCancelled) -> str:
        picture_id = original.picture_id
        for copy, made_of in self._ties.of(TieKind.COPY, picture_id).items():
            if made_of == original.envelope.header_hash and self._is_there(copy, cancelled):
                return copy
        return self._make(original, cancelled)

    def _is_there(self, picture_id: str, cancelled: IsCancelled) -> bool:
        try:
            fetch_own(self._context, picture_id, cancelled)
        except errors.NotFound:
            return False
        return True

    def _make(self, original: Current, cancelled: IsCancelled) -> str:
        from desktop.client.strip import strip
        from desktop.crypto import sealed
        from desktop.crypto.objects import NO_HEADER

        context, key = self._context, self._context.key
        opened = original.opened
        # made by Glassine of the pixels alone, so it tells no more than they do
        thumbnail = original.thumbnail(context, cancelled)
        with original.content(context, cancelled) as untrusted:
            whole = opened.open_payload_to_memory(untrusted, cancelled=cancelled, limit=image_formats.MAX_FILE_BYTES)
        stripped = strip(bytes(whole))
        del whole
        picture_id = sealed.new_picture_id()
        with attempt(context.folder) as folder:
            made = sealed.seal(
                stripped.data,
                folder / CARRIER,
                key,
                name=stripped.name,
                media_type=image_formats.detect_bytes(stripped.data[: image_formats.HEAD_BYTES]).media_type,
                width=opened.metadata.w,
                height=opened.metadata.h,
                taken="",
                thumbnail=thumbnail,
                picture_id=picture_id,
                cancelled=cancelled,
            )
            envelope, copy = own_envelope(context, made)
            # before it is sent: a crash must not leave a copy that nobody knows to be one
            self._ties.set(TieKind.COPY, original.picture_id, picture_id, original.envelope.header_hash)
            context.memory.begin(Intent(key.fingerprint, picture_id, IntentKind.HEADER, made.header_hash, NO_HEADER))
            try:
                row = context.api.upload_sealed(
                    context.user_id,
                    picture_id,
                    carrier=made.carrier,
                    envelope=made.envelope,
                    thumbnail=made.thumbnail,
                    cancelled=cancelled,
                )
            except errors.ServerSilent:
                raise  # it may have arrived: the next try looks
            except errors.GlassineError:
                self._ties.set(TieKind.COPY, original.picture_id, picture_id, "")
                context.memory.drop(key.fingerprint, picture_id, IntentKind.HEADER)
                raise
            now_stored(context, envelope, copy, row, made.thumbnail)
        return picture_id
