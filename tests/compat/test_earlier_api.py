"""A client of the API's earlier dialect, unchanged, against a running server, and what it never tries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import requests
from PIL import Image

from tests.backend.conftest import Running
from tests.backend.samples import classic, png
from tests.compat.conftest import EARLIER, OpenServer, earlier_client, new_name

NO_TOKEN = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"


@pytest.fixture
def anna(earlier: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Somebody signed in, working in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return signed_in(earlier)


def signed_in(server: Running) -> ModuleType:
    """Register and sign in."""
    someone, name = earlier_client(server), new_name()
    assert someone.register(name, "secret") == ""
    assert someone.login(name, "secret") == f'{{"data": {{"user id": "{someone.userId}"}}}}'
    someone.getUserInformation()
    return someone


def pixels(path: str) -> bytes:
    with Image.open(path) as opened:
        return opened.convert("RGB").tobytes()


def success(data: object) -> dict[str, object]:
    return {"status": "success", "code": "200", "data": data}


def failure(code: int, message: str) -> dict[str, object]:
    return {"status": "error", "code": str(code), "message": message}


def call(someone: ModuleType, method: str, path: str, **more: object) -> requests.Response:
    """A call that the client's functions do not make; ``path`` starts behind the person's address."""
    headers = {"Authorization": f"Bearer {someone.access_token}"} | more.pop("headers", {})
    url = f"{someone.BASE}/api/v1/users/{someone.userId}{path}"
    return requests.request(method, url, headers=headers, timeout=20, **more)


def test_everything_the_documentation_shows(
    open_server: OpenServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_server(EARLIER) as server:
        anna, ben = signed_in(server), signed_in(server)
        assert json.loads(anna.listImage()) == success([])
        Path("bicycle.png").write_bytes(png(12, 9))
        original = pixels("bicycle.png")
        assert json.loads(anna.uploadImage("bicycle.png")) == success({"img_name": "bicycle_e.png"})
        encrypted = Path("bicycle_e.png").read_bytes()
        again = json.loads(anna.uploadImage("bicycle.png"))["data"]["img_name"]
        assert re.fullmatch(r"bicycle_e_\d{14}\.png", again)
        assert json.loads(anna.listImage()) == success(["bicycle_e.png", again])
        Path("bicycle_e.png").unlink()
        anna.downloadImage("bicycle_e.png", "rsa.txt")
        assert pixels("bicycle_e_d.png") == original
        anna.downloadImageAll("rsa.txt")
        assert pixels("bicycle_e.png") == pixels(again) == original

        me = {"user_id": anna.userId, "user_name": anna.userName, "public_key": "63383 17"}
        assert me in anna.getAllUserInformation()["data"]

        shared = anna.getShareImageAllInfo("bicycle_e.png")
        token = shared.pop("csrf_token")
        assert shared == success({"permissions": [], "csrf_token": token})
        assert anna.shareImage("bicycle_e.png", ben.userId, "read") == ""
        given = {"userId": ben.userId, "role": "read"}
        assert anna.getShareImageAllInfo("bicycle_e.png")["data"]["permissions"] == [given]
        assert anna.getShareImageInfo("bicycle_e.png", ben.userId) == success(given)
        again_given = anna.shareImage("bicycle_e.png", ben.userId, "read")
        assert json.loads(again_given) == failure(409, "Permission user id is already exists")
        ben.getShareImage("bicycle_e.png", anna.userId)
        assert Path("bicycle_e.png").read_bytes() == encrypted
        for answer in (
            anna.editImagePermissions("bicycle_e.png", ben.userId, "write"),
            anna.deleteImagePermissions("bicycle_e.png", ben.userId),
        ):
            assert (answer.status_code, answer.content) == (204, b"")
        gone = failure(404, "Permission for User id not found")
        assert anna.getShareImageInfo("bicycle_e.png", ben.userId) == gone
        assert anna.editImagePermissions("bicycle_e.png", ben.userId, "read").json() == gone
        assert anna.deleteImagePermissions("bicycle_e.png", ben.userId).json() == gone

        deleted = anna.deleteImage("bicycle_e.png")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert deleted.headers["Content-Type"] == "application/json"
        assert json.loads(anna.listImage()) == success([again])
        assert json.loads(anna.logout()) == success("User logged out")
        assert json.loads(anna.listImage()) == failure(401, "Token has been revoked")


def test_errors_are_wrapped(earlier: Running, anna: ModuleType) -> None:
    other = "0" * 24
    for method, path, status, message in (
        ("GET", "/images/no", 404, "Image not found"),
        ("GET", "/images/no/delete", 404, "Image not found"),
        ("GET", "/images/no/permissions", 404, "Image not found"),
        ("GET", f"/images/no/permissions/{other}", 404, "Image not found"),
        ("GET", "/nothing", 404, "Not found"),
        ("PATCH", "/images", 405, "Method Not Allowed"),
        ("GET", "/images/data", 422, NO_TOKEN),
    ):
        headers = {"Authorization": "?"} if message == NO_TOKEN else {}
        answer = call(anna, method, path, headers=headers)
        assert (answer.status_code, answer.json()) == (status, failure(status, message)), path
    unknown = earlier.call("GET", f"/users/{other}", headers={"Authorization": f"Bearer {anna.access_token}"})
    assert (unknown.status_code, unknown.json()) == (404, failure(404, "User not found"))
    ben = signed_in(earlier)
    ben.userId = anna.userId
    assert json.loads(ben.listImage()) == failure(401, "User is not authorized")


def test_empty_answers_are_empty(earlier: Running) -> None:
    form = fetched(earlier, "/register")
    fields = {"username": new_name(), "password": "secret", "publicKey": "63383 17"}
    answer = requests.post(f"{earlier.base}/register", data=fields, headers=form, timeout=20)
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (201, b"", "0")
    answer = requests.post(f"{earlier.base}/register", data=fields, headers=form, timeout=20)
    assert (answer.status_code, answer.json()) == (409, failure(409, "Username already exists"))


def fetched(server: Running, path: str, **more: object) -> dict[str, str]:
    """The headers that a form needs, as clients take them from an answer."""
    answer = requests.get(f"{server.base}{path}", timeout=20, **more)
    assert set(answer.json()) == {"csrf_token"}
    return {"X-CSRFToken": answer.json()["csrf_token"], "Cookie": answer.headers["Set-Cookie"]}


def test_form_errors(earlier: Running, anna: ModuleType) -> None:
    for fields, message in (
        ({"username": anna.userName, "password": "wrong"}, "Username or password is invalid"),
        ({"username": new_name(), "password": "secret"}, "Username or password is invalid"),
        ({"username": anna.userName}, "Password is required"),
        ({}, "Username is required, Password is required"),
    ):
        answer = requests.post(f"{earlier.base}/login", data=fields, headers=fetched(earlier, "/login"), timeout=20)
        assert (answer.status_code, answer.json()) == (422, failure(422, message))


def forms(anna: ModuleType) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Everything that needs a token."""
    images = f"/api/v1/users/{anna.userId}/images"
    yield "POST", "/login", {"data": {"username": anna.userName, "password": "secret"}}
    yield "POST", "/register", {"data": {"username": new_name(), "password": "x", "publicKey": "63383 17"}}
    yield "POST", f"{images}/upload", classic()
    yield "DELETE", f"{images}/bicycle_e/delete", {}
    yield "POST", f"{images}/bicycle_e/permissions", {"data": {"user_id": "0" * 24, "role": "read"}}
    yield "PUT", f"{images}/bicycle_e/permissions/{'0' * 24}", {"data": {"role": "read"}}
    yield "DELETE", f"{images}/bicycle_e/permissions/{'0' * 24}", {}


