"""The commands that look after a server, by name. Must not import Flask or an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.admin_console import CommandParser

COMMANDS = ("admin", "backup", "restore", "import-dump")


def parser_of(command: str) -> CommandParser:
    """The parser of one of COMMANDS."""
    from backend.admin import parser as admin
    from backend.backup import backup_parser, restore_parser
    from backend.import_dump import parser as import_dump

    parsers = {"admin": admin, "backup": backup_parser, "restore": restore_parser, "import-dump": import_dump}
    return parsers[command]()


def run_command(argv: Sequence[str]) -> int:
    """Run a command line that begins with one of COMMANDS and return its exit code."""
    from backend.admin_console import run

    return run(parser_of(argv[0]), argv[1:])
