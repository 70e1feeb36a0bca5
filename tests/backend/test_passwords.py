"""What is kept of passwords, and accounts that come from elsewhere."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest

from backend.services.passwords import Passwords
from tests.backend.conftest import FAST, Person, Running

SALT = "kVuiFY1NEyh9Bvgr"


def imported(password: str, salt: str = SALT) -> str:
    """A hash as an installation of the earlier server keeps it."""
    return f"sha256${salt}${hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest()}"


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(FAST)


def test_an_imported_hash_of_a_known_value(passwords: Passwords) -> None:
    # HMAC-SHA256 of RFC 4231, test case 2: the key is the salt, the data the password
    stored = "sha256$Jefe$5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert passwords.opens(stored, "what do ya want for nothing?")
    assert not passwords.opens(stored, "what do ya want for nothing")


@pytest.mark.parametrize(
    "stored",
    ["", None, "sha256$$" + "0" * 64, "sha256$a$" + "0" * 63, "md5$a$" + "0" * 64, "plain", "$argon2id$v=19$m=8192"],
)
def test_what_is_no_hash_opens_with_nothing(passwords: Passwords, stored: str | None) -> None:
    for password in ("", "x", stored or "y"):
        assert not passwords.opens(stored, password)


@pytest.mark.parametrize("password", ["x" * 1025, "\ud800"])
def test_passwords_that_no_account_can_have(passwords: Passwords, password: str) -> None:
    assert not passwords.opens(passwords.hash(b""), password)
    assert not passwords.opens(imported(""), password)


def test_every_refusal_costs_one_check_of_todays_cost(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = Passwords._verify

    def counted(self: Passwords, stored: str, secret: bytes) -> bool:
        checked.append(stored)
        return verify(self, stored, secret)

    monkeypatch.setattr(Passwords, "_verify", counted)
    candidates: list[tuple[str | None, str]] = [
        (None, "x"),
        ("", "x"),
        (imported("right"), "wrong"),
        (imported("right"), "right"),
        (passwords.hash(b"right"), "wrong"),
        (passwords.hash(b"right"), "x" * 2000),
    ]
    for stored, password in candidates:
        passwords.opens(stored, password)
    assert len(checked) == len(candidates)
    assert all(stored.startswith("$argon2id$v=19$m=8192,t=1,p=") for stored in checked)


def test_an_imported_account_gets_a_new_hash_at_its_next_good_sign_in(server: Running) -> None:
    accounts: Any = server.app.extensions["glassine"].services.accounts
    new = accounts.create_local_account("from elsewhere", "27977 9431")
    assert server.storage.change_user(new.id, {}, {"password_hash": imported("tr\u00e8s secret")})
    form = {"username": "from elsewhere", "password": "wrong"}
    answer = server.call("POST", "/auth/login", data=form)
    assert (answer.status_code, answer.json()) == (422, {"message": "Username or password is invalid"})
    assert server.storage.user(new.id).password_hash == imported("tr\u00e8s secret")
    for _ in range(2):
        assert server.call("POST", "/auth/login", data=form | {"password": "tr\u00e8s secret"}).status_code == 200
        assert server.storage.user(new.id).password_hash.startswith("$argon2id$v=19$m=8192,t=1,")
    assert server.storage.user(new.id) == replace(new, password_hash=server.storage.user(new.id).password_hash)
    assert server.call("POST", "/auth/login", data=form).status_code == 422


def test_a_new_hash_never_undoes_a_password_change(server: Running, person: Person) -> None:
    accounts: Any = server.app.extensions["glassine"].services.accounts
    before = imported(person.password)
    server.storage.change_user(person.user_id, {}, {"password_hash": before})
    renewed = accounts._passwords.renewed

    def slowly(stored: str, password: str) -> str | None:
        server.storage.change_user(person.user_id, {}, {"password_hash": "changed meanwhile"})
        value: str | None = renewed(stored, password)
        return value

    accounts._passwords.renewed = slowly
    try:
        accounts.sign_in(person.name, person.password)
    finally:
        del accounts._passwords.renewed
    assert server.storage.user(person.user_id).password_hash == "changed meanwhile"
