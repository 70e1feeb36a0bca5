"""Attacks that put something in, or call something by a weaker scheme: files, folders, downgrades, links."""

from __future__ import annotations

import json
from typing import Any

from desktop import errors
from desktop.crypto.grants import grant_to, read_grant
from desktop.crypto.local_carrier import open_carrier
from desktop.models import Scheme
from tests import sample_pictures
from tests.crypto import forge
from tests.malicious_server import hands
from tests.malicious_server.people import key_of
from tests.malicious_server.playing import Scene, attack, must

FILES = "injecting files"
FOLDERS = "injecting folders"
DOWNGRADE = "protocol downgrade"


# -- injecting --------------------------------------------------------------------------------------------------------


def _row(envelope: str, picture_id: str, **more: Any) -> dict[str, Any]:
    """A row of a list as the server would make it up."""
    return {
        "img_name": f"p-{picture_id}.png",
        "id": "f" * 24,
        "scheme": "sealed",
        "size": 1000,
        "created": "2026-01-01T00:00:00Z",
        "envelope": envelope,
    } | more


def _inject(scene: Scene, row: dict[str, Any]) -> None:
    scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    hands.in_rows(scene.evil, hands.LISTING, lambda rows: [*rows, row])


@attack("inject_own_named", FILES, "put a picture among one's own that a key of the server had signed", errors.Injected)
def _(scene: Scene) -> None:
    made = forge.picture(key_of("server"), sample_pictures.png(40, 30), thumbnail=sample_pictures.jpeg(20, 20))
    _inject(scene, _row(made.envelope, made.picture_id))
    scene.nothing_shown(scene.alice, made.picture_id, errors.Injected)
    must(scene.alice.vault.trust().injected == (made.picture_id,), "the gallery's warning does not name it")


@attack(
    "inject_others_picture",
    FILES,
    "put a picture of somebody else, rightly signed by them, among one's own",
    errors.Injected,
)
def _(scene: Scene) -> None:
    theirs = scene.bob.add(5)
    envelope = hands.stored(scene.bob, theirs).envelope.text
    _inject(scene, _row(envelope, theirs))
    scene.nothing_shown(scene.alice, theirs, errors.Injected)


@attack(
    "inject_with_my_name",
    FILES,
    "put a picture among one's own whose header names one's own key without its signature",
    errors.Injected,
)
def _(scene: Scene) -> None:
    made = forge.picture(scene.alice.key, signer=key_of("server"))
    _inject(scene, _row(made.envelope, made.picture_id))
    scene.nothing_shown(scene.alice, made.picture_id, errors.Injected)


@attack("inject_classic", FILES, "put a picture of the classic scheme among sealed ones", errors.KeyMissing)
def _(scene: Scene) -> None:
    _inject(scene, _row("", "", img_name="holiday.png", scheme="classic"))
    pictures = scene.alice.listed()
    picture = pictures["holiday"]
    must(picture.scheme is Scheme.CLASSIC, "it is not called unprotected")
    must(not scene.alice.vault.thumbnails(["holiday"]), "a thumbnail is shown")
    scene._frozen.clear()  # that there is such a picture is remembered
    scene.does_not_open(scene.alice, "holiday", errors.KeyMissing)


@attack("inject_under_sealed_id", FILES, "named a classic picture with the digits of a sealed one", None)
def _(scene: Scene) -> str:
    mine = scene.alice.add(1)
    scene.alice.listed()
    hands.in_rows(
        scene.evil, hands.LISTING, lambda rows: [*rows, _row("", "", img_name=mine + ".png", scheme="classic")]
    )
    scene.shown(scene.alice, mine)
    return "the sealed picture is shown as before, the other one beside it as unprotected"


