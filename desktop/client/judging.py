"""What a listing says, measured against what is remembered: new, as before, next, or not to be believed.

Pure functions: nothing is fetched but through the given callback, nothing is written; ``Memory.commit`` keeps the
outcome. An envelope whose text was verified before costs no RSA operation. Must not import PySide6, ``requests`` or
``backend``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from desktop import errors
from desktop.client.judgement import Judgement, Listed, Standing, Verdict
from desktop.client.memory_model import CLASSIC_OWNER, Entry, Intent, IntentKind, Key, Snapshot
from desktop.models import Scheme

if TYPE_CHECKING:
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.order import Known
    from desktop.crypto.records import Gone, Succession
    from desktop.crypto.sealed import Envelope

__all__ = [
    "History",
    "Judgement",
    "Listed",
    "Standing",
    "Verdict",
    "judge",
    "judge_absent",
    "no_history",
    "read_listed",
]

History: TypeAlias = "Callable[[Envelope, Known], Sequence[Envelope]]"
"""Gives the verified headers between a known and an offered one, oldest first; empty if the server has none."""


def no_history(offered: Envelope, known: Known) -> Sequence[Envelope]:
    """Have no history."""
    return ()


def read_listed(
    untrusted_envelope: str,
    picture_id: str,
    owner: PublicKey,
    memory: Snapshot,
    authors: Callable[[str], PublicKey | None] | None = None,
) -> Listed:
    """Read the envelope of a row; what is wrong with it is in the result, never raised.

    Args:
        untrusted_envelope: As listed.
        picture_id: The id it was listed under.
        owner: The key of the owner it was listed for.
        memory: Texts verified before are not verified again.
        authors: Gives the pinned key of a writer by fingerprint, such as ``People.key_of``.
    """
    from desktop.crypto.sealed import read_envelope

    verified = memory.text_hash(owner.fingerprint, picture_id)
    try:
        envelope = read_envelope(
            untrusted_envelope, owner=owner, picture_id=picture_id, author=authors, verified=verified
        )
    except errors.GlassineError as error:
        accepted = _accepted_of_former_key(untrusted_envelope, picture_id, owner, memory)
        if accepted is not None:
            return Listed(owner.fingerprint, picture_id, envelope=accepted)
        # without what the traceback holds
        plain = type(error)(error.message, details=error.details)
        return Listed(owner.fingerprint, picture_id, error=plain)
    return Listed(owner.fingerprint, picture_id, envelope=envelope)


def _accepted_of_former_key(
    untrusted_envelope: str, picture_id: str, owner: PublicKey, memory: Snapshot
) -> Envelope | None:
    """Read a revision whose author has another key now, if it was accepted before; nothing new counts under that."""
    from desktop.crypto.keys import PublicKey
    from desktop.crypto.sealed import read_envelope

    entry = memory.entry(owner.fingerprint, picture_id)
    if not memory.former or entry is None or entry.known is None:
        return None

    def author(fingerprint: str) -> PublicKey | None:
        return PublicKey.from_pem(memory.former[fingerprint]) if fingerprint in memory.former else None

    try:
        envelope = read_envelope(untrusted_envelope, owner=owner, picture_id=picture_id, author=author)
    except errors.GlassineError:
        return None
    return envelope if envelope.header_hash in entry.known.accepted else None


def judge(
    listing: Iterable[Listed],
    memory: Snapshot,
    *,
    own: str,
    complete_for: Collection[str] = (),
    gone: Iterable[Gone] = (),
    history: History = no_history,
    succession: Succession | None = None,
) -> Judgement:
    """Judge a listing.

    Args:
        listing: Its rows, of one or several owners.
        memory: What was remembered before the listing was asked for.
        own: The account's own fingerprint.
        complete_for: Owners of whom everything is listed (empty text: the pictures of the classic scheme). Only their
            pictures can be missing.
        gone: Verified records of deletions.
        history: Asked when steps between two revisions are needed.
        succession: Of an owner whose new key the person compared; accepts new epochs under that key.
    """
    judging = _Judging(memory, own, history, succession)
    judging.take_gone(gone)
    for row in listing:
        judging.take(row)
    judging.look_for_missing(complete_for)
    return Judgement(
        memory, judging.verdicts, tuple(judging.entries.values()), tuple(judging.settled), tuple(judging.conflicts)
    )


def judge_absent(
    listed: Collection[Key],
    memory: Snapshot,
    *,
    own: str,
    complete_for: Collection[str],
    gone: Iterable[Gone] = (),
) -> Judgement:
    """Judge what a listing that was judged page by page did not have.

    Args:
        listed: What its pages had.
        memory: What was remembered before its first page was asked for.
        own: The account's own fingerprint.
        complete_for: Owners of whom everything was listed.
        gone: Verified records of deletions, of pictures that were not listed.
    """
    judging = _Judging(memory, own, no_history, None)
    judging.listed.update(listed)
    judging.take_gone(gone)
    judging.look_for_missing(complete_for)
    return Judgement(memory, judging.verdicts, tuple(judging.entries.values()), tuple(judging.settled), ())


class _Judging:
    """One judgement while it is made."""

    def __init__(self, memory: Snapshot, own: str, history: History, succession: Succession | None) -> None:
        self.memory, self.own = memory, own
        self.history, self.succession = history, succession
        self.verdicts: dict[Key, Verdict] = {}
        self.entries: dict[Key, Entry] = {}
        self.settled: list[Intent] = []
        self.conflicts: list[Intent] = []
        self.listed: set[Key] = set()

    def take_gone(self, gone: Iterable[Gone]) -> None:
        for record in gone:
            key = record.owner, record.picture_id
            before = self.memory.entries.get(key, Entry(*key))
            if not before.gone:
                self.entries[key] = replace(before, gone=True)
            self.verdicts[key] = Verdict(Standing.GONE)
            self.settled += [found for kind in IntentKind if (found := self.memory.intents.get((key, kind)))]

    def take(self, row: Listed) -> None:
        if row.key in self.listed:
            self.verdicts[row.key] = Verdict(Standing.REFUSED, errors.WrongPicture(details="listed twice"))
            self.entries.pop(row.key, None)
            return
        self.listed.add(row.key)
        try:
            self.verdicts[row.key] = Verdict(self._standing(row))
        except errors.GlassineError as error:
            refused = isinstance(error, errors.NotAuthentic)
            self.verdicts[row.key] = Verdict(Standing.REFUSED if refused else Standing.UNREADABLE, error)

    def _standing(self, row: Listed) -> Standing:
        entry = self.memory.entries.get(row.key)
        if (entry is not None and entry.gone) or row.key in self.verdicts:
            raise errors.Resurrected
        if entry is not None and entry.scheme is not row.scheme:
            raise errors.SchemeChanged
        if row.error is not None:
            raise self._injected(row.error) if row.owner == self.own and entry is None else row.error
        if row.envelope is None:
            if row.scheme is not Scheme.CLASSIC or row.owner != CLASSIC_OWNER:
                raise errors.SchemeChanged
            if entry is None:
                self.entries[row.key] = Entry(*row.key, Scheme.CLASSIC)
            return Standing.SAME if entry is not None else Standing.NEW
        return self._order(row, row.envelope, entry)

    @staticmethod
    def _injected(error: errors.GlassineError) -> errors.GlassineError:
        """Name what is wrong with a picture of one's own that one never had."""
        if isinstance(error, errors.NotAuthentic) and not isinstance(error, errors.AuthorUnknown):
            return errors.Injected(details=f"{error.code} {error.details}".strip())
        return error

    def _order(self, row: Listed, envelope: Envelope, entry: Entry | None) -> Standing:
        from desktop.crypto.envelope import text_hash

        if (envelope.owner.fingerprint, envelope.picture_id) != row.key:
            raise errors.WrongPicture
        former = self._former(row) if entry is None else None
        known_entry = entry or former
        before = known_entry.known if known_entry is not None else None
        if before is not None and before.header_hash == envelope.header_hash:
            known, standing = before, Standing.SAME
        else:
            known = self._accepted(before, envelope)
            standing = Standing.NEXT if before is not None else Standing.NEW
        if former is not None:
            # under the old key it is neither missing nor to come back
            self.entries[former.key] = replace(former, gone=True)
        text = text_hash(envelope.text)
        if entry is None or entry.text_hash != text:
            moves = known_entry.moves if known_entry is not None else 0
            self.entries[row.key] = Entry(*row.key, Scheme.SEALED, known, text, moves=moves)
        self._settle(row.key, known)
        return standing

    def _former(self, row: Listed) -> Entry | None:
        """Return what is known of a picture under its owner's former key."""
        if self.succession is None or self.succession.new != row.owner:
            return None
        former = self.memory.entries.get((self.succession.old, row.picture_id))
        if former is not None and former.gone:
            raise errors.Resurrected
        return former

    def _accepted(self, before: Known | None, envelope: Envelope) -> Known:
        from desktop.crypto.order import accept

        try:
            return accept(before, envelope, succession=self.succession)
        except errors.HistoryMissing:
            if before is None:
                raise
            return accept(before, envelope, self.history(envelope, before), succession=self.succession)

    def _settle(self, key: Key, known: Known) -> None:
        intent = self.memory.intents.get((key, IntentKind.HEADER))
        if intent is None:
            return
        if intent.header_hash in known.accepted:
            self.settled.append(intent)
        elif intent.previous != known.header_hash:
            self.conflicts.append(intent)

    def look_for_missing(self, complete_for: Collection[str]) -> None:
        for key, entry in self.memory.entries.items():
            if entry.gone or key[0] not in complete_for or key in self.listed:
                continue
            if key in self.entries:  # deleted for good, or goes on under another key
                continue
            intent = self.memory.intents.get((key, IntentKind.GONE))
            if intent is not None:
                # the request arrived, its answer did not
                self.entries[key] = replace(entry, gone=True)
                self.settled.append(intent)
                self.verdicts[key] = Verdict(Standing.GONE)
            elif entry.in_bin:
                # the owner put it there; the server's time for it has run out
                self.verdicts[key] = Verdict(Standing.GONE)
            else:
                self.verdicts[key] = Verdict(Standing.MISSING, errors.Missing())
