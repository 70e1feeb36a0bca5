"""Attacks with grants, by readers and writers in league with the server, and with what nobody asked for."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

from desktop import errors
from desktop.client.shared import SharedPictures
from desktop.crypto.grants import grant_to
from desktop.models import PictureState
from tests import sample_pictures
from tests.crypto import forge
from tests.malicious_server import hands
from tests.malicious_server.people import Person, key_of
from tests.malicious_server.playing import Scene, attack, must

GRANTS = "grants and writers"
FILES = "injecting files"


def shared_with_bob(scene: Scene, role: str = "read", seed: int = 1) -> tuple[str, str]:
    """Alice shares a picture with Bob, who accepts her; its id at hers and at his."""
    alice, bob = scene.alice, scene.bob
    mine = alice.add(seed)
    alice.listed()
    alice.sharing.find(bob.name)
    result = alice.sharing.share([mine], bob.user_id, role, accept_unverified=True)
    must(result.shared == (mine,), f"it cannot be shared: {result.failed}")
    bob.listed_shared()
    bob.shared.senders()
    bob.shared.accept(alice.user_id)
    theirs = f"{alice.user_id}.{mine}"
    must(bob.listed_shared()[theirs].state is PictureState.READY, "it does not open for Bob at all")
    return mine, theirs


def in_grants(scene: Scene, change: Any) -> None:
    """Change the grant wherever it is handed out: in lists and with the picture."""

    def in_row(row: Any) -> Any:
        return row | {"grant": change(row["grant"])} if row.get("grant") else row

    hands.in_rows(scene.evil, hands.SHARED, lambda rows: [in_row(row) for row in rows])
    scene.evil.lie_in_json(hands.PRESENT, in_row)


def refuses_grant(scene: Scene, theirs: str, change: Any) -> None:
    """A changed grant opens nothing for Bob."""
    scene.bob.restart()
    scene.freeze(scene.bob)
    in_grants(scene, change)
    scene.nothing_shown_of_others(scene.bob, theirs, errors.GrantRefused)


# -- grants -----------------------------------------------------------------------------------------------------------


@attack("stripped_grant", GRANTS, "left out the grant of a shared picture", errors.GrantRefused)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    refuses_grant(scene, theirs, lambda grant: "")


@attack("forged_grant", GRANTS, "made a grant of its own", errors.GrantRefused)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    whole = hands.stored(scene.alice, mine)
    forged = forge.grant(
        scene.alice.key, scene.bob.key.public, whole.deed, bytes(32), role="read", signer=key_of("server")
    )
    refuses_grant(scene, theirs, lambda grant: json.dumps(forged, sort_keys=True, separators=(",", ":")))


@attack("role_edited", GRANTS, "raised a grant from read to write", errors.GrantRefused)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    refuses_grant(scene, theirs, lambda grant: grant.replace('"role":"read"', '"role":"write"'))


@attack("role_claimed", GRANTS, "called a reader a writer in its lists", errors.NoGrant)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    hands.in_rows(scene.evil, hands.SHARED, lambda rows: [row | {"role": "write"} for row in rows])
    scene.evil.lie_in_json(hands.PRESENT, lambda row: row | {"role": "write"})
    must(scene.bob.listed_shared()[theirs].role == "read", "the role is believed")
    scene.refused(errors.NoGrant, lambda: scene.bob.revise(theirs, 2))
    must(not scene.evil.asked(rf"^PUT .*p-{mine}"), "a revision was sent")
    must(scene.alice.listed()[mine].state is PictureState.READY, "the owner's picture is concerned")


@attack("grant_of_other_picture", GRANTS, "handed out the grant of another picture", errors.GrantRefused)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    other, _ = shared_with_bob(scene, seed=2)
    whole = hands.stored(scene.alice, other)
    grant = grant_to(whole.opened, scene.alice.key, scene.bob.key.public, "read", 5)
    refuses_grant(scene, theirs, lambda _: grant)


@attack("regrant_to_other_fp", GRANTS, "handed out the grant of somebody else", errors.GrantRefused)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    whole = hands.stored(scene.alice, mine)
    grant = grant_to(whole.opened, scene.alice.key, scene.carol.key.public, "read", 5)
    refuses_grant(scene, theirs, lambda _: grant)
    readdressed = json.loads(grant)
    readdressed["body"]["to"] = scene.bob.key.fingerprint
    scene.evil.repent()
    refuses_grant(scene, theirs, lambda _: json.dumps(readdressed, sort_keys=True, separators=(",", ":")))


@attack("grant_of_old_deed", GRANTS, "handed out a grant of before the picture was encrypted anew", errors.GrantRefused)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    old = grant_to(hands.stored(scene.alice, mine).opened, scene.alice.key, scene.bob.key.public, "read", 5)
    scene.alice.sharing.find(scene.carol.name)
    scene.alice.sharing.share([mine], scene.carol.user_id, "read", accept_unverified=True)
    scene.alice.sharing.stop([mine], scene.carol.user_id, reseal=True)
    must(hands.stored(scene.alice, mine).envelope.epoch == 2, "there is no new epoch")
    must(scene.bob.listed_shared()[theirs].state is PictureState.READY, "Bob has lost it too")
    refuses_grant(scene, theirs, lambda _: old)


@attack("malformed_grant", GRANTS, "handed out grants that are none", errors.GrantRefused)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    for text in ("{}", "[" * 900, '{"body":{},"sig":"AA=="}', "x" * 32_000, '{"body":{"t":"grant"},"sig":"AAAA"}'):
        scene.evil.repent()
        refuses_grant(scene, theirs, lambda _, text=text: text)


@attack(
    "revoked_reader_with_old_key",
    GRANTS,
    "went on handing out a picture to somebody it was taken back from",
    errors.GrantRefused,
)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    old = grant_to(hands.stored(scene.alice, mine).opened, scene.alice.key, scene.bob.key.public, "read", 5)
    result = scene.alice.sharing.stop([mine], scene.bob.user_id, reseal=True)
    must(result.resealed == (mine,), f"it was not encrypted anew: {result.failed}")
    must(theirs not in scene.bob.listed_shared(), "it is still listed")
    whole = hands.stored(scene.alice, mine)
    row = scene.alice.session.api.present(scene.alice.user_id, f"p-{mine}").row
    again = {
        "img_name": f"p-{mine}.png",
        "id": row.id,
        "scheme": "sealed",
        "size": row.size,
        "created": "2026-01-01T00:00:00Z",
        "envelope": whole.envelope.text,
        "header_hash": whole.envelope.header_hash,
        "owner_id": scene.alice.user_id,
        "owner_name": scene.alice.name,
        "role": "read",
        "grant": old,
    }
    scene.evil.lie_to(
        hands.SHARED, lambda request, reply: None if "after=" in request.query else reply.json(lambda rows: [again])
    )

    def present(reply: Any) -> None:
        reply.status, reply.headers = "200 OK", {"Content-Type": "application/json"}
        reply.set(json.dumps(again).encode())

    scene.evil.lie(rf"^GET .*p-{mine}/envelope", present)
    scene.nothing_shown_of_others(scene.bob, theirs, errors.GrantRefused)


@attack(
    "put_back_at_reseal",
    GRANTS,
    "said while a picture was encrypted anew that others, and one who lost it, have it too",
    None,
)
def _(scene: Scene) -> str:
    mine, _ = shared_with_bob(scene)
    alice = scene.alice
    whole = hands.stored(alice, mine)
    bobs = grant_to(whole.opened, alice.key, scene.bob.key.public, "write", 5)
    alice.sharing.find(scene.carol.name)  # known, and never given anything
    claimed = [
        {"userId": scene.bob.user_id, "role": "write", "grant": bobs},
        {"userId": scene.carol.user_id, "role": "write"},
        {"userId": scene.carol.user_id, "role": "read", "grant": bobs},
        {"userId": "f" * 24, "role": "read"},
    ]
    scene.evil.lie_in_json(hands.PERMISSIONS, lambda rows: claimed)
    result = alice.sharing.stop([mine], scene.bob.user_id, reseal=True)
    must(result.resealed == (mine,), f"it was not encrypted anew: {result.failed}")
    (request,) = scene.evil.asked(rf"^PUT .*p-{mine}\?")
    must(b'name="permissions"' in request.body, "no permissions were sent")
    for person in (scene.bob, scene.carol):
        must(person.user_id.encode() not in request.body, f"{person.role} was given the new key")
        must(person.key.fingerprint.encode() not in request.body, f"the new key was wrapped for {person.role}")
    must(hands.stored(alice, mine).envelope.epoch == 2, "there is no new epoch")
    return "the new key was wrapped for nobody: whom a picture was given to is remembered here"


@attack("permission_invented", GRANTS, "gave somebody access whom the owner never gave anything", errors.WrongKey)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene)
    scene.services.permissions.give(scene.alice.user_id, f"p-{mine}", scene.carol.user_id, "write")
    shares = {share.person.user_id: share for share in scene.alice.sharing.shares_of(mine)}
    must(not shares[scene.carol.user_id].opens, "the owner is told that this person can open it")
    must(shares[scene.bob.user_id].opens, "Bob has lost it")
    envelope = scene.carol.session.api.present(scene.alice.user_id, f"p-{mine}").row.envelope
    from desktop.crypto.sealed import read_envelope

    sealed = read_envelope(envelope, owner=scene.alice.key.public, picture_id=mine)
    scene.refused(errors.WrongKey, lambda: sealed.open(scene.carol.key))


# -- writers ----------------------------------------------------------------------------------------------------------


def _by_bob(scene: Scene, mine: str, role: str, **instead: Any) -> forge.Made:
    """A revision that Bob makes of Alice's picture with everything he has, by his own rules."""
    whole = hands.stored(scene.alice, mine)
    granted = forge.grant(scene.alice.key, scene.bob.key.public, whole.deed, whole.opened.picture_key, role=role)
    made: dict[str, Any] = {
        "picture_id": mine,
        "picture_key": whole.opened.picture_key,
        "deed_object": whole.deed,
        "author": scene.bob.key,
        "grant_object": granted,
        "epoch": whole.envelope.epoch,
        "revision": whole.envelope.revision + 1,
        "previous": whole.envelope.header_hash,
    }
    return forge.picture(scene.alice.key, sample_pictures.png(40, 30, seed=8), **(made | instead))


