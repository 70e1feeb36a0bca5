"""``glassine backup`` and ``glassine restore``. Must not import Flask or an engine at module level."""

from __future__ import annotations

import argparse
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.admin_console import (
    DAMAGED,
    CommandError,
    CommandParser,
    Progress,
    add_storage_options,
    config_of,
    counted,
    opened_storage,
    say,
    say_json,
    warn,
)
from backend.backup_format import ArchiveWriter, BackupDamaged

if TYPE_CHECKING:
    from backend.config import Config


def backup_parser() -> CommandParser:
    """The parser of ``glassine backup``."""
    parser = CommandParser(
        prog="glassine backup",
        description="Write everything that a server keeps into one new file: accounts, pictures, permissions.",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the new file, a tar")
    add_storage_options(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(work=_backup)
    return parser


def restore_parser() -> CommandParser:
    """The parser of ``glassine restore``."""
    parser = CommandParser(
        prog="glassine restore",
        description="Put a backup into an empty folder or database, whichever of them it came from.",
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that glassine backup wrote")
    add_storage_options(parser)
    parser.add_argument("--verify", action="store_true", help="only check the file, and restore nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(work=_restore)
    return parser


def _backup(arguments: argparse.Namespace) -> int:
    from backend.backup_write import Backup, new_archive

    progress = Progress("Pictures written")
    target: Path = arguments.file
    with opened_storage(config_of(arguments)) as storage, new_archive(target) as (file, sums):
        backup = Backup(storage, ArchiveWriter(file, sums), progress)
        try:
            manifest = backup.write(datetime.now(UTC).replace(tzinfo=None))
        finally:
            progress.end()
    outcome = backup.outcome
    for problem in outcome.damaged:
        warn(f"Left out, because the storage is damaged: {problem}")
    if outcome.vanished:
        warn(f"Left out, because they were deleted or moved meanwhile: {outcome.vanished}")
    _report(arguments, target, manifest, "Backed up")
    return DAMAGED if outcome.damaged else 0


def _restore(arguments: argparse.Namespace) -> None:
    from backend.backup_read import Verifier, read_backup

    source: Path = arguments.file
    config = None if arguments.verify else config_of(arguments)
    progress = Progress("Bytes verified")
    try:
        manifest = read_backup(source, Verifier(), progress)
    except BackupDamaged as error:
        raise CommandError(f"{source.name} is damaged or no backup: {error}.", DAMAGED) from None
    finally:
        progress.end()
    if config is not None:
        _restore_verified(source, manifest, config)
    _report(arguments, source, manifest, "Verified" if config is None else "Restored")


def _restore_verified(source: Path, manifest: dict[str, Any], config: Config) -> None:
    from backend.backup_marker import is_unfinished
    from backend.backup_restore import restore

    made = config.data is not None and not config.data.exists()
    progress = Progress("Bytes restored")
    try:
        with opened_storage(config, may_create=True, may_be_unfinished=True) as storage:
            if is_unfinished(storage):
                warn("An earlier restore was interrupted here. What it left is removed first.")
            try:
                restore(storage, source, manifest, progress)
            finally:
                progress.end()
    except BaseException as error:
        if made and config.data is not None:
            with suppress(OSError):
                shutil.rmtree(config.data)
        if isinstance(error, BackupDamaged):
            raise CommandError(f"{source.name} cannot be restored: {error}. Nothing of it was kept.", DAMAGED) from None
        if not isinstance(error, CommandError):
            warn("The restore was not finished. Nothing of it was kept.")
        raise


def _report(arguments: argparse.Namespace, file: Path, manifest: dict[str, Any], done: str) -> None:
    counts: dict[str, int] = manifest["counts"]
    if arguments.json:
        say_json({"file": str(file), "created": f"{manifest['created'][:19]}Z", "bytes": manifest["bytes"], **counts,
                  **manifest["left_out"]})  # fmt: skip
        return
    names = {"users": "account", "pictures": "picture", "documents": "document", "files": "published file"}
    what = ", ".join(counted(counts[name], one) for name, one in names.items())
    say(f"{done}: {what} ({manifest['bytes']:,} bytes, written {manifest['created'][:19].replace('T', ' ')} UTC).")
