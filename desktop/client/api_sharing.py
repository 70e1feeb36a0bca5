"""The calls about people and what is shared: permissions with grants, people by name, what others share, successions.

Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

from urllib.parse import quote

from desktop.client import answers
from desktop.client.answers import Shared, SharedRow, SignedRecord, UserInfo
from desktop.client.api_calls import PREFIX, Calls, images, list_of, segment
from desktop.models import IsCancelled, never_cancelled

SHARED_ROWS = 200
MAX_PERMISSIONS = 1000
"""People that one picture can be shared with."""
MAX_SUCCESSIONS = 100


class SharingCalls(Calls):
    """Calls about people and permissions."""

    def user_named(self, name: str) -> UserInfo | None:
        """Describe the account of exactly this name; None if there is none."""

        def ask() -> UserInfo | None:
            with self._call("GET", f"{PREFIX}/users", params={"name": name}) as answer:
                answers.check(answer, 200)
                found = list_of(answers.user_info)(answer.json(answers.SMALL))
            if not found:
                return None
            if len(found) > 1 or found[0].user_name != name:
                raise answers.strange("another person than the one asked for")
            return found[0]

        return self._repeat(ask)

    def permissions(self, user_id: str, name: str) -> list[Shared]:
        """List who else has access to a picture, with their grants."""
        limit = MAX_PERMISSIONS * (answers.MAX_RECORD // 4)
        return self._get(_permissions(user_id, name), list_of(answers.shared), limit=limit)[:MAX_PERMISSIONS]

    def permission(self, user_id: str, name: str, other_id: str) -> Shared:
        """Return another user's role; raises NotFound without one."""
        path = f"{_permissions(user_id, name)}/{quote(other_id, safe='')}"
        return self._get(path, answers.shared, limit=2 * answers.MAX_RECORD)

    def add_permission(self, user_id: str, name: str, other_id: str, role: str, grant: str = "") -> None:
        """Give another user a role; raises Conflict if there is one, or if the grant is for another epoch."""
        form = {"user_id": other_id, "role": role} | ({"grant": grant} if grant else {})
        with self._call("POST", _permissions(user_id, name), form=form) as answer:
            answers.check(answer, 201)

    def set_permission(self, user_id: str, name: str, other_id: str, role: str, grant: str = "") -> None:
        """Change another user's role and grant.

        Raises:
            NotFound: There is none.
            Conflict: The grant is for another epoch.
        """

        def ask() -> None:
            path = f"{_permissions(user_id, name)}/{quote(other_id, safe='')}"
            with self._call("PUT", path, form={"role": role} | ({"grant": grant} if grant else {})) as answer:
                answers.check(answer, 204)

        self._repeat(ask)

    def remove_permission(self, user_id: str, name: str, other_id: str) -> None:
        """Take another user's role away, or give one's own back; raises NotFound without one."""
        self._delete(f"{_permissions(user_id, name)}/{quote(other_id, safe='')}")

    def shared_page(self, user_id: str, after: str = "", cancelled: IsCancelled = never_cancelled) -> list[SharedRow]:
        """Return what others share, after a row id, in the order of storing."""
        params = {"limit": str(SHARED_ROWS)} | ({"after": after} if after else {})

        def ask() -> list[SharedRow]:
            with self._call("GET", f"{PREFIX}/users/{quote(user_id, safe='')}/shared", params=params) as answer:
                answers.check(answer, 200)
                found = list_of(answers.shared_row)(answer.json(SHARED_ROWS * (answers.MAX_ROW + answers.MAX_RECORD)))
            return found[:SHARED_ROWS]

        return self._repeat(ask, cancelled)

    def successions(self, user_id: str) -> list[SignedRecord]:
        """Return somebody's records of replaced key pairs, untrusted, by the old fingerprint."""
        path = f"{PREFIX}/users/{quote(user_id, safe='')}/successions"
        found = self._get(path, list_of(answers.succession_record), limit=MAX_SUCCESSIONS * answers.MAX_RECORD)
        return found[:MAX_SUCCESSIONS]


def _permissions(user_id: str, name: str) -> str:
    return f"{images(user_id)}/{segment(name)}/permissions"
