"""The system's keychain: 32 random bytes that open the key file on this computer, and nothing else.

The secret is never the passphrase, and it is in no file: without a keychain the program asks each time. Locked and
missing are different things to a person, so they are different errors. The calls may wait for the person: workers only.
Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import base64
import binascii
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from desktop import errors

if TYPE_CHECKING:
    from desktop.client.key_store import KeyStore
    from desktop.crypto.keys import PrivateKey

SERVICE: Final = "Glassine"
_SECRET_BYTES: Final = 32


class KeychainMissing(errors.KeyMissing):
    """This computer has no keychain, or none that a program can use."""

    code = "K-110"
    title = "This computer has no keyring"
    default_message = "This computer has no keyring, so the passphrase is asked for each time."


class KeychainLocked(errors.KeyMissing):
    """There is a keychain, and it is locked."""

    code = "K-111"
    title = "The system keyring is locked"
    default_message = "The system keyring is locked. Unlock it to stay signed in, or type the passphrase each time."


class Backend(Protocol):
    """What is used of the library ``keyring``."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


class Keychain:
    """Opens key files with what the system's keychain keeps."""

    def __init__(self, backend: Backend | None = None) -> None:
        """Use the system's keychain, or the given one; nothing is asked yet."""
        self._given = backend

    def where(self) -> str:
        """Return what the system calls its keychain; raises KeychainMissing."""
        backend: Any = self._backend()
        return str(getattr(backend, "name", "") or type(backend).__name__)

    def remember(self, store: KeyStore, fingerprint: str, passphrase: str) -> None:
        """Let this computer open a key file without its passphrase from now on.

        Raises:
            WrongKey: The passphrase is not the key's.
            KeychainMissing, KeychainLocked: The secret cannot be kept; nothing was changed.
            StorageFull, StorageReadOnly, FileUnreadable: The key file cannot be written.
        """
        from desktop.crypto import key_file

        root = os.urandom(_SECRET_BYTES)
        content = key_file.add_root_slot(store.read(fingerprint), passphrase, key_file.SlotKind.DEVICE, root)
        self._call("set_password", fingerprint, base64.b64encode(root).decode("ascii"))
        store.write(fingerprint, content, passphrase)

    def open(self, store: KeyStore, fingerprint: str) -> PrivateKey | None:
        """Open a key file with what is kept; None when nothing is kept for it.

        Raises:
            KeychainMissing, KeychainLocked: It cannot be asked.
            KeyMissing, KeyFileUnreadable, KeyFileDamaged: The key file cannot be used.
        """
        from desktop.crypto import key_file

        content = store.read(fingerprint)
        if key_file.SlotKind.DEVICE not in key_file.slot_kinds(content):
            return None
        text = self._call("get_password", fingerprint)
        try:
            root = base64.b64decode(str(text or ""), validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(root) != _SECRET_BYTES:
            return None
        try:
            key = key_file.open_with_root(content, key_file.SlotKind.DEVICE, root)
        except errors.WrongKey:  # of an earlier key file
            return None
        return key if key.fingerprint == fingerprint else None

    def forget(self, store: KeyStore, fingerprint: str) -> None:
        """Ask for the passphrase again from now on; the key file loses the slot even when the keychain is silent."""
        from desktop.crypto import key_file

        content = store.read(fingerprint)
        if key_file.SlotKind.DEVICE in key_file.slot_kinds(content):
            store.shrink(fingerprint, key_file.without_slot(content, key_file.SlotKind.DEVICE))
        with suppress(KeychainMissing, KeychainLocked):  # what is left there opens nothing any more
            self._call("delete_password", fingerprint)

    @staticmethod
    def remembers(store: KeyStore, fingerprint: str) -> bool:
        """Whether the key file has a slot for this computer's keychain; asks nobody."""
        from desktop.crypto import key_file

        return key_file.SlotKind.DEVICE in key_file.slot_kinds(store.read(fingerprint))

    def _backend(self) -> Backend:
        if self._given is not None:
            return self._given
        import keyring
        from keyring.backends import fail, null

        backend: Any = keyring.get_keyring()
        # a file with the secret in the clear would be worse than asking; the chain of others is asked one by one
        unsafe = "plaintext" in type(backend).__module__.lower() or "plaintext" in type(backend).__name__.lower()
        if unsafe or isinstance(backend, fail.Keyring | null.Keyring):
            raise KeychainMissing
        return backend  # type: ignore[no-any-return]

    def _call(self, name: str, fingerprint: str, *more: str) -> Any:
        from keyring import errors as keyring_errors

        try:
            return getattr(self._backend(), name)(SERVICE, fingerprint, *more)
        except keyring_errors.PasswordDeleteError:
            return None
        except keyring_errors.KeyringLocked as error:
            raise KeychainLocked(details=type(error).__name__) from None
        except keyring_errors.NoKeyringError as error:
            raise KeychainMissing(details=type(error).__name__) from None
        except keyring_errors.InitError as error:  # the person closed the question for the keychain's password
            raise KeychainLocked(details=type(error).__name__) from None
        except keyring_errors.KeyringError as error:
            raise KeychainMissing(details=type(error).__name__) from None
        except errors.GlassineError:
            raise
        except Exception as error:  # backends speak to other programs, and raise whatever comes over the bus
            raise KeychainMissing(details=type(error).__name__) from None
