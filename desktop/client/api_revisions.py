"""The calls about revisions of a stored picture: the present one, the earlier ones, the next one.

Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.client import answers
from desktop.client.answers import EarlierRevision, Present, Row
from desktop.client.api_calls import Calls, images, list_of, segment
from desktop.client.multipart import Multipart, Part
from desktop.models import IsCancelled, Report, never_cancelled, no_report

STEPS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Permission:
    """What a new epoch gives somebody: ``grant`` is the signed grant, empty for none."""

    user_id: str
    role: str
    grant: str


class RevisionCalls(Calls):
    """Calls about revisions."""

    def present(self, user_id: str, name: str, cancelled: IsCancelled = never_cancelled) -> Present:
        """Return the present revision of a picture, one's own or one that is shared.

        Raises:
            NotFound: It is not there, or is a classic picture.
            NotAllowed: It is not shared with who asks.
        """

        def ask() -> Present:
            with self._call("GET", f"{images(user_id)}/{segment(name)}/envelope") as answer:
                answers.check(answer, 200)
                return answers.present(answer.json(answers.MAX_ROW + 2 * answers.MAX_RECORD))

        return self._repeat(ask, cancelled)

    def history(
        self, user_id: str, name: str, after: str = "", cancelled: IsCancelled = never_cancelled
    ) -> list[EarlierRevision]:
        """Return a page of the earlier revisions after a header hash, oldest first."""
        params = {"limit": str(STEPS_AT_ONCE)} | ({"after": after} if after else {})

        def ask() -> list[EarlierRevision]:
            with self._call("GET", f"{images(user_id)}/{segment(name)}/history", params=params) as answer:
                answers.check(answer, 200)
                steps = list_of(answers.earlier_revision)(answer.json(STEPS_AT_ONCE * answers.MAX_ROW))
            return steps[:STEPS_AT_ONCE]

        return self._repeat(ask, cancelled)

    def put_revision(
        self,
        user_id: str,
        picture_id: str,
        *,
        replaces: str,
        carrier: Path,
        envelope: str,
        thumbnail: bytes,
        permissions: Sequence[Permission] | None = None,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Row:
        """Put a revision in the place of another. Sending the same again is harmless and answers the same.

        Args:
            user_id: The owner.
            picture_id: 32 hex digits.
            replaces: Header hash of the revision that it follows.
            carrier: The sealed PNG.
            envelope: Its header.
            thumbnail: The sealed thumbnail.
            permissions: For a new epoch, and only then: all the picture's permissions from now on.
            report: Bytes sent and in all.
            cancelled: Asked between pieces.

        Raises:
            MovedOn: Another revision is stored than the one to be replaced.
            DeletedForGood, NotFound, NotAllowed: As it says.
            TooLarge, StorageFull: The server does not take it.
        """

        def ask() -> Row:
            parts = [
                Part("envelope", envelope.encode("ascii")),
                Part("thumbnail", thumbnail, "thumbnail", "application/octet-stream"),
                Part("imageFile", carrier, f"p-{picture_id}.png", "image/png"),
            ]
            if permissions is not None:
                given = [_fields(one) for one in permissions]
                parts.insert(0, Part("permissions", json.dumps(given, separators=(",", ":")).encode("ascii")))
            body = Multipart(parts, report, cancelled)
            self._refuse_large(body)
            path, headers = f"{images(user_id)}/p-{picture_id}", {"If-Match": f'"{replaces}"'}
            with self._call("PUT", path, body=body, headers=headers) as answer:
                answers.check(answer, 200)
                return answers.row(answer.json(answers.MAX_ROW + answers.SMALL))

        return self._repeat(ask, cancelled)


def _fields(permission: Permission) -> dict[str, str]:
    fields = {"user_id": permission.user_id, "role": permission.role}
    return fields | ({"grant": permission.grant} if permission.grant else {})
