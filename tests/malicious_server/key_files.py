"""Attacks on the key file that a server keeps for a person, at the moment it is needed: on an empty computer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop import embedded, errors
from desktop.client.session import Sessions
from desktop.config import Config
from desktop.crypto import key_file, kit
from tests.malicious_server import hands
from tests.malicious_server.keys_of_people import about
from tests.malicious_server.people import PASSPHRASE, PASSWORD, key_file_of, key_of
from tests.malicious_server.playing import Scene, attack, must

if TYPE_CHECKING:
    from desktop.client.session import Session

KEY_MATERIAL = "unauthenticated key material"
ROOT = bytes(range(32))
WORDS = kit.words_of(ROOT)
OTHER_ROOT = bytes(range(1, 33))


def copy_of(role: str, root: bytes) -> bytes:
    """What a server keeps: the key file with its kit slot alone."""
    return kit.server_copy(kit.add_kit(key_file_of(role), PASSPHRASE, root))


def changed(change: Callable[[Any], None]) -> bytes:
    """Alice's copy with something else in it."""
    document = json.loads(copy_of("alice", ROOT))
    change(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def restoring(scene: Scene, content: bytes, work: Callable[[Session], object]) -> None:
    """Alice signs in on an empty computer while the server hands out this key file; nothing of it may stay."""
    alice = scene.alice
    scene.evil.repent()
    if alice.session.api.keyfile(alice.user_id) is None:
        alice.session.api.put_keyfile(alice.user_id, copy_of("alice", ROOT), "")
    scene.evil.lie(hands.KEYFILE, hands.body(content))
    number = len(list(alice.data.parent.glob("empty*")))
    data = alice.data.with_name(f"empty {number}")
    session = Sessions(Config(data), embedded.start).sign_in(scene.running.address, alice.name, PASSWORD)
    try:
        must(session.key_missing, "the key is on the empty computer")
        work(session)
        must(session.key_missing and session.locked, "a key was kept")
        _nothing_kept(data)
    finally:
        session.close()


def _nothing_kept(data: Path) -> None:
    kept = [path.name for path in data.rglob("*glassine-key*")]
    must(not kept, f"a key file was kept: {kept}")


def refuses(scene: Scene, content: bytes, error: type[errors.GlassineError]) -> None:
    """The words of the kit do not open what the server hands out."""
    restoring(scene, content, lambda session: scene.refused(error, lambda: session.find_key(WORDS)))


@attack("keyfile_swap", KEY_MATERIAL, "handed out a key file with a key of its own", errors.WrongKey)
def _(scene: Scene) -> None:
    refuses(scene, copy_of("server", OTHER_ROOT), errors.WrongKey)
    spliced = json.loads(copy_of("server", OTHER_ROOT))
    spliced["pub"] = json.loads(copy_of("alice", ROOT))["pub"]
    refuses(scene, json.dumps(spliced, sort_keys=True, separators=(",", ":")).encode(), errors.WrongKey)


@attack(
    "keyfile_and_account_swap",
    KEY_MATERIAL,
    "gave a key of its own for the account, and the key file that goes with it",
    errors.WrongKey,
)
def _(scene: Scene) -> None:
    def signed_in(session: Session) -> None:
        scene.refused(errors.WrongKey, lambda: session.find_key(WORDS))

    alice = scene.alice
    alice.session.api.put_keyfile(alice.user_id, copy_of("alice", ROOT), "")
    about(scene, alice, public_key=key_of("server").public.pem)
    scene.evil.lie(hands.KEYFILE, hands.body(copy_of("server", OTHER_ROOT)))
    data = alice.data.with_name("empty")
    session = Sessions(Config(data), embedded.start).sign_in(scene.running.address, alice.name, PASSWORD)
    try:
        signed_in(session)
        _nothing_kept(data)
    finally:
        session.close()


@attack(
    "keyfile_of_same_kit",
    KEY_MATERIAL,
    "handed out a key file that the very kit opens, as whoever has read the paper could make it",
    errors.KeyChanged,
)
def _(scene: Scene) -> None:
    refuses(scene, copy_of("server", ROOT), errors.KeyChanged)


@attack(
    "printed_digits",
    KEY_MATERIAL,
    "named a key of its own, which the very kit opens, as the account's",
    errors.WrongKey,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    about(scene, alice, public_key=key_of("server").public.pem)
    scene.evil.lie_to(hands.KEYFILE, lambda request, reply: _document(reply, copy_of("server", ROOT)))
    data = alice.data.with_name("empty")
    session = Sessions(Config(data), embedded.start).sign_in(scene.running.address, alice.name, PASSWORD)
    try:
        found = session.find_key(WORDS)
        scene.refused(errors.WrongKey, lambda: session.keep_key(found, alice.key.fingerprint, "a new passphrase"))
        _nothing_kept(data)
    finally:
        session.close()


def _document(reply: Any, content: bytes) -> None:
    reply.status, reply.headers = "200 OK", {"Content-Type": "application/octet-stream", "ETag": '"' + "ab" * 32 + '"'}
    reply.set(content)


@attack("old_keyfile", KEY_MATERIAL, "handed out the key file of before the kit was drawn anew", errors.WrongKey)
def _(scene: Scene) -> None:
    refuses(scene, copy_of("alice", OTHER_ROOT), errors.WrongKey)


@attack(
    "slot_removed",
    KEY_MATERIAL,
    "took the kit's slot out of the key file, or put it in twice",
    errors.KeyFileDamaged,
)
def _(scene: Scene) -> None:
    def twice(document: Any) -> None:
        document["slots"] *= 2

    refuses(scene, changed(twice), errors.KeyFileDamaged)
    for content in (key_file_of("alice"), changed(lambda document: document.update(slots=[]))):
        restoring(scene, content, lambda session: scene.refused_by_any(lambda: session.find_key(WORDS)))


@attack("params_lowered", KEY_MATERIAL, "lowered and raised what opening the key file costs", errors.TooLarge)
def _(scene: Scene) -> None:
    def cost(**costs: int) -> bytes:
        document = json.loads(key_file_of("alice"))
        document["slots"][0].update(costs)
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

    refuses(scene, cost(m=2**32), errors.TooLarge)
    for content in (cost(m=8), cost(t=0), cost(p=0), changed(lambda document: document["slots"][0].update(m=65536))):
        restoring(scene, content, lambda session: scene.refused_by_any(lambda: session.find_key(WORDS)))


@attack(
    "keyfile_flipped",
    KEY_MATERIAL,
    "changed the check, the wrap and the key in the key file",
    errors.KeyFileDamaged,
)
def _(scene: Scene) -> None:
    honest = json.loads(copy_of("alice", ROOT))

    def other(text: str) -> str:
        return ("B" if text[0] != "B" else "C") + text[1:]

    for member in ("check", "wrap", "salt"):
        content = changed(
            lambda document, member=member: document["slots"][0].update({member: other(honest["slots"][0][member])})
        )
        restoring(scene, content, lambda session: scene.refused_by_any(lambda: session.find_key(WORDS)))
    refuses(scene, changed(lambda document: document.update(key=other(honest["key"]))), errors.KeyFileDamaged)
    refuses(scene, b"{}", errors.KeyFileDamaged)
    refuses(scene, copy_of("alice", ROOT)[:-1], errors.KeyFileDamaged)


@attack("keyfile_without_end", KEY_MATERIAL, "sent a key file without end", errors.NotAGlassineServer)
def _(scene: Scene) -> None:
    refuses(scene, b"{" * (key_file.MAX_KEY_FILE + 2), errors.NotAGlassineServer)
