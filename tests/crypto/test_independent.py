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

from desktop.crypto import PrivateKey, read_envelope, seal
from desktop.crypto.grants import grant_to
from desktop.crypto.plans import Plan, new_epoch, next_revision
from desktop.crypto.records import make_gone, make_succession, seal_ledger
from desktop.crypto.sealed import Sealed, parse_grant

Json = dict[str, Any]


def hk(ikm: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)


def canon(value: Json) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


def fingerprint(public: rsa.RSAPublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).digest()


def verify(public: rsa.RSAPublicKey, body: Json, sig: str) -> None:
    message = f"glassine/1 sig {body['t']}\0".encode() + canon(body)
    public.verify(base64.b64decode(sig), message, PSS, hashes.SHA256())


def identity(body: Json) -> str:
    return hashlib.sha256(f"glassine/1 id {body['t']}\0".encode() + canon(body)).hexdigest()


def vault_key(key: rsa.RSAPrivateKey) -> bytes:
    numbers = key.private_numbers()
    size = (key.key_size + 7) // 8
    low, high = sorted((numbers.p, numbers.q))
    ikm = low.to_bytes(size, "big") + high.to_bytes(size, "big")
    return hk(ikm, fingerprint(key.public_key()), b"glassine/1 vault\0")


class Reader:
    """One key pair and one picture: of the owner, or of somebody with a grant; by the owner, or by a writer."""

    def __init__(
        self,
        key: rsa.RSAPrivateKey,
        file: bytes,
        *,
        owner: rsa.RSAPublicKey | None = None,
        author: rsa.RSAPublicKey | None = None,
        grant: str = "",
    ) -> None:
        self.key = key
        owner = owner or key.public_key()
        author = author or owner
        self.fp = fingerprint(owner)
        with Image.open(io.BytesIO(file)) as picture:
            stream = picture.tobytes()
        magic, version, envelope, payload, zeros = struct.unpack(">8sB3xIQ8s", stream[:32])
        assert (magic, version, zeros) == (b"GLASSINE", 1, bytes(8))
        self.payload = stream[32 : 32 + payload]
        self.envelope = stream[32 + payload : 32 + payload + envelope]
        header = json.loads(self.envelope)
        assert canon(header) == self.envelope
        self.header, self.deed = header["body"], header["body"]["deed"]["body"]
        verify(author, header["body"], header["sig"])
        verify(owner, self.deed, self.header["deed"]["sig"])
        assert self.header["author"] == fingerprint(author).hex()
        assert ("grant" in self.header) == (fingerprint(author) != self.fp)
        if "grant" in self.header:
            self.check_grant(owner, self.header["grant"], fingerprint(author), {"write"})
        self.grant: Json = {}
        if grant:
            self.grant = json.loads(grant)["body"]
            assert canon(json.loads(grant)).decode() == grant
            self.check_grant(owner, json.loads(grant), fingerprint(key.public_key()), {"read", "write"})
        self.pic = bytes.fromhex(self.deed["pic"])
        self.epoch = struct.pack(">I", self.deed["epoch"])

    def check_grant(self, owner: rsa.RSAPublicKey, grant: Json, to: bytes, roles: set[str]) -> None:
        verify(owner, grant["body"], grant["sig"])
        body = grant["body"]
        assert set(body) == {"t", "deed", "pic", "owner", "to", "role", "time", "wrap"}
        assert (body["pic"], body["owner"], body["to"]) == (self.deed["pic"], self.fp.hex(), to.hex())
        assert body["deed"] == identity(self.deed)
        assert body["role"] in roles

    def unwrap(self, wrap: str) -> bytes:
        to = fingerprint(self.key.public_key())
        label = b"glassine/1 wrap\0" + self.pic + self.epoch + self.fp + to
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
        return self.key.decrypt(base64.b64decode(wrap), oaep)

    def picture_key(self) -> bytes:
        if self.grant:
            found = self.unwrap(self.grant["wrap"])
        else:
            found = self.unwrap(self.deed["wrap"])
            label = b"glassine/1 wrap\0" + self.pic + self.epoch + self.fp + self.fp
            vault = base64.b64decode(self.deed["vault"])
            cipher = AESGCM(hk(vault_key(self.key), None, b"glassine/1 vault-wrap\0"))
            assert cipher.decrypt(vault[:12], vault[12:], label) == found
        kc = hk(found, None, b"glassine/1 commit\0" + self.pic + self.epoch + self.fp)
        assert kc.hex() == self.deed["kc"]
        return found

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
    assert identity(reader.header) == sealed.header_hash
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


