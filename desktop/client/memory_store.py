"""The file of the memory: SQLite, one writer, each change whole or not at all and on the disk before it returns.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from desktop import errors
from desktop.client.memory_model import Entry, Intent, IntentKind, Key, Pin, PinState
from desktop.client.ties import Tie, TieKind
from desktop.config import make_private_folder
from desktop.crypto.keys import PublicKey
from desktop.crypto.order import Known
from desktop.crypto.safe_write import writing_error
from desktop.models import Scheme

VERSION: Final = 1
APPLICATION_ID: Final = 0x474C534D  # "GLSM"
_HEX: Final = 64
_SCHEMES: Final = {scheme.value: scheme for scheme in Scheme}

_SCHEMA: Final = (
    "CREATE TABLE pictures (owner TEXT NOT NULL, pic TEXT NOT NULL, scheme TEXT NOT NULL, epoch INTEGER, rev INTEGER, "
    "header BLOB, deed BLOB, accepted BLOB, text BLOB, gone INTEGER NOT NULL, moves INTEGER NOT NULL, "
    "PRIMARY KEY (owner, pic)) WITHOUT ROWID",
    "CREATE TABLE notes (owner TEXT NOT NULL, pic TEXT NOT NULL, note BLOB NOT NULL, PRIMARY KEY (owner, pic))",
    "CREATE TABLE intents (owner TEXT NOT NULL, pic TEXT NOT NULL, kind TEXT NOT NULL, header BLOB NOT NULL, "
    "previous BLOB NOT NULL, PRIMARY KEY (owner, pic, kind)) WITHOUT ROWID",
    "CREATE TABLE people (user_id TEXT PRIMARY KEY, name TEXT NOT NULL, key BLOB, state TEXT NOT NULL, "
    "seen INTEGER NOT NULL, compared INTEGER NOT NULL, offered BLOB, offered_user_id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE ties (kind TEXT NOT NULL, about TEXT NOT NULL, other TEXT NOT NULL, value TEXT NOT NULL, "
    "count INTEGER NOT NULL, PRIMARY KEY (kind, about, other)) WITHOUT ROWID",
    "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
)


class MemoryStore:
    """The database. Calls come from one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it.

        Raises:
            MemoryUnreadable: It is damaged, or a newer Glassine wrote it; nothing was changed.
            VaultInUse: Another process has it open.
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written.
        """
        self._path = path
        make_private_folder(path.parent)
        # made here for its mode; SQLite gives the log the mode of the database
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
        try:
            os.close(os.open(path, flags, 0o600))
        except FileExistsError:
            pass
        except OSError as problem:
            raise writing_error(problem, path) from problem
        with _named(path):
            self._db = sqlite3.connect(path, timeout=0.1, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        db = self._db
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")  # in WAL mode: one fsync for each commit, before it returns
        db.execute("PRAGMA fullfsync=ON")
        with self.change():
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables:
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={VERSION}")
                db.execute(f"PRAGMA application_id={APPLICATION_ID}")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or version < 1:
                raise errors.MemoryUnreadable(details="another program's database")
            if version > VERSION:
                raise errors.MemoryUnreadable("A newer Glassine keeps this account's record. Update Glassine.")

    def close(self) -> None:
        """Close the file; later calls fail. Idempotent."""
        with suppress(sqlite3.Error):
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make all changes of the block at once, durably, or none of them."""
        with _named(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    # -- inside a change ------------------------------------------------------------------------------------------

    def put_entries(self, entries: Iterable[Entry]) -> None:
        """Write what is remembered of pictures."""
        self._db.executemany(
            "INSERT OR REPLACE INTO pictures VALUES (?,?,?,?,?,?,?,?,?,?,?)", (_entry_row(entry) for entry in entries)
        )

    def remove_entry(self, owner: str, picture_id: str) -> None:
        """Forget a picture."""
        self._db.execute("DELETE FROM pictures WHERE owner=? AND pic=?", (owner, picture_id))

    def put_notes(self, notes: Mapping[Key, bytes]) -> None:
        """Write what is noted of pictures, sealed by the caller."""
        rows = [(*key, note) for key, note in notes.items()]
        self._db.executemany("INSERT OR REPLACE INTO notes VALUES (?,?,?)", rows)

    def remove_notes(self, keys: Iterable[Key]) -> None:
        """Remove what is noted of pictures."""
        self._db.executemany("DELETE FROM notes WHERE owner=? AND pic=?", list(keys))

    def put_intent(self, intent: Intent) -> None:
        """Write an intent."""
        hashes = bytes.fromhex(intent.header_hash), bytes.fromhex(intent.previous)
        row = (intent.owner, intent.picture_id, intent.kind.value, *hashes)
        self._db.execute("INSERT OR REPLACE INTO intents VALUES (?,?,?,?,?)", row)

    def remove_intents(self, intents: Iterable[Intent]) -> None:
        """Remove intents that are settled."""
        rows = [(intent.owner, intent.picture_id, intent.kind.value) for intent in intents]
        self._db.executemany("DELETE FROM intents WHERE owner=? AND pic=? AND kind=?", rows)

    def put_pin(self, pin: Pin) -> None:
        """Write a person."""
        row = (
            pin.user_id,
            pin.name,
            pin.public.spki if pin.public else None,
            pin.state.value,
            pin.seen,
            pin.compared,
            pin.offered.spki if pin.offered else None,
            pin.offered_user_id,
        )
        self._db.execute("INSERT OR REPLACE INTO people VALUES (?,?,?,?,?,?,?,?)", row)

    def remove_pin(self, user_id: str) -> None:
        """Forget a person."""
        self._db.execute("DELETE FROM people WHERE user_id=?", (user_id,))

    def put_ties(self, ties: Iterable[Tie]) -> None:
        """Write what was decided."""
        rows = [(tie.kind.value, tie.about, tie.other, tie.value, tie.count) for tie in ties]
        self._db.executemany("INSERT OR REPLACE INTO ties VALUES (?,?,?,?,?)", rows)

    def put_number(self, name: str, value: int) -> None:
        """Write a number."""
        self._db.execute("INSERT OR REPLACE INTO numbers VALUES (?,?)", (name, value))

    # -- reading --------------------------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return all pictures."""
        with _named(self._path):
            return [_entry(row) for row in self._db.execute("SELECT * FROM pictures")]

    def note(self, key: Key) -> bytes | None:
        """Return what is noted of a picture."""
        with _named(self._path):
            row = self._db.execute("SELECT note FROM notes WHERE owner=? AND pic=?", key).fetchone()
        return bytes(row[0]) if row else None

    def intents(self) -> list[Intent]:
        """Return all intents."""
        with _named(self._path):
            return [
                Intent(owner, pic, IntentKind(kind), header.hex(), previous.hex())
                for owner, pic, kind, header, previous in self._db.execute("SELECT * FROM intents")
            ]

    def pins(self) -> list[Pin]:
        """Return all people."""
        with _named(self._path):
            return [
                Pin(user_id, name, _public(key), PinState(state), seen, compared, _public(offered), offered_user_id)
                for user_id, name, key, state, seen, compared, offered, offered_user_id in self._db.execute(
                    "SELECT * FROM people"
                )
            ]

    def ties(self) -> list[Tie]:
        """Return all that was decided."""
        with _named(self._path):
            return [Tie(TieKind(kind), *rest) for kind, *rest in self._db.execute("SELECT * FROM ties")]

    def number(self, name: str) -> int:
        """Return a number; 0 if it was never written."""
        with _named(self._path):
            row = self._db.execute("SELECT value FROM numbers WHERE name=?", (name,)).fetchone()
        return int(row[0]) if row else 0


def _entry_row(entry: Entry) -> tuple[object, ...]:
    known = entry.known
    start = (entry.owner, entry.picture_id, entry.scheme.value)
    end = (bytes.fromhex(entry.text_hash), int(entry.gone), entry.moves)
    if known is None:
        return (*start, None, None, None, None, None, *end)
    accepted = bytes.fromhex("".join(sorted(known.accepted)))
    hashes = bytes.fromhex(known.header_hash), bytes.fromhex(known.deed_hash)
    return (*start, known.epoch, known.revision, *hashes, accepted, *end)


def _entry(row: tuple[object, ...]) -> Entry:
    owner, pic, scheme, epoch, rev, header, deed, accepted, text, gone, moves = row
    known = None
    if epoch is not None:
        digits = accepted.hex()  # type: ignore[attr-defined]
        hashes = frozenset([digits[at : at + _HEX] for at in range(0, len(digits), _HEX)])
        known = Known(owner, pic, epoch, rev, header.hex(), deed.hex(), hashes)  # type: ignore[arg-type, attr-defined]
    return Entry(owner, pic, _SCHEMES[scheme], known, text.hex(), bool(gone), moves)  # type: ignore[arg-type, index, attr-defined]


def _public(spki: bytes | None) -> PublicKey | None:
    return PublicKey.from_spki(spki) if spki else None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Translate what SQLite says, and what a damaged file holds."""
    try:
        yield
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise errors.VaultInUse from problem
        if code == sqlite3.SQLITE_FULL:
            raise errors.StorageFull from problem
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise errors.StorageReadOnly(f"The folder {path.parent} cannot be written.") from problem
        raise errors.MemoryUnreadable(details=f"{type(problem).__name__} {code}") from problem
    except (ValueError, KeyError, TypeError, AttributeError, errors.KeyRefused) as problem:
        raise errors.MemoryUnreadable(details=type(problem).__name__) from problem
