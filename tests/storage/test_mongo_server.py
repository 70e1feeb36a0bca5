"""The MongoDB engine when things go wrong: large blobs, killed writers, a database that goes away and returns."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    DocumentTooLarge,
    DuplicateKeyError,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from backend.storage import mongo_schema
from backend.storage.mongo import open_mongo
from backend.storage.mongo_blobs import CHUNK
from backend.storage.mongo_failures import storage_error
from backend.storage.mongo_storage import MongoStorage
from backend.storage.protocol import DuplicateRecord, PublishedFile, Revision, StorageError
from tests.mongodb import mongo_server, with_database

OWNER = "0123456789abcdef01234567"
CREATED = datetime(2024, 5, 17, 11, 22, 33, 444000)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def storage(mongo_uri: str) -> Iterator[MongoStorage]:
    storage = open_mongo(mongo_uri)
    yield storage
    storage.close()


# -- blobs --


def test_a_large_blob_streams_through_little_memory(storage):
    piece = os.urandom(1 << 16)
    tracemalloc.start()
    try:
        with storage.write_blob() as writer:
            for _ in range(800):
                writer.write(piece)
            blob_id = writer.commit()
        read = 0
        with storage.open_blob(blob_id) as blob:
            while data := blob.read(1 << 16):
                read += len(data)
                same = data == piece
                assert same
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == 800 << 16
    assert peak < 12 * CHUNK  # a chunk, what encodes it and what pymongo keeps of its own


def test_a_blob_is_read_at_any_place(storage):
    data = os.urandom(2 * CHUNK + 1000)
    with storage.write_blob() as writer:
        assert writer.write(memoryview(data)) == len(data)
        blob_id = writer.commit()
    with storage.open_blob(blob_id) as blob:
        for start, size in [(0, 5), (CHUNK - 2, 4), (2 * CHUNK - 1, 5000), (3 * CHUNK, 5), (7, -1), (CHUNK, CHUNK)]:
            assert blob.seek(start) == start
            assert blob.read(size) == data[start:][: size if size >= 0 else None]
        assert blob.seek(-10, os.SEEK_END) == len(data) - 10
        assert (blob.read(), blob.tell()) == (data[-10:], len(data))
        with pytest.raises(ValueError, match="negative"):
            blob.seek(-1)
    assert blob.closed


def test_every_gridfs_program_can_read_a_blob(storage, mongo_uri):
    import gridfs

    data = os.urandom(CHUNK + 17)
    with storage.write_blob() as writer:
        writer.write(data)
        blob_id = writer.commit()
    with MongoClient(mongo_uri) as client:
        bucket = gridfs.GridFSBucket(client.get_default_database(), "blobs")
        assert bucket.open_download_stream(blob_id).read() == data


def test_a_lost_chunk_is_damage(storage, mongo_uri):
    with storage.write_blob() as writer:
        writer.write(bytes(CHUNK + 5))
        blob_id = writer.commit()
    with MongoClient(mongo_uri) as client:
        client.get_default_database()["blobs.chunks"].delete_one({"files_id": blob_id, "n": 1})
    with storage.open_blob(blob_id) as blob:
        assert blob.read(10) == bytes(10)
        with pytest.raises(StorageError) as error:
            blob.read()
    assert error.value.reason == "damaged"


def test_collecting_removes_what_is_old_and_unnamed(storage, mongo_uri, make):
    storage.add_picture(picture := make.picture(storage, OWNER))
    storage.add_picture(binned := make.picture(storage, OWNER, "binned"))
    storage.move_to_bin(OWNER, "binned", CREATED)
    storage.put_file(file := PublishedFile(storage.new_id(), OWNER, "f", 5, CREATED, make.blob(storage)))
    orphan = make.blob(storage, bytes(CHUNK + 5))
    begun = storage.write_blob()
    begun.write(bytes(2 * CHUNK))
    now = datetime.now(UTC).replace(tzinfo=None)
    assert storage.collect_orphans(now - timedelta(minutes=1)) == 0
    assert orphan in set(storage.blob_ids())
    assert storage.collect_orphans(now + timedelta(minutes=1)) == 2
    named = {*picture.blobs, *binned.blobs, file.blob}
    assert set(storage.blob_ids()) == named
    with MongoClient(mongo_uri) as client:
        chunks = client.get_default_database()["blobs.chunks"]
        assert set(chunks.distinct("files_id")) == named
        # whichever part of a removal is left
        chunks.insert_many([{"_id": ObjectId(), "files_id": "f" * 32, "n": n, "data": b""} for n in range(3)])
        assert storage.collect_orphans(now + timedelta(minutes=1)) == 1
        assert set(chunks.distinct("files_id")) == named


def test_blobs_are_kept_when_nobody_knows_whether_a_record_names_them(storage, make, monkeypatch):
    """The connection breaks between the change and its answer."""
    picture = make.picture(storage, OWNER)
    add = storage._pictures.insert_one

    def breaking(document):
        add(document)
        raise AutoReconnect("connection closed")

    monkeypatch.setattr(storage, "_pictures", _Overridden(storage._pictures, insert_one=breaking))
    with pytest.raises(StorageError) as error:
        storage.add_picture(picture)
    assert error.value.reason == "unreachable"
    for blob in picture.blobs:
        storage.remove_blob(blob)  # what a caller does whose picture was refused
    assert storage.picture(OWNER, picture.name) == picture
    assert set(storage.blob_ids()) == set(picture.blobs)


def test_history_is_what_was_really_replaced(storage, make, monkeypatch):
    storage.add_picture(picture := make.picture(storage, OWNER, header_hash="1" * 64))
    earlier = Revision(picture.id, "1" * 64, picture.envelope, CREATED)

    def breaking(*_):
        raise AutoReconnect("connection closed")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "_pictures", _Overridden(storage._pictures, update_one=breaking))
        with pytest.raises(StorageError):
            storage.replace_picture(picture, earlier)
    assert storage.history(picture.id) == []
    assert storage.replace_picture(picture, earlier)
    assert storage.history(picture.id) == [earlier]
    storage.remove_picture(picture.id)
    assert storage._revisions.count_documents({}) == 0


class _Overridden:
    """A collection with some methods replaced."""

    def __init__(self, collection, **methods):
        self._collection = collection
        self.__dict__.update(methods)

    def __getattr__(self, name):
        return getattr(self._collection, name)


def test_every_list_is_found_by_an_index(storage, make, monkeypatch):
    storage.add_picture(picture := make.picture(storage, OWNER))
    stages: list[str] = []

    def recording(collection):
        def find(*args, **options):
            cursor = collection.find(*args, **options)
            stages.append(_scan(cursor.clone().explain()["queryPlanner"]["winningPlan"]))
            return cursor

        return _Overridden(collection, find=find)

    for name in ("_users", "_pictures", "_revisions", "_documents", "_files", "_blobs", "_chunks"):
        monkeypatch.setattr(storage, name, recording(getattr(storage, name)))
    calls = [
        lambda: storage.users(after="1", limit=5),
        storage.closing_users,
        lambda: storage.pictures(OWNER, after="1", limit=5),
        lambda: storage.pictures_named(OWNER, ["a", "b"]),
        lambda: storage.bin(OWNER, after="1", limit=5),
        lambda: storage.expired_in_bin(CREATED, 5),
        lambda: storage.shared_with(OWNER, after="1", limit=5),
        lambda: storage.documents(OWNER, "ledger", after="1", limit=5),
        lambda: storage.files(OWNER, after="1", limit=5),
    ]
    for number, call in enumerate(calls, 1):
        call()
        assert len(stages) == number
    storage.collect_orphans(datetime(2200, 1, 1))
    # Walking over all blobs in order of _id: test servers call that a scan of the collection.
    assert len(stages) > len(calls) + 4
    assert set(stages[: len(calls)] + stages[len(calls) + 1 : len(calls) + 3]) == {"IXSCAN"}
    assert storage.pictures(OWNER) == [picture]


def _scan(plan):
    """The innermost stage of a plan."""
    plan = plan.get("queryPlan", plan)
    while "inputStage" in plan:
        plan = plan["inputStage"]
    return plan["stage"]


# -- processes --


def test_a_killed_writer_leaves_nothing_that_anybody_sees(storage, mongo_uri):
    command = [sys.executable, "-m", "tests.storage.mongo_uploader", mongo_uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as uploader:
        assert uploader.stdout.readline() == "uploading\n"
        uploader.kill()
    assert list(storage.blob_ids()) == []
    assert storage._chunks.count_documents({}) >= 2
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    assert storage.collect_orphans(later) == 1
    assert storage._chunks.count_documents({}) == 0


def test_opening_at_once_makes_one_layout(mongo_databases):
    uri = mongo_databases.make()
    opened: list[MongoStorage] = []
    threads = [threading.Thread(target=lambda: opened.append(open_mongo(uri))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for name, indexes in mongo_schema.INDEXES.items():
        made = opened[0]._database[name].index_information()
        wanted = {index.document["name"]: index.document for index in indexes}
        assert set(made) == {"_id_", *wanted} if wanted else set(made) <= {"_id_"}
        for key, document in wanted.items():
            for option in ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression"):
                assert made[key].get(option) == document.get(option)
    for storage in opened:
        storage.close()


def test_a_newer_layout_is_refused(storage, mongo_uri):
    storage._installation.update_one({"_id": "layout"}, {"$inc": {"version": 1}})
    with pytest.raises(StorageError, match="newer") as error:
        open_mongo(mongo_uri)
    assert error.value.reason == "other"


# -- a database that goes away --


def test_a_stopped_database_is_unreachable_and_service_returns_with_it(tmp_path, make):
    with mongo_server(tmp_path) as server:
        uri = with_database(server.uri, "glassine", serverSelectionTimeoutMS=200)
        storage = open_mongo(uri)
        storage.add_picture(picture := make.picture(storage, OWNER, "kept"))
        writer = storage.write_blob()
        writer.write(b"begun")
        with storage.write_blob() as large:
            large.write(content := bytes(3 << 20))
            blob = storage.open_blob(large.commit())
        server.kill()
        calls = [
            storage.check,
            lambda: storage.picture(OWNER, "kept"),
            lambda: storage.add_picture(picture),
            lambda: storage.replace_picture(picture, Revision(picture.id, picture.header_hash, "", CREATED)),
            lambda: storage.remove_picture(picture.id),
            writer.commit,
            blob.read,
            lambda: open_mongo(uri),
        ]
        for call in calls:
            with pytest.raises(StorageError) as error:
                call()
            assert error.value.reason == "unreachable"
            assert "Topology" not in str(error.value)
        server.start()
        while not _serves(storage):  # asked again at every call, which waits for the driver's answer
            pass
        assert storage.picture(OWNER, "kept") == picture
        blob.seek(0)
        assert blob.read() == content
        blob.close()
        assert storage.history(picture.id) == []
        storage.remove_picture(picture.id)
        storage.add_picture(again := make.picture(storage, OWNER, "kept"))
        assert storage.pictures(OWNER) == [again]
        storage.close()


def _serves(storage: MongoStorage) -> bool:
    try:
        storage.check()
    except StorageError as error:
        assert error.reason == "unreachable"
        return False
    return True


def test_an_address_that_cannot_be_used_is_refused_without_its_password(mongodb):
    wrong = mongodb.replace("mongodb://glassine:", "mongodb://glassine:not-")
    for uri in ("http://a:secret@b", "mongodb://a:secret@b:c/", wrong, "mongodb://a:secret@b/?tls"):
        with pytest.raises(StorageError) as error:
            open_mongo(uri)
        assert error.value.reason == "other"
        assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ServerSelectionTimeoutError("a: refused, Timeout: 5s, Topology Description: x"), "unreachable"),
        (AutoReconnect("a"), "unreachable"),
        (NotPrimaryError("a"), "unreachable"),
        (WTimeoutError("a", 64), "unreachable"),
        (OperationFailure("a", 189), "unreachable"),
        (OperationFailure("a", 14031), "full"),
        (OperationFailure("you are over your space quota, using 512 MB", 8000), "full"),
        (OperationFailure("a", 8000), "other"),
        (OperationFailure("a", 371), "read-only"),
        (OperationFailure("a", 13), "other"),
        (ConfigurationError("a"), "other"),
        (DocumentTooLarge("a"), "other"),
        (StorageError("full", "a"), "full"),
    ],
)
def test_errors_of_the_database_get_their_reason(error, reason):
    assert storage_error(error).reason == reason


def test_other_errors():
    assert isinstance(storage_error(DuplicateKeyError("a")), DuplicateRecord)
    assert storage_error(KeyError("a")) is None
