"""An account on a server, for commands: which one, its password and passphrase, and the open vault.

Must not import PySide6; network and crypto are imported when a command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.cli_console import UsageError, passphrase_from
from desktop.place_kind import PlaceKind

if TYPE_CHECKING:
    from desktop.client.vault import Vault
    from desktop.config import Config


def add_account(parser: Any) -> None:
    """Add the options that say which account."""
    parser.add_argument("--server", metavar="ADDRESS", help="the server; without it that of the account used last")
    parser.add_argument("--user", metavar="NAME", help="the account's name; needed with --server")
    parser.add_argument(
        "--password-file", metavar="F", type=Path, help="file with the account's password; - reads one line of input"
    )
    parser.add_argument(
        "--passphrase-file", metavar="F", type=Path, help="file with the key's passphrase; - reads one line of input"
    )


@contextmanager
def opened_vault(arguments: argparse.Namespace) -> Iterator[Vault]:
    """Sign in, unlock and give the vault; it is closed when the block ends.

    Raises:
        UsageError: No account is named, or nothing can be asked.
        KeyMissing: The account's key is not on this computer.
        VaultInUse: A window is signed in to the account.
        GlassineError: Signing in or unlocking failed.
    """
    from desktop import embedded, errors
    from desktop.client.session import Sessions
    from desktop.config import Config

    config = Config()
    address, name = _account(arguments, config)
    password = passphrase_from(arguments.password_file, f"Password of {name} at {address}")
    session = Sessions(config, embedded.start).sign_in(address, name, password)
    try:
        if session.key_missing:
            raise errors.KeyMissing("Your key is not on this computer. Open the window once to bring it here.")
        if not session.classic:
            session.unlock(passphrase_from(arguments.passphrase_file, "Passphrase of your key"))
        yield session.vault()
    finally:
        session.close()


def _account(arguments: argparse.Namespace, config: Config) -> tuple[str, str]:
    if arguments.server and arguments.user:
        return arguments.server, arguments.user
    if arguments.server or arguments.user:
        raise UsageError("Give both --server and --user, or neither for the account used last.")
    for place in config.preferences.places:
        if place.kind is PlaceKind.SERVER:
            return place.address, place.user_name
    raise UsageError("Say which account with --server ADDRESS and --user NAME.")
