"""What every storage engine promises about documents, published files and orphans: one caller at a time."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from backend.storage.protocol import Document, PublishedFile, Revision, Session

CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
OWNER = "0123456789abcdef01234567"
OTHER = "0123456789abcdef01234568"
FUTURE = datetime(2200, 1, 1)

HARD_KEYS = ["", "a", "A", "a/b", "a b", "ä", "a\u0308", "$gt", "a.b", "%", "名前", "🖼", "\x00", "￿", "0", "x" * 300]


def document(kind: str = "ledger", key: str = "", version: int = 1, **values) -> Document:
    fields = {"owner_id": OWNER, "value": b"\x00\xff", "updated": CREATED, **values}
    return Document(kind=kind, key=key, version=version, **fields)


# -- documents --


@pytest.mark.parametrize("value", [b"", bytes(range(256)), bytes(8 * 2**20)], ids=["empty", "all", "8 MiB"])
def test_a_document_comes_back_to_the_byte(reopen, value):
    storage = reopen()
    assert storage.put_document(kept := document(value=value))
    assert reopen().document(OWNER, "ledger") == kept


def test_a_document_changes_only_from_the_version_before(reopen):
    storage = reopen()
    assert not storage.put_document(document(version=2))
    assert not storage.put_document(document(version=0))
    assert storage.document(OWNER, "ledger") is None
    assert storage.put_document(first := document(value=b"1"))
    for version in (0, 1, 3):
        assert not storage.put_document(document(version=version, value=b"other"))
    assert storage.document(OWNER, "ledger") == first
    assert storage.put_document(second := document(version=2, value=b"2"))
    storage = reopen()
    assert storage.document(OWNER, "ledger") == second
    assert storage.put_document(third := document(version=3, value=b""))
    assert storage.documents(OWNER, "ledger") == [third]


def test_documents_of_other_owners_kinds_and_keys_are_others(storage):
    kept = [
        document(),
        document(key="a"),
        document(kind="keyfile"),
        document(owner_id=OTHER),
        document(kind="a/b", key="c"),
        document(kind="a", key="b/c"),
    ]
    for number, each in enumerate(kept):
        kept[number] = dataclasses.replace(each, value=bytes([number]))
        assert storage.put_document(kept[number])
    for each in kept:
        assert storage.document(each.owner_id, each.kind, each.key) == each
    assert storage.document(OWNER, "keyfile", "a") is None
    assert storage.documents(OWNER, "ledger") == kept[:2]
    assert storage.documents(OWNER, "a") == [kept[5]]
    assert storage.documents(OTHER, "keyfile") == []
    for owner, kind in ((OWNER, "ledger"), (OWNER, "a"), (OTHER, "keyfile"), (OTHER, "ledger")):
        assert storage.count_documents(owner, kind) == len(storage.documents(owner, kind))


def test_documents_come_in_pages_in_order_of_key(storage):
    kept = {key: document(key=key, value=key.encode()) for key in HARD_KEYS}
    for each in kept.values():
        assert storage.put_document(each)
        assert storage.put_document(dataclasses.replace(each, kind="gone"))
    ordered = [kept[key] for key in sorted(HARD_KEYS)]
    assert storage.documents(OWNER, "ledger") == ordered
    for limit in (2, 5, 16, 17):
        pages, after = [], ""
        while page := storage.documents(OWNER, "ledger", after=after, limit=limit):
            assert len(page) <= limit
            pages += page
            after = page[-1].key
        assert pages == ordered
    assert storage.documents(OWNER, "ledger", limit=0) == []
    assert storage.documents(OWNER, "ledger", after="a", limit=1) == [kept["a b"]]


def test_documents_are_removed_by_owner_kind_and_key(storage):
    def fill() -> None:
        for owner in (OWNER, OTHER):
            storage.remove_documents(owner)
            for kind in ("a", "b"):
                for key in ("", "1", "2"):
                    assert storage.put_document(document(kind, key, owner_id=owner))

    def left(owner: str = OWNER) -> list[tuple[str, str]]:
        return [(d.kind, d.key) for kind in ("a", "b") for d in storage.documents(owner, kind)]

    fill()
    assert storage.remove_documents(OWNER, "a", "1") == 1
    assert storage.remove_documents(OWNER, "a", "1") == 0
    assert left() == [("a", ""), ("a", "2"), ("b", ""), ("b", "1"), ("b", "2")]
    assert storage.remove_documents(OWNER, "a", "") == 1
    assert storage.remove_documents(OWNER, "a") == 1
    assert left() == [("b", ""), ("b", "1"), ("b", "2")]
    fill()
    assert storage.remove_documents(OWNER, key="2") == 2
    assert left() == [("a", ""), ("a", "1"), ("b", ""), ("b", "1")]
    assert storage.remove_documents(OWNER) == 4
    assert left() == []
    assert len(left(OTHER)) == 6
    assert storage.put_document(document("a", "1"))  # begins again with version 1


# -- published files --


def file(storage, make, name: str = "f", **values) -> PublishedFile:
    return PublishedFile(**{"id": storage.new_id(), "owner_id": OWNER, "name": name, "size": 5, "created": CREATED,
                            "blob": make.blob(storage), **values})  # fmt: skip


def test_a_file_takes_the_place_of_the_one_with_its_name(reopen, make):
    storage = reopen()
    first, second = file(storage, make), file(storage, make, size=2**40)
    other, theirs = file(storage, make, "g"), file(storage, make, owner_id=OTHER)
    assert storage.put_file(first) is None
    assert storage.put_file(other) is None
    assert storage.put_file(theirs) is None
    assert storage.file(OWNER, "f") == first
    assert storage.put_file(second) == first
    storage.remove_blob(first.blob)
    storage = reopen()
    assert storage.file(OWNER, "f") == second
    assert storage.files(OWNER) == [second, other]
    assert storage.files(OTHER) == [theirs]
    assert storage.file(OTHER, "g") is None
    assert set(storage.blob_ids()) == {second.blob, other.blob, theirs.blob}


def test_a_file_is_removed_once(storage, make):
    kept, gone = file(storage, make, "kept"), file(storage, make, "gone")
    storage.put_file(kept)
    storage.put_file(gone)
    assert storage.remove_file(gone.id) == gone
    assert storage.remove_file(gone.id) is None
    assert storage.file(OWNER, "gone") is None
    assert storage.files(OWNER) == [kept]
    assert storage.put_file(again := file(storage, make, "gone")) is None
    assert storage.files(OWNER) == [again, kept]


def test_files_come_in_pages_in_order_of_name(storage, make):
    names = [key for key in HARD_KEYS if key]
    kept = {name: file(storage, make, name, blob="") for name in names}
    for each in kept.values():
        storage.put_file(each)
        storage.put_file(dataclasses.replace(each, id=storage.new_id(), owner_id=OTHER))
    ordered = [kept[name] for name in sorted(names)]
    assert storage.files(OWNER) == ordered
    for limit in (1, 4, 15, 16):
        pages, after = [], ""
        while page := storage.files(OWNER, after=after, limit=limit):
            assert len(page) <= limit
            pages += page
            after = page[-1].name
        assert pages == ordered
    assert storage.files(OWNER, limit=0) == []


# -- orphans --


def test_only_old_blobs_that_no_record_names_are_collected(reopen, make):
    storage = reopen()
    picture = make.picture(storage, OWNER, header_hash="1" * 64, quotient_blob=make.blob(storage))
    storage.add_picture(picture)
    storage.add_picture(binned := make.picture(storage, OWNER, "binned"))
    storage.move_to_bin(OWNER, "binned", CREATED)
    storage.put_file(published := file(storage, make))
    revised = dataclasses.replace(picture, content_blob=make.blob(storage), header_hash="2" * 64)
    storage.replace_picture(revised, Revision(picture.id, "1" * 64, "", CREATED))
    orphan = make.blob(storage, b"orphan")
    named = {*revised.blobs, *binned.blobs, published.blob}
    assert set(storage.blob_ids()) == {*named, picture.content_blob, orphan}
    yesterday = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
    assert storage.collect_orphans(yesterday) == 0
    assert set(storage.blob_ids()) == {*named, picture.content_blob, orphan}
    assert storage.collect_orphans(FUTURE) == 2
    assert storage.collect_orphans(FUTURE) == 0
    assert set(storage.blob_ids()) == named
    assert storage.open_blob(orphan) is None
    storage = reopen()
    assert set(storage.blob_ids()) == named
    for blob_id in named:
        with storage.open_blob(blob_id) as blob:
            assert blob.read() == b"noise"


def test_blobs_of_what_was_removed_are_orphans(storage, make):
    storage.add_picture(picture := make.picture(storage, OWNER))
    storage.put_file(first := file(storage, make))
    storage.put_file(second := file(storage, make))
    storage.remove_picture(picture.id)
    storage.remove_file(second.id)
    assert set(storage.blob_ids()) == {*picture.blobs, first.blob, second.blob}
    assert storage.collect_orphans(FUTURE) == 4
    assert list(storage.blob_ids()) == []


# -- the installation --


def test_a_storage_in_order_passes_its_check(storage):
    assert storage.check() is None


def test_totals_count_people_pictures_files_and_sessions(reopen, make):
    storage = reopen()
    assert storage.totals() == {"users": 0, "pictures": 0, "files": 0, "sessions": 0}
    for n in range(3):
        storage.add_user(make.user(storage, f"{n}"))
    storage.add_user(make.user(storage, kind="client"))
    for n in range(5):
        storage.add_picture(make.picture(storage, (OWNER, OTHER)[n % 2], f"{n}"))
    storage.move_to_bin(OWNER, "0", CREATED)
    storage.put_file(file(storage, make))
    storage.put_file(file(storage, make))
    storage.put_file(file(storage, make, "g"))
    storage.add_session(Session("s", OWNER, CREATED))
    assert reopen().totals() == {"users": 3, "pictures": 4, "files": 2, "sessions": 1}
