"""A second reader, written from FORMAT.md with the libraries alone, opens what Glassine wrote.

It uses nothing of ``desktop.crypto``: if code and text drift apart, this fails.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from PIL import Image

from desktop.crypto import PrivateKey, seal

Json = dict[str, Any]


def hk(ikm: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)


def canon(value: Json) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Reader:
    """One key pair and one picture."""

    def __init__(self, key: rsa.RSAPrivateKey, file: bytes) -> None:
        self.key = key
        public = key.public_key()
        spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fp = hashlib.sha256(spki).digest()
        with Image.open(io.BytesIO(file)) as picture:
            stream = picture.tobytes()
        magic, version, envelope, payload, zeros = struct.unpack(">8sB3xIQ8s", stream[:32])
        assert (magic, version, zeros) == (b"GLASSINE", 1, bytes(8))
        self.payload = stream[32 : 32 + payload]
        self.envelope = stream[32 + payload : 32 + payload + envelope]
        header = json.loads(self.envelope)
        assert canon(header) == self.envelope
        self.header, self.deed = header["body"], header["body"]["deed"]["body"]
        for value in (header, self.header["deed"]):
            message = f"glassine/1 sig {value['body']['t']}\0".encode() + canon(value["body"])
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            public.verify(base64.b64decode(value["sig"]), message, pss, hashes.SHA256())
        self.pic = bytes.fromhex(self.deed["pic"])
        self.epoch = struct.pack(">I", self.deed["epoch"])

    def picture_key(self) -> bytes:
        label = b"glassine/1 wrap\0" + self.pic + self.epoch + self.fp + self.fp
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
        by_rsa = self.key.decrypt(base64.b64decode(self.deed["wrap"]), oaep)
        numbers = self.key.private_numbers()
        size = (self.key.key_size + 7) // 8
        low, high = sorted((numbers.p, numbers.q))
        vk = hk(low.to_bytes(size, "big") + high.to_bytes(size, "big"), self.fp, b"glassine/1 vault\0")
        vault = base64.b64decode(self.deed["vault"])
        by_vault = AESGCM(hk(vk, None, b"glassine/1 vault-wrap\0")).decrypt(vault[:12], vault[12:], label)
        assert by_rsa == by_vault
        kc = hk(by_rsa, None, b"glassine/1 commit\0" + self.pic + self.epoch + self.fp)
        assert kc.hex() == self.deed["kc"]
        return by_rsa

    def decrypt(self, part: str, sealed: bytes, size: int) -> bytes:
        revision = struct.pack(">I", self.header["rev"])
        context = b"\1" + self.pic + self.fp + self.epoch + revision + bytes.fromhex(self.header["author"])
        salt = bytes.fromhex(self.header["salt"])
        cipher = AESGCM(hk(self.picture_key(), salt, f"glassine/1 key {part}\0".encode() + context))
        aad = f"glassine/1 aad {part}\0".encode() + context + struct.pack(">Q", size)
        count = max(1, -(-size // 262_144))
        step = 262_144 + 16
        chunks = [
            cipher.decrypt(i.to_bytes(11, "big") + bytes([i == count - 1]), sealed[i * step : (i + 1) * step], aad)
            for i in range(count)
        ]
        return b"".join(chunks)


@pytest.mark.parametrize("size", [0, 1000, 262_144, 600_000])
def test_a_second_reader_opens_it(owner: PrivateKey, tmp_path: Path, size: int) -> None:
    source, carrier = tmp_path / "sea.jpg", tmp_path / "noise.png"
    data = bytes(at * 7 % 256 for at in range(size))
    source.write_bytes(data)
    jpeg = b"\xff\xd8 preview \xff\xd9"
    sealed = seal(
        source,
        carrier,
        owner,
        name="sea.jpg",
        media_type="image/jpeg",
        width=3,
        height=2,
        taken="2024-05-06T07:08:09",
        thumbnail=jpeg,
    )
    reader = Reader(owner.to_cryptography(), carrier.read_bytes())
    assert reader.envelope.decode() == sealed.envelope
    assert reader.deed["pic"] == sealed.picture_id
    assert hashlib.sha256(b"glassine/1 id header\0" + canon(reader.header)).hexdigest() == sealed.header_hash
    meta = base64.b64decode(reader.header["meta"])
    fields = json.loads(reader.decrypt("meta", meta, len(meta) - 16))
    assert fields == {
        "name": "sea.jpg",
        "type": "image/jpeg",
        "size": size,
        "b3": blake3(data).hexdigest(),
        "w": 3,
        "h": 2,
        "taken": "2024-05-06T07:08:09",
    }
    thumb = reader.header["thumb"]
    assert blake3(sealed.thumbnail).hexdigest() == thumb["b3"]
    assert reader.decrypt("thumb", sealed.thumbnail, thumb["size"]) == jpeg.ljust(4096, b"\0")
    payload = reader.header["payload"]
    assert blake3(reader.payload).hexdigest() == payload["b3"]
    plain = reader.decrypt("payload", reader.payload, payload["size"])
    assert plain == data.ljust(payload["size"], b"\0")
    quantum = 1 << max(8, (size.bit_length() - 1) - 11)
    assert payload["size"] == max(1, -(-size // quantum)) * quantum
