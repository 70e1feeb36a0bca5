"""What the administration commands share: one parser, one way to fail, one way to open the storage.

Results go to standard output; everything else is one line on standard error. Exit codes as everywhere in Glassine:
0 done, 1 failed, 2 usage, 4 damaged, 130 interrupted. Must not import Flask or an engine at module level.
"""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from backend.backup_marker import check_finished
from backend.config import Config, ConfigError
from backend.config_sources import gather
from backend.errors import BackendError
from backend.folder_owner import hand_over
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.storage.protocol import Storage

DONE, FAILED, USAGE, DAMAGED, INTERRUPTED = 0, 1, 2, 4, 130

KINDS = ("", "ops", "client")
"""Every kind of account."""

PAGE = 200
"""Records fetched at once."""


class CommandError(Exception):
    """The command cannot do what was asked; the text is one line, ``code`` the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class CommandParser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise CommandError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.", USAGE)


Work = Callable[[argparse.Namespace], int | None]
"""What a command does; it returns an exit code, None for 0."""


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Let a command say where accounts and pictures are kept; the server's own settings do without."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", type=Path, metavar="DIR", help="folder of the server; it must be stopped")
    where.add_argument("--mongodb", metavar="URI", help="database of the server: mongodb://user:password@host/database")


def run(parser: argparse.ArgumentParser, argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises for anything a person can cause."""
    try:
        with _signals_end_in_order(), logged_on_standard_error():
            arguments = parser.parse_args(list(argv))
            if "work" not in arguments:
                raise CommandError(f"A command is missing. See {parser.prog} --help.", USAGE)
            code: int | None = arguments.work(arguments)
            return code or DONE
    except SystemExit as end:  # --help, or a signal
        return end.code if isinstance(end.code, int) else DONE
    except (CommandError, ConfigError, StorageError, BackendError, OSError, KeyboardInterrupt) as error:
        return _explain(error)


def _explain(error: BaseException) -> int:
    """Say an error as one line and return its exit code."""
    text, code = str(error), FAILED
    if isinstance(error, CommandError):
        code = error.code
    elif isinstance(error, ConfigError):
        code = USAGE
    elif isinstance(error, StorageError):
        code = DAMAGED if error.reason == "damaged" else FAILED
    elif isinstance(error, KeyboardInterrupt):
        text, code = "Interrupted.", INTERRUPTED
    elif isinstance(error, OSError):
        text = _about_files(error)
    if isinstance(error, BrokenPipeError):
        with suppress(OSError, ValueError):  # the interpreter's last flush would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        warn(text)
    return code


def _about_files(error: OSError) -> str:
    """What a file, a folder or the disk refused, and what to do about it."""
    name = error.filename
    if error.errno == errno.ENOSPC:
        return "There is no space left" + (f" for {name}" if name else "") + ". Free some and try again."
    if error.errno in (errno.EACCES, errno.EPERM):
        what = f"{name} may not be used" if name else "A file or folder may not be used"
        return f"{what} by whoever runs this command. Run it as root, or as the user that the server runs as."
    return (f"{name}: " if name else "") + (error.strerror or type(error).__name__)


def warn(sentence: str) -> None:
    """Say one line on standard error."""
    with suppress(OSError, ValueError):  # where nobody can hear, the exit code still tells
        sys.stderr.write(f"glassine: {plain(sentence)}\n")
        sys.stderr.flush()


def say(sentence: str) -> None:
    """Say one line on standard output."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(plain(sentence).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def say_json(record: Mapping[str, Any]) -> None:
    """Say one JSON object on a line of standard output."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def plain(text: str) -> str:
    """Make text fit on one line: names may hold line ends and other control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def counted(count: int, one: str) -> str:
    """A number of things in words; ``one`` is what a single one is called."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


class Progress:
    """A line on a terminal that counts up, a few times a second; silent where standard error is no terminal."""

    def __init__(self, what: str, *, interval: float = 0.2) -> None:
        """``interval`` is in seconds."""
        self._what = what
        self._interval = interval
        self._next = 0.0
        self._shown = False
        self._terminal = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show how much is done; a total of 0 is unknown."""
        if not self._terminal or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._interval
        self._shown = True
        share = f" of {total:,}" if total else ""
        print(f"\r\x1b[K{self._what}: {done:,}{share}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line free for what comes next."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _Lines(logging.Handler):
    """Says what the backend logs as lines like all others; ``said`` counts them."""

    said = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.said += 1
        warn(record.getMessage())


@contextmanager
def logged_on_standard_error() -> Iterator[_Lines]:
    """Let warnings of the backend be lines on standard error; within another such block that one goes on."""
    backend = logging.getLogger("backend")
    present = next((handler for handler in backend.handlers if isinstance(handler, _Lines)), None)
    if present is not None:
        yield present
        return
    lines = _Lines(logging.WARNING)
    propagated, backend.propagate = backend.propagate, False
    backend.addHandler(lines)
    try:
        yield lines
    finally:
        backend.removeHandler(lines)
        backend.propagate = propagated


# -- the storage ------------------------------------------------------------------------------------------------------


def config_of(arguments: argparse.Namespace) -> Config:
    """The server's settings, with the place that the command line names winning over all others."""
    given: dict[str, Any] = {}
    if arguments.data is not None:
        given = {"data": arguments.data, "mongodb": None}
    elif arguments.mongodb is not None:
        given = {"data": None, "mongodb": arguments.mongodb}
    values = gather(**given)
    if values.get("data") is None and values.get("mongodb") is None:
        raise CommandError("Say where the pictures are kept: --data DIR or --mongodb URI.", USAGE)
    # nothing is signed here, so the secret of the server need not be known
    return Config(**{"secret_key": secrets.token_hex(32), **values})


@contextmanager
def opened_storage(config: Config, *, may_create: bool = False, may_be_unfinished: bool = False) -> Iterator[Storage]:
    """Open the storage for one command.

    Args:
        config: The settings.
        may_create: Whether a folder that holds no storage yet becomes one.
        may_be_unfinished: Whether what an interrupted restore left is of use.

    Raises:
        StorageError: It cannot be used.
        CommandError: There is none, or a server has it open.
    """
    from backend.storage.embedded import RECORDS
    from backend.storage.opening import open_configured, place

    if config.data is not None and not may_create and not (config.data / RECORDS).exists():
        raise CommandError(f"There are no accounts or pictures in {config.data}.")
    try:
        storage = open_configured(config)
    except StorageError as error:
        if error.reason != "in-use":
            raise
        raise CommandError(
            f"{place(config)} is in use. Stop the server (or close the window) that uses it first."
        ) from error
    try:
        if not may_be_unfinished:
            check_finished(storage)
        yield storage
    finally:
        storage.close()
        if config.data is not None:
            hand_over(config.data)


# -- signals ----------------------------------------------------------------------------------------------------------


@contextmanager
def _signals_end_in_order() -> Iterator[None]:
    """Let `kill` and a closed terminal end the command as an exception, so that what is half done is undone."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {}
    with suppress(ValueError):  # not in the main thread
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
