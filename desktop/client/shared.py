"""Pictures that others share with the account. Nothing of a sender is decoded before they were accepted.

Blocking; what takes long reports and can be cancelled. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypeVar

from desktop import errors, image_formats
from desktop.client import exporting, fetching
from desktop.client.acquaintances import NO, YES, Acquaintances
from desktop.client.api import THUMBNAILS_AT_ONCE
from desktop.client.current import Current, fetch
from desktop.client.shared_catalog import Item
from desktop.client.shared_listing import SharedListing, is_accepted, is_declined
from desktop.client.sharing_model import Sender
from desktop.client.ties import TieKind
from desktop.client.vault_opening import OpenedPicture, open_to_memory
from desktop.models import IsCancelled, Person, PersonState, Picture, Report, never_cancelled, no_report

if TYPE_CHECKING:
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.opened import OpenedEnvelope

__all__ = ["Sender", "SharedPictures"]

log = logging.getLogger(__name__)

MAX_STRANGERS = 50
"""Senders never met that are asked about at once."""
Pictures: TypeAlias = list[Picture]
Senders: TypeAlias = list[Sender]
_T = TypeVar("_T")


class SharedPictures:
    """What is shared with one account. Safe to use from several threads.

    The ``id`` of these pictures is the owner's user id, a full stop and the picture's id: two owners may use the same.
    """

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is asked yet."""
        self._context = context
        self._acquaintances = Acquaintances(context)
        self._listing = SharedListing(context)
        self._catalog = context.shared

    def list(self, report: Report = no_report, cancelled: IsCancelled = never_cancelled) -> Pictures:
        """Return what is shared, in the order of storing; those of declined senders are left out.

        ``owner_name`` and ``role`` are set. Pictures of senders who were not accepted are UNDECODED. A picture that is
        not there any more was taken back; that is nobody's fault.
        """
        items = self._listing.fetch(self._catalog.all() or {}, report, cancelled)
        self._catalog.listed(items)
        return [item.picture for item in items.values() if not item.declined]

    def senders(self) -> Senders:
        """Return who shares, by name, as of the last listing (which is made if there was none)."""
        items = self._catalog.all()
        if items is None:
            self.list()
            items = self._catalog.all() or {}
        counts = Counter(item.owner_id for item in items.values())
        names = {item.owner_id: item.picture.owner_name for item in items.values()}
        strangers = 0
        found: Senders = []
        for user_id, count in counts.items():
            pin = self._context.memory.people.get(user_id)
            person = self._acquaintances.person_of(pin) if pin is not None else None
            if person is None or person.state is PersonState.NO_KEY:
                strangers += 1
                person = self._stranger(user_id, names[user_id]) if strangers <= MAX_STRANGERS else None
            if person is not None:
                accepted = is_accepted(self._context, user_id)
                found.append(Sender(person, count, accepted, is_declined(self._context, user_id)))
        return sorted(found, key=lambda sender: (sender.person.name.casefold(), sender.person.user_id))

    def accept(self, user_id: str) -> Person:
        """Accept somebody without having compared: their pictures are decoded from now on; list again.

        Raises:
            PersonNotFound: They share nothing, or their account is gone.
            KeyChanged, KeyRefused, SchemeChanged: Their key has to be compared, or cannot be used.
        """
        person = self._acquaintances.look_again(user_id)
        if person.state is PersonState.CHANGED:
            raise errors.KeyChanged
        if not person.fingerprint:
            raise errors.KeyRefused("This person has no key that proves what they send.")
        self._context.memory.ties.set_all(
            [(TieKind.SENDER, user_id, person.fingerprint, YES), (TieKind.SENDER, user_id, "", "")]
        )
        return person

    def decline(self, user_id: str) -> None:
        """List nothing of somebody from now on; :meth:`accept` undoes it."""
        pin = self._context.memory.people.get(user_id)
        decided = [(TieKind.SENDER, user_id, "", NO)]
        if pin is not None and pin.fingerprint:
            decided.append((TieKind.SENDER, user_id, pin.fingerprint, NO))
        self._context.memory.ties.set_all(decided)

    def give_back(self, picture_id: str) -> None:
        """Give a picture back: it is not shared with the account any more."""
        item = self._item(picture_id)
        with self._taken_back(item):
            self._context.api.remove_permission(item.owner_id, item.picture.stored_name, self._context.user_id)
        self._catalog.remove(picture_id)

    def thumbnails(
        self,
        picture_ids: Sequence[str],
        report: Report = no_report,
        cancelled: IsCancelled = never_cancelled,
    ) -> dict[str, bytes]:
        """Return JPEG thumbnails by picture id; without those that there are not or that do not open."""
        items = self._catalog.all() or {}
        ready = [items[one] for one in dict.fromkeys(picture_ids) if one in items and items[one].opened is not None]
        by_owner: dict[str, dict[str, Item]] = {}
        for item in ready:
            by_owner.setdefault(item.owner_id, {})[item.picture.stored_name] = item
        found: dict[str, bytes] = {}
        for owner_id, named in by_owner.items():
            names = [*named]
            for start in range(0, len(names), THUMBNAILS_AT_ONCE):
                batch = names[start : start + THUMBNAILS_AT_ONCE]
                for name, untrusted in self._context.api.thumbnails(owner_id, batch, cancelled).items():
                    jpeg = _opened_thumbnail(named[name], untrusted)
                    if jpeg:
                        found[named[name].picture.id] = jpeg
                report(len(found), len(ready))
        return found

    def open(
        self, picture_id: str, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> OpenedPicture:
        """Fetch and decrypt a picture into memory; nothing is returned before all of it is verified.

        Raises:
            NoLongerShared: It was taken back.
            Unverified: Its sender was not accepted.
            NotAuthentic, Damaged, WrongKey: It is not what its owner shared, or cannot be opened.
        """

        def use(opened: OpenedEnvelope, untrusted: BinaryIO) -> bytearray:
            return open_to_memory(opened, untrusted, report, cancelled)

        item, current, data = self._fetched(picture_id, use, cancelled)
        now = item.with_revision(current.opened, current.row)
        self._catalog.exchange(item, now)
        return OpenedPicture(now.picture, data)

    def export(
        self, picture_id: str, folder: Path, report: Report = no_report, cancelled: IsCancelled = never_cancelled
    ) -> Path:
        """Decrypt a picture into a folder under its own name and return its path; nothing is overwritten."""

        def use(opened: OpenedEnvelope, untrusted: BinaryIO) -> Path:
            return exporting.export(opened, untrusted, folder, report, cancelled)

        return self._fetched(picture_id, use, cancelled)[2]

    # -- inside ---------------------------------------------------------------------------------------------------

    def _item(self, picture_id: str) -> Item:
        item = self._catalog.find(picture_id)
        if item is None:
            raise errors.NoLongerShared
        return item

    def _fetched(
        self, picture_id: str, use: Callable[[OpenedEnvelope, BinaryIO], _T], cancelled: IsCancelled
    ) -> tuple[Item, Current, _T]:
        """Do something with the file of a picture's present revision."""

        def fetch() -> tuple[Item, Current, _T]:
            item, current = self._current(picture_id, cancelled)
            with self._taken_back(item, cancelled), current.content(self._context, cancelled) as untrusted:
                return item, current, use(current.opened, untrusted)

        return fetching.newest(fetch, lambda: None)

    def _current(self, picture_id: str, cancelled: IsCancelled) -> tuple[Item, Current]:
        """Fetch the present revision of a picture that may be opened."""
        item = self._item(picture_id)
        pin = self._context.memory.people.get(item.owner_id)
        if pin is None or pin.public is None or not is_accepted(self._context, item.owner_id):
            raise errors.Unverified("You have not accepted anything from this person yet. Nothing was opened.")
        with self._taken_back(item, cancelled):
            return item, fetch(self._context, item.owner_id, pin.public, item.picture_id, cancelled)

    @contextmanager
    def _taken_back(self, item: Item, cancelled: IsCancelled = never_cancelled) -> Iterator[None]:
        """Name what it means when the server refuses a picture that it listed as shared."""
        try:
            yield
        except (errors.NotAllowed, errors.NotFound) as error:
            words = None
            with suppress(errors.NetworkError):
                if self._listing.was_deleted(item, cancelled):
                    words = "Its owner has deleted this picture for good."
            raise errors.NoLongerShared(words, details=error.details) from error

    def _stranger(self, user_id: str, claimed_name: str) -> Person:
        """Describe somebody never met; meeting pins their key, so that it can be compared."""
        try:
            return self._acquaintances.look_again(user_id)
        except errors.KeyChanged:
            state = PersonState.CHANGED
        except errors.GlassineError as error:
            log.warning("a sender is not known: %s", error.code)
            state = PersonState.NO_KEY
        return Person(user_id, claimed_name, "", (), (), state)


def _opened_thumbnail(item: Item, untrusted: bytes) -> bytes:
    if item.opened is None:
        return b""
    try:
        jpeg = item.opened.open_thumbnail(untrusted)
        image_formats.check_thumbnail(jpeg)
    except errors.GlassineError as error:
        log.warning("a thumbnail does not open: %s %s", error.code, error.details)
        return b""
    return jpeg
