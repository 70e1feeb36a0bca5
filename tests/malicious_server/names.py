"""Attacks on what is said about one's own pictures: names, places, metadata, spelling."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop import errors
from tests.crypto import forge
from tests.malicious_server import hands
from tests.malicious_server.people import key_of
from tests.malicious_server.playing import Scene, attack, must

NAMES = "tampering with names and places"
METADATA = "tampering with metadata"


# -- names and places -------------------------------------------------------------------------------------------------


@attack("swap_rows", NAMES, "listed the header of one picture under the id of another, both ways", errors.WrongPicture)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1), scene.alice.add(2)
    scene.freeze(scene.alice)

    def swap(rows: hands.Rows) -> hands.Rows:
        rows[0]["envelope"], rows[1]["envelope"] = rows[1]["envelope"], rows[0]["envelope"]
        return rows

    hands.in_rows(scene.evil, hands.LISTING, swap)
    pictures = scene.alice.listed()
    for picture_id in (mine, other):
        scene.nothing_shown(scene.alice, picture_id, errors.WrongPicture, listed=pictures)


@attack("swap_names", NAMES, "exchanged the names of two pictures", errors.WrongPicture)
def _(scene: Scene) -> None:
    mine, _ = scene.alice.add(1), scene.alice.add(2)
    scene.freeze(scene.alice)

    def swap(rows: hands.Rows) -> hands.Rows:
        rows[0]["img_name"], rows[1]["img_name"] = rows[1]["img_name"], rows[0]["img_name"]
        return rows

    hands.in_rows(scene.evil, hands.LISTING, swap)
    scene.nothing_shown(scene.alice, mine, errors.WrongPicture)


@attack("listed_twice", NAMES, "listed one picture twice, the second time under another row", errors.WrongPicture)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    scene.freeze(scene.alice)
    hands.in_rows(scene.evil, hands.LISTING, lambda rows: [*rows, rows[0] | {"id": "f" * 24}])
    scene.nothing_shown(scene.alice, mine, errors.WrongPicture)


@attack(
    "hostile_stored_names",
    NAMES,
    "listed a picture under names with ../, zero bytes, signs that turn text around, and 4,000 letters",
    errors.WrongPicture,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    scene.alice.listed()
    for name in ("../../x", ".", "CON", "\u202egpj.exe", "a\0b", "n" * 4000, "%2e%2e%2fx", "a,b"):
        scene.evil.repent()
        hands.in_rows(scene.evil, hands.LISTING, lambda rows, name=name: [rows[0] | {"img_name": name + ".png"}])
        pictures = scene.alice.listed()
        (there,) = [picture for picture in pictures.values() if picture.id != mine]
        safe = there.name
        must("/" not in safe and "\0" not in safe and "\u202e" not in safe and len(safe) <= 255, f"shown as {safe!r}")
        scene.nothing_shown(scene.alice, there.id, errors.WrongPicture, listed=pictures)


@attack("stored_elsewhere", NAMES, "answered an upload with the row of another picture", errors.WrongPicture)
def _(scene: Scene) -> None:
    scene.alice.listed()
    scene.freeze(scene.alice)
    scene.evil.lie_in_json(r"^POST .*/images\?", lambda row: row | {"img_name": "p-" + "ab" * 16 + ".png"})
    scene.refused(errors.WrongPicture, scene.alice.add)
    must(len(scene.alice.vault.staged()) == 1, "the picture is not kept here")


@attack("hostile_file_name", NAMES, "passed on a picture whose sender had signed ../../ into its file name", None)
def _(scene: Scene) -> str:
    alice = scene.alice
    mine = alice.add()
    honest = hands.stored(alice, mine)
    plain = bytes(alice.vault.open(mine).data) if mine in alice.listed() else b""
    hostile = "../../../home/\u202egpj.exe\0" + "x" * 900

    def meta(metadata: Any) -> bytes:
        document = json.loads(metadata.encode()) | {"name": hostile}
        text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        return text + b" " * (-len(text) % 256)

    made = forge.picture(
        alice.key,
        plain,
        picture_id=mine,
        picture_key=honest.opened.picture_key,
        deed_object=honest.deed,
        revision=2,
        previous=honest.envelope.header_hash,
        meta=meta,
    )
    hands.in_envelopes(scene.evil, mine, made.envelope)
    scene.evil.lie(hands.CONTENT, hands.body(made.carrier))
    picture = alice.listed()[mine]
    if picture.problem_code:
        must(picture.problem_code == errors.Damaged.code, picture.problem)
        return "the metadata is damaged; nothing is shown"
    target = scene.target(alice)
    path = alice.vault.export(mine, target)
    must(path.parent == target and Path(path.name).name == path.name, f"exported to {path}")
    must("\u202e" not in path.name and len(path.name.encode()) <= 255, f"exported as {path.name!r}")
    return "exported into the chosen folder under a name that is safe"


# -- metadata ---------------------------------------------------------------------------------------------------------


@attack("row_metadata", METADATA, "changed sizes, times and the header's name in the list", None)
def _(scene: Scene) -> str:
    mine = scene.alice.add()
    honest = scene.alice.listed()[mine]
    scene.freeze(scene.alice)
    changes: dict[str, Any] = {"size": 7, "created": "2001-01-01T00:00:00Z", "updated": "1999-01-01T00:00:00Z"}
    hands.in_rows(scene.evil, hands.LISTING, lambda rows: [rows[0] | changes | {"header_hash": "ab" * 32}])
    picture = scene.alice.listed()[mine]
    kept = replace(picture, stored_size=honest.stored_size, added=honest.added)
    must(kept == honest, f"believed: {picture}")
    scene.shown(scene.alice, mine)
    return "name, size, dimensions and time of the picture are those that were signed"


@attack(
    "swap_sealed_metadata",
    METADATA,
    "put the sealed metadata of one picture into the header of another",
    errors.NotAuthentic,
)
def _(scene: Scene) -> None:
    mine, other = scene.alice.add(1, "one.png"), scene.alice.add(2, "two.png")
    scene.freeze(scene.alice)
    header = hands.stored(scene.alice, mine).header
    header["body"]["meta"] = hands.stored(scene.alice, other).header["body"]["meta"]
    hands.in_envelopes(scene.evil, mine, json.dumps(header, sort_keys=True, separators=(",", ":")))
    scene.nothing_shown(scene.alice, mine, errors.NotAuthentic)


@attack(
    "reserialised_header",
    METADATA,
    "sent a header in another spelling: blanks, other order, a member twice, a member more",
    errors.Damaged,
)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    scene.freeze(scene.alice)
    whole = hands.stored(scene.alice, mine)
    text, value = whole.envelope.text, whole.header
    spellings = [
        json.dumps(value, sort_keys=True),
        json.dumps(dict(reversed(value.items())), separators=(",", ":")),
        text[:-1] + ',"sig":"AAAA"}',
        text[:-1] + ',"x":1}',
        text.replace('"rev":1', '"rev":1.0'),
        text.replace('"rev":1', '"rev":true'),
        text.replace('"rev":1', '"rev":1' + "0" * 20),
        text.replace('"t":"header"', '"t":"he\\u0061der"'),
        text + " ",
        "",
    ]
    for spelling in spellings:
        must(spelling != text, "the spelling is the same")
        scene.evil.repent()
        hands.in_envelopes(scene.evil, mine, spelling)
        scene.nothing_shown(scene.alice, mine, errors.Damaged)


@attack("foreign_signature", METADATA, "signed a picture's header with a key of its own", errors.NotAuthentic)
def _(scene: Scene) -> None:
    mine = scene.alice.add()
    scene.freeze(scene.alice)
    whole = hands.stored(scene.alice, mine)
    made = forge.picture(
        scene.alice.key, picture_id=mine, picture_key=bytes(32), deed_object=whole.deed, signer=key_of("server")
    )
    hands.in_envelopes(scene.evil, mine, made.envelope)
    scene.evil.lie(hands.CONTENT, hands.body(made.carrier))
    scene.nothing_shown(scene.alice, mine, errors.NotAuthentic)
