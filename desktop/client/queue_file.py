"""The files that still wait to be sealed, kept over a restart: their paths, encrypted under the person's own key.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.config import make_private_folder

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 26
_NONCE = 12
_BLOCK = 4096


def save(path: Path, key: PrivateKey, waiting: Iterable[Path]) -> None:
    """Write the paths, complete or not at all; without any the file is removed.

    Raises:
        StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; the old file stays.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from desktop.crypto.keys import QUEUE_INFO
    from desktop.crypto.safe_write import new_file, writing_error

    paths = [os.fspath(item) for item in waiting]
    if not paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as problem:
            raise writing_error(problem, path) from problem
        return
    # padded, so that the length tells little about names
    text = json.dumps(paths, separators=(",", ":")).encode("ascii")
    text = text.ljust(-(-len(text) // _BLOCK) * _BLOCK)
    nonce = os.urandom(_NONCE)
    make_private_folder(path.parent)
    with new_file(path, replace=True) as file:
        file.write(nonce + AESGCM(key.vault_key(QUEUE_INFO)).encrypt(nonce, text, QUEUE_INFO))


def load(path: Path, key: PrivateKey) -> list[Path]:
    """Return the paths; none if the file is not there or is not one this key wrote. The pictures are untouched."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from desktop.crypto.keys import QUEUE_INFO
    from desktop.crypto.safe_write import open_own

    try:
        with open_own(path) as file:
            untrusted = file.read(MAX_BYTES)
        text = AESGCM(key.vault_key(QUEUE_INFO)).decrypt(untrusted[:_NONCE], untrusted[_NONCE:], QUEUE_INFO)
        paths = json.loads(text)
    except FileNotFoundError:
        return []
    except (OSError, InvalidTag, ValueError, RecursionError):
        log.warning("the list of waiting files cannot be read and is ignored")
        return []
    if not isinstance(paths, list):
        return []
    return [Path(item) for item in paths if isinstance(item, str) and item and "\0" not in item]
