"""Meeting people: by exact name, with the server's word for their key pinned at the first time, and compared.

The key shown is the key used: everything here is about the pinned key object. Must not import PySide6, ``requests`` or
``backend``.
"""

from __future__ import annotations

import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop import errors
from desktop.client.memory_model import Pin, PinState
from desktop.client.sharing_model import KeySuccession
from desktop.client.ties import TieKind
from desktop.models import Person, PersonState

if TYPE_CHECKING:
    from desktop.client.answers import UserInfo
    from desktop.client.vault_context import VaultContext
    from desktop.crypto.keys import PublicKey

YES = "yes"
NO = "no"


class Acquaintances:
    """The people of one account."""

    def __init__(self, context: VaultContext) -> None:
        """Prepare; nothing is sent yet."""
        self._context = context
        self._people = context.memory.people
        self._ties = context.memory.ties

    # -- asking the server ----------------------------------------------------------------------------------------

    def find(self, name: str) -> Person:
        """See ``Sharing.find``."""
        wanted = unicodedata.normalize("NFC", name).strip()
        self.check_own_key()
        info = self._context.api.user_named(wanted) if wanted else None
        if info is None:
            raise errors.PersonNotFound
        if info.user_id == self._context.user_id:
            raise errors.ThatIsYou
        return self._met(info)

    def look_again(self, user_id: str) -> Person:
        """See ``Sharing.look_again``."""
        if user_id == self._context.user_id:
            raise errors.ThatIsYou
        try:
            info = self._context.api.user(user_id)
        except errors.NotFound as error:
            raise errors.PersonNotFound(
                "This person's account is not on the server any more.", details=error.details
            ) from error
        if info.user_id != user_id:
            raise errors.NotAGlassineServer(details="another account than the one asked for")
        return self._met(info)

    def check_own_key(self) -> None:
        """Compare what the server tells others of one's own key with the key itself; raises KeyChanged."""
        info = self._context.api.user(self._context.user_id)
        try:
            said = _claimed_key(info.public_key)
        except errors.GlassineError:
            said = None
        if said != self._context.key.public:
            raise errors.KeyChanged(
                "The server gives another key as yours. What others share with you could be read with it. Nothing is "
                "shared until this is settled: tell who runs the server, and compare your key's words with the others."
            )

    def _met(self, info: UserInfo) -> Person:
        pin = self._people.see(info.user_id, info.user_name, _claimed_key(info.public_key), _now())
        person = self.person_of(pin)
        if person.state is PersonState.NO_KEY and info.public_key.strip():
            return replace(person, state=PersonState.CLASSIC)
        return person

    def succession(self, user_id: str) -> KeySuccession | None:
        """See ``Sharing.succession``."""
        from desktop.crypto.records import read_succession

        pin = self._people.get(user_id)
        if pin is None or pin.public is None or pin.offered is None:
            return None
        for record in self._context.api.successions(pin.offered_user_id or user_id):
            if record.about != pin.fingerprint:
                continue
            try:
                read = read_succession(record.text, old=pin.public, new=pin.offered)
            except errors.GlassineError:
                continue
            return KeySuccession(read.old, read.new, _moment(read.time))
        return None

    # -- what is known --------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        """Return everybody known, by name."""
        return [self.person_of(pin) for pin in self._people.all()]

    def person(self, user_id: str) -> Person:
        """Return somebody known; raises PersonNotFound."""
        return self.person_of(self._pin(user_id))

    def offered(self, user_id: str) -> Person | None:
        """See ``Sharing.offered``."""
        pin = self._pin(user_id)
        return None if pin.offered is None else self.person_of(replace(pin, public=pin.offered))

    def person_of(self, pin: Pin) -> Person:
        """Describe a pinned person."""
        from desktop.crypto.words import fingerprint_groups, fingerprint_words

        fingerprint = pin.fingerprint
        state = PersonState.NO_KEY
        differs = pin.state is not PinState.CHANGED and bool(fingerprint) and self.differs(pin)
        if pin.state is PinState.CHANGED or differs:
            state = PersonState.CHANGED
        elif fingerprint:
            state = PersonState.VERIFIED if pin.state is PinState.VERIFIED else PersonState.UNVERIFIED
        return Person(
            user_id=pin.user_id,
            name=pin.name,
            fingerprint=fingerprint,
            words=fingerprint_words(fingerprint) if fingerprint else (),
            groups=fingerprint_groups(fingerprint) if fingerprint else (),
            state=state,
            since=_moment(pin.compared or pin.seen),
            differs=differs,
        )

    def key_for(self, user_id: str, fingerprint: str = "") -> PublicKey:
        """Return the pinned key to wrap for.

        Args:
            user_id: Who.
            fingerprint: What was shown; empty: whatever is pinned.

        Raises:
            KeyChanged: It has to be compared first, or another one is pinned than was shown.
            KeyRefused: There is none.
        """
        key = self._people.usable(user_id)
        if self.differs(self._pin(user_id)) or fingerprint not in ("", key.fingerprint):
            raise errors.KeyChanged
        return key

    def is_verified(self, user_id: str) -> bool:
        """Whether the person's key was compared and stands."""
        pin = self._people.get(user_id)
        return pin is not None and pin.state is PinState.VERIFIED and not self.differs(pin)

    def differs(self, pin: Pin) -> bool:
        """Whether a comparison of the pinned key failed."""
        return self._ties.get(TieKind.DIFFERS, pin.user_id, pin.fingerprint) == YES

    # -- comparing ------------------------------------------------------------------------------------------------

    def compared(self, user_id: str, fingerprint: str) -> Person:
        """See ``Sharing.compared``."""
        before = self._pin(user_id).public
        pin = self._people.compared(user_id, fingerprint, _now())
        if before is not None and before != pin.public:  # what it signed and was accepted stays what it was
            self._ties.set(TieKind.FORMER, pin.user_id, before.fingerprint, before.pem)
        self._ties.set(TieKind.DIFFERS, pin.user_id, pin.fingerprint, "")
        return self.person_of(pin)

    def compare(self, user_id: str, untrusted_text: str) -> Person:
        """See ``Sharing.compare``."""
        pin = self._pin(user_id)
        candidates = [key.fingerprint for key in (pin.offered, pin.public) if key is not None]
        if not candidates:
            raise errors.KeyRefused("This person has no key yet that could be compared.")
        for fingerprint in candidates:
            if _says(untrusted_text, fingerprint):
                return self.compared(user_id, fingerprint)
        self.differ(user_id)
        raise errors.KeyChanged(
            f"This is not {pin.name}'s key as it is known here. Nothing is shared with {pin.name} until a comparison "
            "succeeds."
        )

    def differ(self, user_id: str) -> Person:
        """See ``Sharing.differ``."""
        pin = self._pin(user_id)
        if pin.fingerprint:
            self._ties.set(TieKind.DIFFERS, user_id, pin.fingerprint, YES)
        return self.person_of(pin)

    def _pin(self, user_id: str) -> Pin:
        pin = self._people.get(user_id)
        if pin is None:
            raise errors.PersonNotFound("This person is not known here.")
        return pin


