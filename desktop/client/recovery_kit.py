"""The recovery kit of a key: drawn, kept, proven, and the second copy of the key file without which it does not count.

Coming back with one is ``desktop.client.kit_restore``. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.key_store import KeyStore
    from desktop.client.kit_page import KitPage


class KitState(StrEnum):
    """How far the recovery kit of a key has come."""

    NONE = "none"
    UNPROVEN = "unproven"
    ONE_COPY = "one-copy"  # typed back, but there is no second copy of the key file
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class KitStatus:
    """The recovery kit of a key.

    Attributes:
        state: How far it has come; only ``PROVEN`` counts.
        proven: When it was typed back (aware, UTC), or None.
        copy: Where the second copy is: ``server``, ``file`` or empty.
    """

    state: KitState
    proven: datetime | None = None
    copy: str = ""


@dataclass(frozen=True, slots=True)
class NewKit:
    """A kit that was drawn a moment ago. The older one holds until :meth:`Kit.keep`.

    Attributes:
        words: To be shown once.
        page: What is to be printed.
    """

    root: bytes = field(repr=False)
    words: tuple[str, ...] = field(repr=False)
    page: KitPage = field(repr=False)


class Kit:
    """The kit of one key of a key store."""

    def __init__(
        self, store: KeyStore, fingerprint: str, *, api: Api | None = None, user_id: str = "", user_name: str = ""
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            store: Where the key file is.
            fingerprint: The key's.
            api: Signed in at a server, whose copy counts as the second one; None for a vault on this computer.
            user_id: The account at that server.
            user_name: Its name, to be printed.
        """
        self._store, self._fingerprint = store, fingerprint
        self._api, self._user_id, self._user_name = api, user_id, user_name

    @property
    def has_server(self) -> bool:
        """Whether a server can keep the second copy."""
        return self._api is not None

    def status(self) -> KitStatus:
        """Return how far the kit has come; raises KeyMissing, KeyFileUnreadable or KeyFileDamaged."""
        from desktop.crypto import key_file

        mark = key_file.slot_mark(self._store.read(self._fingerprint), key_file.SlotKind.KIT)
        if not mark:
            return KitStatus(KitState.NONE)
        notes = self._store.notes(self._fingerprint)
        copy = str(notes.get("kit_copy", "")) if notes.get("kit_copy_of") == mark else ""
        if notes.get("kit_proven_of") != mark:
            return KitStatus(KitState.UNPROVEN, copy=copy)
        state = KitState.PROVEN if copy in ("server", "file") else KitState.ONE_COPY
        return KitStatus(state, _time(notes.get("kit_proven")), copy)

    def draw(self, passphrase: str) -> NewKit:
        """Draw a new kit; nothing is changed yet.

        Raises:
            WrongKey: The passphrase is not the key's: the kit could not be kept.
            KeyMissing, KeyFileUnreadable, KeyFileDamaged: The key file cannot be used.
        """
        from desktop.client.kit_page import kit_page
        from desktop.crypto import kit

        self._store.open(self._fingerprint, passphrase)
        root = kit.new_root()
        words = kit.words_of(root)
        page = kit_page(
            words,
            self._fingerprint,
            key_name=self._store.get(self._fingerprint).name,
            created=datetime.now(UTC).astimezone().date(),
            address=self._api.address if self._api is not None else "",
            user_name=self._user_name,
        )
        return NewKit(root, words, page)

    def keep(self, new: NewKit, passphrase: str) -> None:
        """Let the kit open the key file, in the place of an older kit, which is of no use from now on.

        Raises:
            WrongKey, KeyFileDamaged, StorageFull, StorageReadOnly, FileUnreadable: Nothing was changed.
        """
        from desktop.crypto import kit

        content = kit.add_kit(self._store.read(self._fingerprint), passphrase, new.root)
        self._check(content, new.root)
        self._store.write(self._fingerprint, content, passphrase)

    def prove(self, typed: Sequence[str]) -> bytes:
        """Take the words as they were typed back, and return the kit's bytes for making the second copy.

        Raises:
            KitWordsWrong: They are not the words of any kit; the error names those that cannot be.
            WrongKey: They are the words of another kit, such as an older one.
        """
        from desktop.crypto import key_file, kit

        root = kit.read_words(typed)
        content = self._store.read(self._fingerprint)
        try:
            self._check(content, root)
        except errors.WrongKey:
            raise errors.WrongKey("These are the words of another kit, not of the one this key has now.") from None
        mark = key_file.slot_mark(content, key_file.SlotKind.KIT)
        self._store.note(self._fingerprint, kit_proven=datetime.now(UTC).isoformat(), kit_proven_of=mark)
        return root

    def copy_to_server(self, root: bytes) -> None:
        """Store a copy that only the kit opens on the server, and read it back.

        Raises:
            NetworkError: The server does not take it.
            WrongKey, KeyFileDamaged: What it gives back is not that copy; it does not count.
        """
        from desktop.crypto import kit

        if self._api is None:
            raise ValueError("there is no server")
        content = kit.server_copy(self._store.read(self._fingerprint))
        for again in (True, False):
            there = self._api.keyfile(self._user_id)
            try:
                if there is None or there.content != content:
                    self._api.put_keyfile(self._user_id, content, there.tag if there is not None else "")
                break
            except errors.MovedOn:  # another window has just done the same
                if not again:
                    raise
        given = self._api.keyfile(self._user_id)
        if given is None:
            raise errors.KeyMissing("The server did not keep the copy of the key file. Export one instead.")
        self._check(given.content, root)
        self._note_copy("server")

    def copy_to_file(self, root: bytes, target: Path) -> None:
        """Export the key file and read it back from where it is.

        Raises:
            NameTaken: Something of that name is there.
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written.
            WrongKey, KeyFileDamaged: What was written cannot be read back; it does not count.
        """
        from desktop.crypto import key_file

        self._store.export_key_file(self._fingerprint, target)
        self._check(key_file.read_key_file(target), root)
        self._note_copy("file")

    def _check(self, content: bytes, root: bytes) -> None:
        from desktop.crypto import kit

        kit.open_with_kit(content, root, printed=self._fingerprint)

    def _note_copy(self, where: str) -> None:
        from desktop.crypto import key_file

        mark = key_file.slot_mark(self._store.read(self._fingerprint), key_file.SlotKind.KIT)
        self._store.note(self._fingerprint, kit_copy=where, kit_copy_of=mark)


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
