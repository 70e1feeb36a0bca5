"""How much work a large vault is: what was listed before is neither verified nor unwrapped again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from desktop.client.answers import Row
from desktop.client.memory_model import Entry
from desktop.crypto import canonical
from desktop.crypto.draft import Draft
from desktop.crypto.envelope import text_hash
from desktop.crypto.keys import PrivateKey, PublicKey
from desktop.crypto.metadata import Metadata
from desktop.crypto.objects import Header
from desktop.crypto.order import Known
from desktop.crypto.plans import first_revision
from desktop.models import PictureState, Scheme
from tests import sample_pictures
from tests.client.conftest import Somewhere

COUNT = 10_000
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def stored(key: PrivateKey, number: int, jpeg: bytes) -> tuple[Row, Entry, bytes]:
    """A picture as a server lists it, as it is remembered, and its sealed thumbnail."""
    picture_id = f"{number:032x}"
    metadata = Metadata(f"{number}.png", "image/png", 100, "0" * 64, 1, 1, "")
    draft = Draft(key, first_revision(key, picture_id), metadata, jpeg)
    text = canonical.encode(draft.header(metadata, "0" * 64)).decode("ascii")
    header = Header.parse(canonical.parse(text))
    known = Known(key.fingerprint, picture_id, 1, 1, header.hash, header.deed.hash, frozenset({header.hash}))
    row = Row(f"{number + 1:024x}", f"p-{picture_id}", Scheme.SEALED, 1000, CREATED, text)
    return row, Entry(key.fingerprint, picture_id, known=known, text_hash=text_hash(text)), draft.thumbnail


def test_ten_thousand_pictures_cost_no_rsa(here: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures and wraps are rubbish here: whoever looked at one would refuse the picture."""
    context = here.vault.context()
    jpeg = sample_pictures.jpeg(16, 16)
    with monkeypatch.context() as unsigned:
        unsigned.setattr(PrivateKey, "sign", lambda *_: bytes(256))
        unsigned.setattr(PublicKey, "wrap", lambda *_: bytes(255) + b"\1")
        made = [stored(context.key, number, jpeg) for number in range(COUNT)]
    rows = [row for row, _, _ in made]
    thumbnails = {row.stored_name: thumbnail for row, _, thumbnail in made}
    context.memory.put([entry for _, entry, _ in made])
    page = lambda _, after, *__: (rows[int(after or "0", 16) :][:400], COUNT)  # noqa: E731
    monkeypatch.setattr(here.session.api, "page", page)
    fetch = lambda _, names, *__: {name: thumbnails[name] for name in names}  # noqa: E731
    monkeypatch.setattr(here.session.api, "thumbnails", fetch)
    operations: list[str] = []

    def count(name: str) -> Any:
        return lambda *_: operations.append(name)

    for kind, names in ((PublicKey, ("verify", "wrap")), (PrivateKey, ("sign", "unwrap"))):
        for name in names:
            monkeypatch.setattr(kind, name, count(name))

    pictures = here.vault.list_pictures()
    assert len(pictures) == COUNT
    assert {picture.state for picture in pictures} == {PictureState.READY}
    assert len(here.vault.thumbnails([picture.id for picture in pictures])) == COUNT
    assert operations == []
