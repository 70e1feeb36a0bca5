"""The backend inside the desktop process: the only module of the desktop that knows ``backend``.

Everything of the backend is imported when a vault on this computer is opened, because it is expensive. Must not import
PySide6.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import errors

if TYPE_CHECKING:
    from flask import Flask

    from backend.services.accounts import Accounts
    from backend.storage.protocol import Storage, StorageError

TOKEN_SECONDS = 366 * 86400
"""The token never leaves this process, so it need not expire while a window stays open."""
MAX_UPLOAD_BYTES = 1 << 31


class EmbeddedBackend:
    """A backend over one folder, reachable only by calling its application."""

    def __init__(self, app: Flask, storage: Storage) -> None:
        """Use :func:`start`."""
        self.app = app
        self._storage = storage
        self._accounts: Accounts = app.extensions["glassine"].services.accounts

    def account(self, name: str, public_key: str) -> str:
        """Return the id of the vault's one account; it is made at first use.

        Raises:
            VaultUnreadable: The folder belongs to a server that has accounts of its own, or is damaged.
        """
        from backend.errors import BackendError

        try:
            with _converted():
                return self._account(name, public_key)
        except BackendError as error:
            raise errors.VaultUnreadable("The folder holds the data of a server.", details=error.message) from error

    def _account(self, name: str, public_key: str) -> str:
        known = next((user for user in self._accounts.all() if not user.password_hash), None)
        if known is not None:
            return known.id
        if next(self._storage.blob_ids(), None) is not None:
            # a new account would show an empty vault, and the pictures that are there to nobody
            raise errors.VaultUnreadable(errors.VAULT_DAMAGED, details="pictures without an account")
        return self._accounts.create_local_account(name, public_key).id

    def replace_key(self, user_id: str, public_key: str) -> None:
        """Put another public key in the place of the account's: who has the folder open has opened its key.

        Raises:
            VaultUnreadable, StorageFull, StorageReadOnly: It cannot be written.
        """
        with _converted():
            changed = self._storage.change_user(user_id, {"closing": False}, {"public_key": public_key})
        if not changed:
            raise errors.VaultUnreadable(errors.VAULT_DAMAGED, details="the account is not there")

    def token(self, user_id: str) -> str:
        """Return a token to call the application with; raises as :meth:`account`."""
        with _converted(), self.app.app_context():
            return self._accounts.issue_token(user_id)

    def close(self) -> None:
        """Write what is to be written and release the folder. Idempotent."""
        self.app.extensions["glassine"].close()


def start(folder: Path) -> EmbeddedBackend:
    """Start a backend over a folder, made if it does not exist.

    Raises:
        VaultInUse: Another process has it open.
        StorageFull, StorageReadOnly: The folder cannot be written.
        VaultUnreadable: What is in it cannot be read.
    """
    from backend import create_app
    from backend.config import Config
    from backend.storage.embedded import open_storage

    with _converted():
        storage = open_storage(folder)
    try:
        config = Config(
            data=folder,
            token_seconds=TOKEN_SECONDS,
            max_upload_bytes=MAX_UPLOAD_BYTES,
            login_attempts=0,  # nobody signs in with a password here
            login_attempts_address=0,
            registrations=0,
        )
        with _converted():
            return EmbeddedBackend(create_app(config, storage), storage)
    except BaseException:
        storage.close()
        raise


@contextmanager
def _converted() -> Iterator[None]:
    from backend.storage.protocol import StorageError

    try:
        yield
    except StorageError as error:
        raise converted(error) from error


def converted(error: StorageError) -> errors.GlassineError:
    """Return what a storage error is called on the desktop."""
    kinds: dict[str, type[errors.GlassineError]] = {
        "full": errors.StorageFull,
        "read-only": errors.StorageReadOnly,
        "in-use": errors.VaultInUse,
    }
    if error.reason in kinds:
        return kinds[error.reason](details=str(error))
    message = errors.VAULT_DAMAGED if error.reason == "damaged" else str(error)
    return errors.VaultUnreadable(message, details=str(error))


def serve(argv: list[str]) -> int:
    """Run ``glassine serve`` and return its exit code."""
    from backend.__main__ import main

    return main(argv)


def run_server_command(argv: list[str]) -> int:
    """Run ``glassine serve``, ``glassine backup`` and so on, and return the exit code."""
    if argv[0] == "serve":
        return serve(argv[1:])
    from backend.commands import run_command

    return run_command(argv)
