"""What the services need of a storage engine, and nothing more.

An engine keeps records and blobs. It knows no rules: whether somebody may do something is decided in the services.
Every method may be called from several threads at once. "Durable" means: when the method returns, a power cut no
longer loses the change. Must not import Flask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol


class DuplicateRecord(Exception):
    """A record with the same unique key exists; nothing was changed."""


class StorageError(Exception):
    """The engine cannot read or write (full disk, read-only, locked, damaged). ``reason`` is one of ``full``,
    ``read-only``, ``in-use``, ``damaged``, ``other``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        id: 24 lower-case hex digits, made by :meth:`Storage.new_id`.
        name: Unique, compared exactly.
        password_hash: argon2id, or empty: no password opens this account (the embedded vault's one account).
        public_key: ``"<n> <e>"`` for classic keys, SPKI PEM for sealed ones.
        created: Naive UTC, whole milliseconds.
    """

    id: str
    name: str
    password_hash: str
    public_key: str
    created: datetime


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A stored picture.

    Attributes:
        id: 24 lower-case hex digits, made by :meth:`Storage.new_id`; ascending in order of storing, so a page can go on
            after one.
        owner_id: The owner's user id.
        name: Stored file name with extension, unique per owner (``p-<32 hex>.png`` for sealed pictures).
        scheme: ``sealed`` or ``classic``.
        size: Bytes of the PNG.
        created: Naive UTC, whole milliseconds.
        content_blob: Blob id of the PNG.
        content_sha256: Lower-case hex SHA-256 of the PNG (the ETag).
        quotient_blob: Blob id of the classic quotient text; empty for sealed pictures.
        thumbnail_blob: Blob id of the sealed thumbnail; empty for classic pictures.
        envelope: The sealed header exactly as it was sent; empty for classic pictures.
        header_hash: 64 hex digits for sealed pictures, as computed by the services; empty for classic ones.
    """

    id: str
    owner_id: str
    name: str
    scheme: str
    size: int
    created: datetime
    content_blob: str
    content_sha256: str
    quotient_blob: str = ""
    thumbnail_blob: str = ""
    envelope: str = ""
    header_hash: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """A user's role on one picture (``read`` or ``write``); unique per picture and user."""

    picture_id: str
    user_id: str
    role: str


class BlobWriter(Protocol):
    """A blob being written. Leaving the ``with`` block without :meth:`commit` discards it."""

    def __enter__(self) -> BlobWriter: ...

    def __exit__(self, *exc: object) -> None: ...

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes; raises StorageError when there is no room."""
        ...

    def commit(self) -> str:
        """Make the blob durable and return its id. Only then may a record name it."""
        ...


class Storage(Protocol):
    """A storage engine. Not-found is ``None``, an empty list or ``False``; it is never an exception."""

    def new_id(self) -> str:
        """Return a new 24 hex digit id, greater than every id made before by this process."""
        ...

    # -- users --
    def add_user(self, user: User) -> None:
        """Add durably; atomic on the unique name. Raises DuplicateRecord."""
        ...

    def user(self, user_id: str) -> User | None: ...

    def user_by_name(self, name: str) -> User | None: ...

    def users(self) -> list[User]:
        """All users in order of id."""
        ...

    def set_password_hash(self, user_id: str, old_hash: str, new_hash: str) -> bool:
        """Replace the hash durably if it still is ``old_hash``; atomic."""
        ...

    # -- pictures --
    def add_picture(self, picture: PictureRecord) -> None:
        """Add durably; atomic on (owner_id, name). Raises DuplicateRecord; then no blob of it is removed."""
        ...

    def picture(self, owner_id: str, name: str) -> PictureRecord | None: ...

    def pictures_named(self, owner_id: str, names: Sequence[str]) -> list[PictureRecord]:
        """Those of the names that exist, in the order asked."""
        ...

    def pictures(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        """An owner's pictures in ascending order of id, those after id ``after``. The cost of a page does not grow
        with the number of pictures."""
        ...

    def count_pictures(self, owner_id: str) -> int: ...

    def remove_picture(self, owner_id: str, name: str) -> PictureRecord | None:
        """Remove the record and its permissions durably and return it; atomic: of two callers one gets None. The
        caller removes the blobs afterwards; a crash in between leaves orphans, collected at start."""
        ...

    # -- permissions --
    def add_permission(self, permission: Permission) -> None:
        """Add durably; atomic on (picture_id, user_id). Raises DuplicateRecord."""
        ...

    def permission(self, picture_id: str, user_id: str) -> Permission | None: ...

    def permissions(self, picture_id: str) -> list[Permission]:
        """In the order they were given."""
        ...

    def set_role(self, picture_id: str, user_id: str, role: str) -> bool: ...

    def remove_permission(self, picture_id: str, user_id: str) -> bool: ...

    # -- revoked tokens --
    def revoke_token(self, token_id: str, expires: datetime) -> None:
        """Remember durably that a token is revoked, at least until it expires (naive UTC). Idempotent."""
        ...

    def is_revoked(self, token_id: str) -> bool: ...

    # -- blobs --
    def write_blob(self) -> BlobWriter:
        """Begin a blob. Its bytes stream to storage; they are never whole in memory."""
        ...

    def open_blob(self, blob_id: str) -> BinaryIO | None:
        """A seekable binary file to read, closed by the caller."""
        ...

    def remove_blob(self, blob_id: str) -> None:
        """Remove if it is there."""
        ...

    def blob_ids(self) -> Iterator[str]:
        """All committed blobs, for collecting orphans and for the contract suite."""
        ...

    # -- settings of the installation --
    def secret(self, name: str) -> bytes:
        """32 random bytes kept under this name, made durably at first use; the same for every caller."""
        ...

    def close(self) -> None:
        """Release everything; idempotent. Later calls raise StorageError."""
        ...
