"""A listing of one's own pictures, measured page by page against what is remembered, and what its end says.

What a page teaches is on the disk before anything of it is handed on. Only a complete listing, the bin included, may
call a picture missing. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.judging import Judgement, Standing, judge, judge_absent
from desktop.client.memory_model import CLASSIC_OWNER, IntentKind, Key, Snapshot
from desktop.client.notes import UNKNOWN_NAME, Notes
from desktop.client.vault_history import fetch_gone, fetch_steps
from desktop.client.vault_listing import Examined, Known, examine, refused
from desktop.models import IsCancelled, Picture, Scheme, Trust

if TYPE_CHECKING:
    from desktop.client.answers import Row
    from desktop.client.vault_context import VaultContext
    from desktop.crypto import order
    from desktop.crypto.sealed import Envelope

log = logging.getLogger(__name__)

ASK_AGAIN = 50
"""So few pictures that a listing lacks are asked for one by one: another computer may have moved them meanwhile."""
_VAULT_LACKS_IT = "This picture is missing from the vault, and you did not delete it. Restore the vault from a backup."
_NAMES: dict[type[errors.GlassineError], str] = {
    errors.RolledBack: "rolled_back",
    errors.Forked: "forked",
    errors.HistoryMissing: "forked",
    errors.Missing: "missing",
    errors.Resurrected: "resurrected",
    errors.Injected: "injected",
    errors.SchemeChanged: "scheme_changed",
}


class Measure:
    """One listing while it is measured.

    Attributes:
        unfinished: Pictures that are still there although the person deleted them for good: the request did not arrive.
    """

    def __init__(self, context: VaultContext, cancelled: IsCancelled) -> None:
        """Begin; no page has been asked for yet."""
        self._context = context
        self._cancelled = cancelled
        self._own = context.key.fingerprint
        self._notes = Notes(context.key)
        self._start = context.memory.snapshot()
        self._seen: set[Key] = set()
        self._found: dict[str, set[str]] = defaultdict(set)
        self.unfinished: list[Known] = []

    def page(self, rows: Sequence[Row], before: Snapshot, *, in_bin: bool = False) -> list[Known]:
        """Measure a page and keep what it teaches.

        Args:
            rows: As listed.
            before: The memory as it was before the page was asked for.
            in_bin: They are those of the bin.

        Returns:
            The pictures, without those that were moved or deleted from here while the page was on its way.
        """
        examined: list[Examined] = []
        for number, row in enumerate(rows):
            if number % 20 == 0 and self._cancelled():
                raise errors.Cancelled
            context = self._context
            item = examine(row, context.user_id, context.key, before, context.memory.people.key_of)
            examined.append(self._once(item, in_bin=in_bin))
        judgement = judge(
            [item.listed for item in examined if item.listed is not None],
            before,
            own=self._own,
            history=self._history,
        )
        judgement = self._keep(judgement, examined)
        if not in_bin:
            self._correct_moves(judgement, before)
        return [
            self._outcome(item, judgement) for item in examined if not self._left_meanwhile(item, before, in_bin=in_bin)
        ]

    def absent(self) -> list[Known]:
        """Return what the pages, which were all, did not have: found after all, or missing."""
        context = self._context
        lacking = [key for key in self._lacking() if not self._start.entries[key].in_bin]
        gone = fetch_gone(context, [key[1] for key in lacking if key[0] == self._own], self._cancelled)
        names = {record.picture_id for record in gone}
        found: list[Known] = []
        if not context.api.embedded:  # nobody else moves anything there
            rest = [key for key in lacking if key[0] == self._own and key[1] not in names]
            for key in rest if len(rest) <= ASK_AGAIN else ():
                found += self._ask_again(key)
        judgement = context.memory.commit(
            judge_absent(self._seen, self._start, own=self._own, complete_for={self._own, CLASSIC_OWNER}, gone=gone)
        )
        return found + [self._missing(key) for key in judgement.with_standing(Standing.MISSING)]

    def trust(self) -> Trust:
        """Return what was found."""
        found = {name: tuple(sorted(ids)) for name, ids in self._found.items()}
        return replace(Trust(), **found)  # type: ignore[arg-type]

    def also(self, name: str, picture_ids: Iterable[str]) -> None:
        """Add what was found elsewhere."""
        self._found[name].update(picture_ids)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _once(self, item: Examined, *, in_bin: bool) -> Examined:
        """Take a row as the listing's one row of its picture."""
        listed = item.listed
        if listed is None:
            return item
        if in_bin and listed.owner == CLASSIC_OWNER:
            return replace(item, listed=None)  # its name may be used again meanwhile
        if listed.key in self._seen:
            return Examined(refused(item.known, errors.WrongPicture(details="listed twice")))
        self._seen.add(listed.key)
        return item

    def _keep(self, judgement: Judgement, examined: Iterable[Examined]) -> Judgement:
        changed = {entry.key for entry in judgement.entries}
        notes = {
            item.listed.key: self._notes.seal(item.known.picture, item.opened)
            for item in examined
            if item.listed is not None
            and item.opened is not None
            and item.listed.key in changed
            and judgement.verdicts[item.listed.key].error is None
        }
        return self._context.memory.commit(judgement, notes)

    def _correct_moves(self, judgement: Judgement, before: Snapshot) -> None:
        """Count what is listed outside the bin as moved back: else it could be taken away as if its time were over."""
        believed = (key for key, verdict in judgement.verdicts.items() if verdict.error is None)
        entries = (before.entries.get(key) for key in believed)
        self._context.memory.out_of_bin({entry.key: entry.moves for entry in entries if entry and entry.in_bin})

    def _outcome(self, item: Examined, judgement: Judgement) -> Known:
        if item.listed is None:
            return item.known
        error = judgement.verdicts[item.listed.key].error
        if error is None:
            conflict = any(intent.key == item.listed.key for intent in judgement.conflicts)
            return replace(item.known, picture=replace(item.known.picture, conflict=True)) if conflict else item.known
        self._count(error, item.known.picture.id)
        return refused(item.known, error, self._seen_before(item.listed.key))

    def _left_meanwhile(self, item: Examined, before: Snapshot, *, in_bin: bool) -> bool:
        if item.listed is None:
            return False
        key = item.listed.key
        now, then = self._context.memory.entry(*key), before.entries.get(key)
        if (key, IntentKind.GONE) in before.intents and not (now is not None and now.gone):
            self.unfinished.append(item.known)
            return True
        if now is None or then is None:
            return False
        return (now.gone and not then.gone) or (now.moves != then.moves and now.in_bin != in_bin)

    def _lacking(self) -> list[Key]:
        intents = self._start.intents
        return [
            key
            for key, entry in self._start.entries.items()
            if key[0] in (self._own, CLASSIC_OWNER)
            and not entry.gone
            and key not in self._seen
            and (key, IntentKind.GONE) not in intents
        ]

    def _ask_again(self, key: Key) -> list[Known]:
        context = self._context
        before = context.memory.snapshot()
        try:
            present = context.api.present(context.user_id, f"p-{key[1]}", self._cancelled)
        except (errors.NotFound, errors.NotAllowed):
            return []
        if present.row.stored_name != f"p-{key[1]}" or present.role != "owner":
            return []
        return self.page([present.row], before)

    def _missing(self, key: Key) -> Known:
        error = errors.Missing(_VAULT_LACKS_IT) if self._context.api.embedded else errors.Missing()
        self._count(error, key[1])
        note = self._notes.open(key[1], self._context.memory.note(*key))
        unknown = self._unknown(key)
        known = refused(Known(unknown), error, note.picture if note is not None else None)
        if note is None:
            return known
        return replace(known, header_hash=note.picture.revision, thumbnail_key=note.thumbnail)

    def _unknown(self, key: Key) -> Picture:
        owner, picture_id = key
        sealed = owner != CLASSIC_OWNER
        return Picture(
            id=picture_id,
            stored_name=f"p-{picture_id}" if sealed else picture_id,
            owner_id=self._context.user_id,
            scheme=Scheme.SEALED if sealed else Scheme.CLASSIC,
            name=UNKNOWN_NAME if sealed else f"{picture_id}.png",
            media_type="image/png",
            size=0,
            stored_size=0,
            width=0,
            height=0,
            taken=None,
            added=datetime.now(UTC),
        )

    def _seen_before(self, key: Key) -> Picture | None:
        note = self._notes.open(key[1], self._context.memory.note(*key))
        return note.picture if note is not None else None

    def _count(self, error: errors.GlassineError, picture_id: str) -> None:
        name = _NAMES.get(type(error))
        if name is not None:
            self._found[name].add(picture_id)

    def _history(self, offered: Envelope, known: order.Known) -> Sequence[Envelope]:
        context = self._context
        return fetch_steps(context, context.user_id, offered, known, context.memory.people.key_of, self._cancelled)
