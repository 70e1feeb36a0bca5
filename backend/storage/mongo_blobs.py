"""Blobs in MongoDB, laid out as GridFS: chunks first, then the entry in ``blobs.files`` that makes them a blob.

The driver's own GridFS collects up to 48 MB before it sends and fetches up to 16 MB at once; here a writer and a reader
hold one chunk each.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

from bson import Binary, ObjectId
from pymongo.collection import Collection

from backend.storage.failures import CLOSED
from backend.storage.mongo_base import MongoBase, MongoDocument, call
from backend.storage.mongo_failures import raises_storage_error
from backend.storage.protocol import BlobWriter, StorageError

CHUNK = 1 << 20
"""Bytes of a chunk: one round trip each."""

_BATCH = 500

MISSING = "A part of a stored picture is missing from the database. Restore the database from a backup."


class MongoBlobs(MongoBase):
    """The methods of the protocol about blobs."""

    @call
    def write_blob(self) -> BlobWriter:
        return MongoBlobWriter(self)

    @call
    def open_blob(self, blob_id: str) -> BinaryIO | None:
        entry = self._blobs.find_one({"_id": blob_id})
        if entry is None:
            return None
        reader = _Reader(self, entry)
        # Removal takes chunks before and after the entry: who has the first in hand meets it later, if at all.
        return cast(BinaryIO, io.BufferedReader(reader, 1 << 16)) if reader.begin() else None

    @call
    def remove_blob(self, blob_id: str) -> None:
        if blob_id not in self._in_doubt:
            self._remove(blob_id)

    def _remove(self, blob_id: str) -> None:
        # Wherever this is interrupted, the entry or the first chunk is left, and by them a collection finds the rest.
        self._chunks.delete_many({"files_id": blob_id, "n": {"$gt": 0}})
        self._blobs.delete_one({"_id": blob_id})
        self._chunks.delete_many({"files_id": blob_id})

    @call
    def blob_ids(self) -> Iterator[str]:
        return iter([entry["_id"] for entry in self._blobs.find({}, {"_id": 1})])

    @call
    def collect_orphans(self, before: datetime) -> int:
        collected = 0
        for entries in self._batches(self._blobs, {"uploadDate": {"$lt": before}}, "_id"):
            named = self._named(entries)
            for blob_id in entries:
                if blob_id not in named:
                    self._remove(blob_id)
                    collected += 1
        # Chunks of an upload that never came to its end, or of a removal that did not.
        for first_chunks in self._batches(self._chunks, {"n": 0}, "files_id", hint=[("files_id", 1), ("n", 1)]):
            whole = {entry["_id"] for entry in self._blobs.find({"_id": {"$in": first_chunks}}, {"_id": 1})}
            for blob_id in set(first_chunks) - whole:
                chunk = self._chunks.find_one({"files_id": blob_id, "n": 0}, {"_id": 1})
                if chunk and chunk["_id"].generation_time.replace(tzinfo=None) < before:
                    self._chunks.delete_many({"files_id": blob_id, "n": {"$gt": 0}})
                    self._chunks.delete_many({"files_id": blob_id})
                    collected += 1
        return collected

    def _named(self, blob_ids: list[str]) -> set[str]:
        """Those of the blobs that a record names."""
        wanted = {"$in": blob_ids}
        named = {blob for found in self._pictures.find({"blobs": wanted}, {"blobs": 1}) for blob in found["blobs"]}
        return named | {found["blob"] for found in self._files.find({"blob": wanted}, {"blob": 1})}

    def _batches(
        self, collection: Collection[MongoDocument], wanted: MongoDocument, field: str, hint: Any = None
    ) -> Iterator[list[str]]:
        """Values of a field in ascending order; a query for each batch, for a cursor would not live long enough."""
        after = ""
        while True:
            query = {**wanted, field: {"$gt": after}}
            found = collection.find(query, {field: 1}, sort=[(field, 1)], limit=_BATCH, hint=hint)
            values = [each[field] for each in found]
            if not values:
                return
            yield values
            after = values[-1]


class MongoBlobWriter:
    """A blob being written (see :class:`~backend.storage.protocol.BlobWriter`)."""

    def __init__(self, storage: MongoBlobs) -> None:
        self._storage = storage
        self._id = secrets.token_hex(16)
        self._pending = bytearray()
        self._chunks_sent = 0
        self._length = 0
        self._ended = False

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._ended:
            self._ended = True
            self._pending.clear()
            if self._chunks_sent and not self._storage.closed:
                with suppress(StorageError):  # a collection finds the chunks
                    self._storage.remove_blob(self._id)

    @raises_storage_error
    def write(self, data: bytes | memoryview) -> int:
        """Append all of the bytes. Raises StorageError when there is no room."""
        self._check()
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            room = CHUNK - len(self._pending)
            self._pending += rest[:room]
            rest = rest[room:]
            if len(self._pending) == CHUNK:
                self._send()
        self._length += size
        return size

    @raises_storage_error
    def commit(self) -> str:
        """Make the blob durable and return its id."""
        self._check()
        if self._pending:
            self._send()
        entry = {
            "_id": self._id,
            "length": self._length,
            "chunkSize": CHUNK,
            "uploadDate": datetime.now(UTC).replace(tzinfo=None),
            "filename": "",
        }
        self._storage._blobs.insert_one(entry)
        self._ended = True
        return self._id

    def _send(self) -> None:
        chunk = {"_id": ObjectId(), "files_id": self._id, "n": self._chunks_sent, "data": Binary(bytes(self._pending))}
        self._chunks_sent += 1  # also when it fails: it may be there
        self._storage._chunks.insert_one(chunk)
        self._pending.clear()

    def _check(self) -> None:
        if self._storage.closed or self._ended:
            raise StorageError("other", CLOSED)


class _Reader(io.RawIOBase):
    """Reads a blob chunk by chunk."""

    def __init__(self, storage: MongoBlobs, entry: MongoDocument) -> None:
        self._storage = storage
        self._id = str(entry["_id"])
        self._length = int(entry["length"])
        self._chunk_size = int(entry["chunkSize"])
        self._position = 0
        self._number = -1
        self._chunk = b""

    def begin(self) -> bool:
        """Fetch the first chunk; whether the blob is still there."""
        if self._length:
            try:
                self._chunk, self._number = self._fetch(0), 0
            except StorageError as error:
                if error.reason != "damaged":
                    raise
                return False
        return True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        size = min(len(view), max(0, self._length - self._position))
        if not size:
            return 0
        number, offset = divmod(self._position, self._chunk_size)
        if number != self._number:
            self._chunk, self._number = self._fetch(number), number
        piece = memoryview(self._chunk)[offset : offset + size]
        view[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    @raises_storage_error
    def _fetch(self, number: int) -> bytes:
        if self._storage.closed:
            raise StorageError("other", CLOSED)
        found = self._storage._chunks.find_one({"files_id": self._id, "n": number}, {"data": 1})
        data = bytes(found["data"]) if found else b""
        if len(data) != min(self._chunk_size, self._length - number * self._chunk_size):
            raise StorageError("damaged", MISSING)
        return data
