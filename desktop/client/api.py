"""One method per HTTP call of the backend. Blocking; safe to use from several threads.

Only what may be sent twice without harm is retried, a bounded number of times. Errors are those of
``desktop.errors``. Must not import PySide6 or ``backend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from desktop import errors
from desktop.client import answers
from desktop.client.answers import Login, Row, UserInfo
from desktop.client.api_bin import BinCalls
from desktop.client.api_calls import PREFIX, images, list_of, segment
from desktop.client.api_documents import DocumentCalls
from desktop.client.api_keys import KeyCalls
from desktop.client.api_revisions import RevisionCalls
from desktop.client.api_sharing import SharingCalls
from desktop.client.multipart import Multipart, Part
from desktop.models import IsCancelled, Report, never_cancelled, no_report

FIRST_PAGE_ROWS = 100
"""Rows of a listing's first page: a gallery has something to show after some 50 ms."""
PAGE_ROWS = 400
"""Rows of the others: 1.2 MB of JSON, parsed in about 7 ms, during which no other thread of the program runs."""
THUMBNAILS_AT_ONCE = 100
BACKOFF_S = (0.5, 1.5, 4.0)
"""Waits before the second, third and fourth try."""
LOGOUT_PATIENCE_S = 3.0


class Api(BinCalls, DocumentCalls, KeyCalls, RevisionCalls, SharingCalls):
    """The calls of one account at one backend."""

    def _backoff(self) -> tuple[float, ...]:
        return BACKOFF_S

    # -- accounts -------------------------------------------------------------------------------------------------

    def login(self, name: str, password: str) -> Login:
        """Sign in and use the new token from now on.

        Raises:
            WrongPassword: The server refused name and password.
        """
        form = {"username": name, "password": password}
        with self._transport.send("POST", f"{PREFIX}/auth/login", form=form) as answer:
            if answer.status in {401, 422}:
                raise _instead(answers.failure(answer), errors.WrongPassword)
            answers.check(answer, 200)
            login = answers.login(answer.json(answers.SMALL))
        self._tokens.use(login)
        return login

    def register(self, name: str, password: str, public_key: str) -> None:
        """Make an account.

        Raises:
            UserNameTaken: Somebody has this name.
            NotAllowed: This server takes no new accounts.
        """
        form = {"username": name, "password": password, "publicKey": public_key}
        with self._transport.send("POST", f"{PREFIX}/auth/register", form=form) as answer:
            if answer.status == 409:
                raise _instead(answers.failure(answer), errors.UserNameTaken)
            if answer.status == 403:
                raise errors.NotAllowed("This server takes no new accounts. Ask the person who runs it.")
            answers.check(answer, 201)

    def logout(self) -> None:
        """End the sign-in and forget it, also without an answer; a program that ends waits only briefly."""
        token, refresh = self._tokens.forget()
        try:
            self._end(token)
        except errors.NotSignedIn as error:
            if not refresh or not answers.has_expired(error):
                raise
            self._end(self._exchange(refresh, LOGOUT_PATIENCE_S).token)  # else whoever has the other token could go on

    def _end(self, token: str) -> None:
        with self._transport.send("POST", f"{PREFIX}/auth/logout", token=token, patience_s=LOGOUT_PATIENCE_S) as answer:
            answers.check(answer, 200)

    def user(self, user_id: str) -> UserInfo:
        """Describe an account.

        Raises:
            NotFound: There is no such account.
        """
        return self._get(f"{PREFIX}/users/{quote(user_id, safe='')}", answers.user_info)

    def users(self) -> list[UserInfo]:
        """Describe all accounts."""
        return self._get(f"{PREFIX}/users", list_of(answers.user_info), limit=1 << 26)

    # -- pictures -------------------------------------------------------------------------------------------------

    def page(self, user_id: str, after: str = "", cancelled: IsCancelled = never_cancelled) -> tuple[list[Row], int]:
        """Return the rows after a row id, in the order of storing, and the number of all rows (0 if not told)."""
        limit = PAGE_ROWS if after else FIRST_PAGE_ROWS
        params = {"limit": str(limit)} | ({"after": after} if after else {})

        def ask() -> tuple[list[Row], int]:
            with self._call("GET", images(user_id), params=params) as answer:
                answers.check(answer, 200)
                total = answer.header("X-Total-Count")
                rows = list_of(answers.row)(answer.json(limit * answers.MAX_ROW))
                return rows[:limit], int(total) if total.isdecimal() and len(total) < 16 else 0

        return self._repeat(ask, cancelled)

    def upload_sealed(
        self,
        user_id: str,
        picture_id: str,
        *,
        carrier: Path,
        envelope: str,
        thumbnail: bytes,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> Row:
        """Store a sealed picture. Sending the same again is harmless and answers the same.

        Raises:
            Conflict: The server has another picture under this id.
            TooLarge: More than the server takes; told before sending where possible.
            StorageFull: The server has no space left.
        """

        def ask() -> Row:
            body = Multipart(
                [
                    Part("envelope", envelope.encode("ascii")),
                    Part("thumbnail", thumbnail, "thumbnail", "application/octet-stream"),
                    Part("imageFile", carrier, f"p-{picture_id}.png", "image/png"),
                ],
                report,
                cancelled,
            )
            self._refuse_large(body)
            with self._call("POST", images(user_id), body=body) as answer:
                answers.check(answer, 200, 201)
                return answers.row(answer.json(answers.SMALL))

        return self._repeat(ask, cancelled)

    def upload_classic(
        self,
        user_id: str,
        file_name: str,
        *,
        picture: Path,
        quotient: Path,
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> None:
        """Store a classic picture. Not repeated: a second one would be stored under another name."""
        parts = [Part("quotient", quotient), Part("imageFile", picture, file_name, "image/png")]
        body = Multipart(parts, report, cancelled)
        self._refuse_large(body)
        with self._call("POST", images(user_id), body=body) as answer:
            answers.check(answer, 201)

    def content(
        self, user_id: str, name: str, cancelled: IsCancelled = never_cancelled
    ) -> AbstractContextManager[BinaryIO]:
        """Open the stored PNG; within the ``with`` block it can be read once from start to end.

        Raises, on entering or from the reads:
            NotFound: The server does not have it.
            MovedOn: Another version took its place while it was read.
            ServerSilent: It broke off, and could not be gone on with.
        """
        return self._download(f"{images(user_id)}/{segment(name)}/content", "image/png", cancelled)

    def quotient(
        self, user_id: str, name: str, cancelled: IsCancelled = never_cancelled
    ) -> AbstractContextManager[BinaryIO]:
        """Open a classic picture's quotient text; as :meth:`content`."""
        return self._download(f"{images(user_id)}/{segment(name)}/quotient", "text/plain", cancelled)

    def thumbnails(
        self, user_id: str, names: Sequence[str], cancelled: IsCancelled = never_cancelled
    ) -> dict[str, bytes]:
        """Fetch the sealed thumbnails of up to 100 pictures; those the server does not have are left out."""
        return self._thumbnails(f"{images(user_id)}/thumbnails", "names", names, cancelled)

    def delete(self, user_id: str, name: str) -> None:
        """Delete a picture: it goes to the bin where there is one.

        Raises:
            NotFound: The server does not have it.
        """
        self._delete(f"{images(user_id)}/{segment(name)}")


def _instead(failure: errors.GlassineError, kind: type[errors.GlassineError]) -> errors.GlassineError:
    """Use the more telling error, unless the answer was not one of a Glassine server at all."""
    if isinstance(failure, errors.NotAGlassineServer):
        return failure
    return kind(details=failure.details)
