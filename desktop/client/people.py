"""The people one shares with: whose key is whose, and how surely (rule: the key shown is the key used).

Names come from the pin, one key belongs to one person, and a key that changed gets nothing until its fingerprint was
compared. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.memory_model import Pin, PinState

if TYPE_CHECKING:
    from desktop.client.memory_store import MemoryStore
    from desktop.crypto.keys import PublicKey


class People:
    """The pins of one account. Safe to use from several threads; each change is durable when it returns."""

    def __init__(self, store: Callable[[], MemoryStore], lock: RLock, pins: list[Pin], own: str = "") -> None:
        """Made by ``Memory``; ``own`` is the account's own fingerprint, which is nobody else's."""
        self._store = store
        self._lock = lock
        self._pins = {pin.user_id: pin for pin in pins}
        self.own = own
        self.changes = 0

    def all(self) -> list[Pin]:
        """Return everybody, by name."""
        with self._lock:
            return sorted(self._pins.values(), key=lambda pin: (pin.name.casefold(), pin.user_id))

    def get(self, user_id: str) -> Pin | None:
        """Return a person's pin."""
        with self._lock:
            return self._pins.get(user_id)

    def by_fingerprint(self, fingerprint: str) -> Pin | None:
        """Return whose pinned key this is."""
        with self._lock:
            found = (pin for pin in self._pins.values() if pin.fingerprint == fingerprint)
            return next(found, None) if fingerprint else None

    def key_of(self, fingerprint: str) -> PublicKey | None:
        """Return a pinned key, for verifying what its owner signed; as ``author`` of ``read_envelope``."""
        pin = self.by_fingerprint(fingerprint)
        return pin.public if pin is not None else None

    def see(self, user_id: str, name: str, key: PublicKey | None, now: int) -> Pin:
        """Compare what the server says of a person with the pin, or pin it: not verified until compared.

        Args:
            user_id: The account.
            name: As the server gives it.
            key: The key that the server gives; None for one of the classic scheme.
            now: Seconds since 1970; for display only.

        Returns:
            The pin; its name and key are those to use.

        Raises:
            KeyChanged: The key is not the pinned one, or somebody else has come under a pinned name. The pin is marked
                as changed, and nothing may be given to that person.
            KeyRefused: The key is somebody else's, or the name now belongs to another account than before.
            SchemeChanged: A key of the classic scheme is offered in place of a proper one.
        """
        with self._lock:
            pin = self._pins.get(user_id)
            holder = self.by_fingerprint(key.fingerprint) if key is not None else None
            if key is not None and key.fingerprint == self.own:
                raise errors.KeyRefused("The server gives your own key as somebody else's. Nothing is shared with it.")
            if holder is not None and holder.user_id != user_id:
                raise errors.KeyRefused(f"The server gives {holder.name}'s key as somebody else's. It is not used.")
            if pin is None:
                return self._first_seen(user_id, name, key, now)
            if pin.name != name:
                raise errors.KeyRefused(f"The account known here as {pin.name} has another name now. It is not used.")
            if key is None and pin.public is not None:
                raise errors.SchemeChanged(f"The server says that {pin.name} has a key that protects nothing.")
            if pin.public is None and key is not None:
                # nothing was ever protected with the old key, so this is a first meeting
                return self._save(replace(pin, public=key, state=PinState.UNVERIFIED, seen=now))
            if key is not None and key != pin.public:
                raise self._changed(pin, key, user_id)
            if pin.state is PinState.CHANGED:
                # the server is back at the pinned key; what it offered meanwhile stays on record until compared
                raise errors.KeyChanged
            return pin

    def _first_seen(self, user_id: str, name: str, key: PublicKey | None, now: int) -> Pin:
        for other in self._pins.values():
            if other.name == name and key is not None:
                raise self._changed(other, key, user_id)
            if other.name == name:
                raise errors.KeyRefused(f"Somebody else was known here as {name}. The new account is not used.")
        return self._save(Pin(user_id, name, key, PinState.UNVERIFIED, now))

    def _changed(self, pin: Pin, key: PublicKey, user_id: str) -> errors.KeyChanged:
        if pin.offered != key or pin.offered_user_id != user_id or pin.state is not PinState.CHANGED:
            self._save(replace(pin, state=PinState.CHANGED, offered=key, offered_user_id=user_id))
        return errors.KeyChanged(
            f"{pin.name}'s key is not the one known here. Either {pin.name} made a new key, or somebody is trying to "
            f"read what you share. Nothing is shared with {pin.name} until you have compared the words."
        )

    def usable(self, user_id: str) -> PublicKey:
        """Return the key to wrap for.

        Raises:
            KeyChanged: It has to be compared first.
            KeyRefused: The person has no key that protects anything, or is not pinned.
        """
        pin = self.get(user_id)
        if pin is None or pin.public is None:
            raise errors.KeyRefused("This person has no key yet that pictures can be shared with.")
        if pin.state is PinState.CHANGED:
            raise errors.KeyChanged
        return pin.public

    def compared(self, user_id: str, fingerprint: str, now: int) -> Pin:
        """Note that the person compared this very fingerprint and it was right.

        A changed key becomes the pinned one; comparing the old one settles that the offer was false.

        Raises:
            KeyMissing: Nobody of that id is pinned.
            KeyChanged: It is the fingerprint of neither the pinned nor the offered key: the one that was shown is not
                the one at hand any more.
        """
        with self._lock:
            pin = self._pins.get(user_id)
            if pin is None:
                raise errors.KeyMissing("This person is not known here.")
            done = replace(pin, state=PinState.VERIFIED, compared=now, offered=None, offered_user_id="")
            if pin.offered is not None and fingerprint == pin.offered.fingerprint:
                new_id = pin.offered_user_id or user_id
                return self._save(replace(done, public=pin.offered, user_id=new_id, seen=now), instead_of=user_id)
            if fingerprint and fingerprint == pin.fingerprint:
                return self._save(done)
            raise errors.KeyChanged

    def forget(self, user_id: str) -> None:
        """Forget a person; meeting them again is a first meeting."""
        with self._lock:
            store = self._store()
            with store.change():
                store.remove_pin(user_id)
            self.changes += 1
            self._pins.pop(user_id, None)

    def replace_all(self, pins: list[Pin]) -> None:
        """Take over merged pins; written by the caller."""
        with self._lock:
            pins_now = {pin.user_id: pin for pin in pins}
            self.changes += pins_now != self._pins
            self._pins = pins_now

    def _save(self, pin: Pin, instead_of: str = "") -> Pin:
        store = self._store()
        with store.change():
            if instead_of and instead_of != pin.user_id:
                store.remove_pin(instead_of)
            store.put_pin(pin)
        self.changes += 1
        if instead_of:
            self._pins.pop(instead_of, None)
        self._pins[pin.user_id] = pin
        return pin
