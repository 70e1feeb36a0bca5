"""Who else may open a picture. Only the owner gives, changes and takes permissions; a reader may give one back.

Must not import Flask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from backend.errors import Conflict, ImageNotFound, Invalid, PermissionNotFound, PictureReplaced, UserNotFound
from backend.services.accounts import check_id
from backend.services.envelope import check_grant, stored_place
from backend.services.names import EXTENSION, stored_name
from backend.services.paging import PAGE
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, Storage, StorageError

if TYPE_CHECKING:
    from backend.services.quota import Quota

R = TypeVar("R")

ROLES = ("read", "write")

SHARING_LIMIT = 1000
"""People that a picture can be shared with."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class SharedPicture:
    """A picture that somebody else shared, with the permission and the name of its owner's account."""

    picture: PictureRecord
    permission: Permission
    owner_name: str


class Permissions:
    """The permissions of pictures; the caller has made sure that it is the owner who asks, or the reader concerned."""

    def __init__(self, storage: Storage, quota: Quota) -> None:
        self._storage = storage
        self._quota = quota

    def all(self, owner_id: str, stem: str) -> list[Permission]:
        """The permissions of a picture in the order they were given; raises ImageNotFound."""
        return self._storage.permissions(self._picture(owner_id, stem).id)

    def one(self, owner_id: str, stem: str, user_id: str) -> Permission:
        """A user's permission; raises BadId, ImageNotFound, PermissionNotFound."""
        user_id = check_id(user_id)
        found = self._storage.permission(self._picture(owner_id, stem).id, user_id)
        if found is None:
            raise PermissionNotFound
        return found

    def give(self, owner_id: str, stem: str, user_id: str, role: str, grant: str = "") -> None:
        """Give a user a role.

        Raises:
            ImageNotFound: The owner has no such picture.
            Invalid: A value is missing, the role is unknown, the grant is none for this picture and role, or the owner
                would share with himself, or with too many.
            UserNotFound: There is no such user, or it is an account of the file server.
            Conflict: The user has a role already, or the picture began a new epoch.
            QuotaExceeded: The grant has no room in the owner's account.
        """
        picture = self._picture(owner_id, stem)
        problems = [] if user_id.strip() else ["User id is required"]
        if problems or role not in ROLES:
            raise Invalid(", ".join([*problems, *_role_problems(role)]))
        user_id = check_id(user_id)
        if user_id == owner_id:
            raise Invalid("A picture cannot be shared with its owner")
        _check_grant(picture, role, grant)
        user = self._storage.user(user_id)
        if user is None or user.closing or user.kind:
            raise UserNotFound
        self._check_number(picture.id, user_id)
        wanted = Permission(picture.id, user_id, role, grant)
        self._quota.reserve(owner_id, len(grant))

        def add(now: PictureRecord) -> bool:
            return self._storage.add_permission(replace(wanted, picture_id=now.id), revision=now.header_hash)

        try:
            if not self._on_present(picture, role, grant, add):
                raise PictureReplaced
        except BaseException as error:
            self._undo(error, owner_id, wanted, len(grant))
            if isinstance(error, DuplicateRecord):
                raise Conflict("Permission user id is already exists") from None
            raise

    def change(self, owner_id: str, stem: str, user_id: str, role: str, grant: str = "") -> None:
        """Change a user's role and grant.

        Raises:
            BadId, ImageNotFound, Invalid, Conflict: As :meth:`give`.
            PermissionNotFound: The user has none.
            QuotaExceeded: The grant has no room.
        """
        user_id = check_id(user_id)
        picture = self._picture(owner_id, stem)
        if role not in ROLES:
            raise Invalid(", ".join(_role_problems(role)))
        _check_grant(picture, role, grant)
        present = self._storage.permission(picture.id, user_id)
        if present is None:
            raise PermissionNotFound
        wanted = Permission(picture.id, user_id, role, grant)
        room = max(0, len(grant) - len(present.grant))
        self._quota.reserve(owner_id, room)

        def put(now: PictureRecord) -> Permission | None:
            return self._storage.set_permission(replace(wanted, picture_id=now.id), revision=now.header_hash)

        try:
            before = self._on_present(picture, role, grant, put)
            if before is None:
                raise PermissionNotFound
        except BaseException as error:
            self._undo(error, owner_id, wanted, room)
            raise
        self._quota.settle(owner_id, len(grant) - len(before.grant) - room)

    def _undo(self, error: BaseException, owner_id: str, wanted: Permission, room: int) -> None:
        """Give room back that was reserved for a permission, unless it may be there in spite of the error."""
        if isinstance(error, StorageError):
            try:
                if self._storage.permission(wanted.picture_id, wanted.user_id) == wanted:
                    return
            except StorageError:
                return
        self._quota.release(owner_id, room)

    def take(self, owner_id: str, stem: str, user_id: str) -> None:
        """Take a user's permission away; raises BadId, ImageNotFound, PermissionNotFound."""
        user_id = check_id(user_id)
        taken = self._storage.remove_permission(self._picture(owner_id, stem).id, user_id)
        if taken is None:
            raise PermissionNotFound
        self._quota.release(owner_id, len(taken.grant))

    def shared_with(self, user_id: str, *, after: str = "", limit: int | None = None) -> list[SharedPicture]:
        """One page of what others shared with a user, in the order the pictures were stored."""
        return self._with_owners(self._storage.shared_with(user_id, after=after, limit=limit), {})

    def walk_shared_with(self, user_id: str) -> Iterator[SharedPicture]:
        """All of what others shared with a user, a page at a time."""
        names: dict[str, str] = {}
        after = ""
        while True:
            page = self._storage.shared_with(user_id, after=after, limit=PAGE)
            yield from self._with_owners(page, names)
            if len(page) < PAGE:
                return
            after = page[-1][0].id

    def _with_owners(
        self, shared: Sequence[tuple[PictureRecord, Permission]], names: dict[str, str]
    ) -> list[SharedPicture]:
        for picture, _ in shared:
            if picture.owner_id not in names:
                owner = self._storage.user(picture.owner_id)
                names[picture.owner_id] = "" if owner is None else owner.name
        return [SharedPicture(picture, permission, names[picture.owner_id]) for picture, permission in shared]

    def _picture(self, owner_id: str, stem: str) -> PictureRecord:
        picture = self._storage.picture(owner_id, stored_name(stem))
        if picture is None:
            raise ImageNotFound
        return picture

    def _on_present(
        self, picture: PictureRecord, role: str, grant: str, change: Callable[[PictureRecord], R | None]
    ) -> R | None:
        """Make a change to a permission on the present revision, for which the grant is looked at once more when it is
        another one: an epoch that begins meanwhile replaces all permissions, and must not get one of the last. What
        ``change`` says when the revision is not the reason is returned."""
        for _ in range(_TRIES):
            changed = change(picture)
            if changed:
                return changed
            now = self._picture(picture.owner_id, picture.name.removesuffix(EXTENSION))
            if (now.id, now.header_hash) == (picture.id, picture.header_hash):
                return None
            _check_grant(now, role, grant)
            picture = now
        raise PictureReplaced

    def _check_number(self, picture_id: str, user_id: str) -> None:
        # Several at the same moment may pass by a few, which does no harm.
        full = self._storage.count_permissions(picture_id) >= SHARING_LIMIT
        if full and self._storage.permission(picture_id, user_id) is None:
            raise Invalid(f"A picture can be shared with at most {SHARING_LIMIT} people")


def _check_grant(picture: PictureRecord, role: str, grant: str) -> None:
    if not grant:
        return
    if not picture.envelope:
        raise Invalid("Grant is invalid")
    check_grant(grant, stored_place(picture.envelope), role)


def _role_problems(role: str) -> list[str]:
    if not role.strip():
        return ["Role is required"]
    return [] if role in ROLES else ["Role must be read or write"]
