"""What a server can answer about people and what is shared: read strictly, asked again only where that is harmless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from desktop import errors
from desktop.client.answers import Shared
from desktop.client.api import Api
from tests.client.test_api import HTML, USER, row, scripted

OTHER = "f" * 24
PERSON = {"user_id": USER, "user_name": "tom", "public_key": "pem"}
SHARED = row(owner_id=OTHER, owner_name="anna", role="read", grant="{}", header_hash="a" * 64)
SUCCESSION = {"old": "a" * 64, "record": "{}", "stored": "2026-01-02T03:04:05Z"}
SILENT = (503, HTML)


def test_good_answers() -> None:
    with scripted((200, [PERSON])) as (api, app, _):
        found = api.user_named("tom")
        assert found is not None
        assert (found.user_id, found.public_key) == (USER, "pem")
        assert app.requests == ["GET /api/v1/users?name=tom"]
    with scripted((200, [])) as (api, _, _):
        assert api.user_named("tom") is None
        assert api.shared_page(USER) == []
    with scripted((200, [{"userId": OTHER, "role": "read"}, {"userId": USER, "role": "write", "grant": "g"}])) as (
        api,
        _,
        _,
    ):
        assert api.permissions(USER, "x") == [Shared(OTHER, "read"), Shared(USER, "write", "g")]
    with scripted((200, [SHARED])) as (api, app, _):
        (one,) = api.shared_page(USER, after=OTHER)
        assert (one.owner_id, one.owner_name, one.role, one.grant) == (OTHER, "anna", "read", "{}")
        assert app.requests[0].endswith(f"/shared?limit=200&after={OTHER}")
    with scripted((200, [SUCCESSION])) as (api, _, _):
        assert [(one.about, one.text) for one in api.successions(OTHER)] == [("a" * 64, "{}")]


@pytest.mark.parametrize(
    ("call", "content"),
    [
        (lambda api: api.user_named("tom"), {"user": PERSON}),
        (lambda api: api.user_named("tom"), [PERSON, PERSON]),
        (lambda api: api.user_named("Tom"), [PERSON]),  # another name than the one asked for
        (lambda api: api.user_named("tom"), [PERSON | {"public_key": None}]),
        (lambda api: api.user_named("tom"), [PERSON | {"public_key": "x" * 20_000}]),
        (lambda api: api.permissions(USER, "x"), [{"userId": "../x", "role": "read"}]),
        (lambda api: api.permissions(USER, "x"), [{"userId": OTHER, "role": "owner"}]),
        (lambda api: api.permissions(USER, "x"), [{"userId": OTHER, "role": "read", "grant": None}]),
        (lambda api: api.permission(USER, "x", OTHER), {"userId": OTHER, "role": "read", "grant": "x" * 40_000}),
        (lambda api: api.shared_page(USER), [SHARED | {"owner_id": "x"}]),
        (lambda api: api.shared_page(USER), [SHARED | {"owner_name": None}]),
        (lambda api: api.shared_page(USER), [SHARED | {"role": "admin"}]),
        (lambda api: api.shared_page(USER), [SHARED | {"grant": {}}]),
        (lambda api: api.shared_page(USER), [SHARED | {"header_hash": "A" * 64}]),
        (lambda api: api.shared_page(USER), [SHARED | {"envelope": "x" * 40_000}]),
        (lambda api: api.successions(USER), [SUCCESSION | {"old": "x"}]),
        (lambda api: api.successions(USER), [{"old": "a" * 64}]),
        (lambda api: api.successions(USER), HTML),
    ],
)
def test_strange_answers(call: Callable[[Api], Any], content: Any) -> None:
    with scripted((200, content)) as (api, _, _), pytest.raises(errors.NotAGlassineServer):
        call(api)


def test_more_than_was_asked_for_is_cut() -> None:
    with scripted((200, [{"userId": OTHER, "role": "read"}] * 1500)) as (api, _, _):
        assert len(api.permissions(USER, "x")) == 1000
    with scripted((200, [SHARED] * 300)) as (api, _, _):
        assert len(api.shared_page(USER)) == 200


def test_what_is_asked_again() -> None:
    with scripted(SILENT, (204, ""), repeats=True) as (api, app, waits):
        api.set_permission(USER, "x", OTHER, "read", "grant")
        assert (len(app.requests), len(waits)) == (2, 5)
    # whether it arrived is not known: a second one would be refused as there already
    with scripted(SILENT, (201, ""), repeats=True) as (api, app, _):
        with pytest.raises(errors.ServerFailed):
            api.add_permission(USER, "x", OTHER, "read")
        assert len(app.requests) == 1
    gone = {"message": "Permission for User id not found"}
    with scripted(SILENT, (404, gone), repeats=True) as (api, _, _), pytest.raises(errors.NotFound):
        api.remove_permission(USER, "x", OTHER)
    moved = {"message": "The grant is for another epoch of this picture"}
    with scripted((409, moved)) as (api, _, _), pytest.raises(errors.Conflict):
        api.add_permission(USER, "x", OTHER, "read", "grant")
