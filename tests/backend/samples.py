"""Uploads to make: small pictures and envelopes of the right form. Nothing is encrypted; the server cannot tell."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import secrets
from dataclasses import dataclass
from typing import Any

from PIL import Image


def png(width: int = 6, height: int = 4) -> bytes:
    """A small valid PNG that is unlike every other."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (width, height), secrets.token_bytes(3 * width * height)).save(buffer, "PNG")
    return buffer.getvalue()


def canonical(value: object) -> str:
    """The one encoding of an envelope."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def b64(size: int) -> str:
    """Random bytes as base64."""
    return base64.b64encode(secrets.token_bytes(size)).decode()


def header(picture_id: str, **changes: Any) -> dict[str, Any]:
    """A header object of the form of CRYPTO suite 1, signed by nobody."""
    owner = secrets.token_hex(32)
    deed = {
        "body": {
            "t": "deed", "suite": 1, "pic": picture_id, "owner": owner, "epoch": 1, "kc": secrets.token_hex(32),
            "wrap": b64(384), "vault": b64(60),
        },
        "sig": b64(384),
    }  # fmt: skip
    body = {
        "t": "header", "author": owner, "deed": deed, "rev": 1, "prev": "0" * 64, "salt": secrets.token_hex(32),
        "meta": b64(272), "payload": {"b3": secrets.token_hex(32), "size": 4096},
        "thumb": {"b3": secrets.token_hex(32), "size": 4096},
    }  # fmt: skip
    return {"body": body | changes, "sig": b64(384)}


@dataclass
class SealedUpload:
    """Everything a sealed upload consists of."""

    picture_id: str
    envelope: str
    image: bytes
    thumbnail: bytes
    header_hash: str

    @property
    def stem(self) -> str:
        """The picture's name in addresses."""
        return f"p-{self.picture_id}"

    def form(self) -> dict[str, Any]:
        """Arguments for ``requests``."""
        return {
            "data": {"envelope": self.envelope},
            "files": {
                "imageFile": (f"{self.stem}.png", self.image, "image/png"),
                "thumbnail": ("thumbnail", self.thumbnail, "application/octet-stream"),
            },
        }


def sealed(picture_id: str | None = None) -> SealedUpload:
    """A sealed upload that is unlike every other."""
    picture_id = picture_id or secrets.token_hex(16)
    return _upload(picture_id, header(picture_id))


def _upload(picture_id: str, value: dict[str, Any]) -> SealedUpload:
    return SealedUpload(picture_id, canonical(value), png(), secrets.token_bytes(4112), object_hash(value["body"]))


def object_hash(body: dict[str, Any]) -> str:
    """The hash of a signed object."""
    return hashlib.sha256(f"glassine/1 id {body['t']}\0{canonical(body)}".encode()).hexdigest()


def body_of(upload: SealedUpload) -> dict[str, Any]:
    """The body of an upload's header."""
    body: dict[str, Any] = json.loads(upload.envelope)["body"]
    return body


def next_revision(before: SealedUpload, **changes: Any) -> SealedUpload:
    """The revision after one, in the same epoch; ``changes`` are made to the header's body."""
    old = body_of(before)
    fresh = {"rev": old["rev"] + 1, "prev": before.header_hash, "salt": secrets.token_hex(32)}
    return _upload(before.picture_id, {"body": old | fresh | changes, "sig": b64(384)})


def next_epoch(before: SealedUpload, *, deed: dict[str, Any] | None = None, **changes: Any) -> SealedUpload:
    """The first revision of the next epoch; ``deed`` holds changes to the deed's body."""
    old = body_of(before)["deed"]["body"]
    fresh = old | {"epoch": old["epoch"] + 1, "kc": secrets.token_hex(32)} | (deed or {})
    return next_revision(before, deed={"body": fresh, "sig": b64(384)}, **{"rev": 1} | changes)


def grant(upload: SealedUpload, role: str = "read", **changes: Any) -> str:
    """A grant for the epoch of an upload, for nobody in particular."""
    deed = body_of(upload)["deed"]["body"]
    body = {
        "t": "grant", "deed": object_hash(deed), "pic": upload.picture_id, "owner": deed["owner"],
        "to": secrets.token_hex(32), "role": role, "time": 1_700_000_000, "wrap": b64(384),
    }  # fmt: skip
    return canonical({"body": body | changes, "sig": b64(384)})


def gone(picture_id: str, **changes: Any) -> str:
    """The record that a picture was deleted for good."""
    body = {"t": "gone", "pic": picture_id, "owner": "ab" * 32, "prev": "cd" * 32, "time": 1_700_000_000}
    return canonical({"body": body | changes, "sig": b64(384)})


def succession(old: str, **changes: Any) -> str:
    """The record that a key pair was replaced."""
    body = {"t": "succ", "old": old, "new": secrets.token_hex(32), "time": 1_700_000_000}
    return canonical({"body": body | changes, "sig": b64(384), "sig2": b64(384)})


def classic(name: str = "bicycle.png", image: bytes | None = None, quotient: str = "98 98 77 2 ") -> dict[str, Any]:
    """A classic upload as arguments for ``requests``."""
    return {"data": {"quotient": quotient}, "files": {"imageFile": (name, image or png(), "image/png")}}
