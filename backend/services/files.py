"""Files that operators publish for clients, and the accounts of both: the file server's rules. Must not import Flask.

A token of the file server names a session that the storage remembers; it opens nothing but the file server.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from os import SEEK_END
from typing import TYPE_CHECKING, Any, BinaryIO

import jwt

from backend.errors import FileNotPublished, Invalid, NotAuthorized, StoredDataMissing, UserNotFound
from backend.services.clock import utc_now
from backend.services.names import published_name
from backend.services.quota import Quota
from backend.services.removal import remove_blobs
from backend.services.uploads import BlobPart, IgnoredPart
from backend.storage.protocol import PublishedFile, Session, Storage, StorageError

if TYPE_CHECKING:
    from backend.config import Config
    from backend.services.accounts import Accounts
    from backend.services.uploads import Part
    from backend.storage.protocol import User

logger = logging.getLogger(__name__)

OPS = "ops"
CLIENT = "client"
KINDS = (OPS, CLIENT)
FIELD = "request_file"
SESSION_DAYS = 365
_ISSUER = "EzWorks"
_SID_BITS = 53
"""As large as an integer may be that every reader of JSON keeps exactly."""


class FileUpload:
    """A file on its way in. Leaving the ``with`` block discards its bytes unless they were published."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._open = ExitStack()
        self.file: BlobPart | None = None

    def __enter__(self) -> FileUpload:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def begin(self, field: str | None, filename: str | None) -> Part:
        """Begin a part of the form; all but the file are read past.

        Raises:
            Invalid: The file came before.
        """
        if field != FIELD or not filename:
            return IgnoredPart()
        if self.file is not None:
            raise Invalid(f"{FIELD} was sent twice")
        self.file = BlobPart(self._open.enter_context(self._storage.write_blob()), filename=filename)
        return self.file


