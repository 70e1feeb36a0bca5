"""What signs requests: an access token, and the refresh token that gets the next one. Neither is logged or stored.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop import errors

if TYPE_CHECKING:
    from desktop.client.answers import Login


class Tokens:
    """The tokens of one sign-in. Safe to use from several threads."""

    def __init__(self) -> None:
        self.access = ""
        self._refresh = ""
        self._user_id = ""
        self._renewing = threading.Lock()

    @property
    def renewable(self) -> bool:
        """Whether there is a refresh token."""
        return self._refresh != ""

    def use(self, login: Login) -> None:
        """Keep the tokens of a new sign-in."""
        self.access, self._refresh, self._user_id = login.token, login.refresh, login.user_id

    def use_access_only(self, token: str) -> None:
        """Keep a token that cannot be renewed."""
        self.access, self._refresh = token, ""

    def forget(self) -> tuple[str, str]:
        """Forget both and return them."""
        found = self.access, self._refresh
        self.access = self._refresh = ""
        return found

    def renew(self, expired: str, exchange: Callable[[str], Login]) -> None:
        """Get new tokens in the place of an access token that has expired, unless another thread has done so.

        A refresh token is good for once: it is kept only when nothing was heard of the exchange, for it may not
        even have begun.

        Args:
            expired: The access token that was refused.
            exchange: Asks the server for new tokens with a refresh token.

        Raises:
            NotSignedIn: The sign-in is over.
            NetworkError: The server does not answer, or for another account.
        """
        with self._renewing:
            if self.access != expired or not self._refresh:
                return
            try:
                login = exchange(self._refresh)
                if login.user_id != self._user_id:
                    raise errors.NotAGlassineServer("The server answered for another account.")
            except (errors.ServerSilent, errors.ServerFailed):
                raise
            except errors.GlassineError:
                self._refresh = ""
                raise
            if self.access == expired:  # else somebody has signed out meanwhile, which ended the new ones too
                self.access, self._refresh = login.token, login.refresh
