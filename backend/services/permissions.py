"""Who else may open a picture. Only the owner gives, changes and takes permissions; a reader may give one back.

Must not import Flask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backend.errors import Conflict, ImageNotFound, Invalid, PermissionNotFound, PictureReplaced, UserNotFound
from backend.services.accounts import check_id
from backend.services.envelope import Place, check_grant, stored_place
from backend.services.names import stored_name
from backend.services.paging import PAGE
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, Storage

ROLES = ("read", "write")

SHARING_LIMIT = 1000
"""People that a picture can be shared with."""


@dataclass(frozen=True, slots=True)
class SharedPicture:
    """A picture that somebody else shared, with the permission and the name of its owner's account."""

    picture: PictureRecord
    permission: Permission
    owner_name: str


class Permissions:
    """The permissions of pictures; the caller has made sure that it is the owner who asks, or the reader concerned."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

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
            UserNotFound: There is no such user.
            Conflict: The user has a role already, or the picture began a new epoch.
        """
        picture = self._picture(owner_id, stem)
        problems = [] if user_id.strip() else ["User id is required"]
        if problems or role not in ROLES:
            raise Invalid(", ".join([*problems, *_role_problems(role)]))
        user_id = check_id(user_id)
        if user_id == owner_id:
            raise Invalid("A picture cannot be shared with its owner")
        place = self._check_grant(picture, role, grant)
        user = self._storage.user(user_id)
        if user is None or user.closing:
            raise UserNotFound
        self._check_number(picture.id, user_id)
        try:
            added = self._storage.add_permission(Permission(picture.id, user_id, role, grant))
        except DuplicateRecord:
            raise Conflict("Permission user id is already exists") from None
        if not added:
            raise ImageNotFound
        if place is not None and not self._still(picture, place):
            self._storage.remove_permission(picture.id, user_id)
            raise PictureReplaced

    def change(self, owner_id: str, stem: str, user_id: str, role: str, grant: str = "") -> None:
        """Change a user's role and grant; raises BadId, ImageNotFound, Invalid, Conflict, PermissionNotFound."""
        user_id = check_id(user_id)
        picture = self._picture(owner_id, stem)
        if role not in ROLES:
            raise Invalid(", ".join(_role_problems(role)))
        self._check_grant(picture, role, grant)
        if not self._storage.set_permission(Permission(picture.id, user_id, role, grant)):
            raise PermissionNotFound

    def take(self, owner_id: str, stem: str, user_id: str) -> None:
        """Take a user's permission away; raises BadId, ImageNotFound, PermissionNotFound."""
        user_id = check_id(user_id)
        if not self._storage.remove_permission(self._picture(owner_id, stem).id, user_id):
            raise PermissionNotFound

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

    def _check_grant(self, picture: PictureRecord, role: str, grant: str) -> Place | None:
        """Check a grant and return the place it is for; None without one."""
        if not grant:
            return None
        if not picture.envelope:
            raise Invalid("Grant is invalid")
        place = stored_place(picture.envelope)
        check_grant(grant, place, role)
        return place

    def _check_number(self, picture_id: str, user_id: str) -> None:
        # Several at the same moment may pass by a few, which does no harm.
        full = self._storage.count_permissions(picture_id) >= SHARING_LIMIT
        if full and self._storage.permission(picture_id, user_id) is None:
            raise Invalid(f"A picture can be shared with at most {SHARING_LIMIT} people")

    def _still(self, picture: PictureRecord, place: Place) -> bool:
        """Whether a picture is in the same epoch still: a new one replaces all permissions, but none given after."""
        now = self._storage.picture_by_id(picture.id)
        return now is not None and (
            now.header_hash == picture.header_hash or stored_place(now.envelope).deed_hash == place.deed_hash
        )


def _role_problems(role: str) -> list[str]:
    if not role.strip():
        return ["Role is required"]
    return [] if role in ROLES else ["Role must be read or write"]