def _handed_out(scene: Scene, mine: str, made: forge.Made, error: type[errors.GlassineError]) -> None:
    scene.freeze(scene.alice)
    hands.in_envelopes(scene.evil, mine, made.envelope)
    scene.evil.lie(rf"p-{mine}/content", hands.body(made.carrier))
    scene.nothing_shown(scene.alice, mine, error)


@attack("reader_signs_header", GRANTS, "handed out a revision by a reader, under a grant for reading", errors.NoGrant)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene)
    _handed_out(scene, mine, _by_bob(scene, mine, "read"), errors.NoGrant)


@attack("reader_without_grant", GRANTS, "handed out a revision by a reader, without any grant", errors.NoGrant)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene)

    def without(body: Any) -> None:
        body.pop("grant", None)

    _handed_out(scene, mine, _by_bob(scene, mine, "read", change=without), errors.NoGrant)


@attack("writers_revision", GRANTS, "handed out a proper revision by a writer (nothing is wrong with that)", None)
def _(scene: Scene) -> str:
    mine, theirs = shared_with_bob(scene, "write")
    scene.bob.revise(theirs, 6)
    scene.shown(scene.alice, mine)
    must(scene.alice.vault.trust().quiet, "there is a warning")
    return "shown: the owner gave this person the right to write"


