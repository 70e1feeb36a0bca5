"""The file server, beyond what the printed calls show."""

from __future__ import annotations

import http.client
import json
import secrets
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

import jwt
import pytest
import requests

from tests.backend.conftest import FAST, Running
from tests.compat.conftest import OpenServer, new_name

PASSWORD = "secret"
FORBIDDEN = (403, {"message": "Forbidden"})


@dataclass
class Account:
    """Somebody with an account of the file server."""

    server: Running
    name: str
    token: str

    def call(self, method: str, path: str, **more: object) -> requests.Response:
        """A call with this account's token."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        return requests.request(method, f"{self.server.base}{path}", headers=headers, timeout=20, **more)

    def upload(self, name: str, data: bytes) -> requests.Response:
        """Publish a file."""
        return self.call("POST", "/ops/upload", files={"request_file": (name, data)})


def account(server: Running, kind: str, name: str | None = None, **more: str) -> Account:
    """Sign up and in, with GET as the documentation has it."""
    fields = {"username": name or new_name(kind), "password": PASSWORD} | more
    assert requests.get(f"{server.base}/{kind}/signup", data=fields, timeout=20).status_code == 201
    answer = requests.get(f"{server.base}/{kind}/login", data=fields, timeout=20)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return Account(server, fields["username"], answer.text)


@pytest.fixture
def operator(server: Running) -> Account:
    return account(server, "ops")


@pytest.fixture
def client(server: Running) -> Account:
    return account(server, "client")


def test_what_a_token_says(server: Running) -> None:
    for kind in ("ops", "client"):
        someone = account(server, kind)
        header = jwt.get_unverified_header(someone.token)
        claims = jwt.decode(someone.token, options={"verify_signature": False})
        assert header["alg"] == "HS256"
        assert set(claims) == {"iss", "sub", "aud", "sid", "exp"}
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("EzWorks", someone.name, kind)
        assert type(claims["sid"]) is int


def test_a_name_is_taken_once_of_each_kind(server: Running) -> None:
    name = new_name()
    for kind in ("ops", "client"):
        account(server, kind, name)
        for method in ("GET", "POST"):
            fields = {"username": name, "password": "other"}
            answer = requests.request(method, f"{server.base}/{kind}/signup", data=fields, timeout=20)
            assert answer.status_code == 409
    person = server.person()
    account(server, "ops", person.name)


def test_addresses_may_be_had_twice(server: Running) -> None:
    for kind in ("ops", "client", "client"):
        account(server, kind, name=None, email="same@mail.example")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("kind", ["ops", "client"])
def test_what_is_missing(server: Running, kind: str, method: str) -> None:
    for step in ("signup", "login"):
        for fields in ({}, {"username": "x"}, {"password": "x"}, {"username": " ", "password": "x"}):
            answer = requests.request(method, f"{server.base}/{kind}/{step}", data=fields, timeout=20)
            assert answer.status_code == 400
    for name in ("a/b", "..", ".", "a\nb"):
        fields = {"username": name, "password": "x"}
        assert requests.request(method, f"{server.base}/{kind}/signup", data=fields, timeout=20).status_code == 400


def test_unknown_and_wrong_look_the_same(server: Running, operator: Account) -> None:
    answers = []
    for kind, name, password in (
        ("ops", operator.name, "wrong"),
        ("ops", "nobody", PASSWORD),
        ("client", operator.name, PASSWORD),
    ):
        answer = requests.get(f"{server.base}/{kind}/login", data={"username": name, "password": password}, timeout=20)
        answers.append((answer.status_code, answer.text))
    assert set(answers) == {(404, '{"message":"User not found"}')}


def test_a_file_goes_up_and_comes_down(open_server: OpenServer) -> None:
    with open_server() as server:
        operator, client = account(server, "ops"), account(server, "client")
        assert client.call("GET", f"/client/files/{operator.name}").json() == []
        data = secrets.token_bytes(700_000)
        answer = operator.upload("report.pdf", data)
        assert (answer.status_code, answer.text) == (201, "File uploaded")
        assert operator.upload("a.bin", b"").status_code == 201
        path = f"/client/files/{operator.name}"
        assert client.call("GET", path).json() == ["a.bin", "report.pdf"]
        found = client.call("GET", f"{path}/report.pdf")
        assert found.content == data
        assert found.headers["Content-Disposition"].startswith('attachment; filename="report.pdf"')
        assert found.headers["Content-Type"] == "application/octet-stream"
        part = client.call("GET", f"{path}/report.pdf", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, data[10:20])
        assert client.call("GET", f"{path}/a.bin").content == b""

        assert operator.upload("report.pdf", b"newer").status_code == 201
        assert client.call("GET", path).json() == ["a.bin", "report.pdf"]
        assert client.call("GET", f"{path}/report.pdf").content == b"newer"
        assert len(list(server.storage.blob_ids())) == 2
        user = server.storage.user_by_name(operator.name, "ops")
        assert user is not None
        assert user.used_bytes == 5


NAMES = [
    "my report.pdf",
    "dr\u00e4i \u00fc.txt",
    "a;b='c'.txt",
    "100%.txt",
    "a?b#c.txt",
    "..hidden",
    "...",
    "CON",
    "noextension",
    "a" * 255,
    "\U0001f600.png",
    "<script>.html",
    "-rf",
    " spaced ",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_data(operator: Account, client: Account, name: str) -> None:
    assert operator.upload(name, name.encode()).status_code == 201
    assert client.call("GET", f"/client/files/{operator.name}").json() == [name]
    found = client.call("GET", f"/client/files/{quote(operator.name)}/{quote(name, safe='')}")
    assert (found.status_code, found.content) == (200, name.encode())
    assert found.headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quote(name)}")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\temp\\x.txt", "x.txt"), ("/abs/olute", "olute")],
)
def test_a_path_is_not_kept(operator: Account, client: Account, sent: str, kept: str) -> None:
    assert raw_upload(operator, sent.encode()) == (201, b"File uploaded")
    assert client.call("GET", f"/client/files/{operator.name}").json() == [kept]


@pytest.mark.parametrize("name", [b"..", b".", b"x/", b" ", b"a\x07b", "a\u202eb".encode(), b"a" * 256])
def test_names_that_are_refused(operator: Account, client: Account, name: bytes) -> None:
    status, body = raw_upload(operator, name)
    assert status == 400
    assert set(json.loads(body)) == {"message"}
    assert client.call("GET", f"/client/files/{operator.name}").json() == []


def raw_upload(operator: Account, filename: bytes) -> tuple[int, bytes]:
    """Status and body of an upload with a file name that libraries would change."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="request_file"; filename="'
        + filename.replace(b"\\", b"\\\\")
        + b'"\r\nContent-Type: application/octet-stream\r\n\r\ndata\r\n--b--\r\n'
    )
    connection = http.client.HTTPConnection(urlsplit(operator.server.base).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {operator.token}", "Content-Type": "multipart/form-data; boundary=b"}
    connection.request("POST", "/ops/upload", body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_an_upload_without_a_file(operator: Account) -> None:
    for more in (
        {},
        {"data": {"request_file": "text"}},
        {"files": {"other": ("x", b"x")}},
        {"data": b"x", "headers": {"Content-Type": "application/pdf"}},
        {"data": b"--", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ):
        assert operator.call("POST", "/ops/upload", **more).status_code == 400
    twice = [("request_file", ("x", b"x")), ("request_file", ("y", b"y"))]
    assert operator.call("POST", "/ops/upload", files=twice).status_code == 400
    assert len(operator.server.storage.files(operator.server.storage.user_by_name(operator.name, "ops").id)) == 0


def test_who_may_what(server: Running, operator: Account, client: Account) -> None:
    operator.upload("x.txt", b"x")
    path = f"/client/files/{operator.name}"
    person = server.person()
    stranger = Account(server, "", "x.y.z")
    as_person = Account(server, person.name, person.token)
    for who in (stranger, as_person, client):
        answer = who.upload("y.txt", b"y")
        assert (answer.status_code, answer.json()) == FORBIDDEN
    for who in (stranger, as_person, operator):
        for address in (path, f"{path}/x.txt", f"{path}/no.txt", "/client/files/nobody"):
            answer = who.call("GET", address)
            assert (answer.status_code, answer.json()) == FORBIDDEN
    assert requests.get(f"{server.base}{path}", timeout=20).status_code == 403
    for address, message in (
        (f"{path}/no.txt", "File not found"),
        ("/client/files/nobody", "User not found"),
        ("/client/files/nobody/x.txt", "User not found"),
        (f"/client/files/{client.name}", "User not found"),
        (f"/client/files/{person.name}", "User not found"),
    ):
        answer = client.call("GET", address)
        assert (answer.status_code, answer.json()) == (404, {"message": message})


def test_tokens_open_nothing_else(server: Running, operator: Account) -> None:
    for path in ("/api/v1/users", "/api/v1/users/me", "/api/resource"):
        assert operator.call("GET", path).status_code in {401, 422}
    user_id = server.storage.user_by_name(operator.name, "ops").id
    person = server.person()
    assert person.call("GET", f"/users/{user_id}").status_code == 404
    assert operator.name not in person.call("GET", "/users").text


def test_large_uploads_of_strangers_are_refused_at_their_headers(server: Running, client: Account) -> None:
    for token, status in (("x.y.z", 403), ("", 403)):
        connection = http.client.HTTPConnection(urlsplit(server.base).netloc, timeout=20)
        connection.putrequest("POST", "/ops/upload")
        connection.putheader("Content-Length", "1000000")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        if token:
            connection.putheader("Authorization", f"Bearer {token}")
        connection.endheaders()  # and not one byte of the body
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (status, {"message": "Forbidden"})
        connection.close()
    assert client.call("POST", "/client/login", data=b"x" * 300_000).status_code == 413


def test_signing_out(open_server: OpenServer) -> None:
    with open_server() as server:
        one = account(server, "ops")
        fields = {"username": one.name, "password": PASSWORD}
        other = Account(server, one.name, requests.post(f"{server.base}/ops/login", data=fields, timeout=20).text)
        assert one.call("GET", "/logout").status_code == 200
        assert one.upload("x", b"x").status_code == 403
        assert one.call("GET", "/logout").status_code == 403
        assert other.upload("x", b"x").status_code == 201
    with open_server() as server:
        one.server = other.server = server
        assert one.upload("x", b"x").status_code == 403
        assert other.upload("x", b"x").status_code == 201


def test_quota(open_server: OpenServer) -> None:
    with open_server(replace(FAST, quota_bytes=1000)) as server:
        operator = account(server, "ops")
        assert operator.upload("a", b"x" * 600).status_code == 201
        refused = operator.upload("b", b"x" * 600)
        assert (refused.status_code, refused.json()) == (507, {"message": "Your storage on this server is full"})
        assert operator.upload("a", b"x" * 900).status_code == 201  # in the place of the first
        assert operator.upload("a", b"x" * 1001).status_code == refused.status_code
        assert operator.upload("a", b"x" * 300).status_code == 201
        assert operator.upload("b", b"x" * 600).status_code == 201
        user = server.storage.user_by_name(operator.name, "ops")
        assert user.used_bytes == 900
        assert len(list(server.storage.blob_ids())) == 2
