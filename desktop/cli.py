"""The command line: one parser, one place where errors become a line on standard error and an exit code.

Exit codes: 0 done, 2 usage, 3 wrong key or passphrase, 4 damaged or forged, 5 unsupported input, 130 interrupted,
1 anything else. No argument opens the window. Must not import PySide6 or any heavy package at module level.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from desktop.cli_console import EXIT_DONE, EXIT_INTERRUPTED, EXIT_OTHER, Console, UsageError, plain
from desktop.errors import Cancelled, GlassineError

SERVER_COMMANDS = {
    "serve": "run the server",
    "admin": "look after a server's accounts",
    "backup": "write all that a server keeps into one file",
    "restore": "put a backup into an empty folder or database",
    "import-dump": "take over an installation of Image-N-crypt",
}
"""What they understand is the backend's own matter; here is only what the list of commands says of them."""

PICTURE_COMMANDS = ("seal", "open", "upload", "list", "download", "share", "people", "classic")

COMMANDS = (*SERVER_COMMANDS, "keys", *PICTURE_COMMANDS, "doctor")
"""A file with such a name is given as ./keys."""

SELF_TEST = "--self-test"
"""Not in the help: it is for whoever has installed Glassine and for the tests of its packages."""

DEBUG_VARIABLE = "GLASSINE_DEBUG"
"""When set, an error that nobody foresaw shows its traceback."""


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises instead of printing several lines."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def build_parser() -> Parser:
    """Return the parser of all commands; docs/command-line.md describes each of them."""
    from desktop import cli_classic, cli_doctor, cli_keys, cli_pictures, cli_sharing, cli_vault

    parser = Parser(
        prog="glassine",
        description="Private pictures: encrypted on this computer, stored as pictures of noise. "
        "Without a command the window opens.",
        epilog="glassine COMMAND --help says more about a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for name, about in SERVER_COMMANDS.items():
        commands.add_parser(name, help=about, add_help=False)
    cli_keys.add_commands(commands)
    cli_pictures.add_commands(commands)
    cli_vault.add_commands(commands)
    cli_sharing.add_commands(commands)
    cli_classic.add_commands(commands)
    cli_doctor.add_commands(commands)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises for anything a person can cause."""
    if not argv or _are_files(argv):
        from desktop.app import run as run_window

        return run_window([], [Path(argument).absolute() for argument in argv])
    if argv[0] in SERVER_COMMANDS:
        from desktop.embedded import run_server_command

        return run_server_command(list(argv))
    if argv[0] == SELF_TEST and len(argv) <= 2:
        from desktop.self_test import run as run_self_test

        return run_self_test(*map(Path, argv[1:]))
    console = Console()
    try:
        with _quiet_libraries(), _clean_end_on_signals():
            return _dispatch(list(argv), console)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_DONE if end.code is None else EXIT_OTHER
    except BaseException as error:
        return _explain(error, console)


def _are_files(argv: Sequence[str]) -> bool:
    """Whether files were dropped on the icon or opened with the program: no command, and all of them are there."""
    return argv[0] not in COMMANDS and all(os.path.lexists(argument) for argument in argv)


def _explain(error: BaseException, console: Console) -> int:
    """Say an error as one line and return its exit code."""
    if isinstance(error, GlassineError):
        console.fail(error)
        return error.exit_code
    if isinstance(error, OSError):
        # files are converted where they are used; what is left is standard output
        _forget_output()
        if not isinstance(error, BrokenPipeError):
            console.warn(f"The output cannot be written: {error.strerror or type(error).__name__}.")
        return EXIT_OTHER
    if isinstance(error, KeyboardInterrupt | Cancelled):
        console.warn("Interrupted. Nothing half-written was left behind.")
        return EXIT_INTERRUPTED
    if isinstance(error, MemoryError):
        console.warn("There is not enough memory for this. Nothing half-written was left behind.")
        return EXIT_OTHER
    if os.environ.get(DEBUG_VARIABLE):
        raise error
    name = plain(type(error).__name__)
    console.warn(f"Something went wrong inside Glassine ({name}). Set {DEBUG_VARIABLE}=1 to see where.")
    return EXIT_OTHER


def _forget_output() -> None:
    """Make the interpreter's last flush succeed: it would complain about what could not be written."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _dispatch(argv: list[str], console: Console) -> int:
    if argv[0] not in COMMANDS and not argv[0].startswith("-"):
        raise UsageError(_no_command(argv))
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        from desktop import __version__

        console.text(f"glassine {__version__}\n")
        return EXIT_DONE
    if "work" not in arguments:
        raise UsageError("A command is missing. See glassine --help.")
    console.as_json = getattr(arguments, "json", False)
    arguments.work(arguments, console)
    return console.worst


def _no_command(argv: Sequence[str]) -> str:
    """What is wrong with a command line that begins with neither a command nor an option."""
    if not os.path.lexists(argv[0]):
        return f"There is neither a command nor a file called {argv[0]}. See glassine --help."
    missing = next(argument for argument in argv if not os.path.lexists(argument))
    return f"{missing} is not there. Check the name; options belong behind a command."


@contextlib.contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep what libraries warn about off standard error: there people read one plain line a message."""
    root = logging.getLogger()
    handler = logging.NullHandler()
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)


@contextlib.contextmanager
def _clean_end_on_signals() -> Iterator[None]:
    """Let `kill` and a closed terminal end the command as an exception, so that temporary files go."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {}
    with contextlib.suppress(ValueError):  # not in the main thread
        for name in names:
            number = getattr(signal, name)
            before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