@attack(
    "writer_not_known_to_reader",
    GRANTS,
    "forged a revision under the true grant of a writer whom the reader does not know",
    errors.AuthorUnknown,
)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    whole, carol = hands.stored(scene.alice, mine), scene.carol.key
    granted = forge.grant(scene.alice.key, carol.public, whole.deed, whole.opened.picture_key, role="write")
    made = _by_bob(scene, mine, "write", author=carol, grant_object=granted, signer=key_of("server"))
    scene.bob.restart()
    scene.freeze(scene.bob)
    hands.in_envelopes(scene.evil, mine, made.envelope)
    scene.evil.lie(rf"p-{mine}/content", hands.body(made.carrier))
    picture = scene.nothing_shown_of_others(scene.bob, theirs, errors.AuthorUnknown)
    must(picture.state is PictureState.UNREADABLE, f"it is {picture.state}")


@attack(
    "writer_new_epoch",
    GRANTS,
    "handed out an epoch that a writer had begun, with a deed of their own",
    errors.NotAuthentic,
)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene, "write")
    deed = forge.deed(scene.alice.key, bytes(32), mine, epoch=2, signer=scene.bob.key)
    made = _by_bob(scene, mine, "write", deed_object=deed, epoch=2, revision=1)
    _handed_out(scene, mine, made, errors.NotAuthentic)


@attack("writer_own_deed", GRANTS, "handed out a picture whose deed names a writer as its owner", errors.WrongPicture)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene, "write")
    made = forge.picture(scene.bob.key, picture_id=mine)
    _handed_out(scene, mine, made, errors.WrongPicture)


@attack(
    "writer_after_revoke",
    GRANTS,
    "handed out a revision by a writer whom the picture was taken back from",
    errors.RolledBack,
)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene, "write")
    made = _by_bob(scene, mine, "write")
    scene.alice.sharing.stop([mine], scene.bob.user_id, reseal=True)
    scene.alice.listed()
    _handed_out(scene, mine, made, errors.RolledBack)


