"""The calls of what programs keep on a server for a person: ledger, key file, records of deletions.

Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from desktop import errors
from desktop.client import answers
from desktop.client.answers import SignedRecord
from desktop.client.api_calls import PREFIX, Calls, list_of
from desktop.models import IsCancelled, never_cancelled

MAX_LEDGER = 8 * 1024 * 1024
MAX_KEYFILE = 64 * 1024
RECORDS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as it is stored: its untrusted bytes, and the tag to replace it by."""

    content: bytes
    tag: str


class DocumentCalls(Calls):
    """Calls about documents; the server cannot read them."""

    def ledger(self, user_id: str, patience_s: float | None = None) -> Kept | None:
        """Fetch one's own ledger; None if there is none. Not repeated."""
        return self._document(user_id, "ledger", MAX_LEDGER, patience_s)

    def put_ledger(self, user_id: str, content: bytes, replaces: str, patience_s: float | None = None) -> str:
        """Store the ledger in the place of the one of this tag (empty: of none) and return its tag. Not repeated.

        Raises:
            MovedOn: Another one is stored.
            TooLarge: It is longer than a server takes.
        """
        return self._put_document(user_id, "ledger", content, replaces, MAX_LEDGER, patience_s)

    def keyfile(self, user_id: str) -> Kept | None:
        """Fetch one's own key file; None if there is none."""
        return self._repeat(lambda: self._document(user_id, "keyfile", MAX_KEYFILE))

    def put_keyfile(self, user_id: str, content: bytes, replaces: str) -> str:
        """Store the key file; as :meth:`put_ledger`."""
        return self._repeat(lambda: self._put_document(user_id, "keyfile", content, replaces, MAX_KEYFILE))

    def delete_keyfile(self, user_id: str) -> None:
        """Remove the key file; raises NotFound."""
        self._delete(_of(user_id, "keyfile"))

    def gone_page(self, user_id: str, after: str = "", cancelled: IsCancelled = never_cancelled) -> list[SignedRecord]:
        """Return one's own records of deletions after a picture's id, in order of the id."""
        params = {"limit": str(RECORDS_AT_ONCE)} | ({"after": after} if after else {})

        def ask() -> list[SignedRecord]:
            with self._call("GET", _of(user_id, "gone"), params=params) as answer:
                answers.check(answer, 200)
                found = list_of(answers.gone_record)(answer.json(RECORDS_AT_ONCE * (answers.MAX_RECORD + 1024)))
            return found[:RECORDS_AT_ONCE]

        return self._repeat(ask, cancelled)

    def gone(self, user_id: str, picture_id: str, cancelled: IsCancelled = never_cancelled) -> str:
        """Return somebody's record that a picture was deleted for good, untrusted; raises NotFound."""
        path = f"{_of(user_id, 'gone')}/{quote(picture_id, safe='')}"
        return self._get(path, answers.gone_record, 2 * answers.MAX_RECORD, cancelled).text

    def put_gone(self, user_id: str, picture_id: str, record: str) -> None:
        """Record that a picture is deleted for good; raises Conflict if another such record is stored already."""

        def ask() -> None:
            path = f"{_of(user_id, 'gone')}/{quote(picture_id, safe='')}"
            with self._call("PUT", path, content=record.encode("ascii")) as answer:
                answers.check(answer, 201, 204)

        self._repeat(ask)

    def _document(self, user_id: str, kind: str, limit: int, patience_s: float | None = None) -> Kept | None:
        with self._call("GET", _of(user_id, kind), patience_s=patience_s) as answer:
            if answer.status == 404:
                answers.refuse_strangers(answer)
                return None
            answers.check(answer, 200)
            if answer.media_type != "application/octet-stream":
                raise answers.strange(f"content type {answer.media_type!r}")
            return Kept(answer.read(limit), answers.entity_tag(answer))

    def _put_document(
        self, user_id: str, kind: str, content: bytes, replaces: str, limit: int, patience_s: float | None = None
    ) -> str:
        if len(content) > limit:
            raise errors.TooLarge(details=f"{kind} of {len(content)} bytes")
        headers = {"If-Match": f'"{replaces}"'} if replaces else {"If-None-Match": "*"}
        path = _of(user_id, kind)
        with self._call("PUT", path, content=content, headers=headers, patience_s=patience_s) as answer:
            answers.check(answer, 201, 204)
            return answers.entity_tag(answer)


def _of(user_id: str, kind: str) -> str:
    return f"{PREFIX}/users/{quote(user_id, safe='')}/{kind}"
