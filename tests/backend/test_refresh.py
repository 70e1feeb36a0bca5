"""Refresh tokens: exchanged once, and what ends a sign-in."""

from __future__ import annotations

import threading
from typing import Any

import jwt
import pytest
import requests
from flask_jwt_extended import create_access_token

from tests.backend.conftest import Person, Running

REVOKED = (401, {"message": "Token has been revoked"})


def sign_in(server: Running, person: Person) -> dict[str, str]:
    form = {"username": person.name, "password": person.password}
    answer: dict[str, str] = server.call("POST", "/auth/login", data=form).json()
    assert set(answer) == {"user_id", "access_token", "refresh_token"}
    return answer


def with_token(server: Running, method: str, path: str, token: str, **more: Any) -> requests.Response:
    return server.call(method, path, headers={"Authorization": f"Bearer {token}"}, **more)


def refresh(server: Running, token: str) -> requests.Response:
    return with_token(server, "POST", "/auth/refresh", token)


def answered(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_refresh_token_is_exchanged_for_both(server: Running, person: Person) -> None:
    first = sign_in(server, person)
    second = refresh(server, first["refresh_token"]).json()
    assert second["user_id"] == person.user_id
    assert len({first["access_token"], second["access_token"], first["refresh_token"], second["refresh_token"]}) == 4
    for token in (first["access_token"], second["access_token"]):
        assert with_token(server, "GET", "/users", token).status_code == 200
    assert refresh(server, second["refresh_token"]).status_code == 200


def test_a_sign_in_ends_when_it_ends_however_often_it_is_renewed(server: Running, person: Person) -> None:
    first = sign_in(server, person)
    second = refresh(server, first["refresh_token"]).json()
    begun, renewed = claims(first["refresh_token"]), claims(second["refresh_token"])
    assert begun["exp"] - begun["iat"] in {30 * 86400 - 1, 30 * 86400}
    assert abs(renewed["exp"] - begun["exp"]) <= 1
    assert renewed["end"] == begun["end"]


def test_each_kind_of_token_is_good_for_its_own_only(server: Running, person: Person) -> None:
    tokens = sign_in(server, person)
    message = "Only refresh tokens are allowed"
    assert answered(refresh(server, tokens["access_token"])) == (422, {"message": message})
    message = "Only non-refresh tokens are allowed"
    for method, path in (("GET", "/users"), ("POST", "/auth/logout"), ("GET", f"/users/{person.user_id}/images")):
        assert answered(with_token(server, method, path, tokens["refresh_token"])) == (422, {"message": message})
    assert refresh(server, tokens["refresh_token"]).status_code == 200  # none of that has spent it


def test_a_refresh_token_used_twice_ends_the_sign_in_for_both(server: Running, person: Person) -> None:
    other = sign_in(server, person)
    stolen = sign_in(server, person)
    fresh = refresh(server, stolen["refresh_token"]).json()
    assert answered(refresh(server, stolen["refresh_token"])) == REVOKED
    for tokens in (stolen, fresh):
        assert answered(with_token(server, "GET", "/users", tokens["access_token"])) == REVOKED
        assert answered(refresh(server, tokens["refresh_token"])) == REVOKED
    assert with_token(server, "GET", "/users", other["access_token"]).status_code == 200
    assert refresh(server, other["refresh_token"]).status_code == 200


def test_of_many_at_once_one_at_most_gets_tokens_and_they_are_dead(server: Running, person: Person) -> None:
    token = sign_in(server, person)["refresh_token"]
    answers: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(refresh(server, token))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [401] * 5
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert answered(with_token(server, "GET", "/users", won["access_token"])) == REVOKED


def test_logout_ends_all_tokens_of_the_sign_in(server: Running, person: Person) -> None:
    first = sign_in(server, person)
    second = refresh(server, first["refresh_token"]).json()
    answer = with_token(server, "POST", "/auth/logout", first["access_token"])
    assert answered(answer) == (200, {"message": "User logged out"})
    for access in (first["access_token"], second["access_token"]):
        assert answered(with_token(server, "GET", "/users", access)) == REVOKED
    assert answered(refresh(server, second["refresh_token"])) == REVOKED
    assert person.call("GET", "/users").status_code == 200


def test_a_token_from_before_there_were_families(server: Running, person: Person) -> None:
    with server.app.app_context():
        old = create_access_token(person.user_id)
    assert set(claims(old)) & {"fam", "gen", "end"} == set()
    assert with_token(server, "GET", "/users", old).status_code == 200
    assert with_token(server, "POST", "/auth/logout", old).status_code == 200
    assert answered(with_token(server, "GET", "/users", old)) == REVOKED
    assert person.call("GET", "/users").status_code == 200


def test_tokens_of_other_kinds_of_accounts_are_no_way_in(server: Running) -> None:
    accounts = server.app.extensions["glassine"].services.accounts
    operator = accounts.register("operator", "secret", "", kind="ops", key_required=False)
    with server.app.app_context():
        token = create_access_token(operator.id)
    answer = with_token(server, "GET", "/users", token)
    assert answered(answer) == (401, {"message": "User is not authorized"})


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer", "Bearer x y"])
def test_without_a_token_there_is_nothing_to_refresh(server: Running, header: str) -> None:
    answer = server.call("POST", "/auth/refresh", headers={"Authorization": header} if header else {})
    assert answer.status_code == 422


def test_a_password_does_not_stand_in_for_a_refresh_token(server: Running, person: Person) -> None:
    answer = server.call("POST", "/auth/refresh", auth=(person.name, person.password))
    message = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"
    assert answered(answer) == (422, {"message": message})
