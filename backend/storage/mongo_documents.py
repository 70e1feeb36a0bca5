"""The small collections in MongoDB: documents, revoked tokens, sessions, published files."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from backend.storage.mongo_base import MongoBase, call, insert, page, to_document, to_record, to_records
from backend.storage.protocol import Document, PublishedFile, Session


class MongoDocuments(MongoBase):
    """The methods of the protocol about documents, tokens, sessions and files."""

    @call
    def put_document(self, document: Document) -> bool:
        values = asdict(document)
        if document.version == 1:
            try:
                self._documents.insert_one(values)
            except DuplicateKeyError:
                return False
            return True
        key = {field: values.pop(field) for field in ("owner_id", "kind", "key")}
        wanted = {**key, "version": document.version - 1}
        return bool(self._documents.update_one(wanted, {"$set": values}).matched_count)

    @call
    def document(self, owner_id: str, kind: str, key: str = "") -> Document | None:
        found = self._documents.find_one({"owner_id": owner_id, "kind": kind, "key": key})
        return to_record(Document, found, own_id=False)

    @call
    def documents(self, owner_id: str, kind: str, *, after: str = "", limit: int | None = None) -> list[Document]:
        wanted = {"owner_id": owner_id, "kind": kind}
        found = page(self._documents, wanted, order="key", after=after, limit=limit)
        return to_records(Document, found, own_id=False)

    @call
    def count_documents(self, owner_id: str, kind: str) -> int:
        return self._documents.count_documents({"owner_id": owner_id, "kind": kind})

    @call
    def remove_documents(self, owner_id: str, kind: str | None = None, key: str | None = None) -> int:
        wanted = {"owner_id": owner_id, "kind": kind, "key": key}
        given = {field: value for field, value in wanted.items() if value is not None}
        return self._documents.delete_many(given).deleted_count

    # -- revoked tokens --

    @call
    def revoke_token(self, token_id: str, expires: datetime) -> bool:
        try:
            insert(self._revoked, {"_id": token_id, "expires": expires})
        except DuplicateKeyError:
            return False
        return True

    @call
    def is_revoked(self, token_id: str) -> bool:
        return self._revoked.find_one({"_id": token_id}, {"_id": 1}) is not None

    # -- sessions --

    @call
    def add_session(self, session: Session) -> None:
        insert(self._sessions, to_document(session))

    @call
    def session(self, session_id: str) -> Session | None:
        return to_record(Session, self._sessions.find_one({"_id": session_id}))

    @call
    def remove_session(self, session_id: str) -> bool:
        return bool(self._sessions.delete_one({"_id": session_id}).deleted_count)

    @call
    def remove_sessions(self, user_id: str) -> None:
        self._sessions.delete_many({"user_id": user_id})

    # -- published files --

    @call
    def put_file(self, file: PublishedFile) -> PublishedFile | None:
        # Replacing needs an _id that stays, so it is the name; the file's own id changes with each.
        key = {"_id": f"{file.owner_id}/{file.name}"}
        document: dict[str, Any] = {**key, **asdict(file)}

        def put() -> PublishedFile | None:
            while True:  # each round that comes to nothing is one in which somebody else's came to something
                earlier = self._files.find_one(key)
                if earlier is None:
                    try:
                        insert(self._files, document)
                        return None
                    except DuplicateKeyError:
                        if self._files.find_one({"id": file.id}, {"_id": 1}) is not None:
                            raise
                elif self._files.replace_one({**key, "id": earlier["id"]}, document).matched_count:
                    return to_record(PublishedFile, earlier, own_id=False)

        return self._doubting([file.blob], put)

    @call
    def file(self, owner_id: str, name: str) -> PublishedFile | None:
        return to_record(PublishedFile, self._files.find_one({"_id": f"{owner_id}/{name}"}), own_id=False)

    @call
    def files(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PublishedFile]:
        found = page(self._files, {"owner_id": owner_id}, order="name", after=after, limit=limit)
        return to_records(PublishedFile, found, own_id=False)

    @call
    def remove_file(self, file_id: str) -> PublishedFile | None:
        return to_record(PublishedFile, self._files.find_one_and_delete({"id": file_id}), own_id=False)
