"""Folders for ciphertext that is made, sent and thrown away: one for each attempt, gone when it ends.

Nothing in them is ever taken up again: after a crash the work is done anew with fresh keys. Must not import PySide6,
``requests`` or ``backend``.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desktop.config import make_private_folder

FOLDER = "attempts"


@contextmanager
def attempt(place: Path) -> Iterator[Path]:
    """Give an empty private folder below a place's; it is removed when the block ends.

    Raises:
        StorageFull, StorageReadOnly, FileUnreadable: It cannot be made.
    """
    folder = place / FOLDER / f"{os.getpid()}-{secrets.token_hex(8)}"
    make_private_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clean(place: Path) -> None:
    """Remove what killed programs left; only one program at a time uses a place."""
    own = f"{os.getpid()}-"
    try:
        entries = list(os.scandir(place / FOLDER))
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(own):
            shutil.rmtree(entry.path, ignore_errors=True)
