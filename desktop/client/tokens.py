"""What signs requests: an access token, and the refresh token that gets the next one. Neither is logged or stored.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop import errors

if TYPE_CHECKING:
    from desktop.client.answers import Login

MARGIN_S = 60.0
"""So long before its end a token is not used any more for what cannot be repeated cheaply."""


class Tokens:
    """The tokens of one sign-in. Safe to use from several threads."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """``now`` tells the time in seconds; one that goes on while the computer sleeps."""
        self._now = now
        self._good_until = float("inf")
        self.access = ""
        self._refresh = ""
        self._user_id = ""
        self._renewing = threading.Lock()

    @property
    def renewable(self) -> bool:
        """Whether there is a refresh token."""
        return self._refresh != ""

    @property
    def stale(self) -> bool:
        """Whether to renew before sending much: a body that is refused has been sent for nothing, and some way on the
        line its answer may get lost."""
        return self.renewable and self._now() >= self._good_until

    def use(self, login: Login) -> None:
        """Keep the tokens of a new sign-in."""
        self._user_id = login.user_id
        self._keep(login)

    def use_access_only(self, token: str) -> None:
        """Keep a token that cannot be renewed."""
        self.access, self._refresh = token, ""

    def forget(self) -> tuple[str, str]:
        """Forget both and return them."""
        found = self.access, self._refresh
        self.access = self._refresh = ""
        return found

    def renew(self, expired: str, exchange: Callable[[str], Login]) -> None:
        """Get new tokens in the place of an access token that has expired or soon will, unless another thread has.

        A refresh token is good for once: it is kept only when nothing was heard of the exchange, for it may not
        even have begun.

        Args:
            expired: That access token.
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
                self._keep(login)

    def _keep(self, login: Login) -> None:
        lifetime = _lifetime(login.token)
        self._good_until = self._now() + lifetime - min(MARGIN_S, lifetime / 2)
        self.access, self._refresh = login.token, login.refresh


def _lifetime(untrusted_token: str) -> float:
    """For how many seconds a token is made, as it says itself: a hint, by the server's clock at both ends."""
    try:
        middle = untrusted_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return max(0.0, float(claims["exp"]) - float(claims["iat"]))
    except (IndexError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return 1e9  # it will be seen when it is refused