@attack(
    "inject_folders",
    FOLDERS,
    "listed pictures inside folders, above them, and in folders of other people",
    errors.WrongPicture,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    honest = hands.stored(scene.alice, mine).envelope.text
    scene.alice.listed()
    for name in (f"folder/p-{mine}.png", f"../{scene.alice.user_id}/p-{mine}.png", "folder/", f"p-{mine}/.png", "/"):
        scene.evil.repent()
        hands.in_rows(
            scene.evil,
            hands.LISTING,
            lambda rows, name=name: [*rows, _row(honest, mine, img_name=name)],
        )
        pictures = scene.alice.listed()
        (other,) = set(pictures) - {mine}
        scene.nothing_shown(scene.alice, other, errors.WrongPicture, listed=pictures)
        scene.shown(scene.alice, mine)


@attack("folder_members", FOLDERS, "gave pictures members that name folders and parents", None)
def _(scene: Scene) -> str:
    mine = scene.alice.add(1)
    honest = scene.alice.listed()
    scene.freeze(scene.alice)
    members = {"folder": "Holidays", "parent": "f" * 24, "path": "/a/b", "children": [mine], "album": {"id": 1}}
    hands.in_rows(scene.evil, hands.LISTING, lambda rows: [row | members for row in rows])
    must(scene.alice.listed() == honest, "something of it is believed")
    return "there are no folders, so what names them is not read"


# -- downgrades -------------------------------------------------------------------------------------------------------


@attack("server_says_classic", DOWNGRADE, "called a sealed picture a classic one", errors.SchemeChanged)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    hands.in_rows(scene.evil, hands.LISTING, lambda rows: [row | {"scheme": "classic"} for row in rows])
    scene.nothing_shown(scene.alice, mine, errors.SchemeChanged)
    must(scene.alice.vault.trust().scheme_changed == (mine,), "the gallery's warning does not name it")


@attack(
    "classic_in_place_of_sealed",
    DOWNGRADE,
    "handed out a classic file, quotient and all, in place of a sealed picture",
    errors.SchemeChanged,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    hands.in_rows(
        scene.evil,
        hands.LISTING,
        lambda rows: [{key: row[key] for key in row if key != "envelope"} | {"scheme": "classic"} for row in rows],
    )
    scene.evil.lie(hands.CONTENT, hands.body(sample_pictures.png(40, 30, seed=7)))
    scene.nothing_shown(scene.alice, mine, errors.SchemeChanged)


@attack("sealed_without_envelope", DOWNGRADE, "listed a sealed picture without its header", errors.Damaged)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    hands.in_rows(
        scene.evil, hands.LISTING, lambda rows: [{key: row[key] for key in row if key != "envelope"} for row in rows]
    )
    scene.nothing_shown(scene.alice, mine, errors.Damaged)


@attack(
    "lower_suite", DOWNGRADE, "exchanged the suite that a header names for older and newer ones", errors.NotAuthentic
)
def _(scene: Scene) -> None:
    mine = scene.alice.add(1)
    scene.alice.listed()
    scene.freeze(scene.alice)
    honest = hands.stored(scene.alice, mine)
    for suite in (0, 2, 255):
        header = honest.header
        header["body"]["deed"]["body"]["suite"] = suite
        scene.evil.repent()
        hands.in_envelopes(scene.evil, mine, json.dumps(header, sort_keys=True, separators=(",", ":")))
        scene.nothing_shown(scene.alice, mine, errors.NotAuthentic)


@attack(
    "account_becomes_classic",
    DOWNGRADE,
    "said at sign-in that the account has a key of the classic scheme",
    errors.SchemeChanged,
)
def _(scene: Scene) -> None:
    scene.alice.add(1)
    scene.alice.session.close()
    scene.evil.lie_in_json(hands.PEOPLE, lambda user: user | {"public_key": "27977 9431"})
    scene.refused(errors.SchemeChanged, scene.alice.sign_in)


@attack(
    "link", "link sharing", "gave everything it keeps of a picture to somebody who has its address and no key", None
)
def _(scene: Scene) -> str:
    mine = scene.alice.add(1)
    whole = hands.stored(scene.alice, mine)
    granted = grant_to(whole.opened, scene.alice.key, scene.bob.key.public, "read", 5)
    folder = scene.target(scene.carol)
    file = scene.carol.source(whole.content, "noise.png")
    for key in (scene.carol.key, key_of("server")):
        scene.refused_by_any(lambda key=key: open_carrier(file, key, folder))
        scene.refused_by_any(lambda key=key: whole.envelope.open(key))
        grant = read_grant(granted, whole.envelope, scene.alice.key.public, scene.bob.key.fingerprint)
        scene.refused_by_any(lambda key=key, grant=grant: whole.envelope.open(key, grant))
    must(not list(folder.iterdir()), "something was written")
    rules = [rule.rule for rule in scene.running.app.url_map.iter_rules()]
    must(not [rule for rule in rules if any(word in rule for word in ("link", "public", "invite", "guest"))], "a link")
    api = scene.carol.session.api
    scene.refused_by_any(lambda: api.present(scene.alice.user_id, f"p-{mine}"))
    api.use_token("")
    scene.refused_by_any(lambda: api.present(scene.alice.user_id, f"p-{mine}"))
    scene.refused_by_any(lambda: _read(api, scene.alice.user_id, f"p-{mine}"))
    must(not list(folder.iterdir()), "something was written")
    return "there are no links: nothing opens without a person's key, and nothing is given out without signing in"


def _read(api: Any, user_id: str, name: str) -> bytes:
    with api.content(user_id, name) as stream:
        return bytes(stream.read())
