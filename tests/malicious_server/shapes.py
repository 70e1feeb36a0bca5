"""Answers of any shape: each member of each answer replaced by what it must not be, and bodies that do not end."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from desktop import errors
from desktop.client import answers
from desktop.client.api import Api
from desktop.client.ties import TieKind
from desktop.client.transport import Transport
from desktop.crypto.records import make_succession
from tests.malicious_server import hands
from tests.malicious_server.grants import shared_with_bob
from tests.malicious_server.people import PASSWORD, key_of
from tests.malicious_server.playing import Held, Scene, attack, must
from tests.malicious_server.proxy import Reply, endless

SHAPES = "answers of any shape"

RAW: dict[str, str] = {
    "null": "null",
    "a boolean": "true",
    "a negative number": "-1",
    "a fraction": "1.5",
    "infinity": "1e400",
    "NaN": "NaN",
    "400 digits": "9" * 400,
    "5,000 digits": "9" * 5000,
    "half a character": '"\\ud800"',
    "a zero byte": '"a\\u0000b"',
    "a long text": '"' + "x" * 70_000 + '"',
    "a list": "[]",
    "an object": "{}",
    "the same member twice": '{"a":1,"a":2}',
    "deep": "[" * 900 + "]" * 900,
    "too deep": "[" * 60_000 + "]" * 60_000,
}
"""What a member is replaced by, as it is written in JSON."""

_HERE = "@@here@@"


def spellings(honest: Any) -> Iterator[tuple[str, str, object]]:
    """Every way to change one member of a document: what was done, the JSON, and the member's honest value."""
    listed = isinstance(honest, list)
    one: dict[str, Any] = honest[0] if listed else honest
    for name, value in one.items():
        for kind, raw in RAW.items():
            changed = one | {name: _HERE}
            text = json.dumps([changed] if listed else changed).replace(json.dumps(_HERE), raw)
            yield f"{name}: {kind}", text, value
        rest = {key: one[key] for key in one if key != name}
        yield f"{name}: left out", json.dumps([rest] if listed else rest), value
    for kind, raw in RAW.items():
        yield f"instead of it all: {kind}", raw, None
        if listed:
            yield f"in the list: {kind}", f"[{raw}]", None
    yield "cut short", json.dumps(honest)[:-1], None
    yield "twice", json.dumps(honest) * 2, None
    yield "not UTF-8", "\udcff" + json.dumps(honest), None


MAY_BE = {
    *(f"{name}: left out" for name in ("bin_days", "refresh_token", "envelope", "grant", "header_hash", "deleted")),
    "instead of it all: a list",
}
"""What is a proper answer nevertheless: a list that is empty, members that older servers and classic pictures lack. A
sealed picture without its header, or a grant, is refused where it is opened."""

Call = Callable[[Scene], object]
CALLS: dict[str, tuple[str, Call]] = {
    "server": (r"/server\?", lambda scene: Api(Transport(scene.running.address)).server()),
    "login": (r"/auth/login", lambda scene: _login(scene)),  # noqa: PLW0108 (it stands below)
    "user": (r"/users/[0-9a-f]{24}\?", lambda scene: scene.alice.session.api.user(scene.bob.user_id)),
    "people": (r"/users\?name", lambda scene: scene.alice.session.api.user_named(scene.bob.name)),
    "list": (hands.LISTING, lambda scene: scene.alice.session.api.page(scene.alice.user_id)[0]),
    "bin": (hands.BIN, lambda scene: scene.alice.session.api.bin_page(scene.alice.user_id)),
    "present": (hands.PRESENT, lambda scene: scene.alice.session.api.present(scene.alice.user_id, _first(scene))),
    "history": (hands.HISTORY, lambda scene: scene.alice.session.api.history(scene.alice.user_id, _first(scene))),
    "gone": (r"/gone\?", lambda scene: scene.alice.session.api.gone_page(scene.alice.user_id)),
    "permissions": (
        hands.PERMISSIONS,
        lambda scene: scene.alice.session.api.permissions(scene.alice.user_id, _first(scene)),
    ),
    "shared": (hands.SHARED, lambda scene: scene.bob.session.api.shared_page(scene.bob.user_id)),
    "successions": (r"/successions\?", lambda scene: scene.alice.session.api.successions(scene.bob.user_id)),
}
"""Every answer in JSON that the client reads: which requests it is an answer to, and what asks for it."""


def _login(scene: Scene) -> object:
    api = Api(Transport(scene.running.address))
    try:
        return api.login(scene.alice.name, PASSWORD)
    finally:
        api.close()


