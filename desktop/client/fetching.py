"""Fetching the file of one very revision; one that is replaced on the way is taken for that, not for damage.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from desktop import errors
from desktop.models import IsCancelled

if TYPE_CHECKING:
    from desktop.client.api import Api

TRIES: Final = 4
"""So often a picture is fetched anew while others keep storing revisions of it."""
_T = TypeVar("_T")


@contextmanager
def content(api: Api, owner_id: str, stored_name: str, envelope: str, cancelled: IsCancelled) -> Iterator[BinaryIO]:
    """Open the stored PNG of a revision; within the ``with`` block it can be read once from start to end.

    What the server calls the revision does not count: another one must have another envelope, and whoever fetches again
    measures that.

    Args:
        api: Of the account.
        owner_id: Whose it is.
        stored_name: Its name.
        envelope: The text of the revision's envelope.
        cancelled: Asked between tries.

    Raises, where the block raises Damaged:
        MovedOn: The server has another revision by now, whose file this may have been.
    """
    try:
        with api.content(owner_id, stored_name, cancelled) as untrusted:
            yield untrusted
    except errors.Damaged as damaged:
        present = api.present(owner_id, stored_name, cancelled)
        if present.row.envelope != envelope:
            raise errors.MovedOn(details=damaged.details) from damaged
        raise


def newest(fetch: Callable[[], _T], look_again: Callable[[], object]) -> _T:
    """Fetch a picture; when it has moved on, look what it is now and fetch that.

    Args:
        fetch: Raises MovedOn, see :func:`content`.
        look_again: Called before the next try.
    """
    for _ in range(TRIES - 1):
        try:
            return fetch()
        except errors.MovedOn:
            look_again()
    return fetch()
