"""Making files and folders that survive a power cut and that only their owner may read.

Must not import Flask or mongita.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def sync_file(descriptor: int) -> None:
    """Return when the file's bytes are on the medium."""
    if sys.platform == "darwin":
        import fcntl

        # fsync(2) of macOS leaves the bytes in the drive's cache.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the folder's entries (a file made, renamed) are on the medium."""
    if sys.platform == "win32":
        return  # Windows cannot open a folder to flush it; NTFS journals its entries
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Make the folder and those above it durably, mode 0700; an existing one keeps its mode."""
    if not folder.parent.exists():
        make_private_folder(folder.parent)
    try:
        folder.mkdir(mode=PRIVATE_FOLDER)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return
    sync_folder(folder.parent)


def create_private_file(path: Path) -> int:
    """Make the file anew, mode 0600, and return its descriptor for writing; FileExistsError when it is there."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE_FILE)
