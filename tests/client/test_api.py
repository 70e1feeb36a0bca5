"""Every answer a server can give, turned into the right error; what is repeated and what is not."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client.api import BACKOFF_S, Api
from desktop.client.multipart import Multipart, Part
from desktop.client.transport import EMBEDDED_URL, Transport
from desktop.models import Scheme

USER = "0123456789abcdef01234567"
SERVER = {"name": "glassine", "version": "1", "max_upload_bytes": 1000, "registration": True}


class Scripted:
    """A WSGI application that gives prepared answers in order, the last one for ever, and remembers the requests."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        while environ["wsgi.input"].read(65536):
            pass
        if environ["PATH_INFO"].endswith("/server"):
            status, content = 200, SERVER
        else:
            status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        kind, data = content if isinstance(content, tuple) else ("application/json", json.dumps(content).encode())
        start_response(f"{status} X", [("Content-Type", kind), ("Content-Length", str(len(data)))])
        return [data]


@contextmanager
def scripted(*answers: tuple[int, Any], repeats: bool = False) -> Iterator[tuple[Api, Scripted, list[float]]]:
    app = Scripted(*answers)
    waits: list[float] = []
    way = Transport(EMBEDDED_URL, app)
    way.embedded = not repeats  # repeats are for the network
    api = Api(way, wait=waits.append)
    api.use_token("token")
    yield api, app, waits
    api.close()


def row(**changes: Any) -> dict[str, Any]:
    base = {"img_name": "p-" + "0" * 32 + ".png", "id": USER, "scheme": "sealed", "size": 5}
    return base | {"created": "2026-01-02T03:04:05Z", "envelope": "{}"} | changes


HTML = ("text/html", b"<h1>nginx</h1>")


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (401, {"message": "User is not authorized"}, errors.NotAllowed),
        (401, {"message": "Token has been revoked"}, errors.NotSignedIn),
        (401, {"message": "Token has expired"}, errors.NotSignedIn),
        (422, {"message": "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"}, errors.NotSignedIn),
        (422, {"message": "Signature verification failed"}, errors.NotSignedIn),
        (403, {"message": "Registration is closed"}, errors.NotAllowed),
        (404, {"message": "Image not found"}, errors.NotFound),
        (409, {"message": "Another version of this picture is already stored"}, errors.Conflict),
        (413, {"message": "The request is larger than this server takes"}, errors.TooLarge),
        (413, HTML, errors.TooLarge),
        (422, {"message": "PNG images only!"}, errors.NetworkError),
        (429, {"message": "slow down"}, errors.ServerSilent),
        (500, {"message": "Internal server error"}, errors.ServerFailed),
        (502, HTML, errors.ServerFailed),
        (503, HTML, errors.ServerFailed),
        (507, {"message": "The server's storage is full"}, errors.StorageFull),
        (404, HTML, errors.NotAGlassineServer),
        (200, HTML, errors.NotAGlassineServer),
        (418, ["tea"], errors.NotAGlassineServer),
    ],
)
def test_statuses(status: int, content: Any, error: type[Exception]) -> None:
    with scripted((status, content), repeats=True) as (api, _, _), pytest.raises(errors.GlassineError) as raised:
        api.page(USER)
    assert type(raised.value) is error


def test_a_full_account_is_not_called_a_full_server() -> None:
    full = {"message": "Your storage on this server is full"}
    with scripted((507, full), repeats=True) as (api, _, _), pytest.raises(errors.StorageFull) as raised:
        api.page(USER)
    assert "Your account has no room left" in raised.value.message


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (507, "The server's storage is full", errors.StorageFull),
        (503, "The server's storage is read-only", errors.StorageReadOnly),
        (500, "The server's storage is damaged", errors.VaultUnreadable),
        (500, "The stored data cannot be read", errors.Damaged),
        (500, "Internal server error", errors.VaultUnreadable),
        (404, "Image not found", errors.NotFound),
    ],
)
def test_a_vault_on_this_computer_is_not_called_a_server(status: int, message: str, error: type[Exception]) -> None:
    with scripted((status, {"message": message})) as (api, _, _), pytest.raises(errors.GlassineError) as raised:
        api.page(USER)
    assert type(raised.value) is error
    assert "server" not in raised.value.message


