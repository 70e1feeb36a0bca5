"""The list of what others share: fetched, and of accepted senders verified, measured against the memory and opened.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.acquaintances import NO, YES
from desktop.client.current import authors, history, open_shared, own_keys
from desktop.client.memory_model import PinState
from desktop.client.shared_catalog import Item
from desktop.client.ties import TieKind
from desktop.client.vault_history import learn_gone
from desktop.models import IsCancelled, Picture, PictureState, Report, Scheme

if TYPE_CHECKING:
    from desktop.client.answers import SharedRow
    from desktop.client.judging import History, Listed, Verdict
    from desktop.client.memory_model import Key, Pin
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PrivateKey
    from desktop.crypto.opened import OpenedEnvelope
    from desktop.crypto.order import Known
    from desktop.crypto.sealed import Envelope

MAX_ROWS = 200_000
"""A server that lists more than this is not believed."""
MAX_NAME = 200
ASK_ABOUT = 50
"""Of so many pictures that are not listed any more it is asked whether they were deleted for good."""
_SEALED_NAME = re.compile(r"p-([0-9a-f]{32})", re.ASCII)


def is_accepted(context: VaultContext, user_id: str) -> bool:
    """Whether pictures of somebody are decoded: compared once, or accepted without, and no comparison failed.

    What a key signed is believed although the server offers another one meanwhile.
    """
    pin, ties = context.memory.people.get(user_id), context.memory.ties
    if pin is None or pin.public is None or ties.get(TieKind.DIFFERS, user_id, pin.fingerprint) == YES:
        return False
    decided = ties.get(TieKind.SENDER, user_id, pin.fingerprint)
    if decided == NO or ties.get(TieKind.SENDER, user_id) == NO:
        return False
    return decided == YES or pin.state is PinState.VERIFIED or bool(pin.compared)


def is_declined(context: VaultContext, user_id: str) -> bool:
    """Whether pictures of somebody are not to be listed."""
    pin, ties = context.memory.people.get(user_id), context.memory.ties
    fingerprint = pin.fingerprint if pin is not None else ""
    return NO in (ties.get(TieKind.SENDER, user_id), ties.get(TieKind.SENDER, user_id, fingerprint))


class SharedListing:
    """Lists what is shared with one account."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare."""
        self._context = context

    def fetch(self, before: Mapping[str, Item], report: Report, cancelled: IsCancelled) -> dict[str, Item]:
        """Return what is shared, by the gallery's id, in the order of storing.

        Args:
            before: The list before: what is as it was needs no private key again.
            report: Pictures read and in all, 0 for unknown.
            cancelled: Asked between pages and pictures.
        """
        from desktop.client.judging import judge, read_listed

        context = self._context
        memory = context.memory.snapshot()
        rows = self._rows(report, cancelled)
        pins = {row.owner_id: context.memory.people.get(row.owner_id) for row in rows}
        accepted = {user_id: is_accepted(context, user_id) for user_id in pins}
        declined = {user_id: is_declined(context, user_id) for user_id in pins}
        keys = own_keys(context)
        known_authors = authors(context, keys)
        listed: dict[str, Listed] = {}
        for row in rows:
            pin = pins[row.owner_id]
            name = _SEALED_NAME.fullmatch(row.row.stored_name)
            if name and pin and pin.public is not None and accepted[row.owner_id]:
                if cancelled():
                    raise errors.Cancelled
                listed[row.row.id] = read_listed(row.row.envelope, name[1], pin.public, memory, known_authors)
        judgement = context.memory.commit(
            judge(listed.values(), memory, own=context.key.fingerprint, history=self._history(pins.values(), cancelled))
        )
        items: dict[str, Item] = {}
        for at, row in enumerate(rows):
            if cancelled():
                raise errors.Cancelled
            one = listed.get(row.row.id)
            if one is None:
                item = self._closed(row, pins[row.owner_id], accepted=accepted[row.owner_id])
            else:
                item = self._judged(row, one, judgement.verdicts, pins[row.owner_id], before, keys)
            items.setdefault(item.picture.id, replace(item, declined=declined[row.owner_id]))
            report(at + 1, len(rows))
        vanished = [item for known, item in before.items() if known not in items and item.opened is not None]
        with suppress(errors.NetworkError):  # the list counts without; who cannot say it of one need not be asked on
            for item in vanished[:ASK_ABOUT]:
                self.was_deleted(item, cancelled)
        return items

    def was_deleted(self, item: Item, cancelled: IsCancelled) -> bool:
        """Whether the owner has recorded that a picture which is not there any more was deleted for good.

        Raises:
            NetworkError: Nobody knows.
        """
        pin = self._context.memory.people.get(item.owner_id)
        if pin is None or pin.public is None or _SEALED_NAME.fullmatch(item.picture.stored_name) is None:
            return False
        return learn_gone(self._context, item.owner_id, pin.public, item.picture_id, cancelled)

    def _rows(self, report: Report, cancelled: IsCancelled) -> list[SharedRow]:
        rows: list[SharedRow] = []
        after = ""
        while page := self._context.api.shared_page(self._context.user_id, after, cancelled):
            for row in page:
                if row.row.id <= after or len(rows) >= MAX_ROWS:
                    raise errors.NotAGlassineServer("The server's list of shared pictures goes in circles.")
                after = row.row.id
                if row.owner_id != self._context.user_id:  # one's own are listed elsewhere
                    rows.append(row)
            report(len(rows), 0)
            if cancelled():
                raise errors.Cancelled
        return rows

    def _history(self, pins: Iterable[Pin | None], cancelled: IsCancelled) -> History:
        """Return what asks for the steps between two revisions, of whichever owner."""
        steps = {pin.fingerprint: history(self._context, pin.user_id, cancelled) for pin in pins if pin and pin.public}

        def ask(offered: Envelope, known: Known) -> Sequence[Envelope]:
            return steps[offered.owner.fingerprint](offered, known)

        return ask

    def _closed(self, row: SharedRow, pin: Pin | None, *, accepted: bool) -> Item:
        """Describe a picture of which nothing is decoded."""
        picture = _plain(row, pin)
        if accepted or row.row.scheme is Scheme.CLASSIC:
            error = errors.Unsupported(
                "This is a picture of the classic scheme, which protects nothing and can be opened by its owner only."
            )
            picture = _with_problem(picture, error)
        return Item(picture, row.owner_id, picture.id.partition(".")[2])

    def _judged(
        self,
        row: SharedRow,
        listed: Listed,
        verdicts: Mapping[Key, Verdict],
        pin: Pin | None,
        before: Mapping[str, Item],
        keys: Sequence[PrivateKey],
    ) -> Item:
        plain = _plain(row, pin)
        try:
            verdict = verdicts[listed.key]
            if verdict.error is not None:
                raise verdict.error
            if listed.envelope is None:
                raise errors.Damaged
            role, opened = self._opened(row, listed.envelope, before.get(plain.id), keys)
        except errors.GlassineError as error:
            return Item(_with_problem(plain, error), row.owner_id, listed.picture_id)
        item = Item(replace(plain, role=role), row.owner_id, listed.picture_id, grant=row.grant)
        return item.with_revision(opened, row.row)

    @staticmethod
    def _opened(
        row: SharedRow, envelope: Envelope, before: Item | None, keys: Sequence[PrivateKey]
    ) -> tuple[str, OpenedEnvelope]:
        if (
            before is not None
            and before.opened is not None
            and before.grant == row.grant
            and before.opened.header.hash == envelope.header_hash
        ):
            return before.picture.role, before.opened
        opened, grant = open_shared(keys, envelope, row.grant)
        if grant is None:
            return row.role, opened
        # under a grant to a former key nothing can be signed with the present one
        return grant.role if grant.to == keys[0].fingerprint else "read", opened