def stored(folder: Path, key: PrivateKey, plain: bytes, plan: Plan | None = None) -> Sealed:
    return seal(
        plain,
        folder / f"{len(list(folder.iterdir()))}.png",
        key,
        name="sea.jpg",
        media_type="image/jpeg",
        width=3,
        height=2,
        taken="",
        thumbnail=b"",
        plan=plan,
    )


def test_a_second_reader_follows_a_shared_picture(tmp_path: Path, owner: PrivateKey, friend: PrivateKey) -> None:
    keys = {"owner": owner.to_cryptography(), "friend": friend.to_cryptography()}
    public = {name: key.public_key() for name, key in keys.items()}

    def content(reader: Reader) -> bytes:
        return reader.decrypt("payload", reader.payload, reader.header["payload"]["size"]).rstrip(b"\0")

    first = stored(tmp_path, owner, b"first")
    opened = read_envelope(first.envelope, owner=owner.public).open(owner)
    grant = grant_to(opened, owner, friend.public, "write", 1_700_000_000)
    as_friend = Reader(keys["friend"], first.carrier.read_bytes(), owner=public["owner"], grant=grant)
    assert (content(as_friend), as_friend.grant["time"]) == (b"first", 1_700_000_000)

    plan = next_revision(opened, friend, owner=owner.public, grant=parse_grant(grant))
    second = stored(tmp_path, friend, b"second", plan)
    by_friend = Reader(keys["owner"], second.carrier.read_bytes(), author=public["friend"])
    assert content(by_friend) == b"second"
    assert (by_friend.header["rev"], by_friend.header["prev"]) == (2, first.header_hash)
    assert by_friend.header["deed"] == as_friend.header["deed"]

    current = read_envelope(second.envelope, owner=owner.public, author=friend.public).open(owner)
    third = stored(tmp_path, owner, b"third", new_epoch(current, owner))
    anew = Reader(keys["owner"], third.carrier.read_bytes())
    assert content(anew) == b"third"
    assert (anew.deed["epoch"], anew.header["rev"], anew.header["prev"]) == (2, 1, second.header_hash)
    assert anew.picture_key() != by_friend.picture_key()
    with pytest.raises(AssertionError):
        Reader(keys["friend"], third.carrier.read_bytes(), owner=public["owner"], grant=grant)


def test_a_second_reader_reads_the_records(owner: PrivateKey, friend: PrivateKey) -> None:
    mine, theirs = owner.to_cryptography(), friend.to_cryptography()
    fp = fingerprint(mine.public_key())
    gone = json.loads(make_gone(owner, "ab" * 16, "cd" * 32, 5).text)
    assert gone["body"] == {"t": "gone", "pic": "ab" * 16, "owner": fp.hex(), "prev": "cd" * 32, "time": 5}
    verify(mine.public_key(), gone["body"], gone["sig"])

    link = json.loads(make_succession(owner, friend, 6).text)
    assert link["body"] == {"t": "succ", "old": fp.hex(), "new": fingerprint(theirs.public_key()).hex(), "time": 6}
    verify(mine.public_key(), link["body"], link["sig"])
    verify(theirs.public_key(), link["body"], link["sig2"])

    ledger = seal_ledger(owner, 9, b'{"v":1}')
    serial, nonce, sealed = ledger[:8], ledger[8:20], ledger[20:]
    assert serial == struct.pack(">Q", 9)
    cipher = AESGCM(hk(vault_key(mine), None, b"glassine/1 ledger\0"))
    assert cipher.decrypt(nonce, sealed, b"glassine/1 ledger\0" + fp + serial) == b'{"v":1}'