def _first(scene: Scene) -> str:
    """Alice's one picture that has everything: two revisions, and Bob who reads it."""
    (mine,) = {tie.about for tie in scene.alice.vault.context().memory.ties.every(TieKind.SHARED)}
    return f"p-{mine}"


def _furnish(scene: Scene) -> None:
    """Give every answer something to say."""
    mine, _ = shared_with_bob(scene)
    alice = scene.alice
    alice.revise(mine, 2)
    alice.listed()
    binned, gone = alice.add(3), alice.add(4)
    alice.vault.delete(binned)
    alice.delete_for_good(gone)
    vouched = make_succession(scene.bob.key, key_of("server"), 5).text
    scene.services.documents.record_succession(scene.bob.user_id, scene.bob.key.fingerprint, vouched)


def _played(name: str) -> Callable[[Scene], str]:
    about, ask = CALLS[name]

    def play(scene: Scene) -> str:
        _furnish(scene)
        scene.freeze(scene.alice)
        kept: list[Reply] = []
        scene.evil.lie(about, lambda reply: kept.append(reply.copy()))
        believed = ask(scene)
        honest = json.loads(kept[-1].body)
        must(honest, "the honest answer is empty")
        scene.evil.repent()
        tried = 0
        answer = [b""]
        scene.evil.instead(about, lambda: Reply("200 OK", {"Content-Type": "application/json"}, answer[0]))
        for what, text, value in spellings(honest):
            answer[0] = text.encode("utf-8", "surrogateescape")
            tried += 1
            try:
                result = ask(scene)
            except errors.NotAGlassineServer as error:
                if not scene.said:
                    scene.said.append(error)
                continue
            except errors.GlassineError as error:
                raise Held(f"{what}: {type(error).__name__}") from error
            still_text = type(value) is str and what.endswith((": a zero byte", ": a long text"))
            must(result == believed or still_text or what in MAY_BE, f"{what}: believed")
        return f"{tried} answers were tried"

    return play


for _name in CALLS:
    attack(
        f"json_{_name}",
        SHAPES,
        f"replaced each member of the answer “{_name}” by {len(RAW)} other things, left it out, cut the answer short",
        errors.NotAGlassineServer,
    )(_played(_name))


# -- lists as the gallery asks for them -------------------------------------------------------------------------------


