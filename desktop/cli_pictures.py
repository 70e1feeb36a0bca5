"""`glassine seal` and `glassine open`: pictures in and out of sealed files, without any server.

Must not import PySide6 or the network; the crypto is imported when a command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.cli_console import Console, UsageError, add_command, quoted, require_folder, require_no_folder
from desktop.cli_keys import add_json, add_passphrase, load_key, read_public_key
from desktop.errors import Damaged, GlassineError

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey, PublicKey
    from desktop.crypto.sealed import Sealed


def add_commands(commands: Any) -> None:
    """Add `seal` and `open` to the parser."""
    seal = add_command(commands, "seal", "encrypt pictures into sealed files")
    seal.add_argument("pictures", metavar="PICTURE", type=Path, nargs="+", help="a picture file")
    seal.add_argument(
        "--to", metavar="PUBLIC.pem", type=Path, action="append", default=[], help="also for the owner of this key"
    )
    seal.set_defaults(work=_seal)

    open_ = add_command(commands, "open", "decrypt sealed files")
    open_.add_argument("pictures", metavar="SEALED", type=Path, nargs="+", help="a sealed file")
    whose = open_.add_mutually_exclusive_group()
    whose.add_argument(
        "--author", metavar="PUBLIC.pem", type=Path, help="open only what the owner of this public key sealed"
    )
    whose.add_argument(
        "--from", metavar="OWNER.pem", type=Path, dest="owner", help="a picture of the owner of this public key"
    )
    open_.add_argument(
        "--grant",
        metavar="FILE",
        type=Path,
        help="the owner's grant; without it the one beside the picture",
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
            require_no_folder(path)
            work(path)
        except GlassineError as error:
            console.fail(error, path)


def _seal(arguments: argparse.Namespace, console: Console) -> None:
    require_folder(arguments.out)
    others = [read_public_key(path) for path in arguments.to]
    key = load_key(arguments.key, arguments.passphrase_file, console)
    if key.public in others:
        raise UsageError("You can always open what you seal; --to is for other people's keys.")
    _for_each(arguments.pictures, console, lambda path: _seal_one(path, arguments.out, key, others, console))


def _seal_one(source: Path, folder: Path, key: PrivateKey, others: Sequence[PublicKey], console: Console) -> None:
    from desktop import image_formats
    from desktop.crypto import sealed
    from desktop.crypto.safe_write import all_or_nothing

    info = image_formats.read_info(source)
    thumbnail = image_formats.make_thumbnail(source)
    picture_id = sealed.new_picture_id()
    with all_or_nothing() as written:
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
        written.append(made.carrier)
        grants = _write_grants(made, key, others, written)
    record = {"file": str(source), "sealed": str(made.carrier), "picture_id": picture_id, "size": made.carrier_size}
    record |= {"grants": [str(path) for path in grants]} if others else {}
    console.result(f"{quoted(source)} -> {' '.join(quoted(path) for path in (made.carrier, *grants))}", record)


def _write_grants(made: Sealed, key: PrivateKey, others: Sequence[PublicKey], written: list[Path]) -> list[Path]:
    """Write a grant beside the picture for each of the other keys."""
    import time

    from desktop.crypto.grants import grant_to
    from desktop.crypto.safe_write import new_file
    from desktop.crypto.sealed import read_envelope

    if not others:
        return []
    opened = read_envelope(made.envelope, owner=key.public).open(key)
    grants = []
    for other in dict.fromkeys(others):
        path = grant_path(made.carrier, other)
        with new_file(path) as file:
            file.write(grant_to(opened, key, other, "read", int(time.time())).encode("ascii"))
        written.append(path)
        grants.append(path)
    return grants


def grant_path(carrier: Path, to: PublicKey) -> Path:
    """Return where the grant of a sealed file for somebody is: beside it, with eight digits of the fingerprint."""
    return carrier.with_name(f"{carrier.name}.{to.fingerprint[:8]}.grant")


def _open(arguments: argparse.Namespace, console: Console) -> None:
    require_folder(arguments.out)
    if arguments.grant is not None and arguments.owner is None:
        raise UsageError("--grant needs --from OWNER.pem: only the owner's key tells whether the grant is real.")
    if arguments.grant is not None and len(arguments.pictures) > 1:
        raise UsageError("A grant is for one picture. Without --grant the one beside each picture is taken.")
    named = arguments.author or arguments.owner
    author = None if named is None else read_public_key(named)
    key = load_key(arguments.key, arguments.passphrase_file, console)

    def work(path: Path) -> None:
        grant = ""
        if arguments.owner is not None and author != key.public:
            grant = _read_grant(arguments.grant or grant_path(path, key.public))
        _open_one(path, arguments.out, key, author, grant, console)

    _for_each(arguments.pictures, console, work)


def _read_grant(path: Path) -> str:
    from desktop.crypto.canonical import MAX_TEXT
    from desktop.crypto.safe_write import read_bounded

    try:
        text = read_bounded(path, MAX_TEXT).decode("ascii").removesuffix("\n")
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise Damaged(f"{path.name} is not a grant, or a damaged one.")
    return text


def _open_one(
    path: Path, folder: Path, key: PrivateKey, author: PublicKey | None, grant: str, console: Console
) -> None:
    from desktop.client.exporting import with_extension
    from desktop.crypto import sealed
    from desktop.crypto.key_formats import fingerprint_groups

    opened = sealed.open_carrier(path, key, folder, owner=author, untrusted_grant=grant, name_for=with_extension)
    by = "you, " if opened.author == key.fingerprint else ""
    record = {"file": str(path), "picture": str(opened.path), "author": opened.author, "size": opened.metadata.size}
    console.result(
        f"{quoted(path)} -> {quoted(opened.path)}, signed by {by}{fingerprint_groups(opened.author)}", record
    )
