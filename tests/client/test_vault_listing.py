"""A server that lists something else than what was stored: named picture by picture, never an exception."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from desktop import errors
from desktop.client.answers import Row
from desktop.client.vault_listing import read_row
from desktop.crypto.keys import PrivateKey
from desktop.models import PictureState, Scheme
from tests import sample_pictures
from tests.client.conftest import Somewhere

USER = "0123456789abcdef01234567"


def rows_of(here: Somewhere, count: int) -> list[Row]:
    for seed in range(count):
        here.add(sample_pictures.png(40, 30, seed=seed))
    rows, total = here.session.api.page(here.session.user_id)
    assert total == count
    return rows


def flip(row: Row, at: int) -> Row:
    """Change one character of an envelope into another hex digit."""
    return replace(row, envelope=row.envelope[:at] + ("0" if row.envelope[at] != "0" else "1") + row.envelope[at + 1 :])


def reserialised(row: Row) -> Row:
    return replace(row, envelope=json.dumps(json.loads(row.envelope), indent=1))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda a, b: replace(a, envelope=b.envelope), errors.WrongPicture.code),
        (lambda a, b: replace(a, stored_name=b.stored_name), errors.WrongPicture.code),
        (lambda a, b: replace(a, stored_name="holiday"), errors.WrongPicture.code),
        (lambda a, b: replace(a, scheme=Scheme.CLASSIC), errors.SchemeChanged.code),
        (lambda a, b: replace(a, envelope=""), errors.Damaged.code),
        (lambda a, b: replace(a, envelope="[" * 5000), errors.Damaged.code),
        (lambda a, b: reserialised(a), errors.Damaged.code),
        (lambda a, b: flip(a, a.envelope.index('"salt":"') + 20), errors.NotAuthentic.code),
        (lambda a, b: flip(a, a.envelope.index('"kc":"') + 10), errors.NotAuthentic.code),
    ],
    ids=["swapped", "renamed", "named", "classic", "empty", "deep", "reserialised", "header", "deed"],
)
def test_a_bad_row_is_named(here: Somewhere, key: PrivateKey, change: Callable[[Row, Row], Row], code: str) -> None:
    first, second = rows_of(here, 2)
    assert read_row(first, USER, key).picture.state is PictureState.READY

    known = read_row(change(first, second), USER, key)

    picture = known.picture
    refused = code.startswith("V-")
    assert picture.state is (PictureState.REFUSED if refused else PictureState.UNREADABLE)
    assert picture.problem_code == code
    assert picture.problem
    assert known.b3 == known.header_hash == ""


def test_anothers_picture_is_refused(here: Somewhere, other_key: PrivateKey) -> None:
    [row] = rows_of(here, 1)
    picture = read_row(row, USER, other_key).picture
    assert (picture.state, picture.problem_code) == (PictureState.REFUSED, errors.WrongPicture.code)


def test_bad_rows_do_not_hide_good_ones(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = rows_of(here, 3)
    api = here.session.api
    monkeypatch.setattr(api, "page", lambda *_, **__: ([], 3) if pages else ([first, flip(second, 900), third], 3))
    pages: list[Any] = []

    pictures = here.vault.list_pictures(on_page=pages.append)

    good = [picture.state is PictureState.READY for picture in pictures]
    assert good == [True, False, True]
    bad = pictures[1]
    assert set(here.vault.thumbnails([picture.id for picture in pictures])) == {pictures[0].id, pictures[2].id}
    for use in (here.vault.open, lambda picture_id: here.vault.export(picture_id, here.outside)):
        with pytest.raises((errors.NotAuthentic, errors.Damaged)):
            use(bad.id)
    assert list(here.outside.glob("*.png")) == []


def test_a_list_that_goes_in_circles_ends(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(here, 2)
    monkeypatch.setattr(here.session.api, "page", lambda *_, **__: (rows, 2))
    with pytest.raises(errors.VaultUnreadable, match="damaged"):
        here.vault.list_pictures()
    monkeypatch.setattr(type(here.session.api), "embedded", False)
    with pytest.raises(errors.NotAGlassineServer, match="circles"):
        here.vault.list_pictures()


def test_pictures_that_are_counted_and_not_listed_are_missed(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(here, 3)
    here.vault.list_pictures()
    page = here.session.api.page

    more = 0

    def fewer(user_id: str, after: str, cancelled: Any) -> Any:
        found, total = page(user_id, after, cancelled)
        return [row for row in found if row.id != rows[1].id], total + more

    monkeypatch.setattr(here.session.api, "page", fewer)
    # the one that was seen here is named
    states = {picture.stored_name: (picture.state, picture.name) for picture in here.vault.list_pictures()}
    assert states.pop(rows[1].stored_name) == (PictureState.MISSING, "picture.png")
    assert {state for state, _ in states.values()} == {PictureState.READY}

    more = 1  # those that nobody here has ever seen are counted
    shown: list[str] = []
    with pytest.raises(errors.PicturesMissing, match="There are 1 more"):
        here.vault.list_pictures(on_page=lambda pictures: shown.extend(picture.stored_name for picture in pictures))
    assert shown == [rows[0].stored_name, rows[2].stored_name, rows[1].stored_name]


def test_swapped_thumbnails_are_left_out(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    rows_of(here, 3)
    ids = [picture.id for picture in here.vault.list_pictures()]
    fetch = here.session.api.thumbnails

    def swap(user_id: str, names: list[str], *more: Any) -> dict[str, bytes]:
        found = fetch(user_id, names, *more)
        found[names[0]], found[names[1]] = found[names[1]], found[names[0]]
        return found

    monkeypatch.setattr(here.session.api, "thumbnails", swap)
    assert set(here.vault.thumbnails(ids)) == {ids[2]}


def test_a_swapped_payload_is_damaged(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(here, 2)
    ids = [picture.id for picture in here.vault.list_pictures()]
    fetch = here.session.api.content
    monkeypatch.setattr(here.session.api, "content", lambda user, name, *more: fetch(user, rows[1].stored_name, *more))
    with pytest.raises(errors.Damaged):
        here.vault.open(ids[0])


def test_listing_can_be_cancelled(here: Somewhere) -> None:
    rows_of(here, 2)
    with pytest.raises(errors.Cancelled):
        here.vault.list_pictures(lambda *_: None, lambda: True)


def test_what_is_uploaded_or_deleted_while_a_list_arrives(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow list neither forgets what was added meanwhile nor brings back what was deleted."""
    monkeypatch.setattr("desktop.client.api.FIRST_PAGE_ROWS", 1)
    monkeypatch.setattr("desktop.client.api.PAGE_ROWS", 2)
    rows_of(here, 1)
    second, third = here.add(sample_pictures.png(seed=8)), here.add(sample_pictures.png(seed=9))
    page = here.session.api.page
    added: list[str] = []

    def slow(*arguments: Any) -> Any:
        answer = page(*arguments)
        if not added:
            added.append(here.add(sample_pictures.png(seed=10)))
        elif third in [row.stored_name[2:] for row in answer[0]] and third not in gone:
            gone.append(third)
            here.vault.delete(third)
        elif not answer[0]:
            added.append(here.add(sample_pictures.png(seed=11)))
        return answer

    gone: list[str] = []
    monkeypatch.setattr(here.session.api, "page", slow)
    here.vault._reading.listed.set()  # adding must not list on its own here
    listed = [picture.id for picture in here.vault.list_pictures()]

    assert gone == [third]
    assert third not in listed
    assert second in listed
    for picture_id in added:
        assert here.vault.open(picture_id).data  # known, whether or not the list had it
