"""Who else may open a picture. Only the owner gives, changes and takes permissions. Must not import Flask."""

from __future__ import annotations

from backend.errors import Conflict, ImageNotFound, Invalid, PermissionNotFound, UserNotFound
from backend.services.accounts import check_id
from backend.services.names import stored_name
from backend.storage.protocol import DuplicateRecord, Permission, PictureRecord, Storage

ROLES = ("read", "write")


class Permissions:
    """The permissions of one owner's pictures; the caller has made sure that it is the owner who asks."""

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

    def give(self, owner_id: str, stem: str, user_id: str, role: str) -> None:
        """Give a user a role.

        Raises:
            ImageNotFound: The owner has no such picture.
            Invalid: A value is missing, the role is unknown, or the owner would share with himself.
            UserNotFound: There is no such user.
            Conflict: The user has a role already.
        """
        picture = self._picture(owner_id, stem)
        problems = [] if user_id.strip() else ["User id is required"]
        if problems or role not in ROLES:
            raise Invalid(", ".join([*problems, *_role_problems(role)]))
        user_id = check_id(user_id)
        if user_id == owner_id:
            raise Invalid("A picture cannot be shared with its owner")
        if self._storage.user(user_id) is None:
            raise UserNotFound
        try:
            added = self._storage.add_permission(Permission(picture.id, user_id, role))
        except DuplicateRecord:
            raise Conflict("Permission user id is already exists") from None
        if not added:
            raise ImageNotFound

    def change(self, owner_id: str, stem: str, user_id: str, role: str) -> None:
        """Change a user's role; raises BadId, ImageNotFound, Invalid, PermissionNotFound."""
        user_id = check_id(user_id)
        picture = self._picture(owner_id, stem)
        if role not in ROLES:
            raise Invalid(", ".join(_role_problems(role)))
        if not self._storage.set_permission(Permission(picture.id, user_id, role)):
            raise PermissionNotFound

    def take(self, owner_id: str, stem: str, user_id: str) -> None:
        """Take a user's permission away; raises BadId, ImageNotFound, PermissionNotFound."""
        user_id = check_id(user_id)
        if not self._storage.remove_permission(self._picture(owner_id, stem).id, user_id):
            raise PermissionNotFound

    def _picture(self, owner_id: str, stem: str) -> PictureRecord:
        picture = self._storage.picture(owner_id, stored_name(stem))
        if picture is None:
            raise ImageNotFound
        return picture


def _role_problems(role: str) -> list[str]:
    if not role.strip():
        return ["Role is required"]
    return [] if role in ROLES else ["Role must be read or write"]