@pytest.mark.parametrize(
    ("call", "status", "content", "error"),
    [
        (lambda api: api.login("a", "b"), 422, {"message": "Username or password is invalid"}, errors.WrongPassword),
        (lambda api: api.login("a", "b"), 422, HTML, errors.NotAGlassineServer),
        (lambda api: api.login("a", "b"), 200, {"user_id": USER}, errors.NotAGlassineServer),
        (lambda api: api.login("a", "b"), 200, {"user_id": USER, "access_token": "a\r\nb"}, errors.NotAGlassineServer),
        (lambda api: api.login("a", "b"), 200, {"user_id": "../x", "access_token": "t"}, errors.NotAGlassineServer),
        (lambda api: api.register("a", "b", "c"), 409, {"message": "Username already exists"}, errors.UserNameTaken),
        (lambda api: api.register("a", "b", "c"), 403, {"message": "Registration is closed"}, errors.NotAllowed),
        (lambda api: api.user(USER), 404, {"message": "User not found"}, errors.NotFound),
        (lambda api: api.user(USER), 200, {"user_id": USER, "user_name": 5}, errors.NotAGlassineServer),
        (lambda api: api.page(USER), 200, {"rows": []}, errors.NotAGlassineServer),
        (lambda api: api.page(USER), 200, [row(id="zz")], errors.NotAGlassineServer),
        (lambda api: api.page(USER), 200, [row(size=-1)], errors.NotAGlassineServer),
        (lambda api: api.page(USER), 200, [row(size=True)], errors.NotAGlassineServer),
        (lambda api: api.page(USER), 200, [row(created="yesterday")], errors.NotAGlassineServer),
        (lambda api: api.page(USER), 200, [row(envelope="x" * 40_000)], errors.NotAGlassineServer),
        (lambda api: api.delete(USER, "x"), 404, {"message": "Image not found"}, errors.NotFound),
        (lambda api: api.delete(USER, ".."), 204, [], errors.NotFound),
    ],
)  # fmt: skip
def test_calls(call: Callable[[Api], Any], status: int, content: Any, error: type[Exception]) -> None:
    with scripted((status, content)) as (api, _, _), pytest.raises(errors.GlassineError) as raised:
        call(api)
    assert type(raised.value) is error


def test_a_row() -> None:
    with scripted((200, [row(), row(scheme="classic", img_name="a b.png", envelope="ignored")])) as (api, _, _):
        rows, total = api.page(USER)
    assert [item.scheme for item in rows] == [Scheme.SEALED, Scheme.CLASSIC]
    assert rows[1].stored_name == "a b"
    assert rows[1].envelope == ""
    assert rows[0].created.isoformat() == "2026-01-02T03:04:05+00:00"
    assert total == 0


def test_another_service_is_no_glassine_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVER, "name", "nextcloud")
    with scripted((200, [])) as (api, _, _), pytest.raises(errors.NotAGlassineServer):
        api.server()


def test_harmless_calls_are_repeated_with_growing_pauses() -> None:
    with scripted((503, HTML), (503, HTML), (200, [row()]), repeats=True) as (api, app, waits):
        rows, _ = api.page(USER)
    assert len(rows) == 1
    assert len(app.requests) == 3
    assert sum(waits) == pytest.approx(sum(BACKOFF_S[:2]))


def test_repeating_ends() -> None:
    with scripted((503, HTML), repeats=True) as (api, app, _), pytest.raises(errors.ServerFailed):
        api.page(USER)
    assert len(app.requests) == len(BACKOFF_S) + 1


def test_refusals_are_not_repeated() -> None:
    with scripted((404, {"message": "x"}), repeats=True) as (api, app, waits), pytest.raises(errors.NotFound):
        api.user(USER)
    assert (len(app.requests), waits) == (1, [])


def test_what_would_happen_twice_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(b"x")
    calls: list[Callable[[Api], Any]] = [
        lambda api: api.login("a", "b"),
        lambda api: api.register("a", "b", "c"),
        lambda api: api.upload_classic(USER, "x.png", picture=file, quotient=file),
        lambda api: api.add_permission(USER, "x", USER, "read"),
    ]
    for call in calls:
        with scripted((503, HTML), repeats=True) as (api, app, waits), pytest.raises(errors.ServerFailed):
            call(api)
        assert len([request for request in app.requests if "/server" not in request]) == 1
        assert waits == []


def test_a_sealed_upload_is_repeated_and_sends_everything_again(tmp_path: Path) -> None:
    carrier = tmp_path / "carrier.png"
    carrier.write_bytes(b"x" * 100)
    sent: list[tuple[int, int]] = []
    with scripted((503, HTML), (201, row(img_name="p-" + "a" * 32 + ".png")), repeats=True) as (api, _, _):
        stored = api.upload_sealed(
            USER,
            "a" * 32,
            carrier=carrier,
            envelope="{}",
            thumbnail=b"t",
            report=lambda done, total: sent.append((done, total)),
        )
    assert stored.stored_name == "p-" + "a" * 32
    assert [done for done, total in sent if done == total] == [sent[-1][1]] * 2


