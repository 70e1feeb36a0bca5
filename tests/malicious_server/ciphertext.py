"""Attacks on the bytes of one's own pictures: ciphertext, chunks, thumbnails."""

from __future__ import annotations

import json
from typing import Any

from desktop import errors
from desktop.crypto.sizes import CHUNK, TAG
from tests import sample_pictures
from tests.crypto import forge
from tests.malicious_server import hands
from tests.malicious_server.people import Person
from tests.malicious_server.playing import Scene, attack, must

ENCRYPTION = "unauthenticated encryption"
CHUNKING = "unauthenticated chunking"


def _content(scene: Scene, owner: Person, picture_id: str, data: bytes) -> None:
    """Hand out these bytes for a picture, and see that nothing comes of it."""
    owner.listed()
    scene.freeze(owner)
    scene.evil.lie(rf"p-{picture_id}/content", hands.body(data))
    scene.does_not_open(owner, picture_id, errors.Damaged)


# -- encryption -------------------------------------------------------------------------------------------------------


@attack("flip_payload", ENCRYPTION, "flipped one bit in the middle of a picture's ciphertext", errors.Damaged)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    whole = hands.stored(scene.alice, mine).content
    _content(scene, scene.alice, mine, forge.flipped(whole, len(whole) // 2))


@attack("flip_prefix", ENCRYPTION, "flipped one bit at the start of a picture's file", errors.Damaged)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    _content(scene, scene.alice, mine, forge.flipped(hands.stored(scene.alice, mine).content, 60))


@attack(
    "flip_header",
    ENCRYPTION,
    "flipped one bit in each member of a picture's header, one after another",
    errors.NotAuthentic,
)
def _(scene: Scene) -> str:
    mine = scene.alice.add()
    scene.alice.listed()
    scene.freeze(scene.alice)
    envelope = hands.stored(scene.alice, mine).envelope.text
    seen = set()
    for at in range(7, len(envelope), len(envelope) // 23):
        scene.evil.repent()
        hands.in_envelopes(scene.evil, mine, forge.flipped(envelope.encode("latin-1"), at).decode("latin-1"))
        picture = scene.alice.listed()[mine]
        named = {errors.Damaged.code, errors.NotAuthentic.code, errors.WrongPicture.code, errors.NoGrant.code}
        must(picture.problem_code in named, f"byte {at}: {picture.state} {picture.problem}")
        must(not scene.alice.vault.thumbnails([mine]), f"byte {at}: a thumbnail is shown")
        seen.add(picture.problem_code)
    must(errors.NotAuthentic.code in seen, "no signature was looked at")
    scene.evil.repent()
    signature = json.loads(envelope)
    first = signature["sig"][0]
    signature["sig"] = ("B" if first == "A" else "A") + signature["sig"][1:]  # base64 still, and no other spelling
    hands.in_envelopes(scene.evil, mine, json.dumps(signature, sort_keys=True, separators=(",", ":")))
    scene.nothing_shown(scene.alice, mine, errors.NotAuthentic)
    return ""


@attack("swap_payloads", ENCRYPTION, "swapped the files of two pictures", errors.Damaged)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    _content(scene, scene.alice, mine, hands.stored(scene.alice, other).content)


@attack(
    "swap_payload_ciphertext",
    ENCRYPTION,
    "put the ciphertext of one picture under the header of another",
    errors.Damaged,
)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    here, there = hands.stored(scene.alice, mine), hands.stored(scene.alice, other)
    must(len(here.payload) == len(there.payload), "the pictures differ in length")
    _content(scene, scene.alice, mine, hands.carrier(there.payload, here.envelope.text))


@attack("stale_png", ENCRYPTION, "handed out the file of the revision before under the present header", errors.Damaged)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    old = hands.stored(scene.alice, mine)
    scene.alice.revise(mine, 2)
    new = hands.stored(scene.alice, mine)
    scene.evil.lie(hands.CONTENT, hands.body(old.content))
    scene.alice.listed()
    scene.does_not_open(scene.alice, mine, errors.Damaged)
    scene.evil.repent()
    _content(scene, scene.alice, mine, hands.carrier(old.payload, new.envelope.text))


@attack("swap_thumbnails", ENCRYPTION, "swapped the thumbnails of two pictures, and sent plain JPEG files", None)
def _(scene: Scene) -> str:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    scene.alice.restart()
    scene.alice.listed()
    scene.alice.forget_thumbnails()
    one, two = hands.stored(scene.alice, mine).thumbnail, hands.stored(scene.alice, other).thumbnail
    for pair in ((two, one), (sample_pictures.jpeg(), b"<svg/>"), (forge.flipped(one, 40), one[:-1])):
        scene.evil.repent()
        scene.evil.lie(hands.THUMBNAILS, hands.body(hands.frames(*pair)))
        must(scene.alice.vault.thumbnails([mine, other]) == {}, "a thumbnail is shown")
    scene.evil.repent()
    must(set(scene.alice.vault.thumbnails([mine, other])) == {mine, other}, "the right ones are not shown either")
    return "no thumbnail is shown; a plain tile stands there"


@attack(
    "content_of_another_type",
    ENCRYPTION,
    "sent a plain picture, and compressed bytes, in place of a sealed file",
    errors.Damaged,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    _content(scene, scene.alice, mine, sample_pictures.png(40, 30, seed=9))
    scene.evil.repent()
    _content(scene, scene.alice, mine, b"")


# -- chunks -----------------------------------------------------------------------------------------------------------


def _large(scene: Scene) -> tuple[str, hands.Stored, list[bytes]]:
    """A picture of several chunks, and its chunks."""
    alice = scene.alice
    data = sample_pictures.photograph(3, 900, 700) + bytes(700_000)
    mine = alice.vault.upload(alice.vault.seal(alice.source(data, "large.jpg"))).id
    whole = hands.stored(alice, mine)
    step = CHUNK + TAG
    chunks = [whole.payload[at : at + step] for at in range(0, len(whole.payload), step)]
    must(len(chunks) >= 3, "the picture is too short for this")
    return mine, whole, chunks


def _rechunked(scene: Scene, change: Any) -> None:
    mine, whole, chunks = _large(scene)
    _content(scene, scene.alice, mine, hands.carrier(b"".join(change(chunks)), whole.envelope.text))


@attack("truncate_chunks", CHUNKING, "left out the last chunk of a picture", errors.Damaged)
def _(scene: Scene) -> None:
    _rechunked(scene, lambda chunks: chunks[:-1])


@attack("reorder_chunks", CHUNKING, "exchanged two chunks of a picture", errors.Damaged)
def _(scene: Scene) -> None:
    _rechunked(scene, lambda chunks: [chunks[1], chunks[0], *chunks[2:]])


@attack("repeat_chunk", CHUNKING, "sent one chunk of a picture twice in place of another", errors.Damaged)
def _(scene: Scene) -> None:
    _rechunked(scene, lambda chunks: [chunks[0], chunks[0], *chunks[2:]])


@attack("extra_chunk", CHUNKING, "appended a chunk to a picture", errors.Damaged)
def _(scene: Scene) -> None:
    _rechunked(scene, lambda chunks: [*chunks[:-1], chunks[0], chunks[-1]])


@attack("break_off", CHUNKING, "broke off in the middle of a picture, saying that this was all", errors.Damaged)
def _(scene: Scene) -> None:
    mine, whole, _ = _large(scene)
    _content(scene, scene.alice, mine, whole.content[: len(whole.content) // 2])


@attack(
    "reader_forges_chunk",
    CHUNKING,
    "exchanged the first chunk for one that a reader, who has the picture's key, had encrypted properly",
    errors.Damaged,
)
def _(scene: Scene) -> None:
    mine, whole, chunks = _large(scene)
    revision, opened = whole.opened._revision, whole.opened
    size = whole.envelope.payload_size
    from desktop.crypto.chunks import Sealer

    sealer = Sealer(revision.key(opened.picture_key, "payload"), revision.aad("payload", size), size)
    forged = bytes(sealer.seal(memoryview(bytearray(b"another picture".ljust(CHUNK, b"\0")))))
    must(len(forged) == len(chunks[0]) and forged != chunks[0], "the forged chunk does not fit")
    _content(scene, scene.alice, mine, hands.carrier(b"".join([forged, *chunks[1:]]), whole.envelope.text))


@attack(
    "chunk_from_other_revision", CHUNKING, "put a chunk of an earlier revision into the present one", errors.Damaged
)
def _(scene: Scene) -> None:
    mine, old, chunks = _large(scene)
    data = sample_pictures.photograph(4, 900, 700) + bytes(700_000)
    scene.alice.revising.replace(mine, scene.alice.source(data, "large.jpg"))
    new = hands.stored(scene.alice, mine)
    mixed = chunks[0] + new.payload[len(chunks[0]) :]
    _content(scene, scene.alice, mine, hands.carrier(mixed, new.envelope.text))
    must(len(mixed) == len(new.payload), "the chunks do not fit")
    must(old.envelope.header_hash != new.envelope.header_hash, "there is only one revision")
