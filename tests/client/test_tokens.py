"""A token that has expired is replaced, once, and the request is sent again, whole."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask_jwt_extended import create_access_token

from desktop import errors
from desktop.client.answers import Login
from desktop.client.api import Api
from desktop.client.tokens import Tokens
from desktop.client.transport import Transport
from tests.client.conftest import PASSWORD, RunningServer
from tests.sample_pictures import png


@pytest.fixture
def name(server: RunningServer, request: pytest.FixtureRequest) -> str:
    name = f"of {request.node.name}"
    server.app.extensions["glassine"].services.accounts.register(name, PASSWORD, "27977 9431")
    return name


@pytest.fixture
def api(server: RunningServer, name: str) -> Iterator[Api]:
    api = Api(Transport(server.address), wait=lambda _: None)
    api.login(name, PASSWORD)
    yield api
    api.close()


def expire(server: RunningServer, api: Api) -> str:
    """Put the token past its time that the server made; return it."""
    claims: dict[str, Any] = jwt.decode(api._tokens.access, options={"verify_signature": False})
    ours = {name: claims[name] for name in ("fam", "gen", "end")}
    with server.app.app_context():
        token: str = create_access_token(claims["sub"], expires_delta=timedelta(seconds=-60), additional_claims=ours)
    api._tokens.access = token
    api._tokens._good_until = 0.0
    return token


def user_id(api: Api) -> str:
    claims: dict[str, Any] = jwt.decode(api._tokens.access, options={"verify_signature": False})
    return str(claims["sub"])


def test_a_request_goes_on_with_the_next_token(server: RunningServer, api: Api, name: str) -> None:
    me = user_id(api)
    for _ in range(2):
        expired = expire(server, api)
        assert api.user(me).user_name == name
        assert api._tokens.access != expired


@pytest.mark.parametrize("known", [True, False], ids=["renewed before", "sent again"])
def test_an_upload_is_sent_whole_and_stored_once(server: RunningServer, api: Api, tmp_path: Path, known: bool) -> None:
    me, picture, quotient = user_id(api), tmp_path / "p.png", tmp_path / "q.txt"
    picture.write_bytes(png(9, 7) + bytes(20_000_000))  # more than the line takes before the server has answered
    quotient.write_text("98 77 ")
    expire(server, api)
    if not known:
        api._tokens._good_until = float("inf")
    api.upload_classic(me, "p.png", picture=picture, quotient=quotient)
    rows, total = api.page(me)
    assert [row.stored_name for row in rows] == ["p"]
    assert total == 1
    expire(server, api)
    with api.content(me, "p") as stored, (tmp_path / "back.png").open("wb") as back:
        shutil.copyfileobj(stored, back)
    assert (tmp_path / "back.png").read_bytes() == picture.read_bytes()


def test_many_threads_share_one_exchange(server: RunningServer, api: Api, name: str) -> None:
    me = user_id(api)
    expire(server, api)
    names: list[str] = []
    barrier = threading.Barrier(6)

    def ask() -> None:
        barrier.wait()
        names.append(api.user(me).user_name)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == [name] * 6


def test_a_sign_in_that_is_over_is_over(server: RunningServer, api: Api, name: str) -> None:
    me, expired = user_id(api), expire(server, api)
    server.app.extensions["glassine"].services.accounts.change_password(me, PASSWORD, "another password")
    for _ in range(2):
        with pytest.raises(errors.NotSignedIn):
            api.user(me)
    assert api._tokens.access == expired
    assert not api._tokens.renewable


def test_signing_out_with_an_expired_token_ends_the_sign_in(server: RunningServer, api: Api) -> None:
    me, good = user_id(api), api._tokens.access
    expire(server, api)
    api.logout()
    again = Api(Transport(server.address))
    try:
        again.use_token(good)
        with pytest.raises(errors.NotSignedIn):
            again.user(me)
    finally:
        again.close()


USER = "0123456789abcdef01234567"


def kept(refresh: str = "refresh") -> Tokens:
    tokens = Tokens()
    tokens.use(Login(USER, "access", refresh))
    return tokens


@pytest.mark.parametrize("error", [errors.ServerSilent(), errors.ServerFailed()])
def test_a_silent_server_has_perhaps_not_spent_the_token(error: errors.GlassineError) -> None:
    tokens = kept()

    def fails(_: str) -> Login:
        raise error

    with pytest.raises(type(error)):
        tokens.renew("access", fails)
    tokens.renew("access", lambda refresh: Login(USER, f"next of {refresh}", "next refresh"))
    assert tokens.access == "next of refresh"


def test_tokens_of_another_account_are_not_used() -> None:
    tokens = kept()
    with pytest.raises(errors.NotAGlassineServer):
        tokens.renew("access", lambda _: Login("f" * 24, "theirs", "theirs"))
    assert tokens.access == "access"
    assert not tokens.renewable


def test_who_signs_out_meanwhile_stays_signed_out() -> None:
    tokens = kept()

    def slowly(_: str) -> Login:
        tokens.forget()
        return Login(USER, "next", "next refresh")

    tokens.renew("access", slowly)
    assert tokens.access == ""
    assert not tokens.renewable


def test_a_token_is_stale_shortly_before_its_end_also_after_a_sleep() -> None:
    clock = [1000.0]
    tokens = Tokens(lambda: clock[0])
    assert not tokens.stale
    for lifetime, fresh in ((3600, 3539), (20, 9)):
        token = jwt.encode({"iat": 5, "exp": 5 + lifetime}, "k" * 32)
        tokens.use(Login(USER, token, "refresh"))
        clock[0] += fresh
        assert not tokens.stale
        clock[0] += 2
        assert tokens.stale


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.!.c", "a.W10.c", "a.eyJleHAiOiAieCIsICJpYXQiOiAxfQ.c", "a." + "W" * 4000]
)
def test_a_token_that_tells_nothing_is_used_until_it_is_refused(token: str) -> None:
    tokens = Tokens()
    tokens.use(Login(USER, token, "refresh"))
    assert not tokens.stale


def test_a_server_without_refresh_tokens(server: RunningServer) -> None:
    tokens = kept("")
    tokens.renew("access", lambda _: pytest.fail("there is nothing to exchange"))
    assert tokens.access == "access"
    assert "access" not in repr(Login(USER, "access", "refresh"))
