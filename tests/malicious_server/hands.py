"""What a malicious server does with its hands: takes stored pictures apart and puts other ones together.

Where a play needs what only a person's key can make (an attempt that was never stored, a writer who cheats), it says
so.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desktop.crypto.carrier import CarrierReader
from desktop.crypto.carrier_layout import Layout
from desktop.crypto.objects import object_hash
from desktop.crypto.opened import OpenedEnvelope
from desktop.crypto.sealed import Envelope, read_envelope
from tests.crypto import forge
from tests.malicious_server.proxy import Reply, Request, Server

if TYPE_CHECKING:
    from tests.malicious_server.people import Person

Rows = list[dict[str, Any]]

LISTING = r"^GET /api/v1/users/[0-9a-f]+/images\?"
BIN = r"^GET /api/v1/users/[0-9a-f]+/bin\?"
SHARED = r"^GET /api/v1/users/[0-9a-f]+/shared\?"
PRESENT = r"^GET .*/envelope\?"
HISTORY = r"^GET .*/history\?"
CONTENT = r"^GET .*/content\?"
THUMBNAILS = r"^GET .*/thumbnails\?"
GONE = r"^GET .*/gone"
LEDGER = r"^GET .*/ledger\?"
KEYFILE = r"^GET .*/keyfile\?"
PEOPLE = r"^GET /api/v1/users(/[0-9a-f]{24})?\?"
PERMISSIONS = r"^GET .*/permissions\?"
GIVING = r"^(POST|PUT) .*/permissions"


@dataclass(frozen=True)
class Stored:
    """A stored picture as the server has it, and, where a key was given, what its holder sees in it."""

    envelope: Envelope
    content: bytes
    payload: bytes
    thumbnail: bytes
    opened: OpenedEnvelope

    @property
    def header(self) -> Any:
        """The header object."""
        return json.loads(self.envelope.text)

    @property
    def deed(self) -> Any:
        """The deed object."""
        return self.header["body"]["deed"]


def stored(person: Person, picture_id: str) -> Stored:
    """Take one of a person's own pictures apart."""
    api, name = person.session.api, f"p-{picture_id}"
    text = api.present(person.user_id, name).row.envelope
    envelope = read_envelope(text, owner=person.key.public, picture_id=picture_id, author=_anybody)
    with api.content(person.user_id, name) as stream:
        content = stream.read()
    thumbnail = api.thumbnails(person.user_id, [name])[name]
    return Stored(envelope, content, payload_of(content, envelope), thumbnail, envelope.open(person.key))


def payload_of(content: bytes, envelope: Envelope) -> bytes:
    """The payload's ciphertext in a carrier."""
    payload = bytearray(envelope.layout.payload)
    CarrierReader(io.BytesIO(content), envelope.layout).read_into(memoryview(payload))
    return bytes(payload)


def carrier(payload: bytes, envelope: str) -> bytes:
    """A carrier of any payload."""
    return forge.carrier(payload, envelope)


def size_of(payload: bytes, envelope: str) -> int:
    """Length of the carrier of so much."""
    return Layout(len(payload), len(envelope)).file_size


def header_hash(envelope: str) -> str:
    """What a revision is called."""
    return object_hash(json.loads(envelope)["body"])


def _anybody(fingerprint: str) -> Any:
    from tests.malicious_server.people import key_of

    keys = [key_of(role).public for role in ("alice", "bob", "carol")]
    return next((key for key in keys if key.fingerprint == fingerprint), None)


# -- lies -------------------------------------------------------------------------------------------------------------


def in_rows(server: Server, about: str, change: Callable[[Rows], Rows]) -> None:
    """Change the rows of a list wherever it has some."""
    server.lie_in_json(about, lambda rows: change(rows) if isinstance(rows, list) and rows else rows)


def in_envelopes(server: Server, picture_id: str, envelope: str) -> None:
    """Hand out another envelope for a picture, in lists and by itself, with the name it has."""

    def in_row(row: Any) -> Any:
        if row.get("img_name") != f"p-{picture_id}.png":
            return row
        return row | {"envelope": envelope} | ({"header_hash": _name_of(envelope)} if "header_hash" in row else {})

    for about in (LISTING, BIN, SHARED):
        in_rows(server, about, lambda rows: [in_row(row) for row in rows])
    server.lie_in_json(PRESENT, in_row)


def _name_of(envelope: str) -> str:
    try:
        return header_hash(envelope)
    except (ValueError, KeyError, TypeError):
        return "ab" * 32


def body(data: bytes) -> Callable[[Reply], None]:
    """Answer with these bytes."""

    def lie(reply: Reply) -> None:
        reply.set(data)

    return lie


def status(code: str, message: str) -> Callable[[Request, Reply], None]:
    """Answer with a refusal."""

    def lie(request: Request, reply: Reply) -> None:
        reply.status = code
        reply.headers = {"Content-Type": "application/json"}
        reply.set(json.dumps({"message": message}).encode())

    return lie


def frames(*thumbnails: bytes) -> bytes:
    """Many thumbnails in one answer."""
    return b"".join(len(item).to_bytes(4, "big") + item for item in thumbnails)
