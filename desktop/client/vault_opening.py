"""Opening and exporting pictures of one's own: the listed revision, or the one that took its place meanwhile.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from desktop import errors, image_formats
from desktop.client import exporting, fetching
from desktop.client.vault_listing import open_envelope
from desktop.client.vault_trust import Measure
from desktop.models import IsCancelled, Picture, Report

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext
    from desktop.client.vault_listing import Known
    from desktop.crypto.sealed import OpenedEnvelope

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A picture's original file, whole and verified, in memory only."""

    picture: Picture
    data: bytearray


def open_picture(context: VaultContext, picture_id: str, report: Report, cancelled: IsCancelled) -> OpenedPicture:
    """Fetch and decrypt a picture of one's own into memory; see ``Vault.open``."""
    known, data = _fetched(
        context, picture_id, lambda opened, untrusted: open_to_memory(opened, untrusted, report, cancelled), cancelled
    )
    return OpenedPicture(known.picture, data)


def export_picture(
    context: VaultContext, picture_id: str, folder: Path, report: Report, cancelled: IsCancelled
) -> Path:
    """Decrypt a picture of one's own into a folder; see ``Vault.export``."""

    def use(opened: OpenedEnvelope, untrusted: BinaryIO) -> Path:
        return exporting.export(opened, untrusted, folder, report, cancelled)

    return _fetched(context, picture_id, use, cancelled)[1]


def open_to_memory(opened: OpenedEnvelope, untrusted: BinaryIO, report: Report, cancelled: IsCancelled) -> bytearray:
    """Decrypt a picture into memory; raises as ``OpenedEnvelope.open_payload_to_memory``."""
    try:
        return opened.open_payload_to_memory(untrusted, report, cancelled, limit=image_formats.MAX_FILE_BYTES)
    except MemoryError as error:
        raise errors.TooLarge("There is not enough memory to show this picture. Export it instead.") from error


def _fetched(
    context: VaultContext, picture_id: str, use: Callable[[OpenedEnvelope, BinaryIO], _T], cancelled: IsCancelled
) -> tuple[Known, _T]:
    """Do something with the file of the listed revision of a picture, or of the one that took its place."""

    def fetch() -> tuple[Known, _T]:
        known = context.catalog.get(picture_id)
        opened = _opened(context, known)
        name = known.picture.stored_name
        with fetching.content(context.api, context.user_id, name, known.envelope, cancelled) as untrusted:
            return known, use(opened, untrusted)

    return fetching.newest(fetch, lambda: _look_again(context, picture_id, cancelled))


def _opened(context: VaultContext, known: Known) -> OpenedEnvelope:
    if (refusal := known.refusal) is not None:  # here again, with its own error
        raise type(refusal)(refusal.message, details=refusal.details)
    return open_envelope(known.envelope, known.picture.id, context.key, authors=context.memory.people.key_of)


def _look_again(context: VaultContext, picture_id: str, cancelled: IsCancelled) -> None:
    """Take over what is stored of a picture now, measured like a listing of this one picture."""
    known = context.catalog.get(picture_id)
    before = context.memory.snapshot()
    present = context.api.present(context.user_id, known.picture.stored_name, cancelled)
    if present.row.stored_name != known.picture.stored_name or present.role != "owner":
        raise errors.WrongPicture
    for found in Measure(context, cancelled).page([present.row], before):
        context.catalog.add(found)
