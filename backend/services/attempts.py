"""How often somebody may try: failed sign-ins and new accounts, counted by address. Must not import Flask.

Counts are kept for all workers in MongoDB where there is one, and in memory for the embedded engine, which one process
serves. The library that counts is only imported when there is something to count
(docs/adr/0045).
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from backend.errors import Invalid, TooManyAttempts
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.storage import Storage
    from limits.strategies import FixedWindowRateLimiter

    from backend.config import Config

COLLECTION = "attempts"
"""Where MongoDB keeps the counts; it forgets them by itself when their window is over."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """So many in a window of so many seconds, for one subject."""

    amount: int
    seconds: int
    subject: tuple[str, ...]

    def item(self) -> RateLimitItem:
        from limits import RateLimitItemPerSecond

        return RateLimitItemPerSecond(self.amount, self.seconds, "glassine")


class Attempts:
    """Counts and refuses. Every method may be called from several threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._limiter: FixedWindowRateLimiter | None = None

    @contextmanager
    def sign_in(self, address: str, kind: str, name: str) -> Iterator[None]:
        """Count the sign-in in the ``with`` block if it is refused with :class:`Invalid` (wrong password).

        It is counted before and taken back when it was good, so that many at the same moment are no way around.

        Raises:
            TooManyAttempts: At the start of the block.
        """
        where = network(address)
        who = hashlib.sha256(f"{kind}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()
        limits = self._take(
            _Limit(self._config.login_attempts, 60, ("name", where, who)),
            _Limit(self._config.login_attempts_address, 60, ("address", where)),
        )
        try:
            yield
        except Invalid:
            raise
        except BaseException:
            self._give_back(limits)
            raise
        self._give_back(limits)

    @contextmanager
    def registration(self, address: str) -> Iterator[None]:
        """Count the new account in the ``with`` block unless it is refused.

        Raises:
            TooManyAttempts: At the start of the block.
        """
        limits = self._take(_Limit(self._config.registrations, 3600, ("registration", network(address))))
        try:
            yield
        except BaseException:
            self._give_back(limits)
            raise

    def close(self) -> None:
        """Close the connection to MongoDB if there is one. Idempotent."""
        with self._lock:
            limiter, self._limiter = self._limiter, None
        if limiter is not None:
            self._release(limiter)

    def _take(self, *limits: _Limit) -> list[_Limit]:
        taken: list[_Limit] = []
        for limit in limits:
            if limit.amount and not self._hit(limit, 1):
                self._give_back(taken)
                raise TooManyAttempts(self._seconds_left(limit))
            taken += [limit] if limit.amount else []
        return taken

    def _give_back(self, limits: list[_Limit]) -> None:
        for limit in limits:
            self._hit(limit, -1)

    def _hit(self, limit: _Limit, cost: int) -> bool:
        limiter = self._started()
        with self._counting():
            return limiter.hit(limit.item(), *limit.subject, cost=cost)

    def _seconds_left(self, limit: _Limit) -> int:
        limiter = self._started()
        with self._counting():
            left = limiter.get_window_stats(limit.item(), *limit.subject).reset_time - time.time()
        return min(max(1, math.ceil(left)), limit.seconds)

    def _started(self) -> FixedWindowRateLimiter:
        # At first use: in the worker, not in the process that forks it. Not under the lock: a database that does not
        # answer would let one after the other wait.
        from limits.strategies import FixedWindowRateLimiter

        present = self._limiter
        if present is not None:
            return present
        made = FixedWindowRateLimiter(_counter(self._config.mongodb))
        with self._lock:
            if self._limiter is None:
                self._limiter = made
            present = self._limiter
        if present is not made:
            self._release(made)
        return present

    def _release(self, limiter: FixedWindowRateLimiter) -> None:
        client = getattr(limiter.storage, "_storage", None)
        if client is not None and self._config.mongodb is not None:
            client.close()

    @contextmanager
    def _counting(self) -> Iterator[None]:
        from limits.errors import StorageError as CountingError

        # The library's memory counts right only for one thread at a time; MongoDB does for everybody.
        with self._lock if self._config.mongodb is None else nullcontext():
            try:
                yield
            except CountingError as error:
                raise StorageError("unreachable", f"attempts cannot be counted: {error}") from error


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the 64-bit network of an IPv6 one, of which everybody has one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)


def _counter(mongodb: str | None) -> Storage:
    if mongodb is None:
        from limits.storage import MemoryStorage

        return MemoryStorage()
    from limits.storage import MongoDBStorage
    from pymongo.errors import PyMongoError

    from backend.config_sources import mongodb_parts
    from backend.storage.mongo import DATABASE

    database = unquote(mongodb_parts(mongodb)[1].partition("/")[2].partition(".")[0])
    counter = MongoDBStorage(
        mongodb,
        database_name=database or DATABASE,
        counter_collection_name=COLLECTION,
        window_collection_name=COLLECTION + "_windows",  # the library makes an index there and never uses it
        wrap_exceptions=True,
        **({} if "serverselectiontimeoutms" in mongodb.lower() else {"serverSelectionTimeoutMS": 5_000}),
    )
    try:
        counter.storage.admin.command("ping")  # connects: the library does it unguarded, so before anybody else has it
    except PyMongoError as error:
        if counter._storage is not None:
            counter._storage.close()
        raise StorageError("unreachable", f"attempts cannot be counted: {error}") from error
    return counter