def _plain(row: SharedRow, pin: Pin | None) -> Picture:
    """Describe a picture by what the server says; names come from the pin."""
    from desktop.crypto.metadata import safe_name

    name = _SEALED_NAME.fullmatch(row.row.stored_name)
    picture_id = name[1] if name else row.row.stored_name
    claimed = "".join(char for char in row.owner_name[:MAX_NAME] if char.isprintable())
    return Picture(
        id=f"{row.owner_id}.{picture_id}",
        stored_name=row.row.stored_name,
        owner_id=row.owner_id,
        scheme=row.row.scheme,
        name=safe_name(f"{row.row.stored_name}.png"),
        media_type="image/png",
        size=0,
        stored_size=row.row.size,
        width=0,
        height=0,
        taken=None,
        added=row.row.created,
        state=PictureState.UNDECODED,
        owner_name=pin.name if pin is not None else claimed,
        role=row.role,
        unverified=pin is None or pin.state is not PinState.VERIFIED,
    )


def _with_problem(picture: Picture, error: errors.GlassineError) -> Picture:
    refused = isinstance(error, errors.NotAuthentic) and not isinstance(error, errors.AuthorUnknown)
    state = PictureState.REFUSED if refused else PictureState.UNREADABLE
    return replace(picture, state=state, problem=f"{error.title}. {error.message}", problem_code=error.code)