@attack(
    "writer_old_grant_new_deed",
    GRANTS,
    "handed out a revision of the present epoch under a writer's grant of the one before",
    errors.NoGrant,
)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene, "write")
    old = hands.stored(scene.alice, mine)
    grant = forge.grant(scene.alice.key, scene.bob.key.public, old.deed, old.opened.picture_key, role="write")
    scene.alice.sharing.stop([mine], scene.bob.user_id, reseal=True)
    scene.alice.listed()
    _handed_out(scene, mine, _by_bob(scene, mine, "write", grant_object=grant), errors.NoGrant)


@attack(
    "writer_unknown_here",
    GRANTS,
    "handed out a revision signed by a writer under a grant that a key of the server signed",
    errors.NoGrant,
)
def _(scene: Scene) -> None:
    mine, _ = shared_with_bob(scene)
    whole = hands.stored(scene.alice, mine)
    grant = forge.grant(
        scene.alice.key, scene.bob.key.public, whole.deed, whole.opened.picture_key, signer=key_of("server")
    )
    _handed_out(scene, mine, _by_bob(scene, mine, "write", grant_object=grant), errors.NoGrant)


@attack(
    "shared_rollback",
    GRANTS,
    "handed out an older revision of a shared picture to the person it is shared with",
    errors.RolledBack,
)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    old = hands.stored(scene.alice, mine)
    scene.alice.revise(mine, 2)
    scene.bob.listed_shared()
    scene.freeze(scene.bob)
    hands.in_envelopes(scene.evil, mine, old.envelope.text)
    scene.evil.lie(hands.CONTENT, hands.body(old.content))
    scene.nothing_shown_of_others(scene.bob, theirs, errors.RolledBack)


@attack("shared_payload_swapped", GRANTS, "swapped the files of two shared pictures", errors.Damaged)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    other, _ = shared_with_bob(scene, seed=2)
    content = hands.stored(scene.alice, other).content
    scene.bob.listed_shared()
    scene.evil.lie(hands.CONTENT, hands.body(content))
    scene.shared_does_not_open(scene.bob, theirs, errors.Damaged)


@attack("other_owner_same_id", GRANTS, "listed a shared picture as another person's", errors.WrongPicture)
def _(scene: Scene) -> None:
    mine, theirs = shared_with_bob(scene)
    scene.bob.sharing.find(scene.carol.name)
    scene.bob.shared.accept(scene.carol.user_id)
    claims = {"owner_id": scene.carol.user_id, "owner_name": scene.carol.name}
    hands.in_rows(scene.evil, hands.SHARED, lambda rows: [row | claims for row in rows])
    pictures = scene.bob.listed_shared()
    must(theirs not in pictures, "it is listed as the right person's")
    picture = pictures[f"{scene.carol.user_id}.{mine}"]
    must(picture.state is PictureState.REFUSED and picture.problem_code == errors.WrongPicture.code, picture.problem)
    must(not scene.bob.shared.thumbnails([picture.id]), "a thumbnail is shown")
    scene.refused(errors.WrongPicture, lambda: _read_as(scene.bob, scene.carol, mine, scene))


def _read_as(person: Person, owner: Person, picture_id: str, scene: Scene) -> Any:
    from desktop.client.current import fetch

    honest = person.session.api.present(scene.alice.user_id, f"p-{picture_id}")
    with mock.patch.object(type(person.session.api), "present", lambda *_, **__: honest):
        return fetch(person.vault.context(), owner.user_id, owner.key.public, picture_id)


# -- what nobody asked for --------------------------------------------------------------------------------------------


@attack("unsolicited_share", FILES, "listed pictures as shared by somebody who was never accepted", errors.Unverified)
def _(scene: Scene) -> None:
    alice, bob = scene.alice, scene.bob
    mine = alice.add(1)
    alice.listed()
    alice.sharing.find(bob.name)
    alice.sharing.share([mine], bob.user_id, "read", accept_unverified=True)
    theirs = f"{alice.user_id}.{mine}"
    scene.evil.repent()
    decoders = ("desktop.crypto.envelope.Envelope.open", "desktop.image_formats.check_thumbnail", "PIL.Image.open")
    with mock.patch(decoders[0]) as first, mock.patch(decoders[1]) as second, mock.patch(decoders[2]) as third:
        picture = bob.listed_shared()[theirs]
        bob.shared.senders()
        must(picture.state is PictureState.UNDECODED, f"it is {picture.state}")
        must(not bob.shared.thumbnails([theirs]), "a thumbnail is shown")
        scene.refused(errors.Unverified, lambda: bob.shared.open(theirs))
        export = lambda: bob.shared.export(theirs, scene.target(bob))  # noqa: E731
        scene.not_written(bob, lambda: scene.refused(errors.Unverified, export))
        must(not (first.called or second.called or third.called), "something of it was decoded")
    must(not scene.evil.asked(rf"^GET .*p-{mine}/(content|envelope)"), "something of it was fetched")


