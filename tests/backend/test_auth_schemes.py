"""Which ways to sign in a server accepts is a setting, for small requests and before large ones are taken in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pytest
import requests

from backend.config import ConfigError
from tests.backend.conftest import FAST, Running, serving
from tests.backend.samples import classic

EMAIL, PASSWORD = "somebody@mail.example", "a long passphrase"
SCHEMES = ("bearer", "basic", "session")
NO_TOKEN = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'"
CHOICES = [",".join(choice) for size in (1, 2) for choice in combinations(SCHEMES, size)]


@pytest.fixture(scope="module", params=CHOICES)
def choosy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that accepts some."""
    config = replace(FAST, auth_schemes=request.param, session_cookie="sid")
    with serving(tmp_path_factory.mktemp("choosy"), config) as running:
        yield running


def ways(server: Running) -> tuple[str, dict[str, dict[str, str]]]:
    """A person's id and good headers of each scheme, made without asking the server."""
    services = server.app.extensions["glassine"].services
    user = server.storage.user_by_email(EMAIL) or services.accounts.register(
        "somebody", PASSWORD, "", email=EMAIL, key_required=False
    )
    basic = requests.Request("GET", "http://x", auth=(EMAIL, PASSWORD)).prepare().headers["Authorization"]
    return user.id, {
        "bearer": {"Authorization": f"Bearer {services.accounts.issue_token(user.id)}"},
        "basic": {"Authorization": basic},
        "session": {"Cookie": f"sid={services.sessions.start(user)}"},
    }


def test_only_what_the_setting_names(choosy: Running) -> None:
    accepted = choosy.app.extensions["glassine"].config.auth_schemes.split(",")
    _, headers = ways(choosy)
    for scheme in SCHEMES:
        answer = requests.get(f"{choosy.base}/api/v1/users", headers=headers[scheme], timeout=20)
        if scheme in accepted:
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json()) == (422, {"message": NO_TOKEN})
        own = requests.get(f"{choosy.base}/api/v1/users/me", headers=headers[scheme], timeout=20)
        assert own.status_code == (200 if scheme in accepted else 401)
        resource = requests.get(f"{choosy.base}/api/resource", headers=headers[scheme], timeout=20)
        assert resource.status_code == (200 if scheme == "basic" and scheme in accepted else 401)


def test_sessions_begin_only_where_they_are_accepted(choosy: Running) -> None:
    ways(choosy)
    answer = requests.post(
        f"{choosy.base}/api/v1/auth_session/login", data={"email": EMAIL, "password": PASSWORD}, timeout=20
    )
    if "session" in choosy.app.extensions["glassine"].config.auth_schemes:
        assert answer.cookies["sid"]
    else:
        assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})
        assert "Set-Cookie" not in answer.headers


def test_large_uploads(choosy: Running) -> None:
    accepted = choosy.app.extensions["glassine"].config.auth_schemes.split(",")
    user_id, headers = ways(choosy)
    url = f"{choosy.base}/api/v1/users/{user_id}/images"
    for scheme in SCHEMES:
        upload = classic(f"{scheme}.png", quotient="98 " * 200_000)
        answer = requests.post(url, headers=headers[scheme], timeout=20, **upload)
        assert answer.status_code == (201 if scheme in accepted else 422), scheme


@pytest.mark.parametrize("schemes", ["", ",", "bearer,kerberos", "Bearer", "basic,basic"])
def test_other_settings_are_refused(schemes: str) -> None:
    with pytest.raises(ConfigError, match="GLASSINE_AUTH_SCHEMES"):
        replace(FAST, auth_schemes=schemes)


def test_the_dialect_must_be_known() -> None:
    with pytest.raises(ConfigError, match="GLASSINE_API_DIALECT"):
        replace(FAST, api_dialect="2022-02")
