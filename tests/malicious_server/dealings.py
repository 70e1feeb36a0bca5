"""Attacks on what people do with their pictures: storing, replacing, taking back from the bin, shares that wait."""

from __future__ import annotations

import json
from typing import Any

from desktop import errors
from desktop.models import PictureState
from tests import sample_pictures
from tests.crypto import forge
from tests.malicious_server import hands
from tests.malicious_server.grants import shared_with_bob
from tests.malicious_server.keys_of_people import about, nothing_given
from tests.malicious_server.people import key_of
from tests.malicious_server.playing import Scene, attack, must
from tests.malicious_server.proxy import Reply

OLDER = "older states"
FILES = "injecting files"


def row_of(envelope: str) -> dict[str, Any]:
    """A row as the server lists it, of any header."""
    picture_id = json.loads(envelope)["body"]["deed"]["body"]["pic"]
    return {
        "img_name": f"p-{picture_id}.png",
        "id": "f" * 24,
        "scheme": "sealed",
        "size": 9,
        "created": "2026-01-01T00:00:00Z",
        "envelope": envelope,
        "header_hash": hands.header_hash(envelope),
    }


def answers(document: Any, status: str = "200 OK") -> Reply:
    """An answer in JSON that the server makes by itself."""
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())


@attack("stored_and_dropped", OLDER, "said that a picture was stored, and threw it away", errors.Missing)
def _(scene: Scene) -> None:
    alice = scene.alice
    alice.listed()
    staged = alice.vault.seal(alice.source(sample_pictures.png(40, 30, seed=1)))
    row = row_of(staged.envelope)
    scene.evil.instead(r"^POST .*/images\?", lambda: answers(row, "201 Created"))
    mine = alice.vault.upload(staged).id
    must(alice.listed()[mine].state is PictureState.MISSING, "it is not missed")
    must(alice.vault.trust().missing == (mine,), "the gallery's warning does not name it")
    scene.does_not_open(alice, mine, errors.Missing)


@attack("replaced_and_dropped", OLDER, "said that a new version was stored, and kept the old one", errors.RolledBack)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    sent: list[bytes] = []

    def answer() -> Reply:
        sent.append(scene.evil.seen[-1].body)
        head, _, rest = sent[-1].partition(b'name="envelope"\r\n\r\n')
        must(head, "nothing was sent")
        return answers(row_of(rest.partition(b"\r\n--")[0].decode()))

    scene.evil.instead(rf"^PUT .*p-{mine}\?", answer)
    alice.revise(mine, 2)
    scene.freeze(alice)
    scene.nothing_shown(alice, mine, errors.RolledBack)


@attack(
    "writers_version_dropped", OLDER, "said that a writer's version was stored, and kept the old one", errors.RolledBack
)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene, "write")

    def answer() -> Reply:
        rest = scene.evil.seen[-1].body.partition(b'name="envelope"\r\n\r\n')[2]
        return answers(row_of(rest.partition(b"\r\n--")[0].decode()))

    scene.evil.instead(rf"^PUT .*p-{mine}\?", answer)
    scene.bob.revise(theirs, 2)
    scene.freeze(scene.bob)
    scene.nothing_shown_of_others(scene.bob, theirs, errors.RolledBack)


@attack("faked_conflict", OLDER, "said that somebody else's version was faster, when nobody's was", errors.ConflictKept)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    scene.freeze(alice)
    refusal = {"message": "Another revision is stored"}
    scene.evil.instead(rf"^PUT .*p-{mine}\?", lambda: answers(refusal, "412 Precondition Failed"))
    scene.refused(errors.ConflictKept, lambda: alice.revise(mine, 2))
    (kept,) = alice.revising.kept()
    must(kept.picture_id == mine, "the new version is not kept")
    scene.evil.repent()
    scene.shown(alice, mine)


@attack("bin_gives_another", FILES, "gave another picture when one was taken out of the bin", errors.WrongPicture)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine, other = alice.add(1), alice.add(2)
    alice.listed()
    alice.vault.delete(mine)
    alice.vault.list_bin()
    theirs = hands.stored(alice, other).envelope.text
    scene.freeze(alice)
    scene.evil.instead(r"^POST .*/restore", lambda: answers(row_of(theirs)))
    scene.refused(errors.WrongPicture, lambda: alice.vault.restore(mine))


@attack("bin_gives_older", OLDER, "gave an older version when a picture was taken out of the bin", errors.RolledBack)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    old = hands.stored(alice, mine)
    alice.revise(mine, 2)
    alice.listed()
    alice.vault.delete(mine)
    alice.vault.list_bin()
    scene.evil.lie_in_json(r"^POST .*/restore", lambda row: row | {"envelope": old.envelope.text})
    picture = alice.vault.restore(mine)
    must(picture.problem_code == errors.RolledBack.code, f"the tile says {picture.problem!r}")
    scene.does_not_open(alice, mine, errors.RolledBack)


@attack("inject_into_bin", FILES, "put a picture into the bin that a key of the server had signed", errors.Injected)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    alice.vault.delete(mine)
    alice.vault.list_bin()
    made = forge.picture(key_of("server"), sample_pictures.png(40, 30))
    row = row_of(made.envelope) | {"deleted": "2026-01-01T00:00:00Z"}
    scene.freeze(alice)
    hands.in_rows(scene.evil, hands.BIN, lambda rows: [*rows, row])
    pictures = {picture.id: picture for picture in alice.vault.list_bin()}
    must(pictures[made.picture_id].problem_code == errors.Injected.code, "it is believed")
    must(not alice.vault.thumbnails([made.picture_id]), "a thumbnail is shown")
    must(pictures[mine].state is PictureState.READY, "the right one is not shown")
    alice.listed()
    must(alice.vault.trust().injected == (made.picture_id,), "the gallery's warning does not name it")
    scene.said.append(errors.Injected())


@attack(
    "waiting_share_for_false_key",
    "unauthenticated public keys",
    "gave a key of its own for somebody a share was waiting for",
    None,
)
def _(scene: Scene) -> str:
    alice, bob = scene.alice, scene.bob
    mine = alice.add(1)
    alice.listed()
    alice.sharing.find(bob.name)
    result = alice.sharing.share([mine], bob.user_id, "read", wait_for_comparison=True)
    must(result.waiting == (mine,), "it does not wait")
    about(scene, bob, public_key=key_of("server").public.pem)
    again = alice.sharing.complete_waiting()
    must(again.waiting == (mine,) and not again.shared, f"it was shared: {again}")
    nothing_given(scene)
    return "the share goes on waiting until the right key was compared"
