"""The desktop's own sealed pictures, as they are made today, are taken and indexed as both sides understand them."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.crypto.keys import PrivateKey
from desktop.crypto.sealed import Sealed, read_envelope, seal
from tests.backend import samples
from tests.backend.conftest import Running


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    """A key pair of the smallest size allowed."""
    return PrivateKey.generate(2048)


@pytest.fixture
def picture(tmp_path: Path, key: PrivateKey) -> Sealed:
    """A sealed picture."""
    source = tmp_path / "holiday.png"
    source.write_bytes(samples.png(40, 30))
    return seal(
        source, tmp_path / "carrier.png", key, name="holiday.png", media_type="image/png", width=40, height=30,
        taken="", thumbnail=b"\xff\xd8 a thumbnail",
    )  # fmt: skip


def test_a_sealed_picture_is_taken_and_opens_again(
    server: Running, key: PrivateKey, picture: Sealed, tmp_path: Path
) -> None:
    person = server.person(key.public.pem)
    stem = f"p-{picture.picture_id}"
    form = {
        "data": {"envelope": picture.envelope},
        "files": {
            "imageFile": (f"{stem}.png", picture.carrier.read_bytes()),
            "thumbnail": ("thumbnail", picture.thumbnail),
        },
    }
    answer = person.call("POST", person.images, **form)
    assert answer.status_code == 201
    assert server.storage.picture(person.user_id, f"{stem}.png").header_hash == picture.header_hash
    (row,) = person.call("GET", f"{person.images}?limit=10").json()
    opened = read_envelope(row["envelope"], owner=key.public, picture_id=picture.picture_id).open(key)
    assert opened.metadata.name == "holiday.png"
    frame = person.call("GET", f"{person.images}/thumbnails?names={stem}").content
    assert opened.open_thumbnail(frame[4:]) == b"\xff\xd8 a thumbnail"
    content = tmp_path / "back"
    content.write_bytes(person.call("GET", f"{person.images}/{stem}/content").content)
    with content.open("rb") as carrier:
        opened.open_payload(carrier, tmp_path / "out.png", lambda done, total: None, lambda: False)
    assert (tmp_path / "out.png").read_bytes() == (tmp_path / "holiday.png").read_bytes()
    assert b"holiday" not in content.read_bytes()
