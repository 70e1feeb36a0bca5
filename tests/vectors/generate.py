"""Makes the test vectors anew: ``python -m tests.vectors.generate``.

The keys stay those of ``derived.json`` when it is there. Signatures and RSA wraps are random, so the files change; what
each case means does not. The keys are published: they protect nothing.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blake3 import blake3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from PIL import Image

from desktop.crypto import canonical, records
from desktop.crypto.chunks import seal_bytes
from desktop.crypto.keys import LEDGER_INFO, QUEUE_INFO, VAULT_WRAP_INFO, PrivateKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import sign_object
from desktop.crypto.sizes import CHUNK
from tests.crypto import forge
from tests.crypto.forge import flipped

FOLDER = Path(__file__).parent
NAMES = ("owner", "friend", "stranger")
PICTURE = "000102030405060708090a0b0c0d0e0f"
PICTURE_KEY = bytes(range(32))

Case = dict[str, Any]


def b64(data: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(data).decode()


def case(comment: str, expect: str, **members: Any) -> Case:
    """One test case."""
    return {"comment": comment, "expect": expect, **members}


def load_keys() -> dict[str, PrivateKey]:
    """The published key pairs, made once."""
    path = FOLDER / "derived.json"
    if not path.exists():
        return {name: PrivateKey.generate(2048) for name in NAMES}
    cases = {value["name"]: value for value in json.loads(path.read_text())}
    return {name: PrivateKey.from_pkcs8(base64.b64decode(cases[name]["pkcs8"])) for name in NAMES}


def derived(keys: dict[str, PrivateKey]) -> Iterator[Case]:
    """Keys derived from a private key."""

    def of(comment: str, name: str, key: PrivateKey, pkcs8: bytes) -> Case:
        return case(
            comment,
            "success",
            name=name,
            pkcs8=b64(pkcs8),
            fingerprint=key.fingerprint,
            vault_wrap=key.vault_key(VAULT_WRAP_INFO).hex(),
            ledger=key.vault_key(LEDGER_INFO).hex(),
            queue=key.vault_key(QUEUE_INFO).hex(),
        )

    for name, key in keys.items():
        yield of(f"the {name}'s, as generated", name, key, key.to_pkcs8())
    numbers = keys["owner"].to_cryptography().private_numbers()
    swapped = rsa.RSAPrivateNumbers(
        p=numbers.q,
        q=numbers.p,
        d=numbers.d,
        dmp1=numbers.dmq1,
        dmq1=numbers.dmp1,
        iqmp=rsa.rsa_crt_iqmp(numbers.q, numbers.p),
        public_numbers=numbers.public_numbers,
    ).private_key()
    der = swapped.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    yield of("the owner's with its primes in the other order", "owner, swapped", keys["owner"], der)


def public_keys(keys: dict[str, PrivateKey]) -> Iterator[Case]:
    """Public keys, accepted and refused."""
    good = keys["owner"].public
    yield case("RSA, 2048 bits", "success", pem=good.pem, fingerprint=good.fingerprint)
    yield case("CRLF", "success", pem=good.pem.replace("\n", "\r\n"), fingerprint=good.fingerprint)
    yield case("no final newline", "success", pem=good.pem.strip(), fingerprint=good.fingerprint)
    yield case("two blocks", "key-refused", pem=good.pem + keys["friend"].public.pem)
    yield case("text before", "key-refused", pem="key:\n" + good.pem)
    yield case("truncated", "key-refused", pem=good.pem[:200])

    def pem(key: Any, form: serialization.PublicFormat) -> str:
        return key.public_bytes(serialization.Encoding.PEM, form).decode()

    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    yield case("PKCS#1", "key-refused", pem=pem(keys["owner"].to_cryptography().public_key(), pkcs1))
    yield case("elliptic curve", "key-refused", pem=pem(ec.generate_private_key(ec.SECP256R1()).public_key(), spki))
    numbers = keys["owner"].to_cryptography().private_numbers()
    for comment, n, e in (
        ("1024 bits", rsa.generate_private_key(65537, 1024).public_key().public_numbers().n, 65537),
        ("e = 3", good.n, 3),
        ("square", numbers.p**2, 65537),
        ("factor 65521", 65521 * (good.n >> 16 | 1), 65537),
    ):
        yield case(comment, "key-refused", pem=pem(rsa.RSAPublicNumbers(e, n).public_key(), spki))


def chunks() -> Iterator[Case]:
    """Chunked encryption under fixed keys."""
    key, aad = bytes(range(32)), b"glassine/1 aad example"
    shown = {"key": key.hex(), "aad": aad.hex()}
    for size in (0, 1, 256):
        plain = bytes(at % 251 for at in range(size))
        sealed, b3 = seal_bytes(key, aad, plain)
        yield case(
            f"{size} bytes", "success", **shown, size=size, ciphertext=sealed.hex(), b3=b3, plaintext=plain.hex()
        )
    for size in (CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK):
        yield case(
            f"{size} zero bytes, by hash", "success", **shown, zeros=size, b3=seal_bytes(key, aad, bytes(size))[1]
        )
    sealed, _ = seal_bytes(key, aad, b"picture!")
    for comment, data in (
        ("bit flipped", flipped(sealed, 3)),
        ("tag flipped", flipped(sealed, len(sealed) - 1)),
        ("truncated", sealed[:-1]),
        ("longer", sealed + b"\0"),
        ("chunk marked as not the last", seal_bytes(key, aad, bytes(CHUNK) + b"x")[0][: 8 + 16]),
    ):
        yield case(comment, "damaged", **shown, size=8, ciphertext=data.hex(), b3=blake3(data).hexdigest())
    yield case("hash of something else", "damaged", **shown, size=8, ciphertext=sealed.hex(), b3="00" * 32)


def metadata() -> Iterator[Case]:
    """Padded metadata."""
    plain = {"name": "sea.jpg", "type": "image/jpeg", "size": 5, "b3": "ab" * 32, "w": 4, "h": 3, "taken": ""}

    def padded(fields: dict[str, Any], text: bytes | None = None) -> str:
        data = text or canonical.encode(fields)
        return data.ljust(-(-len(data) // 256) * 256).decode("ascii")

    def ok(comment: str, safe: str | None = None, **changes: Any) -> Case:
        fields = plain | changes
        return case(comment, "success", text=padded(fields), fields=fields | ({"name": safe} if safe else {}))

    yield ok("plain")
    yield ok("with time", taken="2024-02-29T23:59:59")
    yield ok("beyond ASCII", name="Ünïcödé 海 \U0001f30a.jpg")
    yield ok("path", "passwd", name="../../etc/passwd")
    yield ok("turned around", "gpj.exe", name="\u202egpj.exe")
    yield ok("joiners", name="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \U0001f469\u200d\U0001f33e.jpg")
    yield ok("joiners at the end", ".jpg", name="\u200d\u200c.jpg")
    yield ok("device", "_CON.jpg", name="CON.jpg")
    yield case("not padded", "damaged", text=canonical.encode(plain).decode())
    yield case("padded too much", "damaged", text=padded(plain) + " " * 256)
    yield case("extra member", "damaged", text=padded(plain | {"gps": ""}))
    yield case("lone surrogate", "damaged", text=padded(plain | {"name": "\udc00"}))
    yield case("no such day", "damaged", text=padded(plain | {"taken": "2023-02-29T00:00:00"}))
    yield case("size is text", "damaged", text=padded(plain | {"size": "5"}))
    yield case("space inside", "damaged", text=padded({}, canonical.encode(plain).replace(b":", b": ", 1)))


def envelopes(keys: dict[str, PrivateKey]) -> Iterator[Case]:
    """Envelopes and thumbnails."""
    owner, friend = keys["owner"], keys["friend"]
    made = forge.picture(owner, b"a picture", picture_id=PICTURE, picture_key=PICTURE_KEY)

    def of(comment: str, expect: str, text: str | None = None, **members: Any) -> Case:
        usual = {"owner": "owner", "author": "owner", "pic": PICTURE, "key": "owner", "thumb": b64(made.thumbnail)}
        return case(comment, expect, envelope=text or made.envelope, **(usual | members))

    result = {"metadata": made.open().metadata.__dict__, "thumbnail": b64(forge.JPEG), "header_hash": made.hash}
    yield of("first revision", "success", **result)
    yield of("a key it was not made for", "wrong-key", key="stranger")
    yield of("another picture was asked for", "wrong-picture", pic="ff" * 16)
    yield of("another owner was asked for", "wrong-picture", owner="friend")
    yield of("thumbnail of another picture", "damaged", thumb=b64(forge.picture(owner).thumbnail))
    yield of("thumbnail flipped", "damaged", thumb=b64(flipped(made.thumbnail, 9)))
    yield of("white space", "damaged", made.envelope.replace(":", ": ", 1))
    yield of(
        "members in another order", "damaged", json.dumps(dict(reversed(made.header.items())), separators=(",", ":"))
    )
    yield of("member twice", "damaged", made.envelope.replace('{"body":', '{"sig":"","body":', 1))
    yield of("truncated", "damaged", made.envelope[:-1])
    yield of("32,769 bytes", "damaged", made.envelope.ljust(32_769))
    unsigned = made.header | {"sig": b64(flipped(base64.b64decode(made.header["sig"]), 0))}
    yield of("header signature flipped", "not-authentic", canonical.encode(unsigned).decode())
    later = {"body": made.header["body"] | {"rev": 2, "prev": made.hash}, "sig": made.header["sig"]}
    yield of("revision changed", "not-authentic", canonical.encode(later).decode())
    forged = forge.deed(owner, PICTURE_KEY, PICTURE, signer=friend)
    common: dict[str, Any] = {"picture_id": PICTURE, "picture_key": PICTURE_KEY}
    yield of("deed signed by another", "not-authentic", forge.picture(owner, deed_object=forged, **common).envelope)
    newer = forge.deed(owner, PICTURE_KEY, PICTURE, change=lambda body: body.update(suite=2))
    yield of("unknown suite", "unsupported", forge.picture(owner, deed_object=newer, **common).envelope)
    newer = newer | {"sig": made.deed["sig"]}
    yield of("unknown suite, not signed", "not-authentic", forge.picture(owner, deed_object=newer, **common).envelope)
    other = forge.deed(owner, PICTURE_KEY, PICTURE, vault_holds=bytes(32))
    yield of("vault wrap of another key", "damaged", forge.picture(owner, deed_object=other, **common).envelope)

    write = forge.grant(owner, friend.public, made.deed, PICTURE_KEY)
    read = forge.grant(owner, friend.public, made.deed, PICTURE_KEY, role="read")
    wrong = forge.grant(owner, friend.public, made.deed, bytes(32))
    yield of("a reader", "success", key="friend", grant=canonical.encode(read).decode(), **result)
    yield of("a grant for another", "no-grant", key="stranger", grant=canonical.encode(read).decode())
    yield of("a grant with another key", "damaged", key="friend", grant=canonical.encode(wrong).decode())

    def second(grant: Any) -> forge.Made:
        more: dict[str, Any] = {"deed_object": made.deed, "revision": 2, "previous": made.hash}
        return forge.picture(owner, b"edited", author=friend, grant_object=grant, **common, **more)

    revised = second(write)
    yield of(
        "a writer's revision",
        "success",
        revised.envelope,
        author="friend",
        thumb=b64(revised.thumbnail),
        metadata=revised.open().metadata.__dict__,
        thumbnail=b64(forge.JPEG),
        header_hash=revised.hash,
    )
    fresh = forge.deed(owner, bytes(32), PICTURE, epoch=2)
    newer = {"picture_id": PICTURE, "picture_key": bytes(32), "deed_object": fresh, "epoch": 2, "previous": made.hash}
    anew = forge.picture(owner, b"a picture", **newer)
    yield of(
        "a new epoch",
        "success",
        anew.envelope,
        thumb=b64(anew.thumbnail),
        metadata=anew.open().metadata.__dict__,
        thumbnail=b64(forge.JPEG),
        header_hash=anew.hash,
    )
    yield of(
        "a grant of the epoch before", "no-grant", anew.envelope, key="friend", grant=canonical.encode(read).decode()
    )
    late = forge.picture(owner, author=friend, grant_object=write, revision=2, **newer)
    yield of("a writer's revision after the new epoch", "no-grant", late.envelope, author="friend")
    taken = forge.grant(owner, friend.public, fresh, bytes(32))
    early = forge.picture(owner, author=friend, grant_object=taken, revision=1, **newer)
    yield of("a new epoch by a writer", "not-authentic", early.envelope, author="friend")
    yield of("a reader's revision", "no-grant", second(read).envelope, author="friend")
    yield of("a revision without a grant", "no-grant", second(None).envelope, author="friend")
    edited = {"body": read["body"] | {"role": "write"}, "sig": read["sig"]}
    yield of("a role that was edited", "no-grant", second(edited).envelope, author="friend")
    resigned = sign_object(friend, made.header["body"])
    yield of("the owner's header signed by another", "not-authentic", canonical.encode(resigned).decode())


def grants(keys: dict[str, PrivateKey]) -> Iterator[Case]:
    """Grants, each for the same picture."""
    owner, friend = keys["owner"], keys["friend"]
    made = forge.picture(owner, b"a picture", picture_id=PICTURE, picture_key=PICTURE_KEY)
    result = {"metadata": made.open().metadata.__dict__}

    def of(comment: str, expect: str, grant: Any = None, text: str | None = None, **members: Any) -> Case:
        usual = {"owner": "owner", "to": "friend", "key": "friend", "envelope": made.envelope}
        value = text if text is not None else canonical.encode(grant).decode()
        return case(comment, expect, grant=value, **(usual | members))

    def grant(**options: Any) -> Any:
        return forge.grant(owner, friend.public, made.deed, PICTURE_KEY, **options)

    good = grant(role="read")
    yield of("to read", "success", good, role="read", **result)
    yield of("to write", "success", grant(), role="write", **result)
    yield of("asked for somebody else", "no-grant", good, to="stranger", key="stranger")
    yield of("asked for another owner's", "no-grant", good, owner="stranger")
    yield of("another picture", "no-grant", forge.grant(owner, friend.public, forge.picture(owner).deed, PICTURE_KEY))
    older = forge.deed(owner, PICTURE_KEY, PICTURE)
    yield of("another deed of the same picture", "no-grant", forge.grant(owner, friend.public, older, PICTURE_KEY))
    yield of("signed by its holder", "no-grant", grant(signer=friend))
    yield of("role edited", "no-grant", {"body": good["body"] | {"role": "write"}, "sig": good["sig"]})
    yield of("handed on", "no-grant", {"body": good["body"] | {"to": keys["stranger"].fingerprint}, "sig": good["sig"]})
    yield of("time edited", "no-grant", {"body": good["body"] | {"time": 1}, "sig": good["sig"]})
    yield of("unknown role", "damaged", grant(role="admin"))
    yield of("extra member", "damaged", grant(change=lambda body: body.update(until=1)))
    yield of("member missing", "damaged", grant(change=lambda body: body.pop("time")))
    yield of("a deed instead", "damaged", made.deed)
    yield of("white space", "damaged", text=canonical.encode(good).decode() + " ")
    yield of("another picture key", "damaged", forge.grant(owner, friend.public, made.deed, bytes(32)))
    yield of("31 bytes", "damaged", forge.grant(owner, friend.public, made.deed, PICTURE_KEY[:31]))


def recorded(keys: dict[str, PrivateKey]) -> Iterator[Case]:
    """Gone, succession, ledger."""
    owner, friend, stranger = keys["owner"], keys["friend"], keys["stranger"]
    prev = "ab" * 32
    gone = records.make_gone(owner, PICTURE, prev, 1_700_000_000).text
    signed = canonical.parse(gone)

    def of_gone(comment: str, expect: str, value: Any, **members: Any) -> Case:
        usual = {"kind": "gone", "owner": "owner", "pic": PICTURE}
        text = value if isinstance(value, str) else canonical.encode(value).decode()
        return case(comment, expect, text=text, **(usual | members))

    yield of_gone("gone", "success", gone, prev=prev)
    yield of_gone("gone, of another picture", "wrong-picture", gone, pic="ff" * 16)
    yield of_gone("gone, of another owner", "wrong-picture", gone, owner="friend")
    yield of_gone("gone, signed by another", "not-authentic", sign_object(friend, signed["body"]))
    edited = {"body": signed["body"] | {"time": 1}, "sig": signed["sig"]}
    yield of_gone("gone, time edited", "not-authentic", edited)
    yield of_gone("gone, extra member", "damaged", sign_object(owner, signed["body"] | {"why": ""}))
    yield of_gone("gone, truncated", "damaged", gone[:-1])

    link = records.make_succession(owner, friend, 1_700_000_000).text
    pair = canonical.parse(link)

    def of_succession(comment: str, expect: str, value: Any, **members: Any) -> Case:
        usual = {"kind": "succession", "old": "owner", "new": "friend"}
        text = value if isinstance(value, str) else canonical.encode(value).decode()
        return case(comment, expect, text=text, **(usual | members))

    yield of_succession("succession", "success", link)
    yield of_succession("succession, the other way round", "wrong-picture", link, old="friend", new="owner")
    yield of_succession("succession, to another key", "wrong-picture", link, new="stranger")
    other = sign_object(stranger, pair["body"])["sig"]
    yield of_succession("succession, the old key did not sign", "not-authentic", pair | {"sig": other})
    yield of_succession("succession, the new key did not sign", "not-authentic", pair | {"sig2": other})
    yield of_succession("succession, one signature", "damaged", {"body": pair["body"], "sig": pair["sig"]})

    sealed = records.seal_ledger(owner, 7, b'{"v":1}')

    def of_ledger(comment: str, expect: str, data: bytes, **members: Any) -> Case:
        return case(comment, expect, text=b64(data), **({"kind": "ledger", "key": "owner"} | members))

    yield of_ledger("ledger", "success", sealed, serial=7, document='{"v":1}', known_serial=7)
    yield of_ledger("ledger, older than known", "rolled-back", sealed, known_serial=8)
    yield of_ledger("ledger, another serial", "damaged", flipped(sealed, 7), known_serial=6)
    yield of_ledger("ledger, of another key", "damaged", sealed, key="friend")
    yield of_ledger("ledger, truncated", "damaged", sealed[:-1])
    yield of_ledger("ledger, empty", "damaged", b"")


def carriers(keys: dict[str, PrivateKey]) -> Iterator[Case]:
    """Loose files."""
    made = forge.picture(keys["owner"], b"the original file", picture_id=PICTURE, picture_key=PICTURE_KEY)
    good = made.carrier

    def of(comment: str, expect: str, data: bytes, key: str = "owner", **members: Any) -> Case:
        return case(comment, expect, key=key, file=b64(data), **members)

    def pillow(**options: Any) -> bytes:
        out = io.BytesIO()
        with Image.open(io.BytesIO(good)) as picture:
            picture.save(out, "PNG", **options)
        return out.getvalue()

    plain = {"plaintext": b64(made.plain)}
    yield of("our own layout", "success", good, **plain)
    yield of("compressed again", "success", pillow(optimize=True), **plain)
    yield of("another key", "wrong-key", good, "stranger")
    yield of("no PNG", "unsupported", b"GIF89a")
    yield of("empty", "unsupported", b"")
    width, height = made.read().layout.size
    yield of("an ordinary picture", "damaged", png_of(Image.new("RGB", (width, height), "white")))
    for comment, at in (
        ("width", 19),
        ("zlib header", 41),
        ("filter byte", 48),
        ("prefix", 49 + 8),
        ("payload", 49 + 40),
        ("Adler-32", len(good) - 20),
        ("CRC", len(good) - 13),
        ("end", len(good) - 1),
    ):
        yield of(f"flipped: {comment}", "damaged", flipped(good, at))
    yield of("flipped: envelope, no longer ASCII", "damaged", flipped(good, len(good) - 400, 0x80))
    yield of("truncated", "damaged", good[:-1])
    yield of("longer", "damaged", good + b"\0")
    other = forge.picture(keys["owner"], b"another file here", picture_id=PICTURE, picture_key=PICTURE_KEY)
    yield of("payload of another revision", "damaged", forge.carrier(other.payload, made.envelope))
    yield of(
        "plaintext hash of something else",
        "damaged",
        forge.picture(
            keys["owner"], b"x", meta=lambda value: Metadata(**value.__dict__ | {"b3": "0" * 64}).encode()
        ).carrier,
    )


def png_of(picture: Image.Image) -> bytes:
    """A picture as a PNG file."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def main() -> None:
    """Write all files."""
    keys = load_keys()
    for name, cases in {
        "derived": derived(keys),
        "keys": public_keys(keys),
        "chunks": chunks(),
        "metadata": metadata(),
        "envelopes": envelopes(keys),
        "grants": grants(keys),
        "records": recorded(keys),
        "carriers": carriers(keys),
    }.items():
        text = json.dumps(list(cases), indent=1, ensure_ascii=True)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
