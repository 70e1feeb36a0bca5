"""A first, cheap look at what somebody dropped: which files are pictures, how big, which are there already.

The last word is spoken when a file is sealed. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from desktop import errors, image_formats
from desktop.models import IsCancelled, Report, never_cancelled, no_report

HASHING_BUDGET_S = 2.0
"""Files of a size that is already stored are hashed to tell duplicates, but no longer than this in all."""
IN_BIN = "The same picture is in the bin."
_READ_BYTES = 1 << 20


class Verdict(StrEnum):
    """What the first look says."""

    READY = "ready"
    ALREADY_STORED = "already-stored"
    IN_BIN = "in-bin"  # restored from there, not stored twice
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file found.

    Attributes:
        path: Where it is.
        size: Bytes; 0 if unknown.
        verdict: What the first look says.
        reason: Why not, in plain words; empty when ready.
        picture_id: The picture that is already there, or in the bin, if that is the verdict.
    """

    path: Path
    size: int
    verdict: Verdict
    reason: str = ""
    picture_id: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """The whole look."""

    files: list[SourceFile] = field(default_factory=list)

    def of(self, verdict: Verdict) -> list[SourceFile]:
        """The files of one verdict."""
        return [file for file in self.files if file.verdict is verdict]

    @property
    def ready(self) -> list[SourceFile]:
        """The files that can be added."""
        return self.of(Verdict.READY)

    @property
    def ready_bytes(self) -> int:
        """Their size."""
        return sum(file.size for file in self.ready)


def inspect(
    paths: Iterable[Path],
    stored: Callable[[int], dict[str, str]],
    binned: Callable[[int], dict[str, str]],
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> Preflight:
    """Look at files, and at the files in folders; the unit of progress is files, the total unknown.

    Args:
        paths: Files and folders; folders are walked without following links, hidden files in them are passed over.
        stored: Gives, for a size in bytes, the stored pictures of that size: BLAKE3 → picture id.
        binned: The same for pictures in the bin.
    """
    found: list[SourceFile] = []
    seen: set[Path] = set()
    deadline: float | None = None
    for path in _walk(paths):
        if cancelled():
            raise errors.Cancelled
        if path in seen:
            continue
        seen.add(path)
        file = _look(path)
        if file.verdict is Verdict.READY and ((here := stored(file.size)) | (there := binned(file.size))):
            deadline = deadline or time.monotonic() + HASHING_BUDGET_S
            if time.monotonic() < deadline:
                file = _compare(file, here, there, cancelled)
        found.append(file)
        report(len(found), 0)
    return Preflight(found)


def hash_file(path: Path, cancelled: IsCancelled = never_cancelled, report: Report = no_report) -> str:
    """Return the BLAKE3 of a file as 64 hex digits.

    Raises:
        FileUnreadable: It cannot be read.
    """
    from blake3 import blake3

    from desktop.crypto.safe_write import reading_error

    hasher = blake3()
    done = 0
    try:
        with path.open("rb", buffering=0) as file:
            total = os.fstat(file.fileno()).st_size
            buffer = bytearray(_READ_BYTES)
            view = memoryview(buffer)
            while count := file.readinto(buffer):
                if cancelled():
                    raise errors.Cancelled
                hasher.update(view[:count])
                done += count
                report(done, total)
    except OSError as problem:
        raise reading_error(problem, path) from problem
    return str(hasher.hexdigest())


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    for given in paths:
        path = given.absolute()
        if not path.is_dir():
            yield path
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and name.lower() not in {"thumbs.db", "desktop.ini"}:
                    yield Path(folder, name)


def _look(path: Path) -> SourceFile:
    size = 0
    try:
        status = path.stat()
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            return SourceFile(path, 0, Verdict.UNREADABLE, "This is not a file.")
        check_size(size)
        image_formats.detect(path)
    except errors.Unsupported as error:
        return SourceFile(path, size, Verdict.UNSUPPORTED, error.message)
    except errors.TooLarge as error:
        return SourceFile(path, size, Verdict.TOO_LARGE, error.message)
    except errors.GlassineError as error:
        return SourceFile(path, size, Verdict.UNREADABLE, error.message)
    except OSError as error:
        return SourceFile(path, size, Verdict.UNREADABLE, f"It cannot be read: {error.strerror}.")
    return SourceFile(path, size, Verdict.READY)


def check_size(size: int) -> None:
    """Refuse files that are too large to be sealed; raises TooLarge."""
    if size > image_formats.MAX_FILE_BYTES:
        raise errors.TooLarge(
            f"The file has {size / 1e6:.0f} MB; Glassine takes up to {image_formats.MAX_FILE_BYTES / 1e6:.0f} MB."
        )


def _compare(file: SourceFile, stored: dict[str, str], binned: dict[str, str], cancelled: IsCancelled) -> SourceFile:
    try:
        b3 = hash_file(file.path, cancelled)
    except errors.GlassineError as error:
        return SourceFile(file.path, file.size, Verdict.UNREADABLE, error.message)
    if b3 in stored:
        return SourceFile(
            file.path, file.size, Verdict.ALREADY_STORED, errors.AlreadyStored.default_message, stored[b3]
        )
    if b3 in binned:
        return SourceFile(file.path, file.size, Verdict.IN_BIN, IN_BIN, binned[b3])
    return file
