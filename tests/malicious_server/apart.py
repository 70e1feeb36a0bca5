"""Attacks by keeping things apart: a person's computers from each other, what is old from what is new."""

from __future__ import annotations

import itertools
import json
from unittest import mock

from desktop import errors
from desktop.crypto import records
from desktop.models import PersonState, PictureState
from tests.malicious_server import hands
from tests.malicious_server.dealings import answers, row_of
from tests.malicious_server.keys_of_people import PUBLIC_KEYS, about, met, nothing_given, share
from tests.malicious_server.people import PASSWORD, key_of
from tests.malicious_server.playing import Scene, attack, must
from tests.malicious_server.proxy import Reply

OLDER = "older states"


def sent_envelope(scene: Scene) -> str:
    """The header in the request that is being answered."""
    rest = scene.evil.seen[-1].body.partition(b'name="envelope"\r\n\r\n')[2]
    must(rest, "nothing was sent")
    return rest.partition(b"\r\n--")[0].decode()


@attack(
    "computers_kept_apart",
    OLDER,
    "took two versions from two computers of one person and showed each computer its own",
    errors.Forked,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    other = scene.other_computer_of(alice)
    other.listed()
    sent: list[str] = []

    def answer() -> Reply:
        sent.append(sent_envelope(scene))
        return answers(row_of(sent[-1]))

    scene.evil.instead(rf"^PUT .*p-{mine}\?", answer)
    alice.revise(mine, 2)
    scene.evil.repent()
    other.revise(mine, 3)
    other.vault.sync_ledger()
    hands.in_envelopes(scene.evil, mine, sent[-1])
    must(alice.listed()[mine].state is PictureState.READY, "one's own version is not shown")
    must(alice.vault.trust().forked == (mine,), "what the other computer remembers raises no warning")
    scene.evil.repent()
    alice.vault.sync_ledger()
    scene.freeze(alice)
    scene.nothing_shown(alice, mine, errors.Forked)  # nor when the server shows the other computer's version


@attack(
    "history_without_end",
    OLDER,
    "named steps between two revisions without end, two rightful ones in turn",
    errors.HistoryMissing,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    other = scene.other_computer_of(alice)
    other.listed()
    for seed in (2, 3, 4):
        other.revise(mine, seed)
    _, *steps = alice.session.api.history(alice.user_id, f"p-{mine}")
    must(len(steps) == 2, "there is no history")
    rows = [{"header_hash": step.header_hash, "envelope": step.envelope} for step in steps]
    turns = itertools.cycle(rows)
    scene.evil.lie_in_json(hands.HISTORY, lambda rows: [next(turns) | {"replaced": "2026-01-01T00:00:00Z"}])
    scene.evil.lie_to(hands.LEDGER, hands.status("503 Service Unavailable", "later"))
    scene.freeze(alice)
    with mock.patch("desktop.client.vault_history.MAX_STEPS", 20):
        scene.nothing_shown(alice, mine, errors.HistoryMissing)
    must(len(scene.evil.asked(hands.HISTORY)) < 200, "it is asked for ever")


@attack(
    "stale_thumbnail",
    "unauthenticated encryption",
    "handed out the thumbnail of the revision before under the present header",
    None,
)
def _(scene: Scene) -> str:
    alice = scene.alice
    mine = alice.add(1)
    old = hands.stored(alice, mine).thumbnail
    alice.revise(mine, 2)
    alice.listed()
    alice.forget_thumbnails()
    scene.evil.lie(hands.THUMBNAILS, hands.body(hands.frames(old)))
    must(alice.vault.thumbnails([mine]) == {}, "the older thumbnail is shown")
    scene.evil.repent()
    must(set(alice.vault.thumbnails([mine])) == {mine}, "the right one is not shown either")
    return "no thumbnail is shown; a plain tile stands there"


@attack(
    "old_key_again",
    PUBLIC_KEYS,
    "gave the key that somebody had before, after the new one was compared, and the record turned round",
    errors.KeyChanged,
)
def _(scene: Scene) -> None:
    bob, new = met(scene), key_of("bob's next")
    about(scene, bob, public_key=new.public.pem)
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.look_again(bob.user_id))
    scene.alice.sharing.compared(bob.user_id, new.fingerprint)
    scene.evil.repent()  # the account has the old key still
    scene.refused(errors.KeyChanged, lambda: scene.alice.sharing.look_again(bob.user_id))
    (person,) = scene.alice.sharing.people()
    must(person.state is PersonState.CHANGED, f"the person is {person.state}")
    must(person.fingerprint == new.fingerprint, "the old key is the one that is shown")
    record = records.make_succession(bob.key, new, 5).text
    turned = json.loads(record)
    turned["body"] |= {"old": new.fingerprint, "new": bob.key.fingerprint}
    turned |= {"sig": turned["sig2"], "sig2": turned["sig"]}
    for text in (record, json.dumps(turned, sort_keys=True, separators=(",", ":"))):
        row = {"old": new.fingerprint, "record": text, "stored": "2026-01-01T00:00:00Z"}
        scene.evil.lie_in_json(r"/successions\?", lambda rows, row=row: [row])
        must(scene.alice.sharing.succession(bob.user_id) is None, "the record is believed")
    scene.refused(errors.KeyChanged, lambda: share(scene, accept_unverified=True))
    nothing_given(scene)


@attack(
    "own_old_key_again",
    PUBLIC_KEYS,
    "gave one's own key of before at sign-in, after one had changed it",
    errors.KeyChanged,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    alice.add(1)
    alice.session.change_key(key_of("alice's next"), PASSWORD)
    alice.session.close()
    about(scene, alice, public_key=alice.key.public.pem)
    scene.refused(errors.KeyChanged, alice.sign_in)


@attack(
    "key_change_dropped",
    OLDER,
    "said that pictures were stored under one's new key, and kept those of before",
    errors.WrongPicture,
)
def _(scene: Scene) -> None:
    alice, new = scene.alice, key_of("alice's next")
    mine = alice.add(1)
    alice.listed()
    scene.evil.instead(rf"^PUT .*p-{mine}\?", lambda: answers(row_of(sent_envelope(scene))))
    changed = alice.session.change_key(new, PASSWORD)
    must(list(changed.failed) == [mine], "the change says that everything went well")
    scene.evil.repent()
    scene.freeze(alice)
    scene.nothing_shown(alice, mine, errors.WrongPicture)
