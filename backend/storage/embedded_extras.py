"""Documents, revoked tokens, sessions and published files in the embedded storage. Must not import Flask."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from mongita.errors import DuplicateKeyError

from backend.storage.embedded_base import EmbeddedBase, call
from backend.storage.embedded_records import insert, kind_slot, record, records, slot, starting_with
from backend.storage.protocol import Document, PublishedFile, Session

_PURGED_AT_ONCE = 100


class EmbeddedExtras(EmbeddedBase):
    """The methods about these, as :class:`~backend.storage.protocol.Storage` promises them."""

    # -- documents: the id joins owner, kind and key, so that a page is a range of ids --

    @call
    def put_document(self, document: Document) -> bool:
        wanted = {"_id": _document_id(document.owner_id, document.kind, document.key)}
        with self._engine.lock:
            now = record(Document, self._documents.find_one(wanted))
            if document.version != (now.version if now else 0) + 1:
                return False
            self._documents.replace_one(wanted, {**asdict(document), **wanted}, upsert=True)
            return True

    @call
    def document(self, owner_id: str, kind: str, key: str = "") -> Document | None:
        return record(Document, self._documents.find_one({"_id": _document_id(owner_id, kind, key)}))

    @call
    def documents(self, owner_id: str, kind: str, *, after: str = "", limit: int | None = None) -> list[Document]:
        if limit is not None and limit <= 0:
            return []  # mongita takes 0 for no limit
        wanted = {"_id": starting_with(_kind_id(owner_id, kind), after)}
        return records(Document, self._documents.find(wanted, sort=[("_id", 1)], limit=limit))

    @call
    def count_documents(self, owner_id: str, kind: str) -> int:
        return int(self._documents.count_documents({"_id": starting_with(_kind_id(owner_id, kind))}))

    @call
    def remove_documents(self, owner_id: str, kind: str | None = None, key: str | None = None) -> int:
        wanted: dict[str, Any] = {"_id": starting_with(owner_id if kind is None else _kind_id(owner_id, kind))}
        if key is not None:
            wanted["key"] = key
            if kind is not None:
                wanted["_id"] = _document_id(owner_id, kind, key)
        return self._shrink(lambda: int(self._documents.delete_many(wanted).deleted_count))

    # -- revoked tokens --

    @call
    def revoke_token(self, token_id: str, expires: datetime) -> bool:
        with self._engine.lock:
            try:
                self._revoked.insert_one({"_id": token_id, "expires": expires})
                first = True
            except DuplicateKeyError:
                first = False
            self._purge(self._revoked, token_id)
        return first

    @call
    def is_revoked(self, token_id: str) -> bool:
        return self._revoked.find_one({"_id": token_id}) is not None

    # -- sessions --

    @call
    def add_session(self, session: Session) -> None:
        with self._engine.lock:
            insert(self._sessions, asdict(session))
            self._purge(self._sessions, session.id)

    @call
    def session(self, session_id: str) -> Session | None:
        return record(Session, self._sessions.find_one({"_id": session_id}))

    @call
    def remove_session(self, session_id: str) -> bool:
        return self._shrink(lambda: bool(self._sessions.delete_one({"_id": session_id}).deleted_count))

    @call
    def remove_sessions(self, user_id: str) -> None:
        self._shrink(lambda: self._sessions.delete_many({"user_id": user_id}))

    def _purge(self, collection: Any, but: str) -> None:
        # Expired ones go here, a few at a time, so that the collection stays small without a clock of its own.
        now = datetime.now(UTC).replace(tzinfo=None)
        for document in list(collection.find({"expires": {"$lt": now}}, limit=_PURGED_AT_ONCE)):
            if document["_id"] != but:
                collection.delete_one({"_id": document["_id"]})

    # -- published files --

    @call
    def put_file(self, file: PublishedFile) -> PublishedFile | None:
        with self._mutex:
            joined = slot(file.owner_id, file.name)
            earlier = record(PublishedFile, self._files.find_one({"slot": joined}))
            with self._renaming((earlier.blob,) if earlier else (), (file.blob,)), self._engine.lock:
                if earlier:
                    self._files.delete_one({"_id": earlier.id})
                insert(self._files, asdict(file), slot=joined)
            return earlier

    @call
    def file(self, owner_id: str, name: str) -> PublishedFile | None:
        return record(PublishedFile, self._files.find_one({"slot": slot(owner_id, name)}))

    @call
    def files(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PublishedFile]:
        if limit is not None and limit <= 0:
            return []  # mongita takes 0 for no limit
        wanted = {"slot": starting_with(owner_id, after)}
        return records(PublishedFile, self._files.find(wanted, sort=[("slot", 1)], limit=limit))

    @call
    def remove_file(self, file_id: str) -> PublishedFile | None:
        with self._mutex:
            file = record(PublishedFile, self._files.find_one({"_id": file_id}))
            if file is not None:
                with self._renaming((file.blob,), ()):
                    self._shrink(lambda: self._files.delete_one({"_id": file_id}))
            return file


def _kind_id(owner_id: str, kind: str) -> str:
    return slot(owner_id, kind_slot(kind, "")[:-1])


def _document_id(owner_id: str, kind: str, key: str) -> str:
    return slot(owner_id, kind_slot(kind, key))
