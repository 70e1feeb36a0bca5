"""Answers that are not what HTTP makes of them: statuses, encodings, cookies."""

from __future__ import annotations

import gzip

from desktop import errors
from tests.malicious_server import hands
from tests.malicious_server.playing import Scene, attack, must
from tests.malicious_server.proxy import Reply
from tests.malicious_server.shapes import SHAPES

STATUSES = ("201 Created", "202 Accepted", "204 No Content", "206 Partial Content", "226 IM Used", "304 Not Modified")
BOMB = gzip.compress(b"[" + b" " * 50_000_000 + b"]", 9)


@attack(
    "other_statuses",
    SHAPES,
    "called whole answers partial, not modified, without content, or only accepted",
    errors.NotAGlassineServer,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    alice.vault.sync_ledger()
    scene.freeze(alice)
    for status in STATUSES:

        def lie(reply: Reply, status: str = status) -> None:
            reply.status = status
            if status[:3] in {"204", "304"}:
                reply.set(b"")
            if status.startswith("206"):
                reply.headers["Content-Range"] = f"bytes 0-{len(reply.body) - 1}/{len(reply.body)}"

        scene.evil.repent()
        scene.evil.lie(f"{hands.LISTING}|{hands.CONTENT}|{hands.THUMBNAILS}|{hands.PRESENT}|{hands.LEDGER}", lie)
        alice.forget_thumbnails()
        scene.does_not_open(alice, mine, errors.NotAGlassineServer)
        scene.refused(errors.NotAGlassineServer, lambda: alice.vault.thumbnails([mine]))
        scene.refused(errors.NotAGlassineServer, lambda: alice.revise(mine, 2))
        scene.refused(errors.NotAGlassineServer, alice.vault.sync_ledger)
        scene.refused(errors.NotAGlassineServer, alice.listed)
    scene.evil.repent()
    scene.shown(alice, mine)


@attack(
    "compressed_answers",
    SHAPES,
    "compressed its answers, which nobody asked for, some of them a thousand times their size",
    errors.NotAGlassineServer,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    scene.freeze(alice)
    for encoding in ("gzip", "x-gzip", "gzip, gzip, gzip, gzip, gzip, gzip"):
        for bomb in (False, True):

            def lie(reply: Reply, bomb: bool = bomb, encoding: str = encoding) -> None:
                reply.headers["Content-Encoding"] = encoding
                reply.set(BOMB if bomb else gzip.compress(reply.body))

            scene.evil.repent()
            scene.evil.lie(f"{hands.LISTING}|{hands.CONTENT}|{hands.THUMBNAILS}", lie)
            alice.forget_thumbnails()
            scene.refused(errors.NotAGlassineServer, alice.listed)
            scene.does_not_open(alice, mine, errors.Damaged)
            scene.refused(errors.NotAGlassineServer, lambda: alice.vault.thumbnails([mine]))


@attack("cookies", SHAPES, "sent cookies, and asked for another way to sign in", errors.NotAllowed)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()

    def marked(reply: Reply) -> None:
        reply.headers["Set-Cookie"] = "seen=before; Max-Age=99999999; Path=/"

    def challenge(reply: Reply) -> None:
        reply.status = "401 Unauthorized"
        reply.headers = {"Content-Type": "application/json", "WWW-Authenticate": 'Basic realm="once more"'}
        reply.set(b'{"message":"Sign in in another way"}')

    scene.evil.lie("", marked)
    scene.shown(alice, mine)
    scene.evil.lie(hands.LISTING, challenge)
    scene.refused(errors.NotAllowed, alice.listed)
    must(len(scene.evil.asked("")) > 3, "nothing was asked")
    for request in scene.evil.seen:
        must("Cookie" not in request.headers, "a cookie came back")
        must(request.headers.get("Authorization", "Bearer ").startswith("Bearer "), "the password was sent")
