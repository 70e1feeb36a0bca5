"""What a page costs in the embedded storage: how many rows are read, however many records there are."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest

from backend.storage.embedded import open_storage
from backend.storage.protocol import Document, Permission, PublishedFile, Session

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
OWNER = "0123456789abcdef01234567"
READER = "0123456789abcdef01234568"
LIMIT = 5


def fill(storage, make, count: int) -> None:
    """Everything of which there are pages, ``count`` times; among pictures as many in the bin as outside."""
    with storage._engine.lock:  # one transaction: quick
        for n in range(2 * count):
            picture = make.picture(storage, OWNER, f"{n:04}", content_blob="", thumbnail_blob="")
            if n % 2:
                picture = dataclasses.replace(picture, deleted=CREATED)
            storage.add_picture(picture)
            for user in (READER, OWNER):
                storage.add_permission(Permission(picture.id, user, "read"))
        for n in range(count):
            storage.put_document(Document(OWNER, "ledger", f"{n:04}", 1, b"v", CREATED))
            storage.put_document(Document(OWNER, "other", f"{n:04}", 1, b"v", CREATED))
            storage.put_file(PublishedFile(storage.new_id(), OWNER, f"{n:04}", 1, CREATED, ""))
            storage.add_user(make.user(storage, f"{n:04}", email=f"{n}@example.org", kind=""))
            storage.add_user(make.user(storage, f"{n:04}", kind="client"))
            storage.add_session(Session(f"{n}", OWNER, CREATED))


def costs(storage, monkeypatch) -> dict[str, int]:
    rows_read = 0
    connections = storage._engine.connections
    rows = connections.rows

    def counted(*arguments):
        nonlocal rows_read
        found = rows(*arguments)
        rows_read += len(found)
        return found

    monkeypatch.setattr(connections, "rows", counted)
    middle = storage.pictures(OWNER, limit=20)[-1].id
    pages = {
        "pictures": lambda: storage.pictures(OWNER, after=middle, limit=LIMIT),
        "bin": lambda: storage.bin(OWNER, after=middle, limit=LIMIT),
        "shared_with": lambda: storage.shared_with(READER, after=middle, limit=LIMIT),
        "documents": lambda: storage.documents(OWNER, "ledger", after="0010", limit=LIMIT),
        "files": lambda: storage.files(OWNER, after="0010", limit=LIMIT),
        "users": lambda: storage.users(after=storage.user_by_name("0010").id, limit=LIMIT),
        "expired_in_bin": lambda: storage.expired_in_bin(datetime(2200, 1, 1), LIMIT),
        "binned": lambda: [storage.binned(OWNER, "0011")] * LIMIT,
        "user_by_email": lambda: [storage.user_by_email("10@example.org")] * LIMIT,
    }
    found = {}
    for name, page in pages.items():
        rows_read = 0
        assert len(page()) == LIMIT, name
        found[name] = rows_read
    return found


def test_a_page_reads_as_many_rows_among_many_records_as_among_few(tmp_path, make, monkeypatch):
    found = []
    for count in (30, 400):
        storage = open_storage(tmp_path / f"{count}")
        fill(storage, make, count)
        with monkeypatch.context() as patched:
            found.append(costs(storage, patched))
        storage.close()
    assert found[0] == found[1]
    assert max(found[0].values()) <= 3 * LIMIT


@pytest.mark.parametrize("call", ["remove_sessions", "remove_permissions_of", "closing_users", "purge"])
def test_what_concerns_few_does_not_read_all(tmp_path, make, monkeypatch, call):
    storage = open_storage(tmp_path / "storage")
    fill(storage, make, 100)
    storage.add_session(Session("theirs", READER, CREATED))
    read = []
    rows = storage._engine.connections.rows
    monkeypatch.setattr(storage._engine.connections, "rows", lambda *a: read.append(found := rows(*a)) or found)
    {
        "remove_sessions": lambda: storage.remove_sessions(READER),
        "remove_permissions_of": lambda: storage.remove_permissions_of("f" * 24),
        "closing_users": storage.closing_users,
        "purge": lambda: storage.add_session(Session("new", READER, CREATED)),
    }[call]()
    assert sum(map(len, read)) < 10
    storage.close()
