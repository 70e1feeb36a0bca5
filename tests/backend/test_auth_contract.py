"""What every authentication scheme keeps to, one suite for all of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import jwt
import pytest
from flask import Flask

from backend import create_app
from backend.auth import FILE_TOKEN, FORM, SCHEMES, Credentials, Scheme, refuse_early
from backend.auth.basic import BasicScheme
from backend.errors import (
    BackendError,
    BadAuthorizationHeader,
    BadCredentials,
    Forbidden,
    Invalid,
    NotAuthorized,
    SessionEnded,
    TokenExpired,
    TokenRevoked,
)
from backend.services import Services
from backend.storage.embedded import open_storage
from backend.storage.protocol import Storage, User
from tests.backend.conftest import FAST

PASSWORD = "a long: passphrase"

_numbers = count(1)


@dataclass
class House:
    """An application and somebody with an account in it."""

    app: Flask
    storage: Storage
    services: Services
    person: User
    operator: User
    cookie: str = "_my_session_id"

    @property
    def email(self) -> str:
        return self.person.email


@dataclass(frozen=True)
class Sent:
    """What a request carries."""

    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)

    @property
    def early(self) -> Credentials:
        return Credentials(self.headers.get("Authorization", ""), self.headers.get("Cookie", ""))


def authorization(value: str) -> Sent:
    return Sent({"Authorization": value})


def basic(name: str, password: str) -> Sent:
    return authorization("Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


@dataclass(frozen=True)
class Case:
    """How a scheme is used.

    Attributes:
        scheme: The scheme.
        good: Credentials that are good, each way there is.
        bad: Credentials of this kind that are not, with the error.
        end: Ends the sign-ins that were made so far, each way there is.
        ended: The error from then on.
        gone: The error when the account is gone.
        operator: Whether accounts of the file server use it, not people.
    """

    scheme: Scheme
    good: Callable[[House], list[Sent]]
    bad: Callable[[House], list[tuple[Sent, type[BackendError]]]]
    end: list[Callable[[House, Sent], object]]
    ended: tuple[type[BackendError], ...]
    gone: type[BackendError]
    operator: bool = False


def bearer_token(house: House, **changes: Any) -> str:
    token = house.services.accounts.issue_token(house.person.id)
    key = house.app.config["JWT_SECRET_KEY"]
    return jwt.encode(jwt.decode(token, key, ["HS256"]) | changes, key, "HS256") if changes else token


def change_password(house: House, _: Sent) -> None:
    house.services.accounts.change_password(house.person.id, PASSWORD, "another one")


def revoke(house: House, sent: Sent) -> None:
    claims = jwt.decode(sent.headers["Authorization"].split()[1], options={"verify_signature": False})
    expires = house.person.created + timedelta(days=400)
    house.services.accounts.revoke_token(claims["fam"], expires)


def session(house: House) -> Sent:
    return Sent({"Cookie": f"other=1; {house.cookie}={house.services.sessions.start(house.person)}"})


def cookie(house: House, value: str) -> Sent:
    return Sent({"Cookie": f"{house.cookie}={value}"})


def file_token(house: House) -> str:
    return house.services.files.sign_in("ops", house.operator.name, PASSWORD)


def bad_sessions(house: House) -> list[tuple[Sent, type[BackendError]]]:
    good = house.services.sessions.start(house.person)
    made_up = [good[:-1] + ("0" if good[-1] != "0" else "1"), "0" + good[1:], good + ".1", ".", "x", "a.0.b"]
    return [(cookie(house, value), SessionEnded) for value in made_up]


def end_session(house: House, sent: Sent) -> None:
    assert house.services.sessions.end(sent.headers["Cookie"].split("=")[-1])


CASES = (
    Case(
        SCHEMES[0],
        lambda house: [authorization(f"Bearer {bearer_token(house)}")],
        lambda house: [
            (authorization("Bearer"), BadAuthorizationHeader),
            (authorization("Bearer "), BadAuthorizationHeader),
            (authorization(f"bearer {bearer_token(house)}"), BadAuthorizationHeader),
            (authorization(f"Bearer  {bearer_token(house)}"), BadAuthorizationHeader),
            (authorization(f"Bearer {bearer_token(house)},"), BadAuthorizationHeader),
            (authorization(f"Bearer {bearer_token(house)} x"), BadAuthorizationHeader),
            (authorization(f"Token {bearer_token(house)}"), BadAuthorizationHeader),
            (authorization("Bearer x.y.z"), Invalid),
            (authorization(f"Bearer {bearer_token(house)[:-6]}AAAAAA"), Invalid),
            (authorization(f"Bearer {jwt.encode({'sub': house.person.id}, 'k' * 32, 'HS256')}"), Invalid),
            (authorization(f"Bearer {bearer_token(house, exp=1_000_000_000)}"), TokenExpired),
            (authorization(f"Bearer {file_token(house)}"), Invalid),
        ],
        [revoke, change_password],
        (TokenRevoked,),
        NotAuthorized,
    ),
    Case(
        SCHEMES[1],
        lambda house: [
            basic(house.person.name, PASSWORD),
            basic(house.email, PASSWORD),
            basic(BasicScheme.issue(house.app, house.person), "x"),
            basic(BasicScheme.issue(house.app, house.person), ""),
            authorization(basic(house.person.name, PASSWORD).headers["Authorization"].replace("Basic", "basic")),
        ],
        lambda house: [
            (authorization("Basic !"), BadAuthorizationHeader),
            (authorization("Basic " + base64.b64encode(b"no colon").decode()), BadAuthorizationHeader),
            (authorization("Basic " + base64.b64encode(b"\xff:x").decode()), BadCredentials),
            (authorization("Basic " + base64.b64encode(b"\xff").decode()), BadAuthorizationHeader),
            (basic(house.person.name, "wrong"), BadCredentials),
            (basic(house.email, "wrong"), BadCredentials),
            (basic("nobody", PASSWORD), BadCredentials),
            (basic("", ""), BadCredentials),
            (basic(house.person.name, ""), BadCredentials),
            (basic(house.operator.name, PASSWORD), BadCredentials),
            (basic(bearer_token(house), "x"), BadCredentials),
            (basic(file_token(house), "x"), BadCredentials),
        ],
        [change_password],
        (BadCredentials,),
        BadCredentials,
    ),
    Case(
        SCHEMES[2],
        lambda house: [session(house)],
        bad_sessions,
        [end_session, change_password],
        (SessionEnded,),
        SessionEnded,
    ),
    Case(
        FILE_TOKEN,
        lambda house: [authorization(f"Bearer {file_token(house)}")],
        lambda house: [
            (authorization("Bearer x"), Forbidden),
            (authorization(f"Bearer {bearer_token(house)}"), Forbidden),
            (authorization(f"Bearer {file_token(house)[:-6]}AAAAAA"), Forbidden),
        ],
        [
            lambda house, sent: house.services.files.sign_out(sent.headers["Authorization"].split()[1]),
            lambda house, _: house.services.accounts.change_password(house.operator.id, PASSWORD, "another one"),
        ],
        (Forbidden,),
        Forbidden,
        operator=True,
    ),
    Case(
        FORM,
        lambda house: [Sent(form={"email": house.email, "password": PASSWORD})],
        lambda house: [
            (Sent(form={"email": house.email, "password": "wrong"}), BadCredentials),
            (Sent(form={"email": house.person.name, "password": PASSWORD}), BadCredentials),
        ],
        [change_password],
        (BadCredentials,),
        BadCredentials,
    ),
)


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    opened = open_storage(tmp_path_factory.mktemp("house"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def app(storage: Storage) -> Flask:
    return create_app(FAST, storage)


@pytest.fixture
def house(app: Flask, storage: Storage) -> House:
    services: Services = app.extensions["glassine"].services
    number = next(_numbers)
    email = f"somebody{number}@mail.example"
    person = services.accounts.register(f"somebody {number}", PASSWORD, "", email=email, key_required=False)
    operator = services.files.sign_up("ops", f"operator {number}", PASSWORD, "", "")
    return House(app, storage, services, person, operator)


@pytest.fixture(params=CASES, ids=[case.scheme.name for case in CASES])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def ask(house: House, scheme: Scheme, sent: Sent, method: str = "DELETE", **more: Any) -> Any:
    with house.app.test_request_context("/", method=method, headers=sent.headers, data=sent.form, **more):
        return scheme.authenticate()


def whose(house: House, case: Case) -> User:
    return house.operator if case.operator else house.person


def test_every_scheme_is_tried() -> None:
    assert {case.scheme for case in CASES} == {*SCHEMES, FILE_TOKEN, FORM}


def test_good_credentials_are_somebody(house: House, case: Case) -> None:
    for sent in case.good(house):
        found = ask(house, case.scheme, sent)
        assert (found.user_id, found.scheme) == (whose(house, case).id, case.scheme.name)


def test_no_credentials_are_nobody(house: House, case: Case) -> None:
    nothing = [Sent(), authorization(""), Sent({"Cookie": "other=1"}), Sent(form={"email": "", "password": "x"})]
    for sent in [*nothing, cookie(house, "\u00e4")]:  # bytes that are no UTF-8
        assert ask(house, case.scheme, sent) is None


def test_credentials_of_another_kind_are_nobody(house: House, case: Case) -> None:
    for other in CASES:
        same_header = {case.scheme.name, other.scheme.name} == {"bearer", "file_token"}
        for sent in [] if other is case or same_header else other.good(house):
            assert ask(house, case.scheme, sent) is None


def test_bad_credentials_are_refused(house: House, case: Case) -> None:
    for sent, error in case.bad(house):
        with pytest.raises(BackendError) as raised:
            ask(house, case.scheme, sent)
        assert type(raised.value) is error, sent


def test_an_ended_sign_in_is_refused(house: House, case: Case) -> None:
    ends = case.end
    assert ends
    for end in ends:
        goods = case.good(house)
        end(house, goods[0])
        for sent in goods if end is change_password else goods[:1]:
            with pytest.raises(case.ended):
                ask(house, case.scheme, sent)


def test_an_account_that_is_gone_is_refused(house: House, case: Case) -> None:
    goods = case.good(house)
    house.services.accounts.delete(whose(house, case).id)
    for sent in goods:
        with pytest.raises(case.gone):
            ask(house, case.scheme, sent)


def test_an_account_that_is_closing_is_refused(house: House, case: Case) -> None:
    goods = case.good(house)
    assert house.storage.change_user(whose(house, case).id, {}, {"closing": True})
    for sent in goods:
        with pytest.raises(BackendError):
            ask(house, case.scheme, sent)


def test_early_refusal_never_refuses_what_would_be_taken(house: House, case: Case) -> None:
    goods = case.good(house)
    if case.scheme is FORM:  # only small bodies are forms
        assert isinstance(case.scheme.refuse_early(house.app, goods[0].early), BadAuthorizationHeader)
        return
    variants = [*goods]
    for sent in goods:
        for change in (str.lower, str.upper, lambda v: v.replace(" ", "  "), lambda v: f"{v},", lambda v: f"{v} "):
            variants.append(Sent({name: change(value) for name, value in sent.headers.items()}))
    taken = 0
    for sent in [*variants, *(sent for sent, _ in case.bad(house))]:
        early = case.scheme.refuse_early(house.app, sent.early)
        try:
            found = ask(house, case.scheme, sent)
        except BackendError as error:
            assert early is None or type(early) is type(error)
        else:
            assert early is None or found is None
            taken += found is not None
    assert taken >= len(goods)


def test_early_refusal_sees_strangers(house: House, case: Case) -> None:
    for sent in (Sent(), authorization("x"), Sent({"Cookie": "other=1"})):
        assert isinstance(case.scheme.refuse_early(house.app, sent.early), BadAuthorizationHeader)


def test_early_refusal_asks_no_storage(house: House, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    goods = [sent.early for sent in case.good(house)]
    for method in ("user", "user_by_name", "user_by_email", "session", "is_revoked"):
        monkeypatch.setattr(house.storage, method, None)
    for early in goods:
        case.scheme.refuse_early(house.app, early)


def test_only_what_all_schemes_refuse_is_refused_early(house: House) -> None:
    expired = authorization(f"Bearer {bearer_token(house, exp=1_000_000_000)}").early
    assert isinstance(refuse_early(SCHEMES, house.app, expired), TokenExpired)
    assert isinstance(refuse_early(SCHEMES[1:], house.app, expired), BadAuthorizationHeader)
    with_session = Credentials(expired.authorization, session(house).headers["Cookie"])
    assert refuse_early(SCHEMES, house.app, with_session) is None
    assert isinstance(refuse_early(SCHEMES[:2], house.app, with_session), TokenExpired)


# -- what is special about one of them --
def test_a_name_that_is_somebody_elses_address(house: House) -> None:
    accounts = house.services.accounts
    other = accounts.register(house.email, "the other's password", "", key_required=False)
    assert ask(house, SCHEMES[1], basic(house.email, PASSWORD)).user_id == house.person.id
    assert ask(house, SCHEMES[1], basic(house.email, "the other's password")).user_id == other.id
    with pytest.raises(BadCredentials):
        ask(house, SCHEMES[1], basic(house.email, "wrong"))


def test_a_token_for_basic_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.auth.basic.TOKEN_SECONDS", -1)
    with pytest.raises(BadCredentials):
        ask(house, SCHEMES[1], basic(BasicScheme.issue(house.app, house.person), "x"))


def test_a_token_for_basic_opens_nothing_else(house: House) -> None:
    token = BasicScheme.issue(house.app, house.person)
    for scheme in (SCHEMES[0], FILE_TOKEN):
        with pytest.raises(BackendError):
            ask(house, scheme, authorization(f"Bearer {token}"))


def test_a_refresh_token_is_no_access_token(house: House) -> None:
    refresh = house.services.accounts.issue_tokens(house.person).refresh
    for scheme, sent in ((SCHEMES[0], authorization(f"Bearer {refresh}")), (SCHEMES[1], basic(refresh, "x"))):
        with pytest.raises(BackendError):
            ask(house, scheme, sent)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("scheme", [SCHEMES[1], SCHEMES[2]], ids=["basic", "session"])
def test_a_page_of_another_site_changes_nothing_with_what_browsers_send_by_themselves(
    house: House, scheme: Scheme, method: str
) -> None:
    sent = session(house) if scheme is SCHEMES[2] else basic(house.person.name, PASSWORD)
    for origin in ("https://evil.example", "http://localhost:81", "null", "", "//localhost", "http://["):
        with pytest.raises(NotAuthorized):
            ask(house, scheme, Sent(sent.headers | {"Origin": origin}), method)
    for origin in ("http://localhost", "https://localhost"):  # a proxy that ends TLS may not have said so
        assert ask(house, scheme, Sent(sent.headers | {"Origin": origin}), method)
    with pytest.raises(NotAuthorized):  # a page that anybody on the way may have written
        plain = Sent(sent.headers | {"Origin": "http://localhost"})
        ask(house, scheme, plain, method, base_url="https://localhost")
    assert ask(house, scheme, Sent(sent.headers | {"Origin": "https://evil.example"}), "GET")
