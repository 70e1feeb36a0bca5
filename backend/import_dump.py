"""``glassine import-dump``: takes over an installation of Image-N-crypt. Must not import Flask or an engine."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from backend import import_dump_layout as layout
from backend.admin_console import (
    DAMAGED,
    FAILED,
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
from backend.import_dump_json import DumpDamaged, documents

if TYPE_CHECKING:
    from backend.config import Config
    from backend.import_dump_spool import Spool
    from backend.import_dump_store import Importer
    from backend.storage.protocol import Storage

_COUNTS = ("users_added", "users_present", "pictures_added", "pictures_present", "permissions_added")


def parser() -> CommandParser:
    """The parser of ``glassine import-dump``."""
    made = CommandParser(
        prog="glassine import-dump",
        description="Take over accounts and pictures of Image-N-crypt from files that mongoexport wrote.",
        allow_abbrev=False,
    )
    made.add_argument("folder", type=Path, metavar="DIR", help="folder with users.json, images.json and so on")
    add_storage_options(made)
    made.add_argument("--dry-run", action="store_true", help="only say what would be done")
    made.add_argument("--json", action="store_true", help="print the result as JSON")
    made.set_defaults(work=_import)
    return made


def _import(arguments: argparse.Namespace) -> int:
    from backend.import_dump_spool import Spool
    from backend.import_dump_store import Importer, Report

    dump = _Dump(arguments.folder)
    config = config_of(arguments)
    report = Report()
    # the disk that keeps the pictures has room for them; the usual place of temporary files is often memory
    place = None if config.data is None or arguments.dry_run else config.data
    try:
        with (
            _storage(config, dry=arguments.dry_run) as storage,
            Spool(place, keep_bytes=not arguments.dry_run) as spool,
        ):
            _run(dump, Importer(storage, report, dry=arguments.dry_run), spool)
    except DumpDamaged as error:
        done = ", ".join(f"{report.counts[name]} {name.replace('_', ' ')}" for name in _COUNTS)
        raise CommandError(f"{error} Before that: {done}. Run it again when it is mended.", DAMAGED) from None
    for note in report.notes:
        warn(f"Note: {note}")
    for reason in report.skipped:
        warn(f"Skipped: {reason}")
    counts = {name: report.counts[name] for name in _COUNTS}
    if arguments.json:
        say_json({**counts, "skipped": report.skipped, "notes": report.notes, "dry_run": arguments.dry_run})
    else:
        would = "Would import" if arguments.dry_run else "Imported"
        say(
            f"{would}: {counted(counts['users_added'], 'account')} ({counts['users_present']} were there), "
            f"{counted(counts['pictures_added'], 'picture')} ({counts['pictures_present']} were there), "
            f"{counted(counts['permissions_added'], 'permission')}; skipped: {len(report.skipped)}."
        )
    return FAILED if report.skipped else 0


def _run(dump: _Dump, importer: Importer, spool: Spool) -> None:
    with dump.reading("users") as found:
        for document in found:
            importer.user(layout.user(document))
    files, by_name = _files(dump)

    def file_of(old: layout.OldPicture) -> layout.OldFile | None:
        for file_id in (old.file_id, old.id):
            if file_id in files:
                return files[file_id]
        return files.get(by_name.get(old.file_name) or "")

    uses: Counter[str] = Counter()
    with dump.reading("images") as found:
        for document in found:
            old = layout.picture(document)
            file = file_of(old)
            if file is not None and importer.is_needed(old):
                uses[file.id] += 1
    with dump.reading("images.chunks") as found:
        for document in found:
            chunk = layout.chunk(document)
            if chunk is not None and chunk.file_id in uses:
                spool.take(chunk, files[chunk.file_id])
    with dump.reading("images") as found:
        for document in found:
            old = layout.picture(document)
            file = file_of(old)
            importer.picture(old, file, spool)
            if file is not None and uses[file.id] <= 1:
                spool.forget(file)  # room for the next ones
            elif file is not None:
                uses[file.id] -= 1
    importer.finish()


def _files(dump: _Dump) -> tuple[dict[str, layout.OldFile], dict[str, str | None]]:
    """The entries of GridFS by id, and the ids by file name where a name has one only."""
    files: dict[str, layout.OldFile] = {}
    by_name: dict[str, str | None] = {}
    with dump.reading("images.files") as found:
        for document in found:
            file = layout.file(document)
            if file is not None:
                files[file.id] = file
                by_name[file.name] = None if file.name in by_name else file.id
    return files, by_name


@contextmanager
def _storage(config: Config, *, dry: bool) -> Iterator[Storage]:
    """The storage to import into; for a dry run one that is not there yet is an empty one elsewhere."""
    from backend.storage.embedded import RECORDS

    if dry and config.data is not None and not (config.data / RECORDS).exists():
        with (
            TemporaryDirectory() as empty,
            opened_storage(replace(config, data=Path(empty)), may_create=True) as storage,
        ):
            yield storage
        return
    with opened_storage(config, may_create=not dry) as storage:
        yield storage


class _Dump:
    """A folder with one file for each collection."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        self._paths: dict[str, Path] = {}
        for collection in layout.COLLECTIONS:
            path = layout.file_of(folder, collection)
            if path is None:
                raise CommandError(f"There is no {collection}.json in {folder}.")
            self._paths[collection] = path

    @contextmanager
    def reading(self, collection: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Give the documents of a collection, with progress on a terminal."""
        progress = Progress(f"Bytes of {collection}")
        try:
            yield documents(self._paths[collection], progress)
        finally:
            progress.end()
