"""Handing pictures out: raw with ranges, thumbnails in bulk, JSON; to the owner and to whom it is shared with."""

from __future__ import annotations

import hashlib
import secrets
import struct

import pytest

from tests.backend import samples
from tests.backend.conftest import Person, Running

NOT_AUTHORIZED = {"message": "User is not authorized"}


@pytest.fixture
def picture(person: Person) -> samples.SealedUpload:
    """A stored sealed picture of some size."""
    sent = samples.sealed()
    sent.image = samples.png(300, 200) + secrets.token_bytes(400_000)
    assert person.call("POST", person.images, **sent.form()).status_code == 201
    return sent


def test_content_has_a_length_and_a_tag(person: Person, picture: samples.SealedUpload) -> None:
    path = f"{person.images}/{picture.stem}/content"
    for method in ("GET", "HEAD"):
        answer = person.call(method, path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Length"] == str(len(picture.image))
        assert answer.headers["ETag"] == f'"{hashlib.sha256(picture.image).hexdigest()}"'
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{picture.stem}.png"')
        assert answer.content == (picture.image if method == "GET" else b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-0", 0, 0), ("0-99", 0, 99), ("1000-", 1000, None), ("-7", -7, None), ("262143-262145", 262143, 262145),
     ("5-99999999", 5, None), ("-99999999", -99999999, None)],
)  # fmt: skip
def test_a_range(person: Person, picture: samples.SealedUpload, asked: str, first: int, last: int | None) -> None:
    image = picture.image
    start = first if first >= 0 else max(0, len(image) + first)
    stop = len(image) if last is None else last + 1
    answer = person.call("GET", f"{person.images}/{picture.stem}/content", headers={"Range": f"bytes={asked}"})
    assert answer.status_code == 206
    assert answer.content == image[start:stop]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(image)}"
    assert answer.headers["Content-Length"] == str(stop - start)


def test_a_range_behind_the_end(person: Person, picture: samples.SealedUpload) -> None:
    headers = {"Range": f"bytes={len(picture.image)}-"}
    answer = person.call("GET", f"{person.images}/{picture.stem}/content", headers=headers)
    assert (answer.status_code, answer.json()) == (416, {"message": "Requested range not satisfiable"})
    assert answer.headers["Content-Range"] == f"bytes */{len(picture.image)}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=9-1", "bytes=-0", "bytes=x-y", "pages=1-2", "bytes", "bytes=1-\u0661"]
)
def test_a_range_that_makes_no_sense_is_ignored(person: Person, picture: samples.SealedUpload, asked: str) -> None:
    path = f"{person.images}/{picture.stem}/content"
    answer = person.call("GET", path, headers={"Range": asked.encode("utf-8")})
    assert (answer.status_code, answer.content) == (200, picture.image)


def test_conditions(person: Person, picture: samples.SealedUpload) -> None:
    path = f"{person.images}/{picture.stem}/content"
    tag = person.call("HEAD", path).headers["ETag"]
    for value in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = person.call("GET", path, headers={"If-None-Match": value})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert person.call("GET", path, headers={"If-None-Match": '"other"'}).status_code == 200
    ranged = {"Range": "bytes=0-9"}
    assert person.call("GET", path, headers=ranged | {"If-Range": tag}).content == picture.image[:10]
    for other in ('"other"', f"W/{tag}", "Fri, 27 Nov 2026 00:00:00 GMT", "other"):
        answer = person.call("GET", path, headers=ranged | {"If-Range": other})
        assert (answer.status_code, answer.content) == (200, picture.image), other


def test_downloads_leave_no_file_open(server: Running, person: Person, picture: samples.SealedUpload) -> None:
    # Leaked files would fail the run as ResourceWarning; this asks for every way in which an answer may end early.
    path = f"{person.images}/{picture.stem}"
    for method in ("GET", "HEAD"):
        for address in (f"{path}/content", path, f"{person.images}/download-all"):
            with person.call(method, address, stream=True) as answer:
                assert answer.status_code == 200
                if method == "GET":
                    assert next(answer.iter_content(10))


