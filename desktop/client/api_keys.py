"""The calls about one's own key pair: another public key for the account, the record that says which one it follows.

Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

from urllib.parse import quote

from desktop import errors
from desktop.client import answers
from desktop.client.api_calls import PREFIX, Calls


class KeyCalls(Calls):
    """Calls about one's own key pair."""

    def change_key(self, user_id: str, public_key: str, password: str) -> None:
        """Put another public key in the place of the account's; repeating it is harmless.

        Raises:
            WrongPassword: The password is not the account's.
            Conflict: The account was changed at the same time.
        """
        form = {"publicKey": public_key, "password": password}

        def ask() -> None:
            with self._call("PUT", f"{PREFIX}/users/{quote(user_id, safe='')}/key", form=form) as answer:
                if answer.status == 422:
                    refusal = answers.failure(answer)
                    if "password" in refusal.details.lower():
                        raise errors.WrongPassword("The password is not right. Nothing was changed.")
                    raise refusal
                answers.check(answer, 204)

        self._repeat(ask)

    def put_succession(self, user_id: str, old: str, record: str) -> None:
        """Record that the key pair of a fingerprint was replaced; raises Conflict if another record is there."""

        def ask() -> None:
            path = f"{PREFIX}/users/{quote(user_id, safe='')}/successions/{quote(old, safe='')}"
            with self._call("PUT", path, content=record.encode("ascii")) as answer:
                answers.check(answer, 201, 204)

        self._repeat(ask)