@attack(
    "share_from_invented_person",
    FILES,
    "listed pictures of a person that it had invented, under the name of one who is known",
    errors.Unverified,
)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    made = forge.picture(key_of("server"), sample_pictures.png(40, 30))
    grant = forge.grant(key_of("server"), scene.bob.key.public, made.deed, made.picture_key, role="read")
    invented = {
        "img_name": f"p-{made.picture_id}.png",
        "id": "f" * 24,
        "scheme": "sealed",
        "size": 9,
        "created": "2026-01-01T00:00:00Z",
        "envelope": made.envelope,
        "header_hash": made.hash,
        "owner_id": "e" * 24,
        "owner_name": scene.alice.name,
        "role": "read",
        "grant": json.dumps(grant, sort_keys=True, separators=(",", ":")),
    }
    hands.in_rows(scene.evil, hands.SHARED, lambda rows: [*rows, invented])

    def user(reply: Any) -> None:
        reply.status, reply.headers = "200 OK", {"Content-Type": "application/json"}
        claims = {"user_id": "e" * 24, "user_name": scene.alice.name, "public_key": key_of("server").public.pem}
        reply.set(json.dumps(claims).encode())

    scene.evil.lie(r"^GET /api/v1/users/e{24}\?", user)
    pictures = scene.bob.listed_shared()
    new = f"{'e' * 24}.{made.picture_id}"
    must(pictures[new].state is PictureState.UNDECODED, f"it is {pictures[new].state}")
    must(pictures[theirs].state is PictureState.READY, "the other picture is not shown")
    scene.refused(errors.KeyChanged, lambda: scene.bob.shared.accept("e" * 24))  # a known name with another key
    scene.refused(errors.Unverified, lambda: scene.bob.shared.open(new))


@attack(
    "inject_among_accepted",
    FILES,
    "put a picture of its own among those of somebody who was accepted",
    errors.NotAuthentic,
)
def _(scene: Scene) -> None:
    _, theirs = shared_with_bob(scene)
    made = forge.picture(scene.alice.key, signer=key_of("server"))
    grant = forge.grant(scene.alice.key, scene.bob.key.public, made.deed, made.picture_key, signer=key_of("server"))
    text = json.dumps(grant, sort_keys=True, separators=(",", ":"))
    more = {"id": "f" * 24, "img_name": f"p-{made.picture_id}.png", "envelope": made.envelope, "grant": text}
    hands.in_rows(scene.evil, hands.SHARED, lambda rows: [*rows, rows[0] | more | {"header_hash": made.hash}])
    scene.evil.lie_to(
        rf"^GET .*p-{made.picture_id}/envelope",
        lambda request, reply: _answer(reply, _row_of(scene, made, text)),
    )
    scene.nothing_shown_of_others(scene.bob, f"{scene.alice.user_id}.{made.picture_id}", errors.NotAuthentic)
    must(scene.bob.listed_shared()[theirs].state is PictureState.READY, "the other picture is not shown")


def _row_of(scene: Scene, made: forge.Made, grant: str) -> dict[str, Any]:
    return {
        "img_name": f"p-{made.picture_id}.png",
        "id": "f" * 24,
        "scheme": "sealed",
        "size": 9,
        "created": "2026-01-01T00:00:00Z",
        "envelope": made.envelope,
        "header_hash": made.hash,
        "role": "read",
        "grant": grant,
    }


def _answer(reply: Any, document: Any) -> None:
    reply.status, reply.headers = "200 OK", {"Content-Type": "application/json"}
    reply.set(json.dumps(document).encode())


@attack("own_pictures_as_shared", FILES, "listed one's own pictures as shared by somebody", None)
def _(scene: Scene) -> str:
    mine, _ = shared_with_bob(scene)
    row = scene.bob.session.api.shared_page(scene.bob.user_id)[0]
    must(row.owner_id == scene.alice.user_id, "the row is somebody else's")
    hands.in_rows(scene.evil, hands.SHARED, lambda rows: [row | {"owner_id": scene.bob.user_id} for row in rows])
    pictures = SharedPictures(scene.bob.vault.context()).list()
    must(pictures == [], "one's own are listed as shared")
    must(mine not in scene.bob.listed(), "it is among one's own")
    return "left out: one's own pictures are listed elsewhere, and signed by oneself"
