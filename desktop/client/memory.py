"""What one account at one place remembers, durably: headers accepted, intents, people, the ledger's serial.

Without it a server could hand out older pictures, other pictures or none, and nobody would notice. All changes are on
the disk when a call returns. Judging a listing against it is ``desktop.client.judging``, merging that of another device
``desktop.client.ledger``. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.memory_model import Entry, Intent, IntentKind, Key, Snapshot
from desktop.client.people import People
from desktop.client.ties import TieKind, Ties
from desktop.client.ties import merged as merged_tie
from desktop.models import Scheme

if TYPE_CHECKING:
    from desktop.client.judging import Judgement
    from desktop.client.ledger import Merged
    from desktop.client.memory_store import MemoryStore
    from desktop.crypto.sealed import Envelope

FILE = "memory.sqlite3"
_SERIAL = "ledger_serial"


class Memory:
    """The memory of one account at one place. Safe to use from several threads.

    Attributes:
        people: The people one shares with.
        ties: What was decided between pictures and people.
    """

    def __init__(self, folder: Path, own: str = "") -> None:
        """Open the memory in a place's folder, or begin one.

        Args:
            folder: Of the place; made if it is not there.
            own: The account's own fingerprint.

        Raises:
            MemoryUnreadable: It is damaged; nothing was changed. :func:`set_aside` lets one begin anew.
            VaultInUse: Another process has it open.
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written.
        """
        from desktop.client.memory_store import MemoryStore

        self._lock = threading.RLock()
        self._store: MemoryStore | None = MemoryStore(folder / FILE)
        try:
            self._entries = {entry.key: entry for entry in self._store.entries()}
            self._intents = {(intent.key, intent.kind): intent for intent in self._store.intents()}
            self._serial = self._store.number(_SERIAL)
            self.people = People(self._open, self._lock, self._store.pins(), own)
            self.ties = Ties(self._open, self._lock, self._store.ties())
        except BaseException:
            self._store.close()
            raise
        self._changes = 0

    def close(self) -> None:
        """Close the file; later changes raise MemoryUnreadable. Idempotent."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None

    def _open(self) -> MemoryStore:
        if self._store is None:
            raise errors.MemoryUnreadable("The record of what was seen before is closed.")
        return self._store

    # -- pictures -------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the memory of pictures as it is now."""
        with self._lock:
            former = {tie.other: tie.value for tie in self.ties.every(TieKind.FORMER)}
            return Snapshot(dict(self._entries), dict(self._intents), former)

    def entry(self, owner: str, picture_id: str) -> Entry | None:
        """Return what is remembered of a picture."""
        with self._lock:
            return self._entries.get((owner, picture_id))

    def note(self, owner: str, picture_id: str) -> bytes | None:
        """Return what was noted of a picture: sealed, for display only."""
        with self._lock:
            return self._open().note((owner, picture_id))

    def commit(self, judgement: Judgement, notes: Mapping[Key, bytes] | None = None) -> Judgement:
        """Keep what a judged listing has taught: accepted headers, deletions, settled intents.

        Args:
            judgement: Of the listing.
            notes: What is to be noted of pictures, sealed.

        Returns:
            The judgement as it holds now: what was stored or deleted here while the listing was on its way is neither
            overwritten by it nor called missing.
        """
        from desktop.client.judgement import Standing, Verdict

        with self._lock:
            before, now = judgement.memory.entries, self._entries
            self.put(
                [entry for entry in judgement.entries if now.get(entry.key) == before.get(entry.key)],
                settled=[
                    intent for intent in judgement.settled if self._intents.get((intent.key, intent.kind)) == intent
                ],
                notes=notes,
            )
            verdicts = dict(judgement.verdicts)
            for key in judgement.with_standing(Standing.MISSING):
                entry = now.get(key)
                if entry is None or entry != before.get(key) or (key, IntentKind.GONE) in self._intents:
                    verdicts[key] = Verdict(Standing.GONE)
            return replace(judgement, verdicts=verdicts)

    def put(
        self, entries: Iterable[Entry], *, settled: Iterable[Intent] = (), notes: Mapping[Key, bytes] | None = None
    ) -> None:
        """Keep what is remembered of pictures, all of it or nothing. Of what is gone no note is kept."""
        entries, settled = tuple(entries), tuple(settled)
        if not (entries or settled or notes):
            return
        with self._lock:
            store = self._open()
            with store.change():
                store.put_entries(entries)
                store.remove_intents(settled)
                store.put_notes(notes or {})
                store.remove_notes(entry.key for entry in entries if entry.gone)
            self._changes += bool(entries)
            self._entries.update((entry.key, entry) for entry in entries)
            for intent in settled:
                self._intents.pop((intent.key, intent.kind), None)

    def forget(self, owner: str, picture_id: str) -> None:
        """Forget a picture of the classic scheme that was deleted: its name may be used again.

        Raises:
            ValueError: It is a sealed picture; those are gone, never forgotten.
        """
        with self._lock:
            entry = self._entries.get((owner, picture_id))
            if entry is None:
                return
            if entry.scheme is not Scheme.CLASSIC:
                raise ValueError("a sealed picture is never forgotten")
            store = self._open()
            with store.change():
                store.remove_entry(owner, picture_id)
            self._changes += 1
            del self._entries[entry.key]

    def moved(self, owner: str, picture_id: str, *, to_bin: bool) -> None:
        """Remember that the owner moves a picture to the bin or back; one that is not known is left out."""
        with self._lock:
            entry = self._entries.get((owner, picture_id))
            if entry is not None and entry.in_bin != to_bin:
                self.put([replace(entry, moves=entry.moves + 1)])
            elif entry is not None:
                self.put([replace(entry, moves=entry.moves + 2)])

    def out_of_bin(self, counted: Mapping[Key, int]) -> None:
        """Remember that pictures are not in the bin although it was thought so: a move did not arrive, or its answer.

        Args:
            counted: The moves that were known before it was seen; who has moved more often since is left alone.
        """
        with self._lock:
            known = [self._entries.get(key) for key in counted]
            self.put([replace(one, moves=one.moves + 1) for one in known if one and one.moves == counted[one.key]])

    # -- intents --------------------------------------------------------------------------------------------------

    def begin(self, intent: Intent) -> None:
        """Write down what is about to be asked of the server; the request may be sent when this returns."""
        with self._lock:
            store = self._open()
            with store.change():
                store.put_intent(intent)
            self._intents[intent.key, intent.kind] = intent

    def drop(self, owner: str, picture_id: str, kind: IntentKind) -> None:
        """The request was refused, or is not sent after all."""
        with self._lock:
            intent = self._intents.get(((owner, picture_id), kind))
            if intent is not None:
                self.put((), settled=[intent])

    def intents(self) -> list[Intent]:
        """Return what is not settled."""
        with self._lock:
            return list(self._intents.values())

    def stored(self, envelope: Envelope, note: bytes | None = None) -> None:
        """The server acknowledged this header, which was sealed here: accept it and settle the intent.

        Args:
            envelope: Of the header.
            note: What is to be noted of the picture, sealed; None leaves the note as it is.

        Raises:
            RolledBack, Forked, HistoryMissing: It does not follow what is accepted; the intent stays.
        """
        from desktop.crypto.envelope import text_hash
        from desktop.crypto.order import accept

        key = envelope.owner.fingerprint, envelope.picture_id
        with self._lock:
            before = self._entries.get(key)
            if before is not None and before.gone:
                raise errors.Resurrected
            known = accept(before.known if before is not None else None, envelope)
            self.put(
                [Entry(*key, Scheme.SEALED, known, text_hash(envelope.text), moves=before.moves if before else 0)],
                settled=self._of(key, IntentKind.HEADER),
                notes=None if note is None else {key: note},
            )

    def gone(self, owner: str, picture_id: str) -> None:
        """A picture of one's own was deleted for good: final. Settles every intent about it."""
        key: Key = owner, picture_id
        with self._lock:
            entry = self._entries.get(key, Entry(owner, picture_id))
            settled = [*self._of(key, IntentKind.GONE), *self._of(key, IntentKind.HEADER)]
            self.put([replace(entry, gone=True)], settled=settled)

    def _of(self, key: Key, kind: IntentKind) -> list[Intent]:
        intent = self._intents.get((key, kind))
        return [intent] if intent is not None else []

    # -- the ledger -----------------------------------------------------------------------------------------------

    @property
    def ledger_serial(self) -> int:
        """The greatest serial seen or written here; 0 before the first."""
        return self._serial

    def saw_serial(self, serial: int) -> None:
        """Remember the serial of a ledger that was read or written; it never falls."""
        with self._lock:
            if serial > self._serial:
                store = self._open()
                with store.change():
                    store.put_number(_SERIAL, serial)
                self._serial = serial

    @property
    def changes(self) -> int:
        """Grows with every change of what the ledger tells, from 0 at opening."""
        with self._lock:
            return self._changes + self.people.changes + self.ties.changes

    def export(self, time: int | None = None) -> bytes:
        """Return the memory as the ledger's JSON text; intents and notes stay here.

        Args:
            time: Now, seconds since 1970, for display only; None leaves it out.
        """
        from desktop.client import ledger_text

        with self._lock:
            entries, pins, ties = list(self._entries.values()), self.people.all(), self.ties.all()
        return ledger_text.write(entries, pins, time, ties)

    def merge(self, document: bytes) -> Merged:
        """Take over what another device remembers, entry by entry, all of it at once.

        What contradicts is reported and left as it is here; keys that differ are marked as changed.

        Raises:
            LedgerDamaged, LedgerTooNew: It is not a ledger's JSON text; nothing was changed.
        """
        from desktop.client import ledger, ledger_text

        others = ledger_text.read(document)
        other_ties = ledger_text.ties_of(document)
        with self._lock:
            known = {tie.pair: tie for tie in self.ties.all()}
            ties = [tie for there in other_ties if (tie := merged_tie(known.get(there.pair), there)) is there]
            merged = ledger.merge(self._entries, self.people.all(), *others, own=self.people.own)
            store = self._open()
            with store.change():
                store.put_entries(merged.entries)
                store.remove_notes(entry.key for entry in merged.entries if entry.gone)
                for pin in merged.pins:
                    store.put_pin(pin)
                store.put_ties(ties)
            self.ties.taken_over(ties)
            self._changes += bool(merged.entries)
            self._entries.update((entry.key, entry) for entry in merged.entries)
            changed = {pin.user_id: pin for pin in merged.pins}
            self.people.replace_all(list({**{pin.user_id: pin for pin in self.people.all()}, **changed}.values()))
            return merged


def set_aside(folder: Path) -> Path | None:
    """Rename a memory that cannot be read, so that one can begin anew; return where it is, None if there was none.

    What was remembered no longer protects: say so to the person first.
    """
    path = folder / FILE
    for number in range(1, 1000):
        target = folder / f"memory-unreadable-{number}.sqlite3"
        if not target.exists():
            break
    found = None
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
            found = target
    return found
