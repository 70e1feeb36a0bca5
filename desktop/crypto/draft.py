"""What a sealed picture has besides its payload: deed, header, thumbnail, made for one attempt to seal.

Must not import PySide6, the network or anything of the project but ``desktop.crypto``.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.crypto import canonical
from desktop.crypto.carrier_layout import Layout
from desktop.crypto.chunks import Sealer, seal_bytes
from desktop.crypto.keys import VAULT_WRAP_INFO, PrivateKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import VAULT_WRAP_BYTES, Deed, Header, Part, sign_object
from desktop.crypto.picture_keys import PartName, Revision, commitment, wrap_label
from desktop.crypto.plans import Plan, check_author
from desktop.crypto.sizes import TAG, ciphertext_size, padded_payload, padded_thumbnail

NO_HASH: Final = "0" * 64
"""Stands for a hash that is not known yet, at its length."""


class Draft:
    """Everything of a revision but its payload. One attempt to seal: its salt is used once.

    Attributes:
        revision: What the keys depend on.
        metadata: As known before the source is read: without its hash.
        payload_size: Padded length of the payload.
        thumbnail: The encrypted thumbnail.
    """

    def __init__(self, key: PrivateKey, plan: Plan, metadata: Metadata, thumbnail: bytes) -> None:
        """Draw a salt, encrypt the thumbnail; raises NoGrant if the key is not the planned author's."""
        check_author(plan, key)
        self._key = key
        self._plan = plan
        self.revision = Revision(
            plan.picture_id, plan.owner, plan.epoch, plan.revision, key.fingerprint, secrets.token_bytes(32)
        )
        self.payload_size = padded_payload(metadata.size)
        self.metadata = metadata
        padded = thumbnail.ljust(padded_thumbnail(len(thumbnail)), b"\0")
        cipher_key, aad = self._keys("thumb", len(padded))
        self.thumbnail, b3 = seal_bytes(cipher_key, aad, padded)
        self._thumbnail_part = Part(len(padded), b3)

    def _keys(self, part: PartName, size: int) -> tuple[bytes, bytes]:
        return self.revision.key(self._plan.picture_key, part), self.revision.aad(part, size)

    def sealer(self) -> Sealer:
        """Return what encrypts the payload."""
        return Sealer(*self._keys("payload", self.payload_size), self.payload_size)

    def layout(self) -> Layout:
        """Return the carrier's layout: the length of the envelope is known before its contents are."""
        size = self._key.public.modulus_bytes
        signature = canonical.encode_base64(bytes(size))
        deed = self._plan.deed
        if deed is None:
            deed = {"body": self._deed_body(NO_HASH, bytes(size), bytes(VAULT_WRAP_BYTES)), "sig": signature}
        meta = bytes(len(self.metadata.encode()) + TAG)
        body = self._body(deed, meta, NO_HASH)
        envelope = len(canonical.encode({"body": body, "sig": signature}))
        return Layout(ciphertext_size(self.payload_size), envelope)

    def header(self, metadata: Metadata, payload_b3: str) -> canonical.Object:
        """Sign the deed, unless it is an old one, and the header; return the header.

        Called after the payload, so that signing overlaps with what is still being written.
        """
        plain = metadata.encode()
        sealed, _ = seal_bytes(*self._keys("meta", len(plain)), plain)
        deed = self._plan.deed
        if deed is None:
            deed = sign_object(self._key, self._new_deed())
        return sign_object(self._key, self._body(deed, sealed, payload_b3))

    def _body(self, deed: canonical.Object, meta: bytes, payload_b3: str) -> canonical.Object:
        return Header.body(
            author=self._key.fingerprint,
            deed=deed,
            grant=self._plan.grant,
            revision=self.revision.revision,
            previous=self._plan.previous,
            salt=self.revision.salt,
            meta=meta,
            payload=Part(self.payload_size, payload_b3),
            thumbnail=self._thumbnail_part,
        )

    def _new_deed(self) -> canonical.Object:
        owner, picture_id, epoch = self._key.fingerprint, self.revision.picture_id, self._plan.epoch
        picture_key = self._plan.picture_key
        label = wrap_label(picture_id, epoch, owner, owner)
        nonce = secrets.token_bytes(12)
        vault_cipher = AESGCM(self._key.vault_key(VAULT_WRAP_INFO))
        return self._deed_body(
            commitment(picture_key, picture_id, epoch, owner),
            self._key.public.wrap(label, picture_key),
            nonce + vault_cipher.encrypt(nonce, picture_key, label),
        )

    def _deed_body(self, kc: str, wrap: bytes, vault: bytes) -> canonical.Object:
        return Deed.body(
            picture_id=self.revision.picture_id,
            owner=self._key.fingerprint,
            epoch=self._plan.epoch,
            kc=kc,
            wrap=wrap,
            vault=vault,
        )
