"""What was decided between pictures and people: who has which, who waits, who was accepted, what is due.

The server's lists of permissions are no authority: it could put somebody back who was taken off. Two computers agree by
counting: each decision about the same two things has the next number, and the greater number counts. Must not import
PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from desktop.client.memory_store import MemoryStore

Pair: TypeAlias = "tuple[TieKind, str, str]"
"""Kind, and the two things that are tied."""


class TieKind(StrEnum):
    """What is tied to what, and what the value means. An empty value: nothing any more."""

    SHARED = "shared"  # picture → person: the role they have
    WAITING = "waiting"  # picture → person: the role they get once they have a key that was compared
    RESEAL = "reseal"  # picture → nothing: "due" while it is to be encrypted anew because somebody lost it
    COPY = "copy"  # picture → its copy without metadata: header hash of the revision it was made of
    SENDER = "sender"  # person → fingerprint: "yes" when accepted without a comparison, "no" when declined
    DIFFERS = "differs"  # person → fingerprint: "yes" when a comparison failed
    FORMER = "former"  # person → fingerprint: the public key (PEM) they had before the one that was compared since


_CAREFUL: Final = {
    TieKind.SHARED: ("", "read", "write"),
    TieKind.WAITING: ("", "read", "write"),
    TieKind.RESEAL: ("due", ""),
    TieKind.SENDER: ("no", "", "yes"),
    TieKind.DIFFERS: ("yes", ""),
}
"""The values of each kind, the one that gives away least first: it counts when two computers decided at once."""
_HASH: Final = 64
_MAX_PEM: Final = 2000


@dataclass(frozen=True, slots=True)
class Tie:
    """One decision.

    Attributes:
        kind: What it is about.
        about: A picture's id or a person's user id.
        other: The other one, see :class:`TieKind`.
        value: What was decided.
        count: How many decisions about these two there were.
    """

    kind: TieKind
    about: str
    other: str
    value: str
    count: int

    @property
    def pair(self) -> Pair:
        """What it is found by."""
        return self.kind, self.about, self.other


def is_value(kind: TieKind, value: str) -> bool:
    """Whether a value can belong to a kind."""
    if kind is TieKind.COPY:
        return not value or (len(value) == _HASH and not set(value) - set("0123456789abcdef"))
    if kind is TieKind.FORMER:
        return not value or (
            value.isascii() and value.startswith("-----BEGIN PUBLIC KEY-----") and len(value) <= _MAX_PEM
        )
    return value in _CAREFUL[kind]


def merged(here: Tie | None, there: Tie) -> Tie:
    """Return which of two decisions about the same counts."""
    if here is None or there.count > here.count:
        return there
    if there.count < here.count or there.value == here.value:
        return here
    order = _CAREFUL.get(here.kind)
    return min(here, there, key=lambda tie: (order.index(tie.value) if order else 0, tie.value))


class Ties:
    """The decisions of one account. Safe to use from several threads; each change is durable when it returns."""

    def __init__(self, store: Callable[[], MemoryStore], lock: RLock, ties: Iterable[Tie]) -> None:
        """Made by ``Memory``."""
        self._store = store
        self._lock = lock
        self._ties = {tie.pair: tie for tie in ties}
        self.changes = 0

    def all(self) -> list[Tie]:
        """Return every decision, the empty ones included."""
        with self._lock:
            return list(self._ties.values())

    def get(self, kind: TieKind, about: str, other: str = "") -> str:
        """Return what was decided; empty for nothing."""
        with self._lock:
            tie = self._ties.get((kind, about, other))
            return tie.value if tie is not None else ""

    def known(self, kind: TieKind, about: str, other: str = "") -> bool:
        """Whether anything was ever decided, be it nothing."""
        with self._lock:
            return (kind, about, other) in self._ties

    def of(self, kind: TieKind, about: str) -> dict[str, str]:
        """Return what was decided about a picture or person: other → value, without empty ones."""
        with self._lock:
            return {
                tie.other: tie.value
                for tie in self._ties.values()
                if tie.kind is kind and tie.about == about and tie.value
            }

    def every(self, kind: TieKind) -> list[Tie]:
        """Return the decisions of a kind, without empty ones."""
        with self._lock:
            return [tie for tie in self._ties.values() if tie.kind is kind and tie.value]

    def set(self, kind: TieKind, about: str, other: str, value: str) -> None:
        """Decide something; the same once more changes nothing."""
        self.set_all([(kind, about, other, value)])

    def set_all(self, decisions: Iterable[tuple[TieKind, str, str, str]]) -> None:
        """Decide several things at once, durably, all or none."""
        with self._lock:
            new: dict[Pair, Tie] = {}
            for kind, about, other, value in decisions:
                if not is_value(kind, value):
                    raise ValueError(f"{value!r} is no value of {kind}")
                before = self._ties.get((kind, about, other))
                # that somebody is to have nothing counts also where nothing was known: another computer may know more
                unheard = before is None and (bool(value) or kind is TieKind.SHARED)
                if unheard or (before is not None and before.value != value):
                    new[kind, about, other] = Tie(kind, about, other, value, before.count + 1 if before else 1)
            if not new:
                return
            store = self._store()
            with store.change():
                store.put_ties(new.values())
            self._ties.update(new)
            self.changes += 1

    def taken_over(self, ties: Iterable[Tie]) -> None:
        """Take over merged decisions; written by the caller."""
        with self._lock:
            self._ties.update((tie.pair, tie) for tie in ties)
