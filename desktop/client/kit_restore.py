"""Bringing a key back to a computer: with the words of its recovery kit, or a copy of its key file and passphrase.

Nothing is kept before the key's fingerprint is the one printed on the kit. Must not import PySide6, ``requests`` or
``backend``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop import errors

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.client.key_store import KeyEntry, KeyStore
    from desktop.crypto.keys import PrivateKey

LEAST_GROUPS: Final = 8
"""So many of the printed groups are 132 bits: fewer are no comparison."""
_GROUP_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A copy of a key file that was opened; not kept yet.

    Attributes:
        fingerprint: Of the key in it.
        groups: The same as it is printed on the kit, for comparing.
        key: The private key.
        where: Where the copy is: ``server``, ``file``, or empty for the key file itself.
    """

    fingerprint: str
    groups: tuple[str, ...]
    key: PrivateKey
    _content: bytes = field(repr=False)
    _root: bytes | None = field(repr=False)
    """The kit's bytes; None when a passphrase has opened it."""
    where: str = ""


def fetch_copy(api: Api, user_id: str) -> bytes:
    """Return the server's copy of the key file, untrusted.

    Raises:
        KeyMissing: It has none.
        NetworkError: It does not answer.
    """
    kept = api.keyfile(user_id)
    if kept is None:
        raise errors.KeyMissing(
            "The server has no copy of your key file. Use the copy that you exported, with the words of your kit."
        )
    return kept.content


def read_copy(path: Path) -> bytes:
    """Return an exported key file, untrusted; raises KeyFileUnreadable or TooLarge."""
    from desktop.crypto import key_file

    content = key_file.read_key_file(path)
    if len(content) > key_file.MAX_KEY_FILE:
        raise errors.TooLarge("This file is too large to be a key file.")
    return content


def open_with_words(untrusted: bytes, typed: Sequence[str]) -> Found:
    """Open a copy of a key file with the words of its kit.

    Raises:
        KitWordsWrong: They are not the words of any kit; the error names those that cannot be.
        WrongKey: It is not the key file of this kit.
        KeyFileDamaged, TooLarge: It is not what was written.
    """
    from desktop.crypto import kit

    root = kit.read_words(typed)
    try:
        key = kit.open_with_kit(untrusted, root)
    except errors.WrongKey as error:
        raise errors.WrongKey(
            "These words do not open this copy of the key file. It belongs to another kit, or the kit was replaced.",
            details=error.message,
        ) from None
    return _found(untrusted, key, root)


def open_with_passphrase(untrusted: bytes, passphrase: str) -> Found:
    """Open an exported key file with its passphrase; raises WrongKey, KeyFileDamaged or TooLarge."""
    from desktop.crypto import key_file

    return _found(untrusted, key_file.open_with_passphrase(untrusted, passphrase), None)


def keep(
    found: Found,
    store: KeyStore,
    *,
    printed: str,
    passphrase: str,
    name: str,
    refuse: Callable[[str], None] | None = None,
    old_passphrase: str = "",
) -> KeyEntry:
    """Keep a key that was brought back, under a new passphrase; the kit goes on opening it.

    Args:
        found: The opened copy.
        store: Where the key file is to be.
        printed: The fingerprint as it is on the kit: at least its first eight groups, or hexadecimal.
        passphrase: The new one.
        name: What the key is called if it is new here.
        refuse: Raises PassphraseRefused for the sign-in password.
        old_passphrase: Of the copy, where a passphrase has opened it.

    Raises:
        WrongKey: The key is not the one on the kit; nothing was written.
        PassphraseRefused: The passphrase is empty or the password; nothing was written.
        StorageFull, StorageReadOnly, FileUnreadable: It cannot be written.
    """
    from desktop.crypto import key_file

    check_printed(found.fingerprint, printed)
    if not passphrase.strip():
        raise errors.PassphraseRefused("A passphrase is needed: it is what keeps your pictures yours.")
    if refuse is not None:
        refuse(passphrase)
    content, root = found._content, found._root
    if root is not None:
        content = key_file.set_passphrase(content, key_file.SlotKind.KIT, root, passphrase)
    else:
        content = key_file.change_passphrase(content, old_passphrase, passphrase)
    if key_file.SlotKind.DEVICE in key_file.slot_kinds(content):
        content = key_file.without_slot(content, key_file.SlotKind.DEVICE)  # another computer's
    entry = store.write(found.fingerprint, content, passphrase, name)
    if root is not None:
        # typed just now, and the copy it came from is the second one
        mark = key_file.slot_mark(content, key_file.SlotKind.KIT)
        store.note(found.fingerprint, kit_proven=datetime.now(UTC).isoformat(), kit_proven_of=mark)
        if found.where:
            store.note(found.fingerprint, kit_copy=found.where, kit_copy_of=mark)
    return entry


def check_printed(fingerprint: str, printed: str) -> None:
    """Compare a fingerprint with what is printed on a kit.

    Raises:
        WrongKey: It differs, or too little of it was given.
    """
    from desktop.crypto.words import fingerprint_groups

    text = "".join(printed.split()).lower()
    digits = "".join(fingerprint_groups(fingerprint))
    enough = len(text) >= LEAST_GROUPS * _GROUP_DIGITS and text.isdecimal() and text.isascii()
    if text != fingerprint and not (enough and digits.startswith(text)):
        raise errors.WrongKey(
            "This key file is not the one your recovery kit was made for: its digits differ from the printed ones. "
            "Nothing was kept."
        )


def _found(content: bytes, key: PrivateKey, root: bytes | None) -> Found:
    from desktop.crypto.words import fingerprint_groups

    return Found(key.fingerprint, fingerprint_groups(key.fingerprint), key, content, root)
