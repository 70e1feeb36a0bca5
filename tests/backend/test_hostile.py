"""Names, bodies and headers made to do harm, over the wire."""

from __future__ import annotations

import socket
from urllib.parse import quote

import pytest

from tests.backend import samples
from tests.backend.conftest import Person, Running


def raw(server: Running, data: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes as they are and return everything that comes back."""
    host, port = server.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def multipart(person: Person, body: bytes, boundary: bytes = b"frontier") -> tuple[int, dict[str, str]]:
    """Send a body that no library would make."""
    kind = "multipart/form-data; boundary=" + boundary.decode()
    answer = person.call("POST", person.images, data=body, headers={"Content-Type": kind})
    return answer.status_code, answer.json()


def part(disposition: bytes, data: bytes, boundary: bytes = b"frontier") -> bytes:
    return b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (boundary, disposition, data)


END = b"--frontier--\r\n"


@pytest.mark.parametrize(
    "stem",
    [
        "my pic",
        "a.b.c",
        "50% off",
        "a+b&c=d",
        "who? me!",
        "#1",
        "\u00e4\u4e2d\U0001f6b2",
        "a;b,c",
        'say "hi"',
        "'",
        "~",
        "$ne",
    ],
)
def test_a_name_is_found_again_as_it_was_given(person: Person, stem: str) -> None:
    assert person.call("POST", person.images, **samples.classic(f"{stem}.png")).status_code == 201
    assert person.call("GET", person.images).json()[0]["img_name"] == f"{stem}.png"
    address = f"{person.images}/{quote(stem, safe='')}"
    assert person.call("GET", address).json()["img_name"] == f"{stem}.png"
    content = person.call("GET", f"{address}/content")
    assert content.status_code == 200
    assert "\n" not in content.headers["Content-Disposition"]
    assert person.call("DELETE", address).status_code == 204


@pytest.mark.parametrize(
    ("filename", "message"),
    [
        (b"a\x00b.png", "File name is not allowed"),
        ("\u202egnp.png".encode(), "File name is not allowed"),
        (b"n" * 5000 + b".png", "File name is too long"),
        (b"..png", "File name is not allowed"),
    ],
)
def test_a_hostile_name_stores_nothing(person: Person, filename: bytes, message: str) -> None:
    body = part(b'name="quotient"', b"1 2") + part(b'name="imageFile"; filename="%s"' % filename, samples.png()) + END
    assert multipart(person, body) == (422, {"message": message})
    assert person.call("GET", person.images).json() == []


def test_paths_in_names_lead_nowhere(server: Running, person: Person) -> None:
    body = (
        part(b'name="quotient"', b"1")
        + part(b'name="imageFile"; filename="../../../../etc/x.png"', samples.png())
        + END
    )
    assert multipart(person, body)[0] == 201
    assert person.call("GET", person.images).json()[0]["img_name"] == "x.png"
    for path in ("../x", "..%2fx", "%2e%2e/x", "..%5cx", "x%00", "x/../x", "..;/x"):
        answer = raw(
            server,
            f"GET /api/v1{person.images}/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {person.token}\r\n\r\n".encode(),
        )
        assert answer.split()[1] == b"404", path


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", b"frontier"),
        (b"nonsense", b"frontier"),
        (b"--frontier", b"frontier"),
        (b"--frontier\r\n\r\n", b"frontier"),
        (b"--frontier\r\nContent-Type: x\r\n\r\nabc\r\n--frontier--", b"frontier"),
        (part(b'name="imageFile"; filename="a.png"', b"cut off")[:-2], b"frontier"),
        (part(b'name="quotient"', b"1 2"), b"frontier"),
        (part(b'name="a"', b"x") + END, b"other"),
        (b"--frontier\r\nContent-Disposition: form-data; name=\xff\xfe\r\n\r\nx\r\n" + END, b"frontier"),
        (part(b'name="a"', b"x") + END, b""),
        (part(b'name="a"', b"x") + END, b"b" * 300),
    ],
)
def test_a_malformed_form_is_refused(server: Running, person: Person, body: bytes, boundary: bytes) -> None:
    blobs = set(server.storage.blob_ids())
    status, answer = multipart(person, body, boundary)
    assert status == 400
    assert answer["message"].startswith("The form data")
    assert set(server.storage.blob_ids()) == blobs


def test_a_form_of_endless_parts_or_headers_is_refused(person: Person) -> None:
    assert multipart(person, part(b'name="x"', b"1") * 60 + END)[0] == 413
    endless = b"--frontier\r\nContent-Disposition: form-data; name=x\r\n" + b"X-Fill: " + b"a" * 1_000_000
    assert multipart(person, endless)[0] == 413


def test_fields_without_a_name_and_unknown_ones_are_read_past(person: Person) -> None:
    body = part(b"", b"1") + part(b'name="csrf_token"', b"1") + part(b'filename="x.png"', b"1")
    body += part(b'name="quotient"', b"1 2") + part(b'name="imageFile"; filename="a.png"', samples.png()) + END
    assert multipart(person, body) == (201, "")


@pytest.mark.parametrize("kind", ["application/json", "image/png", "application/octet-stream", "text/plain"])
def test_an_upload_is_a_form(person: Person, kind: str) -> None:
    answer = person.call("POST", person.images, data=samples.png(), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()) == (415, {"message": "Send the picture as multipart/form-data"})


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /api/v1/server HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /api/v1/server HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"GET /api/v1/server HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (b"POST /api/v1/auth/login HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"POST /api/v1/auth/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", b"400"),
    ],
)
def test_what_is_no_request_is_refused_in_json(server: Running, request_bytes: bytes, status: bytes) -> None:
    head, _, body = raw(server, request_bytes).partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert b"Content-Type: application/json" in head
    assert body.startswith(b'{"message":"')
    assert b"waitress" not in head + body


def test_headers_cannot_be_injected(server: Running, person: Person) -> None:
    for path in ("/users/%0d%0aSet-Cookie:%20a=b", f"{person.images}/%0d%0aSet-Cookie:%20a=b/content"):
        answer = person.call("GET", path)
        assert "Set-Cookie" not in answer.headers
        assert answer.status_code in {404, 422}
    answer = person.call("GET", "/users", headers={"X-Forwarded-Host": "evil.example", "Host": "evil.example"})
    assert "evil" not in str(answer.headers) + answer.text


def test_addresses_that_are_no_text(server: Running, person: Person) -> None:
    for path in (b"%ff%fe", b"%c0%ae", b"%ed%a0%80"):
        answer = raw(
            server,
            b"GET /api/v1%s/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n"
            % (person.images.encode(), path, person.token.encode()),
        )
        assert answer.split()[1] == b"404"
