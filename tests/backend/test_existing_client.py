"""An existing client of this API, unchanged, against a running server: everything its documentation shows."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from tests.backend.conftest import Running
from tests.backend.samples import png

CLIENT = Path(__file__).with_name("existing_client.py")
NO_TOKEN = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"


def client(server: Running) -> ModuleType:
    """The client, with nobody signed in."""
    spec = importlib.util.spec_from_file_location("one_existing_client", CLIENT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.BASE = server.base
    return module


@pytest.fixture
def anna(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Somebody signed in, working in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return signed_in(server, f"anna {tmp_path.name} {tmp_path.stat().st_ino}")


def signed_in(server: Running, name: str) -> ModuleType:
    """Register and sign in."""
    someone = client(server)
    assert someone.register(name, "secret") == ('""', 201)
    text, code = someone.login(name, "secret")
    assert code == 200
    assert set(json.loads(text)) == {"user_id", "access_token", "refresh_token"}
    return someone


def pixels(path: str) -> bytes:
    with Image.open(path) as opened:
        return opened.convert("RGB").tobytes()


def message(answer: tuple[str, int]) -> tuple[str, int]:
    return json.loads(answer[0])["message"], answer[1]


def test_a_picture_goes_up_and_comes_back(anna: ModuleType) -> None:
    Path("bicycle.png").write_bytes(png(12, 9))
    original = pixels("bicycle.png")
    assert anna.listImage() == ("[]", 200)
    assert anna.uploadImage("bicycle.png") == ('""', 201)
    encrypted = Path("bicycle.png").read_bytes()
    assert pixels("bicycle.png") != original
    rows = json.loads(anna.listImage()[0])
    assert [row["img_name"] for row in rows] == ["bicycle.png"]
    Path("bicycle.png").unlink()
    assert anna.downloadImage("bicycle.png", "rsa.txt") == ("", 200)
    assert pixels("bicycle.png") == original
    anna.getShareImage("bicycle.png", anna.userId)  # the same bytes, not decrypted
    assert Path("bicycle.png").read_bytes() == encrypted


def test_all_pictures_come_back(anna: ModuleType) -> None:
    assert anna.downloadImageAll("rsa.txt") == ("", 200)
    originals = {}
    for name in ("one.png", "two words.png", "drei \u00e4.png"):
        Path(name).write_bytes(png(8, 5))
        originals[name] = pixels(name)
        assert anna.uploadImage(name) == ('""', 201)
        Path(name).unlink()
    assert anna.downloadImageAll("rsa.txt") == ("", 200)
    assert {name: pixels(name) for name in originals} == originals


def test_a_name_taken_twice_gets_the_time(anna: ModuleType) -> None:
    for _ in range(3):
        Path("bicycle.png").write_bytes(png())
        assert anna.uploadImage("bicycle.png") == ('""', 201)
    names = [row["img_name"] for row in json.loads(anna.listImage()[0])]
    assert names[0] == "bicycle.png"
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"bicycle_\d{14}(_2)?\.png", name) for name in names[1:])


def test_delete(anna: ModuleType) -> None:
    Path("my pic.png").write_bytes(png())
    assert message(anna.deleteImage("my pic.png")) == ("Image not found", 404)
    anna.uploadImage("my pic.png")
    assert anna.deleteImage("my pic.png") == ("", 204)
    assert message(anna.downloadImage("my pic.png", "rsa.txt")) == ("Image not found", 404)
    assert anna.listImage() == ("[]", 200)


def test_users(anna: ModuleType) -> None:
    text, code = anna.getUserInformation()
    me = json.loads(text)
    assert code == 200
    assert me.items() >= {"public_key": "63383 17", "user_id": anna.userId, "user_name": anna.userName}.items()
    everybody = json.loads(anna.getAllUserInformation()[0])
    assert me in everybody
    anna.userId = "0" * 24
    assert message(anna.getUserInformation()) == ("User not found", 404)


def test_share_edit_revoke(server: Running, anna: ModuleType) -> None:
    ben = signed_in(server, f"ben {anna.userId}")
    Path("bicycle.png").write_bytes(png())
    anna.uploadImage("bicycle.png")
    encrypted = Path("bicycle.png").read_bytes()
    assert anna.getShareImageAllInfo("bicycle.png") == ("[]", 200)
    assert message(ben.getShareImage("bicycle.png", anna.userId)) == ("User is not authorized", 401)

    assert anna.shareImage("bicycle.png", ben.userId, "read") == ('""', 201)
    given = {"userId": ben.userId, "role": "read"}
    assert json.loads(anna.getShareImageAllInfo("bicycle.png")[0]) == [given]
    assert json.loads(anna.getShareImageInfo("bicycle.png", ben.userId)[0]) == given
    again = anna.shareImage("bicycle.png", ben.userId, "write")
    assert message(again) == ("Permission user id is already exists", 409)
    Path("bicycle.png").unlink()
    assert ben.getShareImage("bicycle.png", anna.userId) == ("", 200)
    assert Path("bicycle.png").read_bytes() == encrypted

    assert anna.editImagePermissions("bicycle.png", ben.userId, "write") == ("", 204)
    assert json.loads(anna.getShareImageInfo("bicycle.png", ben.userId)[0])["role"] == "write"
    assert anna.deleteImagePermissions("bicycle.png", ben.userId) == ("", 204)
    gone = ("Permission for User id not found", 404)
    assert message(anna.deleteImagePermissions("bicycle.png", ben.userId)) == gone
    assert message(anna.editImagePermissions("bicycle.png", ben.userId, "read")) == gone
    assert message(anna.getShareImageInfo("bicycle.png", ben.userId)) == gone
    assert message(ben.getShareImage("bicycle.png", anna.userId)) == ("User is not authorized", 401)


def test_permissions_of_an_unknown_picture(anna: ModuleType) -> None:
    other = "0" * 24
    for answer in (
        anna.getShareImageAllInfo("no.png"),
        anna.shareImage("no.png", other, "read"),
        anna.getShareImageInfo("no.png", other),
        anna.editImagePermissions("no.png", other, "read"),
        anna.deleteImagePermissions("no.png", other),
    ):
        assert message(answer) == ("Image not found", 404)


def test_a_token_is_refused_after_logout(anna: ModuleType) -> None:
    assert anna.logout() == ('{"message":"User logged out"}', 200)
    for answer in (anna.listImage(), anna.logout(), anna.getAllUserInformation()):
        assert message(answer) == ("Token has been revoked", 401)


def test_nobody_signed_in(server: Running) -> None:
    assert message(client(server).getAllUserInformation()) == (NO_TOKEN, 422)


def test_registering_and_signing_in_wrongly(server: Running, anna: ModuleType) -> None:
    anna.getUserInformation()
    stranger = client(server)
    assert message(stranger.register(anna.userName, "other")) == ("Username already exists", 409)
    for name, password in ((anna.userName, "wrong"), ("nobody at all", "secret")):
        assert message(stranger.login(name, password)) == ("Username or password is invalid", 422)
    assert message(stranger.login(anna.userName, "")) == ("Password is required", 422)
    assert message(stranger.login("", "")) == ("Username is required, Password is required", 422)
