"""`glassine seal` and `glassine open`: pictures in and out of sealed files, without any server.

Must not import PySide6 or the network; the crypto is imported when a command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.cli_console import Console, quoted, require_folder
from desktop.cli_keys import add_json, add_passphrase, load_key, read_public_key
from desktop.errors import GlassineError

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey, PublicKey


def add_commands(commands: Any) -> None:
    """Add `seal` and `open` to the parser."""
    seal = commands.add_parser("seal", help="encrypt pictures into sealed files", allow_abbrev=False)
    seal.add_argument("pictures", metavar="PICTURE", type=Path, nargs="+", help="a picture file")
    seal.set_defaults(work=_seal)

    open_ = commands.add_parser("open", help="decrypt sealed files", allow_abbrev=False)
    open_.add_argument("pictures", metavar="SEALED", type=Path, nargs="+", help="a sealed file")
    open_.add_argument(
        "--author", metavar="PUBLIC.pem", type=Path, help="open only what the owner of this public key sealed"
    )
    open_.set_defaults(work=_open)

    for parser in (seal, open_):
        parser.add_argument("--key", metavar="KEYFILE", type=Path, required=True, help="your key file")
        add_passphrase(parser, "the key file's passphrase")
        parser.add_argument(
            "--out", metavar="DIR", type=Path, default=Path(), help="folder for the results (default: .)"
        )
        add_json(parser)


def _for_each(paths: list[Path], console: Console, work: Callable[[Path], None]) -> None:
    """Do one file after the other; one that fails does not stop the rest."""
    for path in paths:
        try:
            work(path)
        except GlassineError as error:
            console.fail(error, path)


def _seal(arguments: argparse.Namespace, console: Console) -> None:
    require_folder(arguments.out)
    key = load_key(arguments.key, arguments.passphrase_file, console)
    _for_each(arguments.pictures, console, lambda path: _seal_one(path, arguments.out, key, console))


def _seal_one(source: Path, folder: Path, key: PrivateKey, console: Console) -> None:
    from desktop import image_formats
    from desktop.crypto import sealed

    info = image_formats.read_info(source)
    thumbnail = image_formats.make_thumbnail(source)
    picture_id = sealed.new_picture_id()
    made = sealed.seal(
        source,
        folder / f"p-{picture_id}.png",
        key,
        name=source.name,
        media_type=info.media_type,
        width=info.width,
        height=info.height,
        taken=info.taken,
        thumbnail=thumbnail,
        picture_id=picture_id,
    )
    record = {"file": str(source), "sealed": str(made.carrier), "picture_id": picture_id, "size": made.carrier_size}
    console.result(f"{quoted(source)} -> {quoted(made.carrier)}", record)


def _open(arguments: argparse.Namespace, console: Console) -> None:
    require_folder(arguments.out)
    author = None if arguments.author is None else read_public_key(arguments.author)
    key = load_key(arguments.key, arguments.passphrase_file, console)
    _for_each(arguments.pictures, console, lambda path: _open_one(path, arguments.out, key, author, console))


def _open_one(path: Path, folder: Path, key: PrivateKey, author: PublicKey | None, console: Console) -> None:
    from desktop.client.exporting import with_extension
    from desktop.crypto import sealed
    from desktop.crypto.key_formats import fingerprint_groups

    opened = sealed.open_carrier(path, key, folder, owner=author, name_for=with_extension)
    by = "you, " if opened.author == key.fingerprint else ""
    record = {"file": str(path), "picture": str(opened.path), "author": opened.author, "size": opened.metadata.size}
    console.result(
        f"{quoted(path)} -> {quoted(opened.path)}, signed by {by}{fingerprint_groups(opened.author)}", record
    )
