"""A server that hands out something else than was stored: everything by its name, nothing shown, nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.vault_listing import open_envelope
from desktop.crypto.keys import PrivateKey
from desktop.models import Picture, PictureState
from tests import sample_pictures
from tests.attacks.conftest import PASSPHRASE, PASSWORD, Reply, Victim
from tests.crypto import forge

LISTING = r"GET /api/v1/users/[0-9a-f]+/images\?limit"
CONTENT = r"/content\?"
THUMBNAILS = r"/images/thumbnails\?"
USER = r"GET /api/v1/users/[0-9a-f]+\?"
Rows = list[dict[str, Any]]


def listed(victim: Victim, change: Callable[[Rows], Rows]) -> dict[str, Picture]:
    """The pictures by id, as they are believed when the server changes its list."""
    victim.liar.about(LISTING, lambda reply: reply.json(lambda rows: change(rows) if rows else rows))
    return {picture.id: picture for picture in victim.vault.list_pictures()}


def two(victim: Victim) -> tuple[str, str]:
    return victim.add(sample_pictures.png(40, 30, seed=1)), victim.add(sample_pictures.png(40, 30, seed=2))


def swap(field: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[0][field], rows[1][field] = rows[1][field], rows[0][field]
        return rows

    return change


@pytest.mark.parametrize("field", ["envelope", "img_name"])
def test_swapped_rows_are_refused_and_cannot_be_exported(victim: Victim, field: str) -> None:
    ids = two(victim)
    pictures = listed(victim, swap(field))
    assert set(pictures) == set(ids)
    for picture_id in ids:
        assert pictures[picture_id].state is PictureState.REFUSED
        assert pictures[picture_id].problem_code == errors.WrongPicture.code
        assert not victim.vault.thumbnails([picture_id])
        with pytest.raises(errors.WrongPicture):
            victim.vault.export(picture_id, victim.outside)
    assert not [path for path in victim.outside.iterdir() if path.is_file()]


def test_someone_elses_valid_picture_is_refused(victim: Victim, other_key: PrivateKey) -> None:
    mine, _ = two(victim)
    theirs = forge.picture(other_key, picture_id=mine)
    picture = listed(victim, lambda rows: [dict(rows[0], envelope=theirs.envelope), *rows[1:]])[mine]
    assert picture.state is PictureState.REFUSED


def test_what_is_refused_is_not_kept(victim: Victim) -> None:
    """A long list of 32 KB envelopes would fill the memory."""
    two(victim)
    rows = [
        {
            "img_name": f"p-{number:032x}.png",
            "id": f"{0xF << 92 | number:024x}",
            "scheme": "sealed",
            "size": 1,
            "created": "2020-01-01T00:00:00Z",
            "envelope": f"{number:032x}" * 1000,
        }
        for number in range(40)
    ]
    pictures = listed(victim, lambda honest: honest + rows)
    known = [victim.vault._catalog.get(picture_id) for picture_id in pictures]
    assert sorted(len(item.envelope) > 0 for item in known) == [False] * 40 + [True] * 2
    assert all(item.refusal is None or item.refusal.__traceback__ is None for item in known)


def test_a_sealed_picture_called_classic_is_refused(victim: Victim) -> None:
    mine, _ = two(victim)
    picture = listed(victim, lambda rows: [dict(row, scheme="classic") for row in rows])[mine]
    assert (picture.state, picture.problem_code) == (PictureState.REFUSED, errors.SchemeChanged.code)


def test_a_classic_row_does_not_take_the_place_of_a_sealed_picture(victim: Victim) -> None:
    """The id of a sealed picture is 32 digits, and so can a classic name be."""
    mine, _ = two(victim)
    impostor = {"img_name": mine + ".png", "id": "f" * 24, "scheme": "classic", "size": 1, "created": "2020-01-01T00Z"}
    pictures = listed(victim, lambda rows: [*rows, impostor])
    assert len(pictures) == 3
    assert victim.vault.open(mine).picture.state is PictureState.READY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created", "9999-12-31T23:59:59-23:59"),
        ("created", "0001-01-01T00:00:00+23:59"),
        ("created", "0001-01-01T00:00:00Z"),
        ("created", "9999-12-31T23:59:59Z"),
        ("img_name", "\ud800"),
        ("img_name", 7),
        ("size", 1e300),
        ("size", -1),
        ("size", True),
        ("id", "../../x"),
        ("envelope", None),
        ("envelope", "x" * 40_000),
    ],
)
def test_rows_that_make_no_sense(victim: Victim, field: str, value: object) -> None:
    two(victim)
    with pytest.raises(errors.NotAGlassineServer):
        listed(victim, lambda rows: [dict(rows[0], **{field: value})])


@pytest.mark.parametrize("name", ["../../x", ".", "con", "\u202egpj.exe", "a\0b", "n" * 4000, " ", "%2e%2e%2fx", "a,b"])
def test_names_of_a_server_are_data(victim: Victim, name: str) -> None:
    two(victim)
    impostor = {"img_name": name + ".png", "id": "f" * 24, "scheme": "classic", "size": 1, "created": "2020-01-01T00Z"}
    (picture,) = [picture for picture in listed(victim, lambda rows: [*rows, impostor]).values() if picture.size == 0]
    assert not any(char in picture.name for char in "/\\\0\u202e")
    assert len(picture.name.encode()) <= 255
    picture.when.isoformat()
    with pytest.raises(errors.KeyMissing):
        victim.vault.export(picture.id, victim.outside)
    with pytest.raises(errors.GlassineError):
        victim.vault.delete(picture.id)
    victim.liar.repent()
    assert len(victim.vault.list_pictures()) == 2


def other_content(victim: Victim, other: str) -> Callable[[Reply], None]:
    with victim.session.api.content(victim.session.user_id, f"p-{other}") as stream:
        data = b"".join(iter(lambda: stream.read(1 << 16), b""))

    def lie(reply: Reply) -> None:
        reply.body = data
        reply.headers["Content-Length"] = str(len(data))

    return lie


def longer(reply: Reply) -> None:
    reply.body += b"\0"
    reply.headers["Content-Length"] = str(len(reply.body))


def shorter(reply: Reply) -> None:
    reply.body = reply.body[:-1]
    reply.headers["Content-Length"] = str(len(reply.body))


def compressed(reply: Reply) -> None:
    import zlib

    reply.body = zlib.compress(reply.body)
    reply.headers |= {"Content-Encoding": "deflate", "Content-Length": str(len(reply.body))}


def tagged(reply: Reply) -> None:
    reply.headers["ETag"] = '"' + "0" * 64 + '"'
    reply.body = reply.body[:-40] + bytes(40)


@pytest.mark.parametrize("lie", [longer, shorter, compressed, tagged, None])
def test_another_payload_is_damaged_and_leaves_no_file(victim: Victim, lie: Callable[[Reply], None] | None) -> None:
    mine, other = two(victim)
    victim.vault.list_pictures()
    folder = victim.outside / "export"
    folder.mkdir()
    victim.liar.about(CONTENT, lie or other_content(victim, other))
    with pytest.raises(errors.Damaged):
        victim.vault.open(mine)
    with pytest.raises(errors.Damaged):
        victim.vault.export(mine, folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_nobody_is_sent_elsewhere(victim: Victim, status: str) -> None:
    mine, _ = two(victim)
    victim.vault.list_pictures()

    def lie(reply: Reply) -> None:
        reply.status, reply.headers["Location"] = status, "http://127.0.0.1:9/api/v1/x"

    victim.liar.about(CONTENT, lie)
    with pytest.raises(errors.NotAGlassineServer, match="another address"):
        victim.vault.open(mine)


def frames(*thumbnails: bytes) -> Callable[[Reply], None]:
    def lie(reply: Reply) -> None:
        reply.body = b"".join(len(item).to_bytes(4, "big") + item for item in thumbnails)
        reply.headers["Content-Length"] = str(len(reply.body))

    return lie


def test_plain_pictures_are_no_thumbnails(victim: Victim) -> None:
    """Only what the owner sealed reaches a decoder."""
    ids = two(victim)
    fresh = victim.sign_in().vault()
    fresh.list_pictures()
    for path in victim.data.rglob("thumbnails/??/*"):
        path.unlink()
    victim.liar.about(THUMBNAILS, frames(sample_pictures.jpeg(), b"<svg/>"))
    assert fresh.thumbnails(list(ids)) == {}


@pytest.mark.parametrize("body", [b"", b"\xff\xff\xff\xfe", b"\xff" * 12, b"\0\0\0\1", b"\0" * 9])
def test_broken_frames_of_thumbnails(victim: Victim, body: bytes) -> None:
    ids = two(victim)
    for path in victim.data.rglob("thumbnails/??/*"):
        path.unlink()

    def lie(reply: Reply) -> None:
        reply.body, reply.headers["Content-Length"] = body, str(len(body))

    victim.liar.about(THUMBNAILS, lie)
    with pytest.raises(errors.NotAGlassineServer):
        victim.vault.thumbnails(list(ids))


@pytest.mark.parametrize(
    "bomb", [b"[" + b"{}," * 60_000 + b"0]", b"[" * 200_000, b'{"a":' * 50_000, b"[" + b"9" * 9000]
)
def test_json_that_would_swell_is_not_parsed(victim: Victim, bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    honest = json.loads

    def loads(text: Any, **more: Any) -> Any:
        parsed.append(text.count(b"{") + text.count(b"["))
        return honest(text, **more)

    def lie(reply: Reply) -> None:
        reply.body, reply.headers["Content-Length"] = bomb, str(len(bomb))

    victim.liar.about(LISTING, lie)
    monkeypatch.setattr("desktop.client.transport.json.loads", loads)
    with pytest.raises(errors.NotAGlassineServer):
        victim.vault.list_pictures()
    assert max(parsed, default=0) < 60_000


# -- accounts ---------------------------------------------------------------------------------------------------------


def test_a_key_put_in_the_place_of_mine_at_registration(victim: Victim, other_key: PrivateKey) -> None:
    """The server that learns a public key answers with another: nothing is stored under it."""
    victim.liar.about(USER, lambda reply: reply.json(lambda user: user | {"public_key": other_key.public.pem}))
    with pytest.raises(errors.KeyChanged):
        victim.sessions.register(victim.address, victim.name + " again", PASSWORD, PASSPHRASE)


def test_a_key_put_in_the_place_of_mine_later(victim: Victim, other_key: PrivateKey) -> None:
    victim.liar.about(USER, lambda reply: reply.json(lambda user: user | {"public_key": other_key.public.pem}))
    with pytest.raises(errors.KeyChanged):
        victim.sign_in()


def test_my_sealed_account_does_not_become_a_classic_one(victim: Victim) -> None:
    victim.liar.about(USER, lambda reply: reply.json(lambda user: user | {"public_key": "27977 9431"}))
    with pytest.raises(errors.SchemeChanged):
        victim.sign_in()


@pytest.mark.parametrize("user_id", ["f" * 24, "../../users", "F" * 24, ""])
def test_another_users_id(victim: Victim, user_id: str) -> None:
    victim.liar.about(USER, lambda reply: reply.json(lambda user: user | {"user_id": user_id}))
    with pytest.raises(errors.NotAGlassineServer):
        victim.sign_in()


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a b", "\x00", "t" * 9000, "", "tök"])
def test_a_token_is_one_word(victim: Victim, token: str) -> None:
    victim.liar.about("/auth/login", lambda reply: reply.json(lambda login: login | {"access_token": token}))
    with pytest.raises(errors.NotAGlassineServer):
        victim.sign_in()


def test_the_answer_to_an_upload_is_not_believed(victim: Victim, other_key: PrivateKey) -> None:
    """The envelope that was sent counts, whatever comes back."""
    theirs = forge.picture(other_key)
    victim.liar.about(
        r"POST .*/images\?",
        lambda reply: reply.json(lambda row: row | {"envelope": theirs.envelope, "size": 7}),
    )
    mine = victim.add(sample_pictures.png(40, 30, seed=3))
    victim.liar.repent()
    rows, _ = victim.session.api.page(victim.session.user_id)
    assert open_envelope(rows[0].envelope, mine, victim.key).metadata.name == "picture.png"
    assert victim.vault.open(mine).picture.name == "picture.png"


@pytest.mark.parametrize("change", [{"img_name": "x.png"}, {"scheme": "classic"}])
def test_a_server_that_stored_something_else(victim: Victim, change: dict[str, str]) -> None:
    victim.liar.about(r"POST .*/images\?", lambda reply: reply.json(lambda row: row | change))
    with pytest.raises(errors.WrongPicture):
        victim.add(sample_pictures.png(40, 30, seed=4))
    assert len(victim.vault.staged()) == 1


def test_what_a_server_says_stays_out_of_the_log(victim: Victim, tmp_path: Path) -> None:
    import logging

    from desktop.logs import start_log

    handler = start_log(tmp_path / "log")
    assert handler is not None
    try:
        logging.getLogger("desktop.client").warning("refused: %s", "one\n2026-01-01 ERROR root: forged\x1b[31m")
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    assert len((tmp_path / "log" / "glassine.log").read_text().splitlines()) == 1