def test_waiting_to_repeat_can_be_cancelled() -> None:
    with scripted((503, HTML), repeats=True) as (api, app, _), pytest.raises(errors.Cancelled):
        api.page(USER, cancelled=lambda: len(app.requests) == 2)
    assert len(app.requests) == 2


def test_too_large_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    carrier = tmp_path / "carrier.png"
    carrier.write_bytes(b"x" * 1000)
    with scripted((201, row())) as (api, app, _), pytest.raises(errors.TooLarge):
        api.upload_sealed(USER, "a" * 32, carrier=carrier, envelope="{}", thumbnail=b"t")
    assert app.requests == ["GET /api/v1/server?"]


def test_a_delete_whose_answer_was_lost_counts_as_done() -> None:
    class Lossy(Scripted):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
            answer = super().__call__(environ, start_response)
            if len(self.requests) == 1:
                raise ConnectionResetError
            return answer

    app = Lossy((204, []), (404, {"message": "Image not found"}))
    way = Transport(EMBEDDED_URL, app)
    way.embedded = False
    api = Api(way, wait=lambda _: None)
    api.delete(USER, "x")
    assert len(app.requests) == 2
    with pytest.raises(errors.NotFound):
        api.delete(USER, "x")
    api.close()


def frames(*thumbnails: bytes | None) -> tuple[str, bytes]:
    data = b"".join(
        struct.pack(">I", 0xFFFFFFFF) if item is None else struct.pack(">I", len(item)) + item for item in thumbnails
    )
    return "application/vnd.glassine.thumbnails", data


def test_thumbnails_by_name() -> None:
    with scripted((200, frames(b"one", None, b"three"))) as (api, app, _):
        assert api.thumbnails(USER, ["a", "b", "c"]) == {"a": b"one", "c": b"three"}
        assert api.thumbnails(USER, []) == {}
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        frames(b"one"),
        frames(b"one", b"two", b"three"),
        (frames()[0], frames(b"one", b"two")[1][:-1]),
        (frames()[0], struct.pack(">I", 5_000_000) + b"x" * 10),
        ("application/json", b"[]"),
        (frames()[0], b"x" * 1_000_000),
    ],
    ids=["missing", "too-many", "cut", "length", "type", "endless"],
)
def test_bad_thumbnails(answer: tuple[str, bytes]) -> None:
    with scripted((200, answer)) as (api, _, _), pytest.raises(errors.NotAGlassineServer):
        api.thumbnails(USER, ["a", "b"])


def test_a_login_does_not_show_its_token() -> None:
    with scripted((200, {"user_id": USER, "access_token": "very.secret.token"})) as (api, _, _):
        assert "secret" not in repr(api.login("a", "b"))


# -- the body -----------------------------------------------------------------------------------------------------


def test_a_multipart_body_is_as_long_as_it_says_and_parses(tmp_path: Path) -> None:
    from io import BytesIO

    from werkzeug.formparser import parse_form_data

    picture = tmp_path / "p.png"
    picture.write_bytes(bytes(range(256)) * 1000)
    body = Multipart(
        [Part("envelope", b'{"a":1}'), Part("imageFile", picture, 'na"me\r\nä.png', "image/png"), Part("empty", b"")]
    )
    data = b"".join(body)
    assert len(data) == len(body)
    assert data == b"".join(body)  # can be sent again
    environ = {"wsgi.input": BytesIO(data), "CONTENT_LENGTH": str(len(data)), "CONTENT_TYPE": body.content_type}
    _, form, files = parse_form_data(environ | {"REQUEST_METHOD": "POST"})
    assert form["envelope"] == '{"a":1}'
    assert form["empty"] == ""
    assert files["imageFile"].read() == picture.read_bytes()
    assert "\r" not in (files["imageFile"].filename or "")
    files["imageFile"].close()


def test_a_file_that_shrinks_while_it_is_sent(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    picture.write_bytes(b"x" * 500_000)
    pieces = iter(Multipart([Part("imageFile", picture, "p.png")]))
    next(pieces)
    picture.write_bytes(b"x" * 1000)
    with pytest.raises(errors.SourceChanged):
        list(pieces)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(errors.FileUnreadable):
        Multipart([Part("imageFile", tmp_path / "gone", "p.png")])
