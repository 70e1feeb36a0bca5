"""People on a running server who have something to ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from itertools import count
from typing import Any

import requests

from tests.backend import samples

METRICS = "Bearer of the metrics token"
PASSWORD = "a long passphrase"
PNG = samples.png()
GONE_ID = "cd" * 16
GONE = samples.gone(GONE_ID)

NUMBERS = count(1)


@dataclass
class Somebody:
    """Values that requests are aimed with; what is not there has no value.

    Attributes:
        tokens: Values of ``Authorization`` by name of the way to sign in.
        variables: Values for variables of addresses; several take turns.
        headers: Sent with every request.
        sealed: A sealed picture that is stored.
        stranger: The id of somebody whom nothing is shared with.
    """

    tokens: dict[str, str]
    variables: dict[str, list[str]]
    headers: dict[str, str] = field(default_factory=dict)
    sealed: samples.SealedUpload | None = None
    stranger: str = ""


class World:
    """Makes people on a server."""

    def __init__(self, base: str, dialect: str) -> None:
        self._base = base
        self._dialect = dialect
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._reader = self._account("reader")
        self._stranger = self._account("stranger").variables["user_id"][0]

    def close(self) -> None:
        """Release the connections."""
        self._session.close()

    def somebody(self, group: str) -> Somebody:
        """Somebody new with what operations of a blueprint can ask for."""
        made = self._account("person")
        made.stranger = self._stranger
        if group == "earlier":
            self._add_earlier_picture(made)
        elif group == "file":
            self._add_file_server(made)
        elif group == "documents":
            self._add_documents(made)
        elif group in {"pictures", "downloads", "revisions", "permissions", "bin"}:
            self._add_pictures(made)
        return made

    def _account(self, word: str) -> Somebody:
        name = f"{word} {next(NUMBERS)}"
        form = {"username": name, "password": PASSWORD, "publicKey": "27977 9431"}
        prefix, headers = ("", self._csrf("/register")) if self._dialect else ("/api/v1/auth", {})
        self._call("POST", f"{prefix}/register", headers, data=form)
        signed_in = self._call("POST", f"{prefix}/login", headers, data=form).json()
        bearer = f"Bearer {signed_in['access_token']}"
        tokens = {"bearer": bearer, "refresh": f"Bearer {signed_in.get('refresh_token')}", "metrics": METRICS}
        tokens["basic"] = requests.auth._basic_auth_str(name, PASSWORD)  # type: ignore[attr-defined]
        return Somebody(tokens, {"user_id": [signed_in["user_id"]]}, headers)

    def _add_pictures(self, made: Somebody) -> None:
        own, reader = made.variables["user_id"][0], self._reader.variables["user_id"][0]
        headers = {"Authorization": made.tokens["bearer"]}
        user = f"/api/v1/users/{own}"
        sealed = samples.sealed()
        for upload in (samples.classic("bicycle.png", PNG), samples.classic("binned.png", PNG), sealed.form()):
            self._call("POST", f"{user}/images", headers, **upload)
        self._call("DELETE", f"{user}/images/binned", headers)
        for name in ("bicycle", sealed.stem):
            form = {"user_id": reader, "role": "read"}
            self._call("POST", f"{user}/images/{name}/permissions", headers, data=form)
        binned = self._call("GET", f"{user}/bin", headers).json()[0]["id"]
        made.sealed = sealed
        made.variables |= {"name": ["bicycle", sealed.stem], "reader_id": [reader], "picture_id": [binned]}

    def _add_documents(self, made: Somebody) -> None:
        headers = {"Authorization": made.tokens["bearer"]}
        user = f"/api/v1/users/{made.variables['user_id'][0]}"
        for kind in ("ledger", "keyfile"):
            self._call("PUT", f"{user}/{kind}", headers | {"If-None-Match": "*"}, data=b"sealed")
        self._call("PUT", f"{user}/gone/{GONE_ID}", headers, data=GONE)
        made.variables |= {"picture_id": [GONE_ID], "fingerprint": ["ab" * 32]}

    def _add_file_server(self, made: Somebody) -> None:
        name = f"olga {next(NUMBERS)}"
        form = {"username": name, "password": PASSWORD}
        for kind in ("ops", "client"):
            self._call("POST", f"/{kind}/signup", data=form)
            made.tokens[kind] = f"Bearer {self._call('POST', f'/{kind}/login', data=form).text}"
        file = {"request_file": ("file.pdf", b"0123456789")}
        self._call("POST", "/ops/upload", {"Authorization": made.tokens["ops"]}, files=file)
        made.variables |= {"ops_username": [name], "file_name": ["file.pdf"]}

    def _add_earlier_picture(self, made: Somebody) -> None:
        own, reader = made.variables["user_id"][0], self._reader.variables["user_id"][0]
        images = f"/api/v1/users/{own}/images"
        headers = made.headers | {"Authorization": made.tokens["bearer"]}
        self._call("POST", f"{images}/upload", headers, **samples.classic("bicycle.png", PNG))
        form = {"user_id": reader, "role": "read"}
        self._call("POST", f"{images}/bicycle/permissions", headers, data=form)
        made.variables |= {"name": ["bicycle"], "reader_id": [reader]}

    def _csrf(self, path: str) -> dict[str, str]:
        answer = self._call("GET", path)
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return {"X-CSRFToken": answer.json()["csrf_token"], "Cookie": cookie}

    def _call(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
        answer = self._session.request(method, self._base + path, headers=headers, timeout=20, **more)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer
