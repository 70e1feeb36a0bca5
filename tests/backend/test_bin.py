"""The bin: deleting, taking back, emptying, expiring."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.services.clock import utc_now
from tests.backend import samples
from tests.backend.conftest import FAST, Person, Running, serving
from tests.backend.test_downloads import frames

NOT_THERE = (404, {"message": "Image not found"})


def bin_of(person: Person, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = person.call("GET", f"/users/{person.user_id}/bin{query}").json()
    return rows


def binned(person: Person, sent: samples.SealedUpload) -> dict[str, Any]:
    """Store a picture and delete it."""
    row: dict[str, Any] = person.call("POST", person.images, **sent.form()).json()
    assert person.call("DELETE", f"{person.images}/{sent.stem}").status_code == 204
    return row


def answer(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json()


def test_a_deleted_picture_is_in_the_bin_and_nowhere_else(server: Running, person: Person) -> None:
    sent, reader = samples.sealed(), server.person()
    row = person.call("POST", person.images, **sent.form()).json()
    form = {"user_id": reader.user_id, "role": "write"}
    person.call("POST", f"{person.images}/{sent.stem}/permissions", data=form)
    before = utc_now()
    assert person.call("DELETE", f"{person.images}/{sent.stem}").status_code == 204
    (found,) = bin_of(person, "?limit=10")
    assert {key: found[key] for key in row} == row
    assert found["header_hash"] == sent.header_hash
    assert before.isoformat(timespec="milliseconds") <= found["deleted"]
    assert bin_of(person) == [{key: value for key, value in found.items() if key != "envelope"}]
    for who in (person, reader):
        for suffix in ("", "/content", "/envelope", "/history", f"/permissions/{reader.user_id}"):
            assert answer(who.call("GET", f"{person.images}/{sent.stem}{suffix}")) == NOT_THERE
        assert frames(who.call("GET", f"{person.images}/thumbnails?names={sent.stem}").content) == [None]
    assert person.call("GET", person.images).json() == []
    assert person.call("GET", f"{person.images}/download-all").json() == []
    assert reader.call("GET", f"/users/{reader.user_id}/shared").json() == []
    thumbnails = f"/users/{person.user_id}/bin/thumbnails?ids={row['id']},{'0' * 24}"
    assert frames(person.call("GET", thumbnails).content) == [sent.thumbnail, None]


def test_a_picture_comes_back_with_everything(server: Running, person: Person) -> None:
    sent, reader = samples.sealed(), server.person()
    row = person.call("POST", person.images, **sent.form()).json()
    second = samples.next_revision(sent)
    headers = {"If-Match": f'"{sent.header_hash}"'}
    person.call("PUT", f"{person.images}/{sent.stem}", headers=headers, **second.form())
    form = {"user_id": reader.user_id, "role": "read"}
    person.call("POST", f"{person.images}/{sent.stem}/permissions", data=form)
    person.call("DELETE", f"{person.images}/{sent.stem}")
    restored = person.call("POST", f"/users/{person.user_id}/bin/{row['id']}/restore")
    assert restored.status_code == 200
    assert restored.json()["header_hash"] == second.header_hash
    assert "deleted" not in restored.json()
    assert bin_of(person) == []
    assert reader.call("GET", f"{person.images}/{sent.stem}/content").content == second.image
    assert len(person.call("GET", f"{person.images}/{sent.stem}/history").json()) == 1
    again = person.call("POST", f"/users/{person.user_id}/bin/{row['id']}/restore")
    assert answer(again) == NOT_THERE


def test_a_name_that_is_taken_meanwhile(person: Person) -> None:
    image = samples.png()
    person.call("POST", person.images, **samples.classic("bicycle.png", image))
    person.call("DELETE", f"{person.images}/bicycle")
    person.call("POST", person.images, **samples.classic("bicycle.png"))
    (row,) = bin_of(person)
    restored = person.call("POST", f"/users/{person.user_id}/bin/{row['id']}/restore").json()
    assert restored["img_name"].startswith("bicycle_20")
    assert person.call("GET", f"{person.images}/{restored['img_name'][:-4]}/content").content == image

    sent = samples.sealed()
    row = binned(person, sent)
    assert person.call("POST", person.images, **samples.sealed(sent.picture_id).form()).status_code == 201
    taken = {"message": "Another version of this picture is already stored"}
    assert answer(person.call("POST", f"/users/{person.user_id}/bin/{row['id']}/restore")) == (409, taken)
    assert len(bin_of(person)) == 1


def test_a_sealed_picture_that_is_sent_again_comes_back(server: Running, person: Person) -> None:
    sent = samples.sealed()
    row = binned(person, sent)
    blobs, used = set(server.storage.blob_ids()), server.storage.user(person.user_id).used_bytes
    assert answer(person.call("POST", person.images, **sent.form())) == (200, row)
    assert bin_of(person) == []
    assert set(server.storage.blob_ids()) == blobs
    assert server.storage.user(person.user_id).used_bytes == used
    person.call("DELETE", f"{person.images}/{sent.stem}")
    other = person.call("POST", person.images, **samples.sealed(sent.picture_id).form())
    assert other.status_code == 201
    assert [one["id"] for one in bin_of(person)] == [row["id"]]


def test_pages(person: Person) -> None:
    rows = [binned(person, samples.sealed())["id"] for _ in range(5)]
    seen: list[str] = []
    while page := bin_of(person, "?limit=2" + (f"&after={seen[-1]}" if seen else "")):
        assert len(page) <= 2
        seen += [row["id"] for row in page]
    assert seen == rows == [row["id"] for row in bin_of(person)]


def test_for_good(server: Running, person: Person) -> None:
    blobs = set(server.storage.blob_ids())
    kept = samples.sealed()
    person.call("POST", person.images, **kept.form())
    first, *_ = [binned(person, samples.sealed()) for _ in range(3)]
    path = f"/users/{person.user_id}/bin"
    assert person.call("DELETE", f"{path}/{first['id']}").status_code == 204
    assert answer(person.call("DELETE", f"{path}/{first['id']}")) == NOT_THERE
    assert answer(person.call("POST", f"{path}/{first['id']}/restore")) == NOT_THERE
    assert len(bin_of(person)) == 2
    assert person.call("DELETE", path).status_code == 204
    assert person.call("DELETE", path).status_code == 204
    assert bin_of(person) == []
    assert len(set(server.storage.blob_ids()) - blobs) == 2
    usage = person.call("GET", f"/users/{person.user_id}/usage").json()
    assert usage["used"] == len(kept.image) + len(kept.thumbnail) + len(kept.envelope)


def test_only_what_is_in_the_own_bin(server: Running, person: Person) -> None:
    other, sent = server.person(), samples.sealed()
    theirs = binned(other, samples.sealed())["id"]
    mine = person.call("POST", person.images, **sent.form()).json()["id"]
    path = f"/users/{person.user_id}/bin"
    for picture_id in (theirs, mine, "0" * 24):
        assert answer(person.call("DELETE", f"{path}/{picture_id}")) == NOT_THERE
        assert answer(person.call("POST", f"{path}/{picture_id}/restore")) == NOT_THERE
        assert frames(person.call("GET", f"{path}/thumbnails?ids={picture_id}").content) == [None]
    for picture_id in ("x", "0" * 23, "z" * 24):
        assert person.call("DELETE", f"{path}/{picture_id}").status_code == 422
        assert person.call("POST", f"{path}/{picture_id}/restore").status_code == 422
        assert person.call("GET", f"{path}/thumbnails?ids={picture_id}").status_code == 422
    many = {"message": "ids must hold 1 to 100 ids separated by commas"}
    assert answer(person.call("GET", f"{path}/thumbnails?ids={','.join(['0' * 24] * 101)}")) == (422, many)
    theirs_path = f"/users/{other.user_id}/bin"
    for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", f"/{theirs}/restore"), ("DELETE", f"/{theirs}")):
        assert person.call(method, theirs_path + suffix).status_code == 401
    assert len(bin_of(other)) == 1


def test_the_bin_empties_itself(tmp_path: Path) -> None:
    with serving(tmp_path, replace(FAST, bin_days=3)) as server:
        person = server.person()
        old, young = samples.sealed(), samples.sealed()
        now = utc_now()
        pictures = server.app.extensions["glassine"].services.pictures
        for sent, age in ((old, timedelta(days=3, minutes=1)), (young, timedelta(days=2, hours=23))):
            person.call("POST", person.images, **sent.form())
            server.storage.move_to_bin(person.user_id, f"{sent.stem}.png", now - age)
        assert pictures.bin.purge() == 1
        assert [row["header_hash"] for row in bin_of(person)] == [young.header_hash]
        assert len(set(server.storage.blob_ids())) == 2
        used = len(young.image) + 4112 + len(young.envelope)
        assert person.call("GET", f"/users/{person.user_id}/usage").json()["used"] == used
        assert pictures.bin.purge() == 0


def test_a_server_without_a_bin(tmp_path: Path) -> None:
    with serving(tmp_path, replace(FAST, bin_days=0)) as server:
        person, sent = server.person(), samples.sealed()
        binned(person, sent)
        assert bin_of(person) == []
        assert set(server.storage.blob_ids()) == set()
        assert person.call("POST", person.images, **sent.form()).status_code == 201


@pytest.mark.parametrize("rounds", [6])
def test_taking_back_and_deleting_for_good_at_once(server: Running, person: Person, rounds: int) -> None:
    for _ in range(rounds):
        sent = samples.sealed()
        row = binned(person, sent)
        path = f"/users/{person.user_id}/bin/{row['id']}"
        start, results = threading.Barrier(2), {}

        def run(name: str, method: str, address: str, start: Any = start, results: Any = results) -> None:
            start.wait(20)
            results[name] = person.call(method, address).status_code

        threads = [
            threading.Thread(target=run, args=("restore", "POST", path + "/restore")),
            threading.Thread(target=run, args=("remove", "DELETE", path)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert set(results.values()) <= {200, 204, 404}
        there = person.call("GET", f"{person.images}/{sent.stem}/content")
        if results["remove"] == 404:
            assert there.content == sent.image
        else:
            assert there.status_code == 404  # and not a record without its bytes
        assert bin_of(person) == []