def test_no_form_is_taken_without_its_token(earlier: Running, anna: ModuleType) -> None:
    Path("bicycle.png").write_bytes(png())
    anna.uploadImage("bicycle.png")
    one, other = fetched(earlier, "/login"), fetched(earlier, "/login")
    forged = {"X-CSRFToken": one["X-CSRFToken"][:-2] + "xx", "Cookie": one["Cookie"]}
    swapped = {"X-CSRFToken": one["Cookie"].split(";")[0].split("=", 1)[1], "Cookie": one["Cookie"]}
    refused = (
        ({}, "The CSRF token is missing."),
        ({"Cookie": one["Cookie"]}, "The CSRF token is missing."),
        ({"X-CSRFToken": one["X-CSRFToken"]}, "The CSRF session token is missing."),
        ({"X-CSRFToken": one["X-CSRFToken"], "Cookie": other["Cookie"]}, "The CSRF tokens do not match."),
        (forged, "The CSRF token is invalid."),
        (swapped, "The CSRF token is invalid."),
    )
    for method, path, more in forms(anna):
        for headers, message in refused:
            sent = {"Authorization": f"Bearer {anna.access_token}"} | headers
            answer = requests.request(method, earlier.base + path, headers=sent, timeout=20, **more)
            assert (answer.status_code, answer.json()) == (422, failure(422, message)), path
    assert json.loads(anna.listImage())["data"] == ["bicycle_e.png"]


def test_a_form_that_was_left_open_too_long(
    earlier: Running, anna: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = fetched(earlier, "/login")
    monkeypatch.setattr("backend.compat.csrf.SECONDS", -1)
    answer = requests.post(f"{earlier.base}/login", headers=form, timeout=20)
    assert answer.json() == failure(422, "The CSRF token has expired.")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(earlier: Running) -> None:
    cookie = requests.get(f"{earlier.base}/login", timeout=20).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("name", ["data.png", "upload.png", "upload.PNG", "folder/data.png"])
def test_no_picture_hides_behind_an_address(anna: ModuleType, earlier: Running, name: str) -> None:
    headers = fetched(
        earlier, f"/api/v1/users/{anna.userId}/images/upload", headers={"Authorization": f"Bearer {anna.access_token}"}
    )
    answer = call(anna, "POST", "/images/upload", headers=headers, **classic(name))
    stored = answer.json()["data"]["img_name"]
    stem = "data" if "data" in name else "upload"
    assert re.fullmatch(stem + r"_\d{14}\.png", stored)
    assert call(anna, "GET", f"/images/{stored[:-4]}").json()["data"]["img_name"] == stored


def test_a_large_upload_of_a_stranger_is_refused_in_the_dialects_words(earlier: Running) -> None:
    url = f"{earlier.base}/api/v1/users/{'0' * 24}/images/upload"
    answer = requests.post(url, data=b"x" * 400_000, headers={"Content-Type": "text/plain"}, timeout=20)
    assert (answer.status_code, answer.json()) == (422, failure(422, NO_TOKEN))


def test_the_apis_present_addresses_are_not_there(earlier: Running, anna: ModuleType) -> None:
    for method, path in (("POST", "/api/v1/auth/login"), ("GET", f"/api/v1/users/{anna.userId}/images/download-all")):
        answer = requests.request(
            method, earlier.base + path, headers={"Authorization": f"Bearer {anna.access_token}"}, timeout=20
        )
        assert answer.status_code == 404
    assert earlier.call("GET", "/server").json()["name"] == "glassine"
