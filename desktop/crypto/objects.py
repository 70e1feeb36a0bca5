"""Signed objects: deed, grant and header (FORMAT.md sections 3, 5, 8 and 11.1).

Parsing checks form and ranges only; who signed is checked by the ``verify`` functions, what it means by
``desktop.crypto.envelope``. Must not import PySide6, the network or anything of the project but ``desktop.crypto`` and
``desktop.errors``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from desktop.crypto import canonical
from desktop.crypto.canonical import Object, encode_base64, get_base64, get_hex, get_integer, get_object, get_text
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.metadata import MAX_META
from desktop.crypto.picture_keys import SUITE
from desktop.crypto.sizes import MAX_PAYLOAD, MAX_THUMBNAIL, TAG
from desktop.errors import Damaged

Type = Literal["deed", "grant", "header", "gone", "succ"]
Role = Literal["read", "write"]

MAX_COUNTER: Final = (1 << 31) - 1
NO_HEADER: Final = "0" * 64
VAULT_WRAP_BYTES: Final = 12 + 32 + TAG
MAX_RSA_BYTES: Final = 1024

_OBJECT = frozenset({"body", "sig"})
_DEED = frozenset({"t", "suite", "pic", "owner", "epoch", "kc", "wrap", "vault"})
_GRANT = frozenset({"t", "deed", "pic", "owner", "to", "role", "time", "wrap"})
_HEADER = frozenset({"t", "author", "deed", "rev", "prev", "salt", "meta", "payload", "thumb"})
_PART = frozenset({"b3", "size"})


def object_hash(body: Object) -> str:
    """Return H(object) as hex: the hash over its type and body."""
    return hashlib.sha256(_tagged(b"glassine/1 id ", body)).hexdigest()


def sign_object(key: PrivateKey, body: Object) -> Object:
    """Return the object of a body, signed."""
    return {"body": body, "sig": encode_base64(key.sign(_tagged(b"glassine/1 sig ", body)))}


def verify_object(key: PublicKey, untrusted_object: Object) -> None:
    """Check the signature of a parsed object; raises Damaged or NotAuthentic."""
    canonical.require_members(untrusted_object, _OBJECT)
    signature = get_base64(untrusted_object, "sig", high=MAX_RSA_BYTES)
    key.verify(signature, _tagged(b"glassine/1 sig ", get_object(untrusted_object, "body")))


def _tagged(label: bytes, body: Object) -> bytes:
    return label + get_text(body, "t").encode("ascii") + b"\0" + canonical.encode(body)


def _body(untrusted_object: Object, kind: Type, members: frozenset[str]) -> Object:
    canonical.require_members(untrusted_object, _OBJECT)
    get_base64(untrusted_object, "sig", low=1, high=MAX_RSA_BYTES)
    body = get_object(untrusted_object, "body")
    canonical.require_members(body, members)
    if get_text(body, "t") != kind:
        raise Damaged(details="wrong type of object")
    return body


@dataclass(frozen=True)
class Deed:
    """The owner's word on a picture's key for one epoch.

    Attributes:
        picture_id: 32 hex digits.
        owner: Owner's fingerprint.
        epoch: From 1.
        kc: Commitment to the picture key, hex.
        wrap: The picture key for the owner's RSA key.
        vault: The picture key under the owner's vault key.
        source: The whole object as parsed or signed.
        hash: H(deed), hex.
    """

    picture_id: str
    owner: str
    epoch: int
    kc: str
    wrap: bytes
    vault: bytes
    source: Object
    hash: str

    @classmethod
    def parse(cls, untrusted_object: Object) -> Deed:
        """Read a deed of suite 1; raises Damaged."""
        body = _body(untrusted_object, "deed", _DEED)
        get_integer(body, "suite", SUITE, SUITE)
        return cls(
            picture_id=get_hex(body, "pic", 16),
            owner=get_hex(body, "owner", 32),
            epoch=get_integer(body, "epoch", 1, MAX_COUNTER),
            kc=get_hex(body, "kc", 32),
            wrap=get_base64(body, "wrap", low=1, high=MAX_RSA_BYTES),
            vault=get_base64(body, "vault", low=VAULT_WRAP_BYTES, high=VAULT_WRAP_BYTES),
            source=untrusted_object,
            hash=object_hash(body),
        )

    @staticmethod
    def body(*, picture_id: str, owner: str, epoch: int, kc: str, wrap: bytes, vault: bytes) -> Object:
        """Return the body to sign."""
        return {
            "t": "deed",
            "suite": SUITE,
            "pic": picture_id,
            "owner": owner,
            "epoch": epoch,
            "kc": kc,
            "wrap": encode_base64(wrap),
            "vault": encode_base64(vault),
        }


@dataclass(frozen=True)
class Grant:
    """The owner's permission for one person and one deed.

    Attributes:
        deed: H(deed), hex.
        picture_id: 32 hex digits.
        owner: Owner's fingerprint.
        to: Fingerprint of the person.
        role: ``read`` or ``write``.
        time: Seconds since 1970; for display only.
        wrap: The picture key for that person's RSA key.
        source: The whole object.
    """

    deed: str
    picture_id: str
    owner: str
    to: str
    role: Role
    time: int
    wrap: bytes
    source: Object

    @classmethod
    def parse(cls, untrusted_object: Object) -> Grant:
        """Read a grant; raises Damaged."""
        body = _body(untrusted_object, "grant", _GRANT)
        role = get_text(body, "role")
        if role not in ("read", "write"):
            raise Damaged(details="unknown role")
        return cls(
            deed=get_hex(body, "deed", 32),
            picture_id=get_hex(body, "pic", 16),
            owner=get_hex(body, "owner", 32),
            to=get_hex(body, "to", 32),
            role=cast(Role, role),
            time=get_integer(body, "time", 0, canonical.MAX_INTEGER),
            wrap=get_base64(body, "wrap", low=1, high=MAX_RSA_BYTES),
            source=untrusted_object,
        )

    @staticmethod
    def body(deed: Deed, to: str, role: Role, time: int, wrap: bytes) -> Object:
        """Return the body to sign."""
        return {
            "t": "grant",
            "deed": deed.hash,
            "pic": deed.picture_id,
            "owner": deed.owner,
            "to": to,
            "role": role,
            "time": time,
            "wrap": encode_base64(wrap),
        }


@dataclass(frozen=True)
class Part:
    """An encrypted part as the header names it: padded length and BLAKE3 of the ciphertext (hex)."""

    size: int
    b3: str

    @classmethod
    def parse(cls, untrusted: Object, limit: int) -> Part:
        """Read it; raises Damaged."""
        canonical.require_members(untrusted, _PART)
        return cls(size=get_integer(untrusted, "size", 1, limit), b3=get_hex(untrusted, "b3", 32))

    def fields(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"b3": self.b3, "size": self.size}


@dataclass(frozen=True)
class Header:
    """The author's word on one revision.

    Attributes:
        author: Author's fingerprint.
        deed: The owner's deed.
        grant: The author's grant; None exactly when the header has none.
        revision: From 1 in each epoch.
        previous: Hash of the header before, 64 zeros for none.
        salt: 32 bytes.
        meta: Encrypted metadata.
        payload: Length and hash of the payload.
        thumbnail: Length and hash of the thumbnail.
        source: The whole object.
        hash: The header hash, hex.
    """

    author: str
    deed: Deed
    grant: Grant | None
    revision: int
    previous: str
    salt: bytes
    meta: bytes
    payload: Part
    thumbnail: Part
    source: Object
    hash: str

    @classmethod
    def parse(cls, untrusted_object: Object) -> Header:
        """Read a header of suite 1; raises Damaged."""
        has_grant = "grant" in get_object(untrusted_object, "body")
        body = _body(untrusted_object, "header", _HEADER | {"grant"} if has_grant else _HEADER)
        deed = Deed.parse(get_object(body, "deed"))
        revision = get_integer(body, "rev", 1, MAX_COUNTER)
        previous = get_hex(body, "prev", 32)
        if (previous == NO_HEADER) != (deed.epoch == 1 and revision == 1):
            raise Damaged(details="only the first header has no predecessor")
        return cls(
            author=get_hex(body, "author", 32),
            deed=deed,
            grant=Grant.parse(get_object(body, "grant")) if has_grant else None,
            revision=revision,
            previous=previous,
            salt=bytes.fromhex(get_hex(body, "salt", 32)),
            meta=get_base64(body, "meta", low=1 + TAG, high=MAX_META + TAG),
            payload=Part.parse(get_object(body, "payload"), MAX_PAYLOAD),
            thumbnail=Part.parse(get_object(body, "thumb"), MAX_THUMBNAIL),
            source=untrusted_object,
            hash=object_hash(body),
        )

    @staticmethod
    def body(
        *,
        author: str,
        deed: Object,
        grant: Grant | None,
        revision: int,
        previous: str,
        salt: bytes,
        meta: bytes,
        payload: Part,
        thumbnail: Part,
    ) -> Object:
        """Return the body to sign."""
        body: Object = {
            "t": "header",
            "author": author,
            "deed": deed,
            "rev": revision,
            "prev": previous,
            "salt": salt.hex(),
            "meta": encode_base64(meta),
            "payload": payload.fields(),
            "thumb": thumbnail.fields(),
        }
        if grant is not None:
            body["grant"] = grant.source
        return body
