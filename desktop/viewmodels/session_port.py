"""What the shell's view-models need of sessions and keys (``desktop.client.session`` has it). Must not import PySide6.

All calls that take ``report`` and ``cancelled`` block and are made in worker threads only. Errors are those of
``desktop.errors``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from desktop.models import IsCancelled, Place, Report

if TYPE_CHECKING:
    from desktop.client.key_store import KeyEntry
    from desktop.crypto.keys import PrivateKey


class KeyStorePort(Protocol):
    """The key files of one place."""

    def list(self) -> list[KeyEntry]: ...

    def read(self, fingerprint: str) -> bytes: ...

    def delete(self, fingerprint: str) -> None: ...

    def import_classic(self, path: Path) -> Any: ...

    def create(self, name: str, passphrase: str, bits: int, report: Report, cancelled: IsCancelled) -> KeyEntry: ...

    def open(self, fingerprint: str, passphrase: str) -> PrivateKey: ...

    def import_file(self, path: Path, passphrase: str | None, name: str, new_passphrase: str) -> KeyEntry: ...

    def change_passphrase(self, fingerprint: str, old: str, new: str) -> None: ...

    def rename(self, fingerprint: str, name: str) -> None: ...

    def export_key_file(self, fingerprint: str, target: Path) -> None: ...

    def export_private(
        self, fingerprint: str, passphrase: str, format: str, new_passphrase: str | None, target: Path
    ) -> None: ...

    def export_public(self, fingerprint: str, target: Path) -> None: ...


class SessionPort(Protocol):
    """Somebody signed in at a place; locked while the private key is not in memory."""

    @property
    def place(self) -> Place: ...

    @property
    def user_id(self) -> str: ...

    @property
    def user_name(self) -> str: ...

    @property
    def locked(self) -> bool: ...

    @property
    def key_missing(self) -> bool: ...

    @property
    def key_store(self) -> Any: ...  # a KeyStorePort

    @property
    def public_key(self) -> Any: ...

    @property
    def key_change(self) -> Any: ...  # a ChangeState while a change of the key is not finished, else None

    @property
    def moving_classic(self) -> bool: ...

    def kit(self) -> Any: ...

    def refuse_passphrase(self, passphrase: str) -> None: ...

    def find_key(self, words: Any, path: Path | None) -> Any: ...

    def keep_key(self, found: Any, printed: str, passphrase: str) -> None: ...

    def change_key(self, new: Any, password: str, report: Report, cancelled: IsCancelled) -> Any: ...

    def move_classic(self, new: Any, password: str, report: Report, cancelled: IsCancelled) -> Any: ...

    def locked_uploads(self) -> Any: ...

    def unlock_from(self, keychain: Any) -> bool: ...

    def remember_here(self, passphrase: str, keychain: Any) -> None: ...

    def unlock(self, passphrase: str) -> None: ...

    def lock(self) -> None: ...

    def close(self) -> None: ...

    def vault(self) -> Any: ...


class SessionsPort(Protocol):
    """Opens sessions."""

    def vault_exists(self, folder: Path) -> bool: ...

    def create_vault(self, folder: Path, passphrase: str, report: Report, cancelled: IsCancelled) -> SessionPort: ...

    def open_vault(self, folder: Path, passphrase: str, report: Report, cancelled: IsCancelled) -> SessionPort: ...

    def register(
        self, address: str, user_name: str, password: str, passphrase: str, report: Report, cancelled: IsCancelled
    ) -> SessionPort: ...

    def sign_in(
        self, address: str, user_name: str, password: str, report: Report, cancelled: IsCancelled
    ) -> SessionPort: ...

    def find_vault_key(self, folder: Path, words: Any, path: Path | None) -> Any: ...

    def recover_vault(
        self,
        folder: Path,
        words: Any,
        path: Path | None,
        printed: str,
        passphrase: str,
        report: Report,
        cancelled: IsCancelled,
    ) -> SessionPort: ...

    def places(self) -> list[Place]: ...
