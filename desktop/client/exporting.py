"""Writing decrypted pictures into a person's folder, under their own names, never over anything.

Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from desktop import errors, image_formats
from desktop.models import IsCancelled, Report

if TYPE_CHECKING:
    from desktop.crypto.sealed import OpenedEnvelope

MAX_NAME_BYTES = 255
MAX_TRIES = 10_000
_SAME = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg", ".tiff": ".tif", ".dib": ".bmp", ".apng": ".png"}
"""Other usual extensions of the formats; they stay as they are."""


def export(
    opened: OpenedEnvelope, untrusted_carrier: BinaryIO, folder: Path, report: Report, cancelled: IsCancelled
) -> Path:
    """Decrypt into the folder under the picture's name; see ``Vault.export``."""
    if not folder.is_dir():
        raise errors.FileUnreadable(f"There is no folder {folder}. Create it or choose another one.")
    from desktop.crypto.safe_write import temporary_name

    hidden = temporary_name(folder / "picture")
    try:
        opened.open_payload(untrusted_carrier, hidden, report, cancelled)
        with hidden.open("rb") as file:
            head = file.read(image_formats.HEAD_BYTES)
        target = _release(hidden, folder, with_extension(opened.metadata.name, head))
        set_time(target, opened.metadata.taken)
        return target
    except OSError as problem:
        from desktop.crypto.safe_write import writing_error

        raise writing_error(problem, folder / opened.metadata.name) from problem
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)


def write(content: bytes | bytearray, folder: Path, name: str) -> Path:
    """Write a decrypted picture that is in memory; as :func:`export`."""
    from desktop.crypto.safe_write import new_file

    for candidate in names(with_extension(name, bytes(content[: image_formats.HEAD_BYTES]))):
        if os.path.lexists(folder / candidate):
            continue
        try:
            with new_file(folder / candidate) as file:
                file.write(content)
        except errors.NameTaken:
            continue  # somebody was faster
        return folder / candidate
    raise _too_many(name)


def set_time(target: Path, taken: str) -> None:
    """Let the file be as old as the picture says, in local time as cameras write it; if that cannot be, leave it."""
    with suppress(ValueError, OverflowError, OSError):
        moment = datetime.fromisoformat(taken).timestamp()
        os.utime(target, (target.stat().st_atime, moment))


def with_extension(name: str, head: bytes) -> str:
    """Return the name with the extension that belongs to the content.

    What Glassine does not know as a picture gets ``.bin``: no name may start a program.
    """
    try:
        extension = image_formats.detect_bytes(head).extension
    except errors.Unsupported:
        extension = ".bin"
    stem, given = os.path.splitext(name)  # noqa: PTH122 (a name is not a path)
    if _SAME.get(given.lower(), given.lower()) == extension:
        return name
    # an extension that belongs to another content stays visible in the name
    return _fit(stem if given.lower() in _EXTENSIONS else name, extension)


_EXTENSIONS = {*_SAME, *(known.extension for known in image_formats.FORMATS)}


def names(name: str) -> Iterator[str]:
    """Yield the name, then “name (2).jpg”, “name (3).jpg” and so on."""
    yield name
    stem, extension = os.path.splitext(name)  # noqa: PTH122
    for count in range(2, MAX_TRIES):
        yield _fit(stem, f" ({count}){extension}")


def _fit(stem: str, end: str) -> str:
    room = MAX_NAME_BYTES - len(end.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + end


def _release(hidden: Path, folder: Path, name: str) -> Path:
    from desktop.crypto.safe_write import release, sync_folder

    for candidate in names(name):
        target = folder / candidate
        if os.path.lexists(target):
            continue
        try:
            release(hidden, target)
        except FileExistsError:
            continue  # somebody was faster
        sync_folder(folder)
        return target
    raise _too_many(name)


def _too_many(name: str) -> errors.NameTaken:
    return errors.NameTaken(f"There are too many files named like {name} in this folder.")
