"""What the services need of a storage engine, and nothing more.

An engine keeps records and blobs. It knows no rules: whether somebody may do something is decided in the services.
Every method may be called from several threads and, where an engine serves several processes, from all of them at once.
"Durable" means: when the method returns, a power cut no longer loses the change. "Atomic" means: of several callers at
the same moment each sees the change whole or not at all, and where only one can win, one does. Must not import Flask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol


class DuplicateRecord(Exception):
    """A record with the same unique key exists; nothing was changed."""


class StorageError(Exception):
    """The engine cannot read or write. ``reason`` is one of ``full``, ``read-only``, ``in-use``, ``damaged``,
    ``unreachable`` (a database server that does not answer), ``other``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        id: 24 lower-case hex digits, made by :meth:`Storage.new_id`.
        name: Unique among the accounts of one kind, compared exactly.
        password_hash: argon2id, ``sha256$salt$hex`` (imported), or empty: no password opens this account.
        public_key: ``"<n> <e>"`` for classic keys, SPKI PEM for sealed ones, empty for an account without a key.
        created: Naive UTC, whole milliseconds.
        kind: Empty for people; ``ops`` and ``client`` for the two kinds of the file server.
        email: Unique among people unless empty, compared exactly; of the other kinds several may have the same.
        first_name: May be empty.
        last_name: May be empty.
        updated: When names were last changed; None: never.
        generation: Raised to sign out everywhere: tokens carry the generation they were made in.
        quota_bytes: What the account may store; -1: the server's setting, 0: without limit.
        used_bytes: What is accounted for by :meth:`Storage.reserve_bytes`, bin included.
        closing: Whether the account is being deleted: nobody signs in any more, and what is left of it goes.
    """

    id: str
    name: str
    password_hash: str
    public_key: str
    created: datetime
    kind: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    updated: datetime | None = None
    generation: int = 0
    quota_bytes: int = -1
    used_bytes: int = 0
    closing: bool = False


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A stored picture.

    Attributes:
        id: 24 lower-case hex digits, made by :meth:`Storage.new_id`; ascending in order of storing, so a page can go on
            after one.
        owner_id: The owner's user id.
        name: Stored file name with extension, unique per owner outside the bin (``p-<32 hex>.png`` for sealed ones).
        scheme: ``sealed`` or ``classic``.
        size: Bytes of the PNG.
        created: When it was first stored. Naive UTC, whole milliseconds.
        content_blob: Blob id of the PNG.
        content_sha256: Lower-case hex SHA-256 of the PNG (the ETag).
        quotient_blob: Blob id of the classic quotient text; empty for sealed pictures.
        thumbnail_blob: Blob id of the sealed thumbnail; empty for classic pictures.
        envelope: The sealed header exactly as it was sent; empty for classic pictures.
        header_hash: 64 hex digits for sealed pictures, as computed by the services; empty for classic ones.
        stored_bytes: What it takes, as accounted for in ``User.used_bytes``: its blobs, its envelope, and those of its
            earlier revisions. Version 0.1.0 counted the blobs alone.
        updated: When the current revision was stored; None: never revised.
        deleted: Since when it is in the bin; None: it is not.
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
    stored_bytes: int = 0
    updated: datetime | None = None
    deleted: datetime | None = None

    @property
    def blobs(self) -> tuple[str, ...]:
        """The ids of its blobs."""
        return tuple(filter(None, (self.content_blob, self.quotient_blob, self.thumbnail_blob)))


@dataclass(frozen=True, slots=True)
class Revision:
    """The envelope of an earlier revision of a picture; unique per picture and header hash.

    Attributes:
        picture_id: The picture's record.
        header_hash: 64 hex digits.
        envelope: The sealed header exactly as it was sent.
        replaced: When the next revision took its place. Naive UTC, whole milliseconds.
    """

    picture_id: str
    header_hash: str
    envelope: str
    replaced: datetime


@dataclass(frozen=True, slots=True)
class Permission:
    """A user's role on one picture (``read`` or ``write``); unique per picture and user. ``grant`` is the owner's
    signed grant exactly as it was sent, or empty."""

    picture_id: str
    user_id: str
    role: str
    grant: str = ""


@dataclass(frozen=True, slots=True)
class RemovedPicture:
    """A picture as it was when it was removed, and the bytes that the grants on it took."""

    picture: PictureRecord
    grant_bytes: int


@dataclass(frozen=True, slots=True)
class Document:
    """A small thing that a person's programs keep on the server, opaque to it; unique per owner, kind and key.

    Attributes:
        owner_id: The owner's user id.
        kind: What it is, such as ``ledger``.
        key: Which one of its kind; may be empty.
        version: Counts its changes, from 1.
        value: Its bytes, at most 8 MiB.
        updated: Naive UTC, whole milliseconds.
    """

    owner_id: str
    kind: str
    key: str
    version: int
    value: bytes
    updated: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that the server remembers.

    Attributes:
        id: Unique; what the client holds, or a hash of it.
        user_id: Whose.
        created: Naive UTC, whole milliseconds.
        expires: From when on it may be forgotten; None: never.
    """

    id: str
    user_id: str
    created: datetime
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file that an operator published for clients; unique per owner and name."""

    id: str
    owner_id: str
    name: str
    size: int
    created: datetime
    blob: str


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

    def check(self) -> None:
        """Raise StorageError when the storage cannot serve right now. Cheap; for readiness checks."""
        ...

    # -- users --
    def add_user(self, user: User) -> None:
        """Add durably; atomic on (kind, name) and on a person's email. Raises DuplicateRecord."""
        ...

    def user(self, user_id: str) -> User | None: ...

    def user_by_name(self, name: str, kind: str = "") -> User | None: ...

    def user_by_email(self, email: str) -> User | None:
        """The person of this address (never an account of another kind); None for an empty one."""
        ...

    def users(self, *, kind: str = "", after: str = "", limit: int | None = None) -> list[User]:
        """Accounts of a kind in ascending order of id, those after id ``after``."""
        ...

    def closing_users(self) -> list[User]:
        """Accounts of every kind that are being deleted."""
        ...

    def change_user(self, user_id: str, expected: Mapping[str, object], changes: Mapping[str, object]) -> bool:
        """Change fields durably if the ``expected`` ones have these values; atomic. False: there is no such account,
        or another value. Never used for id, kind, name, email and used_bytes."""
        ...

    def remove_user(self, user_id: str) -> bool:
        """Remove the account's record durably, and nothing else of it; atomic: of two callers one gets False."""
        ...

    def reserve_bytes(self, user_id: str, size: int, limit: int) -> bool:
        """Add to ``used_bytes`` unless it would then exceed ``limit`` (0: no limit); atomic. False: it would, or there
        is no such account. After a crash between this and what the bytes were for, the account shows more than is
        stored until :meth:`recount_bytes`."""
        ...

    def release_bytes(self, user_id: str, size: int) -> None:
        """Subtract from ``used_bytes``, not below 0; atomic."""
        ...

    def recount_bytes(self, user_id: str) -> int:
        """Set ``used_bytes`` to what the account's pictures, their grants and published files take, and return it.
        Only while the account stores and deletes nothing."""
        ...

    # -- pictures --
    def add_picture(self, picture: PictureRecord) -> None:
        """Add durably; atomic on (owner_id, name) outside the bin. Raises DuplicateRecord; then no blob of it is
        removed."""
        ...

    def picture(self, owner_id: str, name: str) -> PictureRecord | None:
        """The picture of this name that is not in the bin."""
        ...

    def picture_by_id(self, picture_id: str) -> PictureRecord | None:
        """A picture, in the bin or not."""
        ...

    def pictures_named(self, owner_id: str, names: Sequence[str]) -> list[PictureRecord]:
        """Those of the names that exist outside the bin, in the order asked."""
        ...

    def pictures(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        """An owner's pictures outside the bin in ascending order of id, those after id ``after``. The cost of a page
        does not grow with the number of pictures."""
        ...

    def count_pictures(self, owner_id: str) -> int:
        """How many pictures an owner has outside the bin."""
        ...

    def bin_usage(self, owner_id: str) -> tuple[int, int]:
        """How many pictures an owner has in the bin, and the sum of their ``stored_bytes``."""
        ...

    def replace_picture(
        self,
        picture: PictureRecord,
        earlier: Revision,
        permissions: Sequence[Permission] | None = None,
    ) -> bool:
        """Put a new revision in the place of the one with ``earlier.header_hash``, durably and atomically.

        The record of ``picture.id`` becomes ``picture``, ``earlier`` joins its history and, unless None,
        ``permissions`` replace all the picture's permissions, in the order given; all of it or nothing. The caller
        removes the blobs of the earlier revision afterwards.

        Returns:
            False when the picture is not there, is in the bin, or has another header hash; nothing was changed then.

        Raises:
            DuplicateRecord: The history holds that header hash already, the new name is taken, or ``permissions``
                names somebody twice; nothing was changed then.
        """
        ...

    def history(self, picture_id: str) -> list[Revision]:
        """The earlier revisions of a picture, oldest first."""
        ...

    def move_to_bin(self, owner_id: str, name: str, deleted: datetime) -> PictureRecord | None:
        """Move durably and return the record as it is now; atomic: of two callers one gets None. The name is free
        from then on; permissions and history stay."""
        ...

    def restore_picture(self, picture_id: str, name: str) -> PictureRecord | None:
        """Take out of the bin, durably, under this name; atomic. None: it is not in the bin. Raises DuplicateRecord
        when the name is taken."""
        ...

    def bin(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PictureRecord]:
        """An owner's pictures in the bin in ascending order of id, those after id ``after``."""
        ...

    def binned(self, owner_id: str, name: str) -> PictureRecord | None:
        """The picture in the bin that had this name; of several one of those that were stored last."""
        ...

    def expired_in_bin(self, before: datetime, limit: int) -> list[PictureRecord]:
        """Pictures of everybody that are in the bin since before that time, some of them when there are many."""
        ...

    def remove_picture(self, picture_id: str, *, deleted: datetime | None = None) -> RemovedPicture | None:
        """Remove the record, its permissions and its history durably and return what went; atomic: of two callers one
        gets None, and a grant that is taken back at the same time counts for one of both. Unless ``deleted`` is None,
        only one that is in the bin since exactly then. The caller removes the blobs afterwards; a crash in between
        leaves orphans."""
        ...

    # -- permissions --
    def add_permission(self, permission: Permission, *, revision: str | None = None) -> bool:
        """Add durably; atomic on (picture_id, user_id). False: there is no such picture, or, unless ``revision`` is
        None, it has another header hash. Raises DuplicateRecord."""
        ...

    def permission(self, picture_id: str, user_id: str) -> Permission | None: ...

    def permissions(self, picture_id: str) -> list[Permission]:
        """In the order they were given."""
        ...

    def count_permissions(self, picture_id: str) -> int:
        """How many there are on a picture, without reading them."""
        ...

    def grant_bytes(self, picture_id: str) -> int:
        """How many bytes the grants of all permissions on a picture take."""
        ...

    def set_permission(self, permission: Permission, *, revision: str | None = None) -> Permission | None:
        """Change role and grant of one that is there, durably, and return it as it was; atomic. None: it is not there,
        or, unless ``revision`` is None, its picture has another header hash."""
        ...

    def remove_permission(self, picture_id: str, user_id: str) -> Permission | None:
        """Remove durably and return it; atomic: of two callers one gets None."""
        ...

    def shared_with(
        self, user_id: str, *, after: str = "", limit: int | None = None
    ) -> list[tuple[PictureRecord, Permission]]:
        """What a user has permissions on outside the bin, in ascending order of the picture's id, those after id
        ``after``. The cost of a page does not grow with the number of pictures or permissions."""
        ...

    def remove_permissions_of(self, user_id: str) -> dict[str, int]:
        """Remove every permission that somebody was given, durably; returns the bytes of those grants that this call
        removed, by the owner of the picture."""
        ...

    # -- documents --
    def put_document(self, document: Document) -> bool:
        """Keep durably if the one that is there has the version before, or if there is none and this is version 1;
        atomic. False otherwise."""
        ...

    def document(self, owner_id: str, kind: str, key: str = "") -> Document | None: ...

    def documents(self, owner_id: str, kind: str, *, after: str = "", limit: int | None = None) -> list[Document]:
        """An owner's documents of a kind in order of key (by code point), those after key ``after``; when that is
        empty all, one with an empty key too."""
        ...

    def count_documents(self, owner_id: str, kind: str) -> int:
        """How many documents of a kind an owner has, without reading them."""
        ...

    def remove_documents(self, owner_id: str, kind: str | None = None, key: str | None = None) -> int:
        """Remove an owner's documents, of one kind and key unless None, durably, and return how many."""
        ...

    # -- revoked tokens --
    def revoke_token(self, token_id: str, expires: datetime) -> bool:
        """Remember durably that a token is revoked, at least until it expires (naive UTC); atomic: of several callers
        only the first gets True."""
        ...

    def is_revoked(self, token_id: str) -> bool: ...

    # -- sessions --
    def add_session(self, session: Session) -> None:
        """Add durably. Raises DuplicateRecord."""
        ...

    def session(self, session_id: str) -> Session | None:
        """A session that was not removed; one that has expired may still be there."""
        ...

    def remove_session(self, session_id: str) -> bool:
        """Remove durably; atomic: of two callers one gets False."""
        ...

    def remove_sessions(self, user_id: str) -> None:
        """Remove all sessions of a user, durably."""
        ...

    # -- published files --
    def put_file(self, file: PublishedFile) -> PublishedFile | None:
        """Publish durably, in the place of the owner's file of the same name, which is returned; atomic. The caller
        removes the blob of the earlier one afterwards."""
        ...

    def file(self, owner_id: str, name: str) -> PublishedFile | None: ...

    def files(self, owner_id: str, *, after: str = "", limit: int | None = None) -> list[PublishedFile]:
        """An owner's files in order of name (by code point), those after name ``after``."""
        ...

    def remove_file(self, file_id: str) -> PublishedFile | None:
        """Remove the record durably and return it; atomic: of two callers one gets None."""
        ...

    # -- blobs --
    def write_blob(self) -> BlobWriter:
        """Begin a blob. Its bytes stream to storage; they are never whole in memory."""
        ...

    def open_blob(self, blob_id: str) -> BinaryIO | None:
        """A seekable binary file to read, closed by the caller; None when it is not there. When a blob is removed while
        it is read, the rest comes or StorageError is raised: never other bytes."""
        ...

    def remove_blob(self, blob_id: str) -> None:
        """Remove if it is there."""
        ...

    def blob_ids(self) -> Iterator[str]:
        """All committed blobs, for the contract suite."""
        ...

    def collect_orphans(self, before: datetime) -> int:
        """Remove blobs that were written before that time and that no record names, and return how many. Safe while
        others store, when ``before`` lies longer ago than any upload takes."""
        ...

    # -- the installation --
    def totals(self) -> dict[str, int]:
        """How many ``users`` (people), ``pictures`` (outside the bin), ``files`` and ``sessions`` there are."""
        ...

    def secret(self, name: str) -> bytes:
        """32 random bytes kept under this name, made durably at first use; the same for every caller."""
        ...

    def close(self) -> None:
        """Release everything; idempotent. Later calls raise StorageError."""
        ...