def test_quotient(person: Person) -> None:
    person.call("POST", person.images, **samples.classic("bicycle.png", quotient="1 2 3 "))
    path = f"{person.images}/bicycle/quotient"
    answer = person.call("GET", path)
    assert (answer.text, answer.headers["Content-Length"]) == ("1 2 3 ", "6")
    assert person.call("GET", path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert person.call("GET", path, headers={"Range": "bytes=2-"}).text == "2 3 "


def test_a_quotient_is_another_one_though_its_picture_is_the_same(person: Person) -> None:
    path, image = f"{person.images}/again", samples.png()
    person.call("POST", person.images, **samples.classic("again.png", image, "1 2 3 "))
    earlier = {"If-None-Match": person.call("GET", f"{path}/quotient").headers["ETag"]}
    assert person.call("DELETE", path).status_code == 204
    person.call("POST", person.images, **samples.classic("again.png", image, "4 5 6 "))
    answer = person.call("GET", f"{path}/quotient", headers=earlier)
    assert (answer.status_code, answer.text) == (200, "4 5 6 ")


def test_a_sealed_picture_has_no_quotient(person: Person, picture: samples.SealedUpload) -> None:
    answer = person.call("GET", f"{person.images}/{picture.stem}/quotient")
    assert (answer.status_code, answer.json()) == (404, {"message": "This picture has no quotient"})


def test_unknown_pictures(person: Person) -> None:
    for suffix in ("", "/content", "/quotient"):
        for name in ("nothing", "bicycle.png", "p-" + "0" * 32):
            answer = person.call("GET", f"{person.images}/{name}{suffix}")
            assert (answer.status_code, answer.json()) == (404, {"message": "Image not found"})


# -- thumbnails --


def frames(body: bytes) -> list[bytes | None]:
    """Take the answer apart."""
    found: list[bytes | None] = []
    while body:
        (length,) = struct.unpack(">I", body[:4])
        if length == 0xFFFFFFFF:
            found.append(None)
            body = body[4:]
        else:
            assert len(body) >= 4 + length
            found.append(body[4 : 4 + length])
            body = body[4 + length :]
    return found


def test_thumbnails_come_in_the_order_asked(person: Person) -> None:
    sent = [samples.sealed() for _ in range(3)]
    for one in sent:
        person.call("POST", person.images, **one.form())
    person.call("POST", person.images, **samples.classic("bicycle.png"))
    asked = [sent[2].stem, "p-" + "0" * 32, sent[0].stem, "bicycle", sent[2].stem]
    answer = person.call("GET", f"{person.images}/thumbnails?names={','.join(asked)}")
    assert answer.headers["Content-Type"] == "application/vnd.glassine.thumbnails"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert frames(answer.content) == [sent[2].thumbnail, None, sent[0].thumbnail, None, sent[2].thumbnail]


@pytest.mark.parametrize("count", [0, 101])
def test_one_to_a_hundred_thumbnails(person: Person, count: int) -> None:
    answer = person.call("GET", f"{person.images}/thumbnails?names={','.join(['p'] * count)}")
    message = "names must hold 1 to 100 names separated by commas"
    assert (answer.status_code, answer.json()) == (422, {"message": message})
    assert (
        frames(person.call("GET", f"{person.images}/thumbnails?names={','.join(['p'] * 100)}").content) == [None] * 100
    )


# -- for others --


def test_a_permission_opens_a_picture_and_nothing_else(server: Running, person: Person) -> None:
    reader, sent, kept = server.person(), samples.sealed(), samples.sealed()
    for one in (sent, kept):
        person.call("POST", person.images, **one.form())
    paths = [f"{person.images}/{sent.stem}{suffix}" for suffix in ("", "/content")]
    bulk = f"{person.images}/thumbnails?names={sent.stem},{kept.stem}"
    for path in paths:
        answer = reader.call("GET", path)
        assert (answer.status_code, answer.json()) == (401, NOT_AUTHORIZED)
    assert frames(reader.call("GET", bulk).content) == [None, None]

    sharing = f"{person.images}/{sent.stem}/permissions"
    person.call("POST", sharing, data={"user_id": reader.user_id, "role": "write"})
    assert reader.call("GET", paths[0]).json()["img_content"].encode("iso-8859-1") == sent.image
    assert reader.call("GET", paths[1]).content == sent.image
    assert frames(reader.call("GET", bulk).content) == [sent.thumbnail, None]
    forbidden = [("GET", person.images), ("POST", person.images), ("DELETE", f"{person.images}/{sent.stem}"),
                 ("GET", sharing), ("POST", sharing), ("GET", f"{sharing}/{'0' * 24}"),
                 ("PUT", f"{sharing}/{reader.user_id}"), ("DELETE", f"{sharing}/{'0' * 24}"),
                 ("GET", f"{person.images}/download-all"), ("GET", f"{person.images}/{kept.stem}/content")]  # fmt: skip
    for method, path in forbidden:
        answer = reader.call(method, path)
        assert (answer.status_code, answer.json()) == (401, NOT_AUTHORIZED), path

    person.call("DELETE", f"{sharing}/{reader.user_id}")
    for path in paths:
        assert reader.call("GET", path).status_code == 401
    assert frames(reader.call("GET", bulk).content) == [None, None]


def test_download_all(person: Person) -> None:
    assert person.call("GET", f"{person.images}/download-all").text == "[]"
    image = samples.png()
    person.call("POST", person.images, **samples.classic('\u00e4 "quoted".png', image, "1 2 "))
    sent = samples.sealed()
    person.call("POST", person.images, **sent.form())
    answer = person.call("GET", f"{person.images}/download-all")
    assert answer.content.isascii()
    first, second = answer.json()
    assert first == {
        "img_content": image.decode("iso-8859-1"), "img_name": '\u00e4 "quoted".png', "quotient": "1 2 ",
    }  # fmt: skip
    assert second["img_content"].encode("iso-8859-1") == sent.image
    assert (second["quotient"], second["envelope"]) == ("", sent.envelope)
