"""What the command line says and asks: plain lines, JSON for scripts, passphrases from the terminal or a file.

Must not import PySide6, the network or anything of the project but ``desktop.errors`` and crypto's file helpers.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from desktop.errors import GlassineError, KeyRefused

EXIT_DONE: Final = 0
EXIT_OTHER: Final = 1
EXIT_USAGE: Final = 2
EXIT_WRONG_KEY: Final = 3
EXIT_DAMAGED: Final = 4
EXIT_UNSUPPORTED: Final = 5
EXIT_INTERRUPTED: Final = 130
GRAVITY: Final = (EXIT_DONE, EXIT_UNSUPPORTED, EXIT_OTHER, EXIT_USAGE, EXIT_WRONG_KEY, EXIT_DAMAGED)
"""From harmless to grave: of several files the gravest outcome is the command's exit code."""
MAX_PASSPHRASE_FILE: Final = 16384


class UsageError(GlassineError):
    """The command line itself is wrong or incomplete."""

    code = "U-100"
    title = "Not a proper command"
    exit_code: ClassVar[int] = EXIT_USAGE


def plain(text: str) -> str:
    """Make text fit on one line: names of files may hold line ends and other control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def quoted(path: Path) -> str:
    """Return a path for a message."""
    return plain(os.fspath(path))


def _encodable(text: str, stream: Any) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


class Console:
    """Standard output and error of one command.

    Attributes:
        as_json: Whether results are JSON objects, one a line, instead of sentences.
        worst: The gravest exit code so far.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.worst = EXIT_DONE

    def result(self, sentence: str, record: Mapping[str, Any]) -> None:
        """Say a result on standard output: the sentence, or with ``--json`` the record."""
        self.text((json.dumps(record) if self.as_json else plain(sentence)) + "\n")

    def text(self, text: str) -> None:
        """Write text to standard output as it is, at once: a full disk or a closed pipe shows here."""
        sys.stdout.write(_encodable(text, sys.stdout))
        sys.stdout.flush()

    def warn(self, sentence: str) -> None:
        """Say one line on standard error."""
        # where nobody can hear, the exit code still tells
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(_encodable(f"glassine: {plain(sentence)}\n", sys.stderr))
            sys.stderr.flush()

    def fail(self, error: GlassineError, about: Path | None = None) -> None:
        """Say an error on standard error and remember how grave it is; with ``--json`` also on standard output."""
        name = "" if about is None else about.name
        # most messages about a file name it already, at their beginning or in quotation marks
        is_named = error.message.startswith(name) or f"“{name}”" in error.message
        self.warn(error.message if is_named else f"{name}: {error.message}")
        self.worst = max(self.worst, error.exit_code, key=GRAVITY.index)
        if self.as_json and about is not None:
            what = {"code": error.code, "message": error.message, "exit_code": error.exit_code}
            self.text(json.dumps({"file": os.fspath(about), "error": what}) + "\n")


def passphrase_from(file: Path | None, prompt: str, *, new: bool = False) -> str:
    """Return a passphrase from a file (``-`` is standard input) or from the terminal.

    Args:
        file: Its content without one line end is the passphrase; None asks on the terminal.
        prompt: What to ask for.
        new: Ask twice.

    Raises:
        UsageError: There is no terminal, nothing was given, or the two answers differ.
        FileUnreadable: The file cannot be read.
    """
    if file is not None:
        return _from_file(file)
    if not _has_terminal():
        raise UsageError("There is no terminal to ask for the passphrase. Use --passphrase-file FILE.")
    import getpass

    try:
        passphrase = getpass.getpass(f"{prompt}: ")
        if not passphrase:
            raise UsageError("No passphrase was given.")
        if new and getpass.getpass("The same once more: ") != passphrase:
            raise UsageError("The two passphrases differ. Nothing was written.")
    except (EOFError, UnicodeDecodeError):
        raise UsageError("No passphrase was given.") from None
    return passphrase


def _from_file(file: Path) -> str:
    from desktop.crypto.safe_write import read_bounded

    if os.fspath(file) == "-":
        data = sys.stdin.buffer.readline(MAX_PASSPHRASE_FILE + 1)
    else:
        data = read_bounded(file, MAX_PASSPHRASE_FILE)
    if len(data) > MAX_PASSPHRASE_FILE:
        raise UsageError(f"{file.name} is too large to be a passphrase.")
    try:
        passphrase = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise KeyRefused(f"{file.name} is not UTF-8 text, so it cannot be a passphrase.") from None
    if not passphrase:
        raise UsageError("The passphrase is empty.")
    return passphrase


def _has_terminal() -> bool:
    if sys.platform == "win32":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        # getpass would read standard input visibly if this fails
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def add_command(commands: Any, name: str, about: str) -> Any:
    """Add a command to a parser; its own help begins with what the list of commands says of it."""
    return commands.add_parser(name, help=about, description=f"{about[:1].upper()}{about[1:]}.", allow_abbrev=False)


def require_folder(folder: Path) -> None:
    """Raise UsageError unless ``folder`` is a folder, before anybody types a passphrase."""
    if not folder.is_dir():
        raise UsageError(f"{quoted(folder)} is not a folder. Create it first or choose another one.")


def require_no_folder(path: Path) -> None:
    """Raise FileUnreadable if a folder is in the place of a picture: nothing is looked for in it."""
    from desktop.errors import FileUnreadable

    if path.is_dir():
        name = plain(path.name or os.fspath(path))
        raise FileUnreadable(f"{name} is a folder. Give the pictures in it, one by one or as {quoted(path / '*')}.")


def require_free(path: Path) -> None:
    """Raise NameTaken if something is at ``path``, before any work is done."""
    from desktop.errors import NameTaken

    if os.path.lexists(path):
        raise NameTaken(f"{quoted(path)} is already there. Nothing was overwritten. Choose another name.")