@attack("json_bombs", SHAPES, "sent lists that would take far more memory than bytes", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    for bomb in (b"[" + b"{}," * 400_000 + b"0]", b"[" * 1_000_000, b'{"a":' * 200_000, b"[" + b"9" * 100_000 + b"]"):
        scene.evil.repent()
        scene.evil.lie(hands.LISTING, hands.body(bomb))
        scene.refused(errors.NotAGlassineServer, scene.alice.listed)


@attack("going_in_circles", SHAPES, "listed the same pictures again and again", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene)
    kept = scene.evil.remember(f"{hands.LISTING}|{hands.SHARED}")
    scene.alice.listed()
    scene.bob.listed_shared()
    pages = {line: reply for line, reply in kept.items() if "after=" not in line}
    for about in (hands.LISTING, hands.SHARED):
        (page,) = (
            reply
            for line, reply in pages.items()
            if line.startswith("GET") and (("/shared" in line) == ("shared" in about))
        )
        scene.evil.lie(about, hands.body(page.body))
    scene.refused(errors.NotAGlassineServer, scene.alice.listed)
    scene.refused(errors.NotAGlassineServer, scene.bob.listed_shared)
    scene.evil.repent()
    scene.shown(scene.alice, mine)


@attack(
    "other_types",
    SHAPES,
    "answered with web pages, empty bodies and other content types",
    errors.NotAGlassineServer,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    for kind, data in (
        ("text/html", b"<h1>Welcome</h1>"),
        ("application/json", b""),
        ("", b"[]"),
        ("image/png", b"[]"),
    ):
        scene.evil.repent()

        def lie(reply: Reply, kind: str = kind, data: bytes = data) -> None:
            reply.headers = {"Content-Type": kind} if kind else {}
            reply.set(data)

        scene.evil.lie(hands.LISTING, lie)
        scene.refused(errors.NotAGlassineServer, scene.alice.listed)
    scene.evil.repent()
    scene.alice.listed()
    scene.evil.lie(hands.CONTENT, lambda reply: reply.headers.update({"Content-Type": "text/html"}))
    scene.does_not_open(scene.alice, mine, errors.NotAGlassineServer)


@attack("sent_elsewhere", SHAPES, "sent requests, tokens and all, on to other addresses", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        addresses = scene.running.address, f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        codes = "301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"
        for address, code in itertools.product(addresses, codes):
            scene.evil.repent()

            def lie(reply: Reply, address: str = address, code: str = code) -> None:
                reply.status, reply.headers["Location"] = code, address + "/api/v1/elsewhere"

            scene.evil.lie(f"{hands.LISTING}|{hands.CONTENT}|/auth/login", lie)
            scene.does_not_open(scene.alice, mine, errors.NotAGlassineServer)
            scene.refused(errors.NotAGlassineServer, scene.alice.listed)
            scene.refused(errors.NotAGlassineServer, lambda: _login(scene))
            must(not scene.evil.asked("elsewhere"), "the client went there")
        try:
            elsewhere.accept()[0].close()
        except BlockingIOError:
            return
    raise Held("the client went to another computer")


# -- bodies -----------------------------------------------------------------------------------------------------------


def _without_end(reply: Reply, piece: bytes) -> None:
    reply.headers.pop("Content-Length", None)
    reply.pieces = endless(piece)


@attack("endless_list", SHAPES, "sent a list without end", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    scene.evil.lie(hands.LISTING, lambda reply: _without_end(reply, b" " * 65_536))
    scene.refused(errors.NotAGlassineServer, scene.alice.listed)


@attack("endless_picture", SHAPES, "sent a picture without end", errors.Damaged)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    content = hands.stored(scene.alice, mine).content

    def lie(reply: Reply) -> None:
        _without_end(reply, bytes(65_536))
        reply.pieces = _then(content, endless(bytes(65_536)))

    scene.evil.lie(hands.CONTENT, lie)
    scene.does_not_open(scene.alice, mine, errors.Damaged)


def _then(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


@attack("endless_refusal", SHAPES, "sent refusals and thumbnails without end", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()

    def refusal(reply: Reply) -> None:
        reply.status = "409 Conflict"
        _without_end(reply, b" " * 65_536)

    scene.evil.lie(hands.LISTING, refusal)
    scene.refused(errors.NotAGlassineServer, scene.alice.listed)
    scene.evil.repent()
    scene.alice.listed()
    scene.alice.forget_thumbnails()
    scene.evil.lie(hands.THUMBNAILS, lambda reply: _without_end(reply, bytes(65_536)))
    scene.refused(errors.NotAGlassineServer, lambda: scene.alice.vault.thumbnails([mine]))


@attack("content_length_lies", SHAPES, "announced more bytes than it sent, and fewer", errors.Damaged)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    length = len(hands.stored(scene.alice, mine).content)
    export = lambda: scene.alice.vault.export(mine, scene.target(scene.alice))  # noqa: E731
    for said in (length + 1, length + 100_000, length - 1, 1, 0):
        scene.evil.repent()
        scene.evil.lie(hands.CONTENT, lambda reply, said=said: reply.headers.update({"Content-Length": str(said)}))
        scene.refused_by_any(lambda: scene.alice.vault.open(mine))
        scene.not_written(scene.alice, lambda: scene.refused_by_any(export))
    scene.does_not_open(scene.alice, mine, errors.Damaged)
    with mock.patch("desktop.client.api.BACKOFF_S", ()):
        for said in (7, 10**9):
            scene.evil.repent()
            scene.evil.lie(hands.LISTING, lambda reply, said=said: reply.headers.update({"Content-Length": str(said)}))
            scene.refused_by_any(scene.alice.listed)


@attack("heads_of_answers", SHAPES, "sent tokens, tags and counts that are none", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    for count in ("-1", "9" * 30, "NaN", "²", ""):
        scene.evil.repent()
        scene.evil.lie(hands.LISTING, lambda reply, count=count: reply.headers.update({"X-Total-Count": count}))
        scene.shown(alice, mine)
    alice.vault.sync_ledger()
    for tag in ("", '"', '""', "W/" + '"x"', '"' + "x" * 200 + '"', '"a b"'):
        scene.evil.repent()
        scene.evil.lie(hands.LEDGER, lambda reply, tag=tag: reply.headers.update({"ETag": tag}))
        scene.refused(errors.NotAGlassineServer, alice.vault.sync_ledger)
    for token in ("a\r\nX-Evil: 1", "a b", "\x00", "t" * (answers.MAX_TOKEN + 1), "", "tök"):
        scene.evil.repent()
        scene.evil.lie_in_json("/auth/login", lambda login, token=token: login | {"access_token": token})
        scene.refused(errors.NotAGlassineServer, lambda: _login(scene))
