"""Storing and listing pictures of both schemes."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import requests

from backend.services.counts import RECENT_SECONDS, REMEMBERED, Counts
from tests.backend import samples
from tests.backend.conftest import Person, Running

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

ROW = {"img_name", "id", "scheme", "size", "created"}


def upload(person: Person, **form: Any) -> tuple[int, Any]:
    answer = person.call("POST", person.images, **form)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.json()


def names(person: Person) -> list[str]:
    return [row["img_name"] for row in person.call("GET", person.images).json()]


# -- classic --


def test_a_classic_picture_is_kept_to_the_byte(person: Person) -> None:
    image, quotient = samples.png(), "98 98 98 98 77 2 91 91 "
    assert upload(person, **samples.classic("bicycle.png", image, quotient)) == (201, "")
    answer = person.call("GET", f"{person.images}/bicycle").json()
    assert set(answer) == {"img_content", "img_name", "quotient"}
    assert answer["img_content"].encode("iso-8859-1") == image
    assert (answer["img_name"], answer["quotient"]) == ("bicycle.png", quotient)


def test_a_row_says_what_the_server_knows(person: Person) -> None:
    image = samples.png()
    upload(person, **samples.classic("bicycle.png", image))
    (row,) = person.call("GET", person.images).json()
    assert set(row) == ROW
    assert (row["img_name"], row["scheme"], row["size"]) == ("bicycle.png", "classic", len(image))
    assert re.fullmatch(r"[0-9a-f]{24}", row["id"])
    assert row["created"].endswith("Z")
    age = datetime.now(UTC) - datetime.fromisoformat(row["created"])
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_a_quotient_of_many_megabytes_streams(server: Running, person: Person) -> None:
    quotient = "98 77 255 0 " * 150_000  # 1.8 MB, more than form fields may have elsewhere
    assert upload(person, **samples.classic("large.png", quotient=quotient)) == (201, "")
    assert person.call("GET", f"{person.images}/large").json()["quotient"] == quotient
    answer = person.call("GET", f"{person.images}/large/quotient")
    assert (answer.text, answer.headers["Content-Type"]) == (quotient, "text/plain; charset=utf-8")


def test_a_quotient_may_come_as_a_file(person: Person) -> None:
    files = {"imageFile": ("a.png", samples.png()), "quotient": ("quotient.txt", b"1 2 3 ")}
    assert upload(person, files=files) == (201, "")
    assert person.call("GET", f"{person.images}/a/quotient").text == "1 2 3 "


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"data": {"quotient": "1 2"}}, "Image file is required"),
        ({"data": {"quotient": "1 2"}, "files": {"other": ("a.png", b"x")}}, "Image file is required"),
        ({"files": {"imageFile": ("", samples.png()), "quotient": (None, "1")}}, "Image file is required"),
        ({"files": {"imageFile": (None, b"text"), "quotient": (None, "1")}}, "Image file is required"),
        ({"files": {"imageFile": ("a.png", samples.png())}}, "Quotient data is required"),
        ({"files": {"imageFile": ("a.png", samples.png())}, "data": {"quotient": " \n "}}, "Quotient data is required"),
        ({"files": {"x": ("a.png", b"")}}, "Image file is required, Quotient data is required"),
        ({}, "Image file is required, Quotient data is required"),
        (samples.classic("a.jpg"), "PNG images only!"),
        (samples.classic("a"), "PNG images only!"),
        (samples.classic(".png"), "PNG images only!"),
        (samples.classic("a.png", b"\xff\xd8\xff\xe0 no PNG"), "PNG images only!"),
        ({"files": {"imageFile": ("a.png", b"")}, "data": {"quotient": "1"}}, "PNG images only!"),
        (samples.classic("a.png", b"\x89PNG\r\n"), "PNG images only!"),
        ({"files": {"imageFile": ("a.gif", samples.png())}}, "PNG images only!, Quotient data is required"),
        (samples.classic("a.png") | {"data": {"quotient": b"1 2 \xff"}}, "Quotient data must be text"),
        (samples.classic("a.png") | {"data": {"quotient": b"1 2 \xc3"}}, "Quotient data must be text"),
        (
            {"files": [("imageFile", ("a.png", samples.png()))] * 2, "data": {"quotient": "1"}},
            "imageFile was sent twice",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(server: Running, person: Person, form: dict[str, Any], message: str) -> None:
    blobs = set(server.storage.blob_ids())
    assert upload(person, **form) == (422, {"message": message})
    assert set(server.storage.blob_ids()) == blobs
    assert names(person) == []


def test_extensions_are_of_any_case(person: Person) -> None:
    assert upload(person, **samples.classic("LOUD.PNG")) == (201, "")
    assert names(person) == ["LOUD.png"]
    assert person.call("GET", f"{person.images}/LOUD").status_code == 200


def test_names_the_api_needs_itself_get_the_time(person: Person) -> None:
    for stem in ("download-all", "thumbnails"):
        assert upload(person, **samples.classic(f"{stem}.png")) == (201, "")
        (name,) = [name for name in names(person) if name.startswith(stem)]
        assert re.fullmatch(rf"{stem}_\d{{14}}\.png", name)
        assert person.call("GET", f"{person.images}/{name[:-4]}").status_code == 200


def test_two_uploads_of_one_name_at_the_same_moment(server: Running, person: Person) -> None:
    count, codes = 8, []
    barrier = threading.Barrier(count)

    def send() -> None:
        form = samples.classic("race.png")
        with requests.Session() as session:
            barrier.wait()
            headers = {"Authorization": f"Bearer {person.token}"}
            answer = session.post(f"{server.base}/api/v1{person.images}", headers=headers, timeout=20, **form)
            codes.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [201] * count
    assert len(set(names(person))) == count
    assert "race.png" in names(person)


# -- sealed --


def test_a_sealed_picture_is_kept_as_given(person: Person) -> None:
    sent = samples.sealed()
    status, row = upload(person, **sent.form())
    assert status == 201
    assert set(row) == ROW | {"envelope"}
    assert (row["img_name"], row["scheme"], row["size"]) == (f"{sent.stem}.png", "sealed", len(sent.image))
    assert row["envelope"] == sent.envelope
    assert person.call("GET", f"{person.images}/{sent.stem}/content").content == sent.image
    assert person.call("GET", f"{person.images}?limit=1").json() == [row]
    assert person.call("GET", person.images).json() == [{k: v for k, v in row.items() if k != "envelope"}]
    whole = person.call("GET", f"{person.images}/{sent.stem}").json()
    assert whole["img_content"].encode("iso-8859-1") == sent.image
    assert (whole["img_name"], whole["quotient"], whole["envelope"]) == (row["img_name"], "", sent.envelope)


def test_the_server_computes_the_header_hash(server: Running, person: Person) -> None:
    sent = samples.sealed()
    upload(person, **sent.form())
    record = server.storage.picture(person.user_id, f"{sent.stem}.png")
    assert record.header_hash == sent.header_hash
    assert record.content_sha256 == hashlib.sha256(sent.image).hexdigest()


def test_the_same_header_again_changes_nothing(server: Running, person: Person) -> None:
    sent = samples.sealed()
    first = upload(person, **sent.form())
    blobs = set(server.storage.blob_ids())
    assert upload(person, **sent.form()) == (200, first[1])
    assert len(names(person)) == 1
    assert set(server.storage.blob_ids()) == blobs


def test_another_header_for_the_same_picture_is_a_conflict(server: Running, person: Person) -> None:
    sent = samples.sealed()
    upload(person, **sent.form())
    blobs = set(server.storage.blob_ids())
    other = samples.sealed(sent.picture_id)
    answer = upload(person, **other.form())
    assert answer == (409, {"message": "Another version of this picture is already stored"})
    assert set(server.storage.blob_ids()) == blobs
    assert person.call("GET", f"{person.images}/{sent.stem}/content").content == sent.image


def test_the_same_id_may_be_stored_by_two_people(server: Running, person: Person) -> None:
    sent = samples.sealed()
    assert upload(person, **sent.form())[0] == 201
    assert upload(server.person(), **sent.form())[0] == 201


def test_the_same_sealed_picture_twice_at_the_same_moment(server: Running, person: Person) -> None:
    sent, count, codes = samples.sealed(), 6, []
    blobs = set(server.storage.blob_ids())
    barrier = threading.Barrier(count)

    def send() -> None:
        with requests.Session() as session:
            barrier.wait()
            headers = {"Authorization": f"Bearer {person.token}"}
            answer = session.post(f"{server.base}/api/v1{person.images}", headers=headers, timeout=20, **sent.form())
            codes.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * (count - 1) + [201]
    assert len(set(server.storage.blob_ids()) - blobs) == 2
    assert names(person) == [f"{sent.stem}.png"]


def test_sealed_uploads_that_are_wrong(server: Running, person: Person) -> None:
    sent = samples.sealed()
    image = ("imageFile", (f"{sent.stem}.png", sent.image))
    thumbnail = ("thumbnail", ("thumbnail", sent.thumbnail))
    data = {"envelope": sent.envelope}
    spaced = json.dumps(json.loads(sent.envelope))
    named = "Image file must be named p-<picture id>.png as in the envelope"
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"data": data, "files": [image]}, 422, "Thumbnail is required"),
        ({"data": data, "files": [image, ("thumbnail", ("t", b""))]}, 422, "Thumbnail is required"),
        ({"data": data, "files": [thumbnail]}, 422, "Image file is required"),
        ({"data": data}, 422, "Image file is required"),
        ({"data": data, "files": [("imageFile", ("holiday.png", sent.image)), thumbnail]}, 422, named),
        ({"data": data, "files": [("imageFile", (f"p-{'0' * 32}.png", sent.image)), thumbnail]}, 422, named),
        ({"data": data, "files": [("imageFile", (f"{sent.stem}.png", b"GIF89a")), thumbnail]}, 422, "PNG images only!"),
        ({"data": data | {"quotient": "1"}, "files": [image, thumbnail]}, 422, "Send either a quotient or an envelope"),
        ({"data": {"envelope": spaced}, "files": [image, thumbnail]}, 422, "Envelope is invalid"),
        ({"data": {"envelope": "{}"}, "files": [image, thumbnail]}, 422, "Envelope is invalid"),
        ({"data": {"envelope": "A" * 32769}, "files": [image, thumbnail]}, 422, "Envelope is invalid"),
        ({"data": {"envelope": "A" * 1_500_000}, "files": [image, thumbnail]}, 422, "Envelope is invalid"),
        (
            {"data": data, "files": [image, ("thumbnail", ("t", bytes(262_161)))]}, 413,
            "The request is larger than this server takes",
        ),
    ]  # fmt: skip
    blobs = set(server.storage.blob_ids())
    for form, status, message in cases:
        assert upload(person, **form) == (status, {"message": message})
    assert names(person) == []
    assert set(server.storage.blob_ids()) == blobs
    assert upload(person, data=data, files=[image, ("thumbnail", ("t", bytes(262_160)))])[0] == 201


def test_a_sealed_name_taken_by_a_classic_picture_is_a_conflict(person: Person) -> None:
    sent = samples.sealed()
    assert upload(person, **samples.classic(f"{sent.stem}.png")) == (201, "")
    assert upload(person, **sent.form())[0] == 409


# -- lists --


def test_pages(person: Person) -> None:
    sent = [samples.sealed() for _ in range(7)]
    for one in sent:
        upload(person, **one.form())
    upload(person, **samples.classic("last.png"))
    everything = person.call("GET", person.images)
    assert everything.headers["X-Total-Count"] == "8"
    expected = [row["id"] for row in everything.json()]
    assert expected == sorted(expected)
    seen: list[dict[str, Any]] = []
    after = ""
    while True:
        page = person.call("GET", f"{person.images}?limit=3{after}")
        assert page.headers["X-Total-Count"] == "8"
        if not page.json():
            break
        assert len(page.json()) <= 3
        seen += page.json()
        after = f"&after={page.json()[-1]['id']}"
    assert [row["id"] for row in seen] == expected
    assert [row.get("envelope") for row in seen] == [one.envelope for one in sent] + [None]


def test_a_walk_counts_for_its_first_and_its_last_page(
    server: Running, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        upload(person, **samples.sealed().form())
    counted: list[str] = []
    count = server.storage.count_pictures

    def counting(owner_id: str) -> int:
        counted.append(owner_id)
        return count(owner_id)

    monkeypatch.setattr(server.storage, "count_pictures", counting)
    after, told = "", []
    while True:
        page = person.call("GET", f"{person.images}?limit=2{after}")
        told.append((page.headers["X-Total-Count"], len(page.json()), len(counted)))
        if len(page.json()) < 2:
            break
        if len(told) == 2:
            upload(person, **samples.sealed().form())
        after = f"&after={page.json()[-1]['id']}"
    assert told == [("7", 2, 1), ("7", 2, 1), ("7", 2, 1), ("7", 2, 1), ("8", 0, 2)]


def test_a_count_is_not_remembered_for_long() -> None:
    now, number = 0.0, 5
    counts = Counts(cast("Storage", SimpleNamespace(count_pictures=lambda _: number)), clock=lambda: now)
    assert counts.get("a", within=True) == 5
    number, now = 6, RECENT_SECONDS - 1
    assert counts.get("a", within=True) == 5
    assert counts.get("b", within=True) == 6
    now = RECENT_SECONDS
    assert counts.get("a", within=True) == 6
    number = 7
    assert counts.get("a") == 7
    for other in range(REMEMBERED):
        counts.get(f"person {other}")
    number = 8
    assert counts.get("a", within=True) == 8


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.0", "limit=\u0661"]
)
def test_a_limit_is_a_number_from_1_to_1000(person: Person, query: str) -> None:
    answer = person.call("GET", f"{person.images}?{query}")
    assert (answer.status_code, answer.json()) == (422, {"message": "limit must be a number from 1 to 1000"})


def test_after_is_an_id_and_needs_a_limit(person: Person) -> None:
    answer = person.call("GET", f"{person.images}?limit=1&after=x")
    assert answer.json()["message"].startswith("Not a valid ObjectId")
    answer = person.call("GET", f"{person.images}?after={'0' * 24}")
    assert (answer.status_code, answer.json()) == (422, {"message": "after needs limit"})
    assert person.call("GET", f"{person.images}?limit=1000&after={'0' * 24}").json() == []


def test_lists_of_several_hundred_are_whole(server: Running, person: Person) -> None:
    # Longer than the pages in which the service itself reads.
    with server.app.extensions["glassine"].services.pictures.begin_upload() as blank:
        blank.begin("imageFile", "a.png").write(samples.png())
        first = server.app.extensions["glassine"].services.pictures
        record = None
        blank.begin("quotient", None).write(b"1")
        record = first.store(person.user_id, blank).picture
    for number in range(1001):
        server.storage.add_picture(_copy(record, server.storage.new_id(), f"{number}.png"))
    rows = person.call("GET", person.images).json()
    assert len(rows) == len({row["id"] for row in rows}) == 1002
    server_side = len(list(first.walk(person.user_id)))
    assert server_side == 1002


def _copy(record: Any, new_id: str, name: str) -> Any:
    from dataclasses import replace

    return replace(record, id=new_id, name=name)


# -- deleting --


def test_delete_for_good_takes_the_bytes_and_the_permissions_along(server: Running, person: Person) -> None:
    blobs = set(server.storage.blob_ids())
    sent, other = samples.sealed(), server.person()
    _, row = upload(person, **sent.form())
    form = {"user_id": other.user_id, "role": "read"}
    person.call("POST", f"{person.images}/{sent.stem}/permissions", data=form)
    assert len(set(server.storage.blob_ids()) - blobs) == 2
    answer = person.call("DELETE", f"{person.images}/{sent.stem}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert person.call("DELETE", f"{person.images}/{sent.stem}").json() == {"message": "Image not found"}
    assert len(set(server.storage.blob_ids()) - blobs) == 2  # in the bin
    answer = person.call("DELETE", f"/users/{person.user_id}/bin/{row['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(server.storage.blob_ids()) == blobs
    assert server.storage.permissions(row["id"]) == []
    assert upload(person, **sent.form())[0] == 201
