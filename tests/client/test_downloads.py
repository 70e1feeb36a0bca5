"""Large answers over connections that break: gone on with, told from another version, given up in the end."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from desktop import errors
from desktop.client import downloads
from desktop.client.api import Api
from desktop.client.transport import Transport
from desktop.crypto.keys import PrivateKey
from tests.client.test_transport import answering
from tests.crypto import forge

USER = "0123456789abcdef01234567"
WHOLE = bytes(range(256)) * 40
_RANGE = re.compile(rb"Range: bytes=([0-9]+)-\r\n")


def head(status: str, length: int, tag: str, more: str = "", kind: str = "image/png") -> bytes:
    text = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{tag}{more}\r\n"
    return text.encode()


class Breaking:
    """A server whose connections break after some bytes of the body.

    Attributes:
        cuts: After how many bytes of the body each connection breaks; the others do not.
        tags: What each answer's ETag header is; the last one for ever.
    """

    def __init__(self, *cuts: int, tags: tuple[str, ...] = ('ETag: "one"\r\n',), ranges: bool = True) -> None:
        self.cuts, self.tags, self.ranges = list(cuts), list(tags), ranges
        self.asked: list[int] = []

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        found = _RANGE.search(request)
        at = int(found[1]) if found else 0
        self.asked.append(at)
        tag = self.tags.pop(0) if len(self.tags) > 1 else self.tags[0]
        same = f"If-Range: {tag.removeprefix('ETag: ')}".encode() in request
        if found and same and self.ranges:
            body, more = WHOLE[at:], f"Content-Range: bytes {at}-{len(WHOLE) - 1}/{len(WHOLE)}\r\n"
            connection.sendall(head("206 Partial Content", len(body), tag, more))
        else:
            body = WHOLE
            connection.sendall(head("200 OK", len(body), tag))
        connection.sendall(body[: self.cuts.pop(0)] if self.cuts else body)


@contextmanager
def api_of(server: Callable[[socket.socket, bytes], None]) -> Iterator[Api]:
    with answering(server) as address:
        api = Api(Transport(address), wait=lambda seconds: None)
        api.use_token("token")
        yield api
        api.close()


def fetched(api: Api) -> bytes:
    with api.content(USER, "p-0") as untrusted:
        return b"".join(iter(lambda: untrusted.read(1000), b""))


def test_it_goes_on_where_it_was_cut_off() -> None:
    server = Breaking(3000, 1, 2000)
    with api_of(server) as api:
        assert fetched(api) == WHOLE
    assert server.asked == [0, 3000, 3001, 5001]


def test_a_server_that_knows_no_ranges() -> None:
    server = Breaking(3000, 5000, ranges=False)
    with api_of(server) as api:
        assert fetched(api) == WHOLE
    assert server.asked == [0, 3000, 5000]


def test_another_version_took_its_place() -> None:
    with api_of(Breaking(3000, tags=('ETag: "one"\r\n', 'ETag: "two"\r\n'))) as api, pytest.raises(errors.MovedOn):
        fetched(api)


@pytest.mark.parametrize("tag", ["", 'ETag: W/"one"\r\n', 'ETag: ""\r\n'])
def test_what_has_no_proper_name_is_not_gone_on_with(tag: str) -> None:
    server = Breaking(3000, tags=(tag,))
    with api_of(server) as api, pytest.raises(errors.ServerSilent):
        fetched(api)
    assert server.asked == [0]


def test_it_is_given_up_when_nothing_comes_any_more() -> None:
    server = Breaking(3000, *[1] * 100)
    with api_of(server) as api, pytest.raises(errors.ServerSilent):
        fetched(api)
    assert len(server.asked) == 1 + downloads.MAX_BREAKS


def test_it_is_gone_on_with_as_long_as_much_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_PROGRESS", 1000)
    server = Breaking(*[1000] * 10)
    with api_of(server) as api:
        assert fetched(api) == WHOLE
    assert server.asked == list(range(0, len(WHOLE), 1000))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (head("416 Range Not Satisfiable", 0, 'ETag: "one"\r\n'), errors.MovedOn),
        (
            head("206 Partial Content", 9, 'ETag: "one"\r\n', "Content-Range: bytes 0-8/9\r\n"),
            errors.NotAGlassineServer,
        ),
        (head("200 OK", 9, 'ETag: "one"\r\n', kind="text/html"), errors.NotAGlassineServer),
        (head("200 OK", 3, 'ETag: "one"\r\n') + b"abc", errors.NotAGlassineServer),
    ],
)
def test_strange_answers_to_the_request_for_the_rest(answer: bytes, error: type[errors.GlassineError]) -> None:
    first = Breaking(3000)

    def server(connection: socket.socket, request: bytes) -> None:
        if first.asked:
            connection.sendall(answer)
        else:
            first(connection, request)

    with api_of(server) as api, pytest.raises(error):
        fetched(api)


@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_gone_on_with_is_measured_like_the_rest(key: PrivateKey, tmp_path: Path, *, swapped: bool) -> None:
    """A server that goes on with another picture under the same tag gets nothing shown, and nothing written."""
    made, other = (forge.picture(key, os.urandom(60_000)) for _ in range(2))
    first, then = made.carrier, (other if swapped else made).carrier
    assert len(first) == len(then)

    def server(connection: socket.socket, request: bytes) -> None:
        found = _RANGE.search(request)
        if found is None:
            connection.sendall(head("200 OK", len(first), 'ETag: "one"\r\n') + first[:30_000])
            return
        at = int(found[1])
        more = f"Content-Range: bytes {at}-{len(then) - 1}/{len(then)}\r\n"
        connection.sendall(head("206 Partial Content", len(then) - at, 'ETag: "one"\r\n', more) + then[at:])

    target = tmp_path / "picture"
    outcome = pytest.raises(errors.Damaged) if swapped else nullcontext()
    with api_of(server) as api, outcome, api.content(USER, "p-0") as untrusted:
        made.open().open_payload(untrusted, target)
    assert list(tmp_path.iterdir()) == ([] if swapped else [target])
