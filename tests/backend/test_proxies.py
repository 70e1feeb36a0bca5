"""Headers of proxies: believed exactly as often as the settings say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.backend.conftest import FAST, serving

FORGED = "203.0.113.9"
CLIENT = "198.51.100.7"
INNER = "192.0.2.1"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "protocols", "address", "scheme"),
    [
        (0, CLIENT, "https", "127.0.0.1", "http"),
        (0, f"{FORGED}, {CLIENT}", "https, https", "127.0.0.1", "http"),
        (1, CLIENT, "https", CLIENT, "https"),
        (1, f"{FORGED}, {CLIENT}", "http, https", CLIENT, "https"),
        (2, f"{FORGED}, {CLIENT}, {INNER}", "http, https, http", CLIENT, "https"),
        (2, INNER, "https", "127.0.0.1", "http"),  # came past the outer one: nothing is believed
    ],
)
def test_who_is_believed(
    tmp_path: Path, trusted: int, forwarded: str, protocols: str, address: str, scheme: str
) -> None:
    seen: list[tuple[str, str]] = []
    with serving(tmp_path, replace(FAST, trusted_proxies=trusted)) as server:

        @server.app.before_request
        def look() -> None:
            from flask import request

            seen.append((str(request.remote_addr), request.scheme))

        headers: dict[str, Any] = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": protocols}
        headers |= {"X-Forwarded-Host": "evil.example", "X-Request-ID": "from-the-proxy"}
        answer = server.call("GET", "/server", headers=headers)
    assert seen == [(address, scheme)]
    assert ("Strict-Transport-Security" in answer.headers) == (scheme == "https")
    assert (answer.headers["X-Request-ID"] == "from-the-proxy") == (trusted > 0)
