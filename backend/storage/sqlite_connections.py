"""Connections to one SQLite file: writers take turns, readers never wait for them.

All writing goes through one connection under a mutex. Readers borrow connections of their own; in WAL mode they see the
last committed state while a writer waits for the disk. Must not import Flask or mongita.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from backend.storage import sqlite_schema

Row = tuple[Any, ...]


class SqliteConnections:
    """The connections of one storage.

    Attributes:
        mutex: Held by the one thread that may write; re-entrant.
        transaction: ``with connections.transaction`` makes a block one durable change; nested, it is a savepoint. An
            exception undoes what its block did.
        commit_in_doubt: A commit failed in a way that may still let its changes come to life at the next start.
        after_transaction: Called once when the transaction under way has been committed or undone.
    """

    def __init__(self, path: Path) -> None:
        """Open the database. Raises sqlite3.Error."""
        self._path = path
        self.mutex = threading.RLock()
        self.transaction = Transaction(self)
        self.commit_in_doubt = False
        self.after_transaction: list[Callable[[], None]] = []
        self._writer = sqlite_schema.connect(path)
        self._owner: int | None = None  # the thread in a transaction
        self._idle: list[sqlite3.Connection] | None = []  # None once closed
        self._guard = threading.Lock()

    @property
    def in_transaction(self) -> bool:
        """Whether the calling thread is in a transaction."""
        return self._owner == threading.get_ident()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the writer in the thread's transaction, or in one of its own."""
        if self.in_transaction:
            yield self._writer
        else:
            with self.transaction:
                yield self._writer

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Run a query. Inside a transaction it sees the transaction's changes. All rows are fetched at once: an
        unfinished statement would pin the log."""
        if self.in_transaction:
            return self._writer.execute(query, parameters).fetchall()
        with self._guard:
            if self._idle is None:
                raise sqlite3.ProgrammingError("the database is closed")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = sqlite_schema.connect(self._path)
        try:
            return connection.execute(query, parameters).fetchall()
        finally:
            self._give_back(connection)

    def is_sound(self) -> bool:
        """Whether tables and indexes agree with each other, as far as SQLite can tell; reads all of the database."""
        try:
            return self.rows("PRAGMA integrity_check(1)") == [("ok",)]
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            return False

    def empty_log(self) -> None:
        """Move what the log holds into the database, as far as there is room, and give back what the log takes."""
        with self.mutex, suppress(sqlite3.OperationalError):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close everything; idempotent. Waits for the writer; readers at work close theirs when they are done."""
        with self.mutex:
            with self._guard:
                idle, self._idle = self._idle, None
            if idle is not None:
                for connection in [*idle, self._writer]:
                    connection.close()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if self._idle is not None:
                self._idle.append(connection)
                return
        connection.close()

    def begin(self, depth: int) -> None:
        """Open the block at this depth; for :class:`Transaction`, with the mutex held."""
        self._writer.execute(f"SAVEPOINT level{depth}" if depth else "BEGIN IMMEDIATE")
        self._owner = threading.get_ident()

    def end(self, depth: int, *, keep: bool) -> None:
        """Keep or undo the block at this depth; for :class:`Transaction`."""
        if depth:
            # SQLite undoes the whole transaction by itself when, for instance, the disk is full.
            if self._writer.in_transaction:
                if not keep:
                    self._writer.execute(f"ROLLBACK TO level{depth}")
                self._writer.execute(f"RELEASE level{depth}")
            return
        self._owner = None
        try:
            if keep:
                self._commit()
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            while self.after_transaction:
                self.after_transaction.pop()()

    def _commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            # With no room the frame that marks the commit was not written. After any other error (a failed fsync) it
            # may lie in the log and count at the next start.
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                self.commit_in_doubt = True
            raise


class Transaction:
    """Takes the mutex and opens a transaction, or a savepoint inside one."""

    def __init__(self, connections: SqliteConnections) -> None:
        self._connections = connections
        self._depth = 0

    def __enter__(self) -> None:
        self._connections.mutex.acquire()
        try:
            self._connections.begin(self._depth)
        except BaseException:
            self._connections.mutex.release()
            raise
        self._depth += 1

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self._depth -= 1
            self._connections.end(self._depth, keep=error is None)
        finally:
            self._connections.mutex.release()
