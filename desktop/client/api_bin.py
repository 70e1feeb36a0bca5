"""The calls of the bin.

Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from desktop.client import answers
from desktop.client.answers import Row
from desktop.client.api_calls import PREFIX, Calls, list_of
from desktop.models import IsCancelled, never_cancelled

PAGE_ROWS = 400


class BinCalls(Calls):
    """Calls about pictures that were deleted and can be taken back; by their row ids."""

    def bin_page(self, user_id: str, after: str = "", cancelled: IsCancelled = never_cancelled) -> list[Row]:
        """Return the rows after a row id, ``deleted`` set."""
        params = {"limit": str(PAGE_ROWS)} | ({"after": after} if after else {})

        def ask() -> list[Row]:
            with self._call("GET", _bin(user_id), params=params) as answer:
                answers.check(answer, 200)
                rows = list_of(answers.row)(answer.json(PAGE_ROWS * answers.MAX_ROW))
            if any(row.deleted is None for row in rows):
                raise answers.strange("a picture in the bin that was not deleted")
            return rows[:PAGE_ROWS]

        return self._repeat(ask, cancelled)

    def bin_thumbnails(
        self, user_id: str, row_ids: Sequence[str], cancelled: IsCancelled = never_cancelled
    ) -> dict[str, bytes]:
        """Fetch the sealed thumbnails of up to 100 pictures in the bin, by row id."""
        return self._thumbnails(f"{_bin(user_id)}/thumbnails", "ids", row_ids, cancelled)

    def restore(self, user_id: str, row_id: str) -> Row:
        """Take a picture out of the bin.

        Raises:
            NotFound: It is not in the bin.
            Conflict: Another version of it is stored.
            DeletedForGood: Its owner recorded that it is gone.
        """
        with self._call("POST", f"{_bin(user_id)}/{quote(row_id, safe='')}/restore") as answer:
            answers.check(answer, 200)
            return answers.row(answer.json(answers.SMALL))

    def remove_from_bin(self, user_id: str, row_id: str) -> None:
        """Delete a picture of the bin for good; raises NotFound."""
        self._delete(f"{_bin(user_id)}/{quote(row_id, safe='')}")


def _bin(user_id: str) -> str:
    return f"{PREFIX}/users/{quote(user_id, safe='')}/bin"