class Files:
    """The file server. Every method may be called from several threads."""

    def __init__(
        self, storage: Storage, config: Config, accounts: Accounts, key: bytes, now: Callable[[], datetime] = utc_now
    ) -> None:
        """``key`` signs the tokens; the same for every worker."""
        self._storage = storage
        self._accounts = accounts
        self._quota = Quota(storage, config)
        self._key = key
        self._now = now

    # -- accounts --
    def sign_up(self, kind: str, name: str, password: str, full_name: str, email: str, address: str = "") -> User:
        """Add an account of a kind.

        Raises:
            Invalid: A value is missing or not allowed.
            Conflict: An account of this kind has the name.
            RegistrationClosed, TooManyAttempts: As for every account.
        """
        if "/" in name or name in {".", ".."}:
            raise Invalid("Username is not allowed")  # it is a step of the addresses of files
        return self._accounts.register(
            name, password, "", kind=kind, email=email, first_name=full_name, key_required=False, address=address
        )

    def sign_in(self, kind: str, name: str, password: str, address: str = "") -> str:
        """Begin a session and return its token; raises what ``Accounts.sign_in`` raises."""
        user = self._accounts.sign_in(name, password, kind=kind, address=address)
        sid = secrets.randbits(_SID_BITS)
        created = self._now()
        expires = created + timedelta(days=SESSION_DAYS)
        self._storage.add_session(Session(_stored(sid, user), user.id, created, expires))
        claims = {"iss": _ISSUER, "sub": name, "aud": kind, "sid": sid, "exp": expires.replace(tzinfo=UTC)}
        return jwt.encode(claims, self._key, "HS256")

    def is_genuine(self, untrusted_token: str) -> bool:
        """Whether this server made a token that has not expired; the session may have ended. Asks nobody."""
        return self._claims(untrusted_token) is not None

    def user_of(self, untrusted_token: str) -> User | None:
        """The account whose session a token names; None when there is none, or when it is over."""
        claims = self._claims(untrusted_token)
        user = self._accounts.find(claims["sub"], claims["aud"]) if claims else None
        session = self._storage.session(_stored(claims["sid"], user)) if claims and user else None
        return user if user is not None and session is not None and session.user_id == user.id else None

    def kind_of(self, user_id: str) -> str:
        """The kind of an account; empty when there is none."""
        user = self._storage.user(user_id)
        return "" if user is None or user.closing else user.kind

    def sign_out(self, untrusted_token: str) -> bool:
        """End the session of a token; False when there was none."""
        claims, user = self._claims(untrusted_token), self.user_of(untrusted_token)
        return claims is not None and user is not None and self._storage.remove_session(_stored(claims["sid"], user))

    def _claims(self, untrusted_token: str) -> dict[str, Any] | None:
        options: Any = {"require": ["iss", "sub", "aud", "sid", "exp"]}
        try:
            claims = jwt.decode(untrusted_token, self._key, ["HS256"], options=options, audience=KINDS, issuer=_ISSUER)
        except jwt.PyJWTError:
            return None
        return claims if isinstance(claims["sid"], int) and isinstance(claims["aud"], str) else None

    # -- files --
    def begin_upload(self) -> FileUpload:
        """Begin to take a file in; its bytes stream to storage."""
        return FileUpload(self._storage)

    def check_room(self, owner_id: str, body_length: int | None) -> None:
        """Refuse a body that certainly has no room; raises QuotaExceeded."""
        self._quota.check_room(owner_id, body_length)

    def publish(self, owner_id: str, upload: FileUpload) -> PublishedFile:
        """Publish a complete upload, in the place of the owner's file of the same name.

        Raises:
            Invalid: There is no file, or its name cannot be used.
            QuotaExceeded: It has no room.
            NotAuthorized: The account is being deleted.
            StorageError: It could not be kept.
        """
        arrived = upload.file
        if arrived is None:
            raise Invalid("File is required")
        name = published_name(arrived.filename or "")
        present = self._storage.file(owner_id, name)
        room = max(0, arrived.size - (present.size if present else 0))
        self._quota.reserve(owner_id, room)
        blob = ""
        try:
            blob = arrived.commit()
            file = PublishedFile(self._storage.new_id(), owner_id, name, arrived.size, self._now(), blob)
            earlier = self._storage.put_file(file)
        except BaseException:
            if not blob or not self._may_be_there(owner_id, name, blob):
                remove_blobs(self._storage, filter(None, [blob]))
                self._quota.release(owner_id, room)
            raise
        if earlier is not None:
            remove_blobs(self._storage, [earlier.blob])
        owner = self._storage.user(owner_id)
        if owner is None or owner.closing:  # whoever deletes the account has not yet looked for files, or is seen here
            removed = self._storage.remove_file(file.id)
            remove_blobs(self._storage, [removed.blob] if removed is not None else [])
            raise NotAuthorized
        self._quota.settle(owner_id, arrived.size - (earlier.size if earlier else 0) - room)
        return file

    def list(self, operator: str) -> list[PublishedFile]:
        """An operator's files in order of name; raises UserNotFound."""
        return self._storage.files(self._operator(operator).id)

    def find(self, operator: str, name: str) -> PublishedFile:
        """An operator's file of this name.

        Raises:
            UserNotFound: There is no such operator.
            FileNotPublished: The operator has no such file.
        """
        file = self._storage.file(self._operator(operator).id, name)
        if file is None:
            raise FileNotPublished
        return file

    def open(self, file: PublishedFile) -> BinaryIO:
        """Open a file.

        Raises:
            FileNotPublished: Another took its place a moment ago.
            StoredDataMissing: The record is there and its bytes are not, or not as many.
        """
        blob = self._storage.open_blob(file.blob)
        if blob is not None:
            if blob.seek(0, SEEK_END) == file.size:
                blob.seek(0)
                return blob
            blob.close()
        elif self._storage.file(file.owner_id, file.name) != file:
            raise FileNotPublished
        logger.error("File %s names a blob that is not there, or is of another size", file.id)
        raise StoredDataMissing

    def _operator(self, name: str) -> User:
        user = self._accounts.find(name, OPS)
        if user is None:
            raise UserNotFound
        return user

    def _may_be_there(self, owner_id: str, name: str, blob: str) -> bool:
        """Whether a failed attempt to publish may have published; if even that cannot be read, the bytes stay."""
        try:
            found = self._storage.file(owner_id, name)
        except StorageError:
            return True
        return found is not None and found.blob == blob


def _stored(sid: int, user: User) -> str:
    """The id of a session as it is stored; of an earlier generation of the account there is none."""
    return "f-" + hashlib.sha256(f"{user.id} {user.generation} {sid}".encode()).hexdigest()
