"""Pictures made by hand, right or wrong in any detail: what attackers with some of the keys could make."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.crypto import canonical
from desktop.crypto.canonical import Object, encode_base64
from desktop.crypto.carrier import CarrierWriter
from desktop.crypto.carrier_layout import Layout
from desktop.crypto.chunks import seal_bytes
from desktop.crypto.envelope import Envelope, read_envelope
from desktop.crypto.keys import VAULT_WRAP_INFO, PrivateKey, PublicKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import NO_HEADER, object_hash, sign_object
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.picture_keys import Revision, commitment, wrap_label
from desktop.crypto.sizes import padded_payload, padded_thumbnail

Change = Callable[[Object], None]

JPEG = b"\xff\xd8 a preview \xff\xd9"


def unchanged(_: Object) -> None:
    """Change nothing."""


def deed(
    owner: PrivateKey,
    picture_key: bytes,
    picture_id: str,
    *,
    epoch: int = 1,
    signer: PrivateKey | None = None,
    change: Change = unchanged,
    vault_holds: bytes | None = None,
    wrap_holds: bytes | None = None,
) -> Object:
    """A deed, changed before it is signed."""
    fp = owner.fingerprint
    label = wrap_label(picture_id, epoch, fp, fp)
    nonce = os.urandom(12)
    vault = AESGCM(owner.vault_key(VAULT_WRAP_INFO)).encrypt(nonce, vault_holds or picture_key, label)
    body: Object = {
        "t": "deed",
        "suite": 1,
        "pic": picture_id,
        "owner": fp,
        "epoch": epoch,
        "kc": commitment(picture_key, picture_id, epoch, fp),
        "wrap": encode_base64(owner.public.wrap(label, wrap_holds or picture_key)),
        "vault": encode_base64(nonce + vault),
    }
    change(body)
    return sign_object(signer or owner, body)


def grant(
    owner: PrivateKey,
    to: PublicKey,
    deed: Object,
    picture_key: bytes,
    *,
    role: str = "write",
    signer: PrivateKey | None = None,
    change: Change = unchanged,
) -> Object:
    """A grant, changed before it is signed."""
    body = deed["body"]
    label = wrap_label(body["pic"], body["epoch"], owner.fingerprint, to.fingerprint)
    value: Object = {
        "t": "grant",
        "deed": object_hash(body),
        "pic": body["pic"],
        "owner": owner.fingerprint,
        "to": to.fingerprint,
        "role": role,
        "time": 1_700_000_000,
        "wrap": encode_base64(to.wrap(label, picture_key)),
    }
    change(value)
    return sign_object(signer or owner, value)


@dataclass
class Made:
    """A picture made by hand; every part can be exchanged before it is read."""

    owner: PrivateKey
    author: PrivateKey
    picture_id: str
    picture_key: bytes
    deed: Object
    header: Object
    plain: bytes
    payload: bytes
    thumbnail: bytes
    revision: Revision
    payload_size: int

    @property
    def envelope(self) -> str:
        return canonical.encode(self.header).decode()

    @property
    def hash(self) -> str:
        return object_hash(self.header["body"])

    @property
    def carrier(self) -> bytes:
        return carrier(self.payload, self.envelope)

    def key_and_aad(self, part: Any, size: int) -> tuple[bytes, bytes]:
        return self.revision.key(self.picture_key, part), self.revision.aad(part, size)

    def read(self, **instead: Any) -> Envelope:
        arguments = {"owner": self.owner.public, "picture_id": self.picture_id, "author": self.author.public}
        return read_envelope(self.envelope, **(arguments | instead))

    def open(self, key: PrivateKey | None = None) -> OpenedEnvelope:
        return self.read().open(key or self.owner)


def picture(
    owner: PrivateKey,
    plain: bytes = b"a picture",
    *,
    picture_id: str | None = None,
    picture_key: bytes | None = None,
    deed_object: Object | None = None,
    epoch: int = 1,
    author: PrivateKey | None = None,
    grant_object: Object | None = None,
    revision: int = 1,
    previous: str | None = None,
    thumbnail: bytes = JPEG,
    name: str = "sea.jpg",
    meta: Callable[[Metadata], bytes] = Metadata.encode,
    padding: bytes | None = None,
    change: Change = unchanged,
    signer: PrivateKey | None = None,
) -> Made:
    """A picture, its header changed before it is signed."""
    picture_id = picture_id or os.urandom(16).hex()
    picture_key = picture_key or os.urandom(32)
    author = author or owner
    deed_object = deed_object or deed(owner, picture_key, picture_id, epoch=epoch)
    salt = os.urandom(32)
    context = Revision(picture_id, owner.fingerprint, epoch, revision, author.fingerprint, salt)

    def sealed(part: Any, data: bytes) -> tuple[bytes, str]:
        return seal_bytes(context.key(picture_key, part), context.aad(part, len(data)), data)

    padded = plain + (bytes(padded_payload(len(plain)) - len(plain)) if padding is None else padding)
    payload, payload_b3 = sealed("payload", padded)
    padded_thumb = thumbnail.ljust(padded_thumbnail(len(thumbnail)), b"\0")
    thumb, thumb_b3 = sealed("thumb", padded_thumb)
    metadata = Metadata(name, "image/jpeg", len(plain), blake3(plain).hexdigest(), 640, 480, "2024-05-06T07:08:09")
    body: Object = {
        "t": "header",
        "author": author.fingerprint,
        "deed": deed_object,
        "rev": revision,
        "prev": previous or (NO_HEADER if (epoch, revision) == (1, 1) else "ab" * 32),
        "salt": salt.hex(),
        "meta": encode_base64(sealed("meta", meta(metadata))[0]),
        "payload": {"b3": payload_b3, "size": len(padded)},
        "thumb": {"b3": thumb_b3, "size": len(padded_thumb)},
    }
    if grant_object is not None:
        body["grant"] = grant_object
    change(body)
    return Made(
        owner=owner,
        author=author,
        picture_id=picture_id,
        picture_key=picture_key,
        deed=deed_object,
        header=sign_object(signer or author, body),
        plain=plain,
        payload=payload,
        thumbnail=thumb,
        revision=context,
        payload_size=len(padded),
    )


def carrier(payload: bytes, envelope: str) -> bytes:
    """The carrier of any payload ciphertext and envelope."""
    out = io.BytesIO()
    with CarrierWriter(out.write, Layout(len(payload), len(envelope))) as writer:
        writer.write(payload)
        writer.write(envelope.encode())
        writer.finish()
    return out.getvalue()


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    """The data with some bits of one byte flipped."""
    changed = bytearray(data)
    changed[at] ^= mask
    return bytes(changed)
