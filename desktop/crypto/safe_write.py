"""Writing a local file so that it is either complete under its name or not there at all.

A file is written beside its target under a temporary name (0600, O_EXCL), flushed to the disk and only then given its
name. What is there already is never overwritten unless the caller says so. What a killed program left under such a
name may be decrypted, and nobody sees it, so the next one that writes there removes it. Must not import PySide6, the
network or anything of the project but ``desktop.errors``.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from desktop.errors import FileUnreadable, GlassineError, NameTaken, StorageFull, StorageReadOnly

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
O_BINARY = getattr(os, "O_BINARY", 0)
STALE_S = 60.0
"""A temporary file that nobody holds and nobody has written to for so long belongs to nobody."""
_TEMPORARY = re.compile(r"\.glassine-[0-9a-f]{16}\.part")
_SWEPT_FOLDERS = 64
_swept: dict[Path, float] = {}


def writing_error(problem: OSError, path: Path) -> GlassineError:
    """Translate what the operating system said while ``path`` was written."""
    name = "the picture" if _TEMPORARY.fullmatch(path.name) else path.name  # it gets its own name in the end
    if problem.errno in _FULL:
        return StorageFull(f"There is no space left to write {name}. Free some space and try again.")
    if problem.errno == errno.EEXIST:
        return NameTaken(f"{path.name} is already there. Nothing was overwritten. Choose another name.")
    if problem.errno in _READ_ONLY:
        return StorageReadOnly(
            f"The folder {path.parent} cannot be written. Choose another one, or change its permissions."
        )
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        return FileUnreadable(f"There is no folder {path.parent}. Create it or choose another one.")
    return FileUnreadable(f"{name} cannot be written: {problem.strerror or 'unknown reason'}.")


def reading_error(problem: OSError, path: Path) -> GlassineError:
    """Translate what the operating system said while ``path`` was read."""
    reasons = {
        errno.ENOENT: "is not there. Check the name",
        errno.ENOTDIR: "is not there. Check the name",
        errno.EISDIR: "is a folder, not a file",
        errno.EACCES: "may not be read. Check its permissions",
    }
    reason = reasons.get(problem.errno or 0, f"cannot be read: {problem.strerror or 'unknown reason'}")
    return FileUnreadable(f"{path.name} {reason}.")


def read_bounded(path: Path, limit: int) -> bytes:
    """Read a small file; at most ``limit`` + 1 bytes, so that the caller can tell that it is too long.

    Raises:
        FileUnreadable: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as problem:
        raise reading_error(problem, path) from None


def open_own(path: Path) -> BinaryIO:
    """Open a file that the program has written itself. Something else in its place, such as a pipe, is not waited for.

    Raises:
        OSError: It cannot be read, or is no file.
    """
    descriptor = os.open(path, os.O_RDONLY | O_BINARY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is not a file")
    return os.fdopen(descriptor, "rb")


def read_own(path: Path, limit: int) -> bytes:
    """Read a small file that the program has written itself; otherwise as :func:`read_bounded`."""
    try:
        with open_own(path) as file:
            return file.read(limit + 1)
    except OSError as problem:
        raise reading_error(problem, path) from None


@contextmanager
def new_file(
    target: Path, *, replace: bool = False, before_release: Callable[[Path], None] | None = None
) -> Iterator[BinaryIO]:
    """Give a binary file to write; it gets its name when the block ends, and vanishes when the block raises.

    Args:
        target: The name it gets.
        replace: Whether an existing file of that name is replaced (atomically) instead of refused.
        before_release: Called with the temporary path once everything is on the disk; what it raises discards the file.

    Raises:
        NameTaken: Something of that name is there, already or meanwhile.
        StorageFull, StorageReadOnly, FileUnreadable: It cannot be written; nothing is left behind.
    """
    temporary = temporary_name(target)
    created = False
    _remove_stale_now_and_then(target.parent)
    try:
        if not replace and os.path.lexists(target):
            raise NameTaken(f"{target.name} is already there. Nothing was overwritten. Choose another name.")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | O_BINARY, 0o600)
        created = True
        with os.fdopen(descriptor, "wb") as file:
            _hold(descriptor)
            yield file
            file.flush()
            os.fsync(file.fileno())
        if before_release is not None:
            before_release(temporary)
        release(temporary, target, replace=replace)
        sync_folder(target.parent)
    except OSError as problem:
        raise writing_error(problem, target) from None
    finally:
        if created:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def temporary_name(target: Path) -> Path:
    """Return a name beside ``target`` that :func:`remove_stale` knows."""
    return target.with_name(f".glassine-{secrets.token_hex(8)}.part")


def remove_stale(folder: Path) -> int:
    """Remove temporary files that killed programs left in a folder and return how many; links are not followed."""
    removed = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                removed += _remove_if_stale(entry.path)
    return removed


def _remove_if_stale(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | O_BINARY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        # either way round: a clock that was set back must not keep it for ever
        stale = abs(time.time() - os.fstat(descriptor).st_mtime) > STALE_S and _hold(descriptor)
    finally:
        os.close(descriptor)
    if stale:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108
    return stale


def _hold(descriptor: int) -> bool:
    """Mark a file as in use until it is closed, in whatever way; return whether nobody else has it."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # a platform or a file system without locks
        return False
    return True


def _remove_stale_now_and_then(folder: Path) -> None:
    now = time.monotonic()
    if now - _swept.get(folder, -STALE_S) >= STALE_S:
        if len(_swept) >= _SWEPT_FOLDERS:
            _swept.clear()
        _swept[folder] = now
        remove_stale(folder)


@contextmanager
def all_or_nothing() -> Iterator[list[Path]]:
    """Give a list to put finished files in; they are removed again when the block raises."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def release(temporary: Path, target: Path, *, replace: bool = False) -> None:
    """Give the finished file its name; without ``replace`` the name is taken atomically or refused."""
    if replace:
        temporary.replace(target)
        return
    try:
        target.hardlink_to(temporary)
    except OSError as problem:
        if problem.errno not in _NO_HARD_LINKS:
            raise
        # file systems without hard links (FAT, some network shares): reserve the name, then move over it
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | O_BINARY, 0o600))
        temporary.replace(target)


def sync_folder(folder: Path) -> None:
    """Make a new name in ``folder`` survive a power cut, where the platform can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
