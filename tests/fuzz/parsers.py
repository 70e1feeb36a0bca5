"""Everything that reads untrusted bytes, one entry point each, for any fuzzer.

``PARSERS[name](data)`` returns or raises an error of ``desktop.errors``; anything else is a finding. ``seeds()[name]``
is a good input to start from. Keys are the published ones of ``tests/vectors``; nothing takes a passphrase, or is slow.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from desktop.client import ledger_text
from desktop.client.memory_model import Entry, Pin, PinState
from desktop.crypto import canonical, key_file, kit, records, words
from desktop.crypto.carrier import CarrierReader
from desktop.crypto.classic_quotients import parse_quotients
from desktop.crypto.envelope import Envelope, read_envelope
from desktop.crypto.grants import grant_to, read_grant
from desktop.crypto.key_slots import LEAST_COST
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.local_carrier import open_carrier
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import sign_object
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.order import Known
from desktop.errors import GlassineError
from tests.crypto import forge

Parser = Callable[[bytes], object]

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "derived.json"
KIT: Final = bytes(range(32))
PICTURE: Final = "ab" * 16


@functools.cache
def key(name: str) -> PrivateKey:
    """A published key pair."""
    cases = {case["name"]: case for case in json.loads(VECTORS.read_text())}
    return PrivateKey.from_pkcs8(base64.b64decode(cases[name]["pkcs8"]), authenticated=True)


@functools.cache
def made() -> forge.Made:
    """A picture of the owner's."""
    return forge.picture(key("owner"), b"a picture", picture_id=PICTURE)


@functools.cache
def opened() -> OpenedEnvelope:
    """The same, opened."""
    return made().open()


@functools.cache
def grant() -> str:
    """A grant for it."""
    return grant_to(opened(), key("owner"), key("friend").public, "write", 5)


def text(data: bytes) -> str:
    """Any bytes as text, each a character."""
    return data.decode("latin-1")


def header(data: bytes) -> object:
    """An envelope, opened by its owner when it is authentic."""
    return read_envelope(text(data), owner=key("owner").public, author=key("friend").public).open(key("owner"))


def signed_header(data: bytes) -> object:
    """The body of a header that its author did sign, whatever it says: what a hostile owner could store."""
    try:
        body = json.loads(data)
        value = sign_object(key("owner"), body) if type(body) is dict and type(body.get("t")) is str else None
    except (ValueError, RecursionError, GlassineError):
        return None
    if value is None:
        return None
    envelope = read_envelope(canonical.encode(value).decode(), owner=key("owner").public)
    return _whole(envelope)


def _whole(envelope: Envelope) -> object:
    opened = envelope.open(key("owner"))
    opened.open_thumbnail(made().thumbnail)
    return opened.open_payload_to_memory(io.BytesIO(forge.carrier(made().payload, envelope.text)))


def a_grant(data: bytes) -> object:
    """A grant, used to open the picture when it is authentic."""
    envelope = made().read()
    found = read_grant(text(data), envelope, key("owner").public, key("friend").fingerprint)
    return envelope.open(key("friend"), found)


def signed_grant(data: bytes) -> object:
    """The body of a grant that the owner did sign, whatever it says."""
    try:
        body = json.loads(data)
        value = sign_object(key("owner"), body) if type(body) is dict and type(body.get("t")) is str else None
    except (ValueError, RecursionError, GlassineError):
        return None
    return a_grant(canonical.encode(value)) if value is not None else None


def gone(data: bytes) -> object:
    """A record of a deletion."""
    return records.read_gone(text(data), owner=key("owner").public)


def succession(data: bytes) -> object:
    """A record of a new key."""
    return records.read_succession(text(data), old=key("owner").public, new=key("friend").public)


def ledger(data: bytes) -> object:
    """A sealed ledger."""
    return records.open_ledger(key("owner"), data)


def a_key_file(data: bytes) -> object:
    """A key file, opened with a kit."""
    key_file.slot_kinds(data)
    return kit.open_with_kit(data, KIT)


def carrier(data: bytes) -> object:
    """A download, as the stream of a known envelope."""
    return opened().open_payload_to_memory(io.BytesIO(data))


def carrier_stream(data: bytes) -> object:
    """A download, without stopping at what is decrypted."""
    reader = CarrierReader(io.BytesIO(data), made().read().layout)
    target = memoryview(bytearray(made().read().layout.payload))
    reader.read_into(target)
    return reader.finish(made().envelope.encode())


def local_carrier(data: bytes) -> object:
    """A loose file, compressed again or not; nothing may be left behind when it does not open."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "noise.png", Path(folder) / "out"
        path.write_bytes(data)
        out.mkdir()
        try:
            return open_carrier(path, key("owner"), out)
        except GlassineError:
            assert list(out.iterdir()) == []
            raise


def quotients(data: bytes) -> object:
    """The quotient text of a classic picture."""
    return [len(piece) for piece in parse_quotients(io.BytesIO(data))]


def metadata(data: bytes) -> object:
    """Decrypted metadata."""
    return Metadata.parse(data)


def public_key(data: bytes) -> object:
    """A public key in PEM."""
    return PublicKey.from_pem(text(data))


def comparison(data: bytes) -> object:
    """What a camera read off a screen."""
    return words.read_comparison(text(data))


def kit_words(data: bytes) -> object:
    """What somebody typed from paper."""
    return kit.read_words(kit.split_words(text(data)))


PARSERS: Final[dict[str, Parser]] = {
    "header": header,
    "signed header": signed_header,
    "grant": a_grant,
    "signed grant": signed_grant,
    "gone": gone,
    "succession": succession,
    "ledger": ledger,
    "ledger text": ledger_text.read,
    "key file": a_key_file,
    "carrier": carrier,
    "carrier stream": carrier_stream,
    "local carrier": local_carrier,
    "quotients": quotients,
    "metadata": metadata,
    "public key": public_key,
    "comparison": comparison,
    "kit words": kit_words,
}


@functools.cache
def seeds() -> dict[str, bytes]:
    """A good input of each parser."""
    owner, friend = key("owner"), key("friend")
    known = Known(owner.fingerprint, PICTURE, 1, 1, made().hash, "cd" * 32, frozenset({made().hash}))
    pin = Pin("u1", "tom", friend.public, PinState.VERIFIED, 5, 6)
    remembered = ledger_text.write([Entry(owner.fingerprint, PICTURE, known=known)], [pin])
    protected = key_file.create(owner, "passphrase", _cost=LEAST_COST)
    return {
        "header": made().envelope.encode(),
        "signed header": canonical.encode(made().header["body"]),
        "grant": grant().encode(),
        "signed grant": canonical.encode(canonical.parse(grant())["body"]),
        "gone": records.make_gone(owner, PICTURE, "cd" * 32, 5).text.encode(),
        "succession": records.make_succession(owner, friend, 5).text.encode(),
        "ledger": records.seal_ledger(owner, 7, remembered),
        "ledger text": remembered,
        "key file": kit.server_copy(kit.add_kit(protected, "passphrase", KIT)),
        "carrier": made().carrier,
        "carrier stream": made().carrier,
        "local carrier": made().carrier,
        "quotients": b" ".join(str(number * 97).encode() for number in range(300)),
        "metadata": opened().metadata.encode(),
        "public key": owner.public.pem.encode(),
        "comparison": words.qr_text(owner.fingerprint).encode(),
        "kit words": " ".join(kit.words_of(KIT)).encode(),
    }
