"""`glassine classic …`: the old scheme, which protects nothing, for old pictures and old programs.

Must not import PySide6 or the network; numpy and Pillow are imported when a command runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from desktop.cli_console import Console, add_command, quoted, require_folder, require_free
from desktop.cli_keys import add_json
from desktop.errors import FileUnreadable

NOT_SECURE: Final = "The classic scheme protects nothing. For private pictures use glassine seal."
ENCRYPTED: Final = "-encrypted"
DECRYPTED: Final = "-decrypted"
ORIGINAL_QUOTIENT: Final = "quotient.txt"


def add_commands(commands: Any) -> None:
    """Add `classic` and what belongs to it to the parser."""
    classic = add_command(commands, "classic", "pictures and keys of the classic scheme (not secure)")
    which = classic.add_subparsers(metavar="COMMAND", required=True)

    encrypt = add_command(which, "encrypt", "encrypt a picture (not secure)")
    encrypt.add_argument("--key", metavar="FILE", type=Path, required=True, help="a public key, rsa_pub.txt")
    encrypt.set_defaults(work=_encrypt)

    decrypt = add_command(which, "decrypt", "decrypt a picture")
    decrypt.add_argument("--key", metavar="FILE", type=Path, required=True, help="a private key, rsa.txt")
    decrypt.set_defaults(work=_decrypt)

    for parser, done in ((encrypt, ENCRYPTED), (decrypt, DECRYPTED)):
        parser.add_argument("picture", metavar="PICTURE", type=Path, help="a picture file")
        parser.add_argument(
            "--quotient",
            metavar="FILE",
            type=Path,
            help="the quotient text that belongs to it; without it one named alike",
        )
        parser.add_argument("--out", metavar="FILE", type=Path, help=f"the PNG to write (default: NAME{done}.png here)")
        add_json(parser)

    keys = add_command(which, "keys", "create rsa.txt and rsa_pub.txt (not secure)")
    keys.add_argument("folder", metavar="DIR", type=Path, help="the folder to write them to")
    add_json(keys)
    keys.set_defaults(work=_keys)


def _encrypt(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import classic
    from desktop.crypto.classic_keys import read_public_key

    source: Path = arguments.picture
    out: Path = arguments.out or Path(f"{source.stem}{ENCRYPTED}.png")
    quotient: Path = arguments.quotient or out.with_suffix(".txt")
    for path in (out, quotient):
        require_folder(path.parent)
        require_free(path)
    key = read_public_key(arguments.key)
    console.warn(NOT_SECURE)
    made = classic.encrypt_file(source, key, out, quotient)
    for warning in made.warnings:
        console.warn(warning)
    record = {"file": str(source), "picture": str(out), "quotient": str(quotient), "warnings": list(made.warnings)}
    console.result(f"{quoted(source)} -> {quoted(out)}, {quoted(quotient)}", record)


def _decrypt(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import classic
    from desktop.crypto.classic_keys import read_private_key

    source: Path = arguments.picture
    out: Path = arguments.out or Path(f"{source.stem.removesuffix(ENCRYPTED)}{DECRYPTED}.png")
    quotient: Path = arguments.quotient or _quotient_of(source)
    require_folder(out.parent)
    require_free(out)
    classic.decrypt_file(source, quotient, read_private_key(arguments.key), out)
    console.result(f"{quoted(source)} -> {quoted(out)}", {"file": str(source), "picture": str(out)})


def _quotient_of(source: Path) -> Path:
    """Find the quotient text beside an encrypted picture: under its own name, or under the original's."""
    for candidate in (source.with_suffix(".txt"), source.with_name(ORIGINAL_QUOTIENT)):
        if candidate.is_file():
            return candidate
    raise FileUnreadable(f"The quotient text of {source.name} is not beside it. Name it with --quotient FILE.")


def _keys(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import classic_keys

    require_folder(arguments.folder)
    console.warn(NOT_SECURE)
    public, private = classic_keys.generate()
    private_path, public_path = classic_keys.save_key_pair(arguments.folder, public, private)
    record = {"private": str(private_path), "public": str(public_path), "n": public.n, "e": public.e}
    console.result(f"{quoted(private_path)}, {quoted(public_path)}", record)
