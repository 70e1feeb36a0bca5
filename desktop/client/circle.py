"""The people around an open vault: sharing, what is shared, new versions. Must not import PySide6 or ``backend``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.place_kind import PlaceKind

if TYPE_CHECKING:
    from desktop.client.revising import Revising
    from desktop.client.shared import SharedPictures
    from desktop.client.sharing import Sharing
    from desktop.client.vault import Vault


def open_circle(vault: Vault) -> tuple[Sharing, SharedPictures, Revising] | None:
    """Return what there is between a vault and other people.

    None where there are none: on this computer, and in an account of the classic scheme.
    """
    from desktop.errors import KeyMissing

    if vault.place.kind is not PlaceKind.SERVER:
        return None
    try:
        context = vault.context()
    except KeyMissing:
        return None
    from desktop.client.revising import Revising
    from desktop.client.shared import SharedPictures
    from desktop.client.sharing import Sharing

    return Sharing(context), SharedPictures(context), Revising(context)
