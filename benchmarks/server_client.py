"""A client that costs as little as can be: what is measured is the server."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.backend import samples

_BOUNDARY = "frontier"
_PIECE = 1 << 18


class Client:
    """One connection of a person."""

    def __init__(self, person: Person) -> None:
        self._person = person
        parts = urlsplit(person.address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        self._buffer = bytearray(_PIECE)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        """Send a request and return the answer, which is to be read."""
        headers = {"Authorization": f"Bearer {self._person.token}"} | headers
        self._connection.request(method, path, body, headers)
        return self._connection.getresponse()

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request and return what the answer holds."""
        answer = self.call(method, path, body, **headers)
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text) if text else None

    def upload_one(self) -> str:
        """Store a picture and return its name."""
        return self.upload(self._person.size, lambda: [self._person.noise])

    def upload(self, size: int, content: Callable[[], Iterable[bytes]]) -> str:
        """Store a picture of so many bytes and return its name."""
        picture_id = secrets.token_hex(16)
        envelope = samples.canonical(samples.header(picture_id))
        head = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}'
            for name, more, text in (
                ("envelope", "", f"{envelope}\r\n"),
                ("thumbnail", '; filename="t"', "thumbnail" * 1000 + "\r\n"),
                ("imageFile", f'; filename="p-{picture_id}.png"', ""),
            )
        ).encode()
        start, end = b"\x89PNG\r\n\x1a\n", f"\r\n--{_BOUNDARY}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head + start
            yield from content()
            yield end

        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        length = {"Content-Length": str(len(head) + len(start) + size + len(end))}
        self.json("POST", self._person.images, body(), **kind, **length)
        return f"p-{picture_id}"

    def download(self, name: str) -> None:
        """Get a picture's bytes and forget them."""
        answer = self.call("GET", f"{self._person.images}/{name}/content")
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.read()[:200]!r}")
        while answer.readinto(self._buffer):
            pass


@dataclass
class Person:
    """Somebody with an account. Attributes: ``size``: bytes of a picture; ``noise``: so many bytes."""

    address: str
    user_id: str
    token: str
    size: int
    noise: bytes

    @property
    def images(self) -> str:
        """Path of this person's pictures."""
        return f"/api/v1/users/{self.user_id}/images"

    def client(self) -> Client:
        """A connection of its own."""
        return Client(self)


def register(address: str, size: int = 0, name: str = "") -> Person:
    """Make an account and sign in; or only the latter, when there is one of this name."""
    person = Person(address, "", "", size, secrets.token_bytes(size))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    form = {"username": name or secrets.token_hex(8), "password": "a long passphrase", "publicKey": "27977 9431"}
    if not name:
        person.client().json("POST", "/api/v1/auth/register", urlencode(form), **kind)
    found = person.client().json("POST", "/api/v1/auth/login", urlencode(form), **kind)
    person.user_id, person.token = found["user_id"], found["access_token"]
    return person
