"""Attacks with older states: rollback, forks, what is left out, what comes back, the ledger."""

from __future__ import annotations

import time

from desktop import errors
from desktop.crypto import records
from desktop.models import PictureState
from tests.crypto import forge
from tests.malicious_server import hands
from tests.malicious_server.people import key_of
from tests.malicious_server.playing import Scene, attack, must

OLDER = "older states"


# -- rollback ---------------------------------------------------------------------------------------------------------


@attack("rollback", OLDER, "handed out everything as it was before the last revision", errors.RolledBack)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    kept = scene.evil.remember(hands.LISTING + "|" + hands.CONTENT + "|" + hands.THUMBNAILS)
    scene.alice.listed()
    scene.alice.vault.open(mine)
    scene.alice.revise(mine, 2)
    scene.evil._kept.clear()
    scene.alice.listed()
    scene.freeze(scene.alice)
    scene.evil.replay(kept)
    scene.nothing_shown(scene.alice, mine, errors.RolledBack)
    must(mine in scene.alice.vault.trust().rolled_back, "the gallery's warning does not name it")


@attack(
    "rollback_after_restart",
    OLDER,
    "waited for the program to be started again before handing out an older revision",
    errors.RolledBack,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    old = hands.stored(scene.alice, mine)
    scene.alice.revise(mine, 2)
    scene.alice.listed()
    scene.alice.restart()
    hands.in_envelopes(scene.evil, mine, old.envelope.text)
    scene.evil.lie(hands.CONTENT, hands.body(old.content))
    scene.nothing_shown(scene.alice, mine, errors.RolledBack)
    must(scene.alice.vault.trust().rolled_back == (mine,), "the gallery's warning does not name it")


@attack(
    "same_rev_other_hash",
    OLDER,
    "handed out another header of the same revision, sealed by the owner and never stored",
    errors.Forked,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    honest = hands.stored(scene.alice, mine)
    made = forge.picture(
        scene.alice.key, picture_id=mine, picture_key=honest.opened.picture_key, deed_object=honest.deed
    )
    scene.freeze(scene.alice)
    hands.in_envelopes(scene.evil, mine, made.envelope)
    scene.evil.lie(hands.CONTENT, hands.body(made.carrier))
    scene.nothing_shown(scene.alice, mine, errors.Forked)
    must(scene.alice.vault.trust().forked == (mine,), "the gallery's warning does not name it")


@attack(
    "rev_jump_without_history", OLDER, "handed out a later revision and denied the steps between", errors.HistoryMissing
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    other = scene.other_computer_of(scene.alice)
    other.listed()
    other.revise(mine, 2)
    other.revise(mine, 3)
    scene.freeze(scene.alice)
    scene.evil.lie_to(hands.HISTORY, hands.status("404 Not Found", "Image not found"))
    scene.evil.lie_to(hands.LEDGER, hands.status("503 Service Unavailable", "later"))
    scene.nothing_shown(scene.alice, mine, errors.HistoryMissing)
    scene.evil.repent()
    scene.end()
    scene._frozen.clear()
    scene.shown(scene.alice, mine)  # with its history the same revision is accepted


@attack(
    "history_of_another",
    OLDER,
    "handed out a later revision with steps signed by a key of its own",
    errors.NotAuthentic,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    first = hands.stored(scene.alice, mine)
    other = scene.other_computer_of(scene.alice)
    other.listed()
    other.revise(mine, 2)
    other.revise(mine, 3)
    made = forge.picture(
        scene.alice.key,
        picture_id=mine,
        picture_key=bytes(32),
        deed_object=first.deed,
        revision=2,
        previous=first.envelope.header_hash,
        signer=key_of("server"),
    )
    step = {"header_hash": made.hash, "envelope": made.envelope, "replaced": "2026-01-01T00:00:00Z"}
    scene.evil.lie_in_json(hands.HISTORY, lambda rows: [step] if rows else rows)
    scene.evil.lie_to(hands.LEDGER, hands.status("503 Service Unavailable", "later"))
    scene.freeze(scene.alice)
    scene.nothing_shown(scene.alice, mine, errors.NotAuthentic)


@attack("drop_picture", OLDER, "left a picture out of every list and denied that there is such a one", errors.Missing)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    scene.alice.listed()
    scene.freeze(scene.alice)
    hands.in_rows(scene.evil, hands.LISTING, lambda rows: [row for row in rows if mine not in row["img_name"]])
    scene.evil.lie_to(rf"p-{mine}", hands.status("404 Not Found", "Image not found"))
    picture = scene.alice.listed()[mine]
    must(picture.state is PictureState.MISSING, f"the tile says {picture.state}")
    must(picture.name == "picture.png", "the tile does not say which picture it is")
    must(scene.alice.vault.trust().missing == (mine,), "the gallery's warning does not name it")
    scene.does_not_open(scene.alice, mine, errors.Missing)
    must(scene.alice.listed()[other].state is PictureState.READY, "the other picture is not shown")


@attack("drop_everything", OLDER, "said that nothing is stored", errors.Missing)
def _(scene: Scene) -> None:
    ids = {scene.alice.add(1), scene.alice.add(2)}
    scene.alice.listed()
    scene.freeze(scene.alice)
    scene.evil.lie_in_json(hands.LISTING, lambda rows: [])
    scene.evil.lie(hands.LISTING, lambda reply: reply.headers.update({"X-Total-Count": "0"}))
    for picture_id in ids:
        scene.evil.lie_to(rf"p-{picture_id}", hands.status("404 Not Found", "Image not found"))
    pictures = scene.alice.listed()
    must(
        {one for one, picture in pictures.items() if picture.state is PictureState.MISSING} == ids, "not all are missed"
    )
    scene.does_not_open(scene.alice, next(iter(ids)), errors.Missing)


@attack(
    "drop_with_forged_gone",
    OLDER,
    "left a picture out and showed records of its deletion: its own, and another picture's",
    errors.Missing,
)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    scene.alice.listed()
    scene.alice.delete_for_good(other)
    (record,) = scene.alice.session.api.gone_page(scene.alice.user_id)
    must(record.about == other, "there is no record")
    forged = records.make_gone(key_of("server"), mine, "ab" * 32, 5).text
    scene.freeze(scene.alice)
    for text in (forged, record.text, forged.replace(key_of("server").fingerprint, scene.alice.key.fingerprint)):
        scene.evil.repent()
        hands.in_rows(scene.evil, hands.LISTING, lambda rows: [row for row in rows if mine not in row["img_name"]])
        scene.evil.lie_to(rf"p-{mine}", hands.status("404 Not Found", "Image not found"))
        row = {"picture_id": mine, "record": text, "stored": "2026-01-01T00:00:00Z"}
        scene.evil.lie_to(
            hands.GONE,
            lambda request, reply, row=row: reply.json(lambda rows: [] if "after=" in request.query else [row]),
        )
        must(scene.alice.listed()[mine].state is PictureState.MISSING, "the deletion is believed")
        scene.does_not_open(scene.alice, mine, errors.Missing)


@attack("drop_after_gone", OLDER, "left a picture out that its owner had deleted for good", None)
def _(scene: Scene) -> str:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.alice.delete_for_good(mine)
    must(mine not in scene.alice.listed(), "the picture is still shown")
    must(scene.alice.vault.trust().quiet, "there is a warning")
    return "nothing, as it should be: the owner had deleted it"


@attack("header_after_gone", OLDER, "brought back a picture that its owner had deleted for good", errors.Resurrected)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    scene.alice.listed()
    kept = scene.evil.remember(hands.LISTING + "|" + hands.CONTENT + "|" + hands.THUMBNAILS)
    scene.alice.listed()
    scene.alice.vault.open(mine)
    scene.evil._kept.clear()
    scene.alice.delete_for_good(mine)
    scene.freeze(scene.alice)
    scene.evil.replay(kept)
    scene.nothing_shown(scene.alice, mine, errors.Resurrected)
    must(scene.alice.vault.trust().resurrected == (mine,), "the gallery's warning does not name it")
    must(scene.alice.listed()[other].state is PictureState.READY, "the other picture is not shown")


@attack("moved_to_bin", OLDER, "moved a picture into the bin, where its owner had not put it", None)
def _(scene: Scene) -> str:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    scene.services.pictures.delete(alice.user_id, f"p-{mine}")
    must(alice.listed().get(mine) is None, "the picture is in the gallery still")
    (binned,) = alice.vault.list_bin()
    must(binned.id == mine and binned.state is PictureState.READY, "the picture is not in the bin")
    alice.vault.restore(mine)
    scene.shown(alice, mine)
    return "the picture is in the bin, whole, and can be taken back; the bin only hides"


@attack("ledger_rollback", OLDER, "handed out an earlier ledger of the person's computers", errors.RolledBack)
def _(scene: Scene) -> None:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    alice.vault.sync_ledger()
    old = alice.session.api.ledger(alice.user_id)
    must(old is not None, "there is no ledger")
    alice.revise(mine, 2)
    alice.listed()
    alice.restart()
    alice.revise(mine, 3)
    scene.evil.lie(hands.LEDGER, hands.body(old.content))
    scene.refused(errors.RolledBack, alice.vault.sync_ledger)
    alice.listed()
    scene.shown(alice, mine)


@attack("ledger_lost", OLDER, "denied that there is a ledger", errors.RolledBack)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    scene.alice.listed()
    scene.alice.vault.sync_ledger()
    scene.alice.restart()
    scene.freeze(scene.alice)
    scene.evil.lie_to(hands.LEDGER, hands.status("404 Not Found", "Nothing is stored here"))
    scene.refused(errors.RolledBack, scene.alice.vault.sync_ledger)


@attack(
    "ledger_exchanged",
    OLDER,
    "handed out another account's ledger, a flipped one, and one of its own",
    errors.LedgerDamaged,
)
def _(scene: Scene) -> None:
    alice = scene.alice
    alice.add(1)
    alice.listed()
    alice.vault.sync_ledger()
    honest = alice.session.api.ledger(alice.user_id)
    must(honest is not None, "there is no ledger")
    scene.freeze(alice)
    for content in (
        records.seal_ledger(key_of("server"), 99, b"{}"),
        forge.flipped(honest.content, 3),
        forge.flipped(honest.content, len(honest.content) // 2),
        honest.content[:-1],
        b"x",
    ):
        scene.evil.repent()
        alice.restart()
        scene.evil.lie(hands.LEDGER, hands.body(content))
        scene.evil.lie(hands.LEDGER, lambda reply: reply.headers.update({"ETag": f'"{time.time_ns()}"'}))
        scene.refused(errors.LedgerDamaged, alice.vault.sync_ledger)


@attack("new_device", OLDER, "showed a new computer the older of two states, the ledger included", None)
def _(scene: Scene) -> str:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    alice.vault.sync_ledger()
    other = scene.other_computer_of(alice)
    pictures = other.listed()
    trust = other.vault.trust()
    must(pictures[mine].state is PictureState.READY, "the picture is not shown")
    must(trust.new_device and trust.ledger_time is not None, "nobody says that this computer knows nothing yet")
    return "the gallery says that this computer is new, and of when the list is that it goes by"


@attack("new_device_without_ledger", OLDER, "showed a new computer no ledger at all", None)
def _(scene: Scene) -> str:
    alice = scene.alice
    mine = alice.add(1)
    alice.listed()
    scene.evil.lie_to(hands.LEDGER, hands.status("404 Not Found", "Nothing is stored here"))
    scene.evil.lie_to(r"^PUT .*/ledger", hands.status("503 Service Unavailable", "later"))
    other = scene.other_computer_of(alice)
    other.listed()
    must(other.vault.trust().new_device, "nobody says that this computer knows nothing yet")
    must(other.vault.trust().ledger_time is None, "a time is named that nobody knows")
    must(mine in other.listed(), "the picture is not listed")
    return "the gallery says that this computer is new and that there was no list to go by"
