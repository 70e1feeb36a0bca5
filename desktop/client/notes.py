"""What this computer notes of each picture, sealed: enough to name it, and show its thumbnail, when it is missing.

For display only: nothing is decided by it. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from desktop.models import Picture, Scheme

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey
    from desktop.crypto.opened import OpenedEnvelope, ThumbnailKey

INFO = b"glassine/1 notes\0"
UNKNOWN_NAME = "Unknown picture"
"""A picture that only another computer has seen."""
_BLOCK = 256
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Note:
    """A picture as it was seen last, with what opens its cached thumbnail."""

    picture: Picture
    thumbnail: ThumbnailKey


class Notes:
    """Seals and opens notes under a person's key."""

    def __init__(self, key: PrivateKey) -> None:
        """Prepare."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key.vault_key(INFO))

    def seal(self, picture: Picture, opened: OpenedEnvelope) -> bytes:
        """Return the note of a picture that was just accepted."""
        thumbnail = opened.thumbnail_key
        fields = {
            "name": picture.name,
            "type": picture.media_type,
            "owner": picture.owner_id,
            "size": picture.size,
            "stored": picture.stored_size,
            "w": picture.width,
            "h": picture.height,
            "taken": picture.taken.isoformat() if picture.taken else "",
            "added": picture.added.isoformat(),
            "revision": opened.header.hash,
            "thumb": [thumbnail.key.hex(), thumbnail.aad.hex(), thumbnail.size, thumbnail.b3],
        }
        text = json.dumps(fields, separators=(",", ":")).encode("ascii")
        nonce = os.urandom(_NONCE)
        # padded, so that the length tells little about names
        padded = text.ljust(-(-len(text) // _BLOCK) * _BLOCK)
        return nonce + self._cipher.encrypt(nonce, padded, INFO + picture.id.encode("ascii"))

    def open(self, picture_id: str, sealed: bytes | None) -> Note | None:
        """Return a note; None if there is none that this key wrote for this picture."""
        from cryptography.exceptions import InvalidTag

        if sealed is None:
            return None
        try:
            text = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], INFO + picture_id.encode("ascii"))
            return _read(picture_id, json.loads(text))
        except (InvalidTag, ValueError, KeyError, TypeError):
            return None


def _read(picture_id: str, fields: Any) -> Note:
    from desktop.crypto.opened import ThumbnailKey

    picture = Picture(
        id=picture_id,
        stored_name=f"p-{picture_id}",
        owner_id=fields["owner"],
        scheme=Scheme.SEALED,
        name=fields["name"],
        media_type=fields["type"],
        size=fields["size"],
        stored_size=fields["stored"],
        width=fields["w"],
        height=fields["h"],
        taken=datetime.fromisoformat(fields["taken"]) if fields["taken"] else None,
        added=datetime.fromisoformat(fields["added"]),
        revision=fields["revision"],
    )
    key, aad, size, b3 = fields["thumb"]
    return Note(picture, ThumbnailKey(bytes.fromhex(key), bytes.fromhex(aad), size, b3))