def _says(untrusted_text: str, fingerprint: str) -> bool:
    """Whether words, digits or a QR code's text are those of a fingerprint; raises Unsupported for none of them."""
    from desktop.crypto.words import WORDS, fingerprint_words, read_comparison, word_list

    words = tuple(untrusted_text[:1024].lower().replace(",", " ").replace("-", " ").split())
    if len(words) == WORDS and set(words) <= set(word_list()):
        return words == fingerprint_words(fingerprint)
    try:
        return read_comparison(untrusted_text) == fingerprint
    except errors.Unsupported as error:
        raise errors.Unsupported(
            f"Give the {WORDS} words, the sixteen groups of digits, or the text of the QR code, all of it."
        ) from error


def _claimed_key(untrusted_key: str) -> PublicKey | None:
    """Read the key that a server says somebody has; None for none, or one of the classic scheme."""
    from desktop.crypto.classic_keys import ClassicPublicKey
    from desktop.crypto.keys import PublicKey

    if not untrusted_key.strip():
        return None
    if not untrusted_key.lstrip().startswith("-----"):
        ClassicPublicKey.from_text(untrusted_key)
        return None
    return PublicKey.from_pem(untrusted_key)


def _now() -> int:
    return int(time.time())


def _moment(seconds: int) -> datetime:
    """Return a time for display; whatever a record says."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)
