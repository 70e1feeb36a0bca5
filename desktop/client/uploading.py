"""Sending one staged picture: checked against what was written, noted before it is sent, acknowledged by its own name.

Needs the public key only. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.memory_model import Intent, IntentKind
from desktop.client.preflight import hash_file
from desktop.client.staging import CARRIER, MAX_THUMBNAIL, THUMBNAIL, Waiting
from desktop.models import IsCancelled, Report, Scheme

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.api import Api
    from desktop.client.memory import Memory
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.sealed import Envelope

_REFUSALS = (errors.TooLarge, errors.StorageFull, errors.Conflict, errors.NotAllowed, errors.DeletedForGood)
"""After these the picture is not there; after any other error it may be."""


def check(waiting: Waiting, cancelled: IsCancelled) -> None:
    """Compare the waiting file with what was written; the server could not tell, only a later opening would.

    Raises:
        Damaged: The disk gives back something else.
        FileUnreadable: It is not there or cannot be read.
    """
    if hash_file(waiting.folder / CARRIER, cancelled) != waiting.carrier_b3:
        raise errors.Damaged("The encrypted copy that waited here has changed on this disk. Add the picture again.")


def send(
    api: Api,
    user_id: str,
    memory: Memory,
    public: PublicKey,
    waiting: Waiting,
    report: Report,
    cancelled: IsCancelled,
) -> tuple[Envelope, bytes, Row]:
    """Send a staged picture of one's own that was checked; repeating it is harmless.

    Returns:
        Its verified header, its sealed thumbnail and the server's row. Nothing of it is accepted or removed yet.

    Raises:
        NotAuthentic: What waits is not signed by this key; nothing was sent.
        WrongPicture: The server stored something else.
        NetworkError, TooLarge, StorageFull: It is not stored, or nobody knows.
    """
    from desktop.crypto.safe_write import read_own
    from desktop.crypto.sealed import read_envelope

    picture_id = waiting.picture_id
    carrier = waiting.folder / CARRIER
    envelope = read_envelope(waiting.untrusted_envelope, owner=public, picture_id=picture_id)
    thumbnail = read_own(waiting.folder / THUMBNAIL, MAX_THUMBNAIL)
    intent = Intent(public.fingerprint, picture_id, IntentKind.HEADER, envelope.header_hash, envelope.previous)
    memory.begin(intent)
    try:
        row = api.upload_sealed(
            user_id,
            picture_id,
            carrier=carrier,
            envelope=waiting.untrusted_envelope,
            thumbnail=thumbnail,
            report=report,
            cancelled=cancelled,
        )
    except _REFUSALS:
        memory.drop(*intent.key, intent.kind)
        raise
    if row.stored_name != f"p-{picture_id}" or row.scheme is not Scheme.SEALED:
        raise errors.WrongPicture("The server stored something else than what it was given.")
    return envelope, thumbnail, row
