"""`glassine keys …`: create, show, export, import key files and change their passphrase.

Must not import PySide6 or the network; the crypto is imported when a command runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.cli_console import Console, UsageError, add_command, passphrase_from, quoted, require_folder, require_free
from desktop.errors import KeyRefused, PassphraseNeeded, Unsupported

if TYPE_CHECKING:
    from desktop.crypto.keys import PrivateKey, PublicKey

LEAST_BITS = 2048
MOST_BITS = 8192
DEFAULT_BITS = 3072


def add_commands(commands: Any) -> None:
    """Add `keys` and what belongs to it to the parser."""
    keys = add_command(commands, "keys", "create, show, export and import keys")
    which = keys.add_subparsers(metavar="COMMAND", required=True)

    new = add_command(which, "new", "create a key pair in a new key file")
    new.add_argument("keyfile", metavar="KEYFILE", type=Path, help="the key file to create")
    new.add_argument("--bits", metavar="N", type=_bits, default=DEFAULT_BITS, help="size of the key (default 3072)")
    add_passphrase(new, "its passphrase")
    add_json(new)
    new.set_defaults(work=_new)

    show = add_command(which, "show", "print the fingerprint of a key")
    show.add_argument("keyfile", metavar="KEYFILE", type=Path, help="a key file")
    show.add_argument("--words", action="store_true", help="as the twelve words that people compare by telephone")
    add_passphrase(show, "its passphrase, to prove that the fingerprint is right")
    add_json(show)
    show.set_defaults(work=_show)

    export = add_command(which, "export", "write a key for another program or person")
    export.add_argument("keyfile", metavar="KEYFILE", type=Path, help="a key file")
    what = export.add_mutually_exclusive_group(required=True)
    what.add_argument("--public", action="store_true", help="the public key, as PEM")
    what.add_argument("--format", choices=("pkcs8", "pkcs1", "openssh"), help="the private key in this format")
    export.add_argument("--out", metavar="FILE", type=Path, help="where to write; the public key is printed without it")
    add_passphrase(export, "the key file's passphrase")
    protection = export.add_mutually_exclusive_group()
    add_new_passphrase(protection, "the passphrase for the exported key")
    protection.add_argument("--unencrypted", action="store_true", help="export the private key without a passphrase")
    export.set_defaults(work=_export)

    import_ = add_command(which, "import", "make a key file from another program's key")
    import_.add_argument("file", metavar="FILE", type=Path, help="a PKCS#8, PKCS#1 or OpenSSH private key")
    import_.add_argument("--out", metavar="KEYFILE", type=Path, required=True, help="the key file to create")
    add_passphrase(import_, "the passphrase of FILE")
    add_new_passphrase(import_, "the passphrase for the key file")
    add_json(import_)
    import_.set_defaults(work=_import)

    change = add_command(which, "passphrase", "change the passphrase of a key file")
    change.add_argument("keyfile", metavar="KEYFILE", type=Path, help="a key file")
    add_passphrase(change, "the passphrase it has")
    add_new_passphrase(change, "the passphrase it gets")
    change.set_defaults(work=_change_passphrase)


def add_passphrase(parser: Any, what: str) -> None:
    """Add ``--passphrase-file``; a passphrase itself is never an argument, where others could see it."""
    parser.add_argument(
        "--passphrase-file", metavar="F", type=Path, help=f"file with {what}; - reads one line of standard input"
    )


def add_new_passphrase(parser: Any, what: str) -> None:
    """Add ``--new-passphrase-file``."""
    parser.add_argument("--new-passphrase-file", metavar="F", type=Path, help=f"file with {what}")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print results as JSON, one object a line")


def _bits(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not LEAST_BITS <= int(text[:6]) <= MOST_BITS:
        raise argparse.ArgumentTypeError(f"a number from {LEAST_BITS} to {MOST_BITS} is needed")
    return int(text)


def load_key(path: Path, passphrase_file: Path | None, console: Console) -> PrivateKey:
    """Read a private key of any format, asking for its passphrase only if it has one.

    Raises:
        WrongKey, KeyFileUnreadable, KeyFileDamaged, KeyRefused, TooLarge: As the formats say.
        Unsupported: A classic key, or no key.
    """
    from desktop.crypto import key_file, key_formats
    from desktop.crypto.keys import PrivateKey

    data = key_file.read_key_file(path)
    try:
        imported = key_formats.import_private(data)
    except PassphraseNeeded:
        passphrase = passphrase_from(passphrase_file, f"Passphrase of {quoted(path)}")
        imported = key_formats.import_private(data, passphrase)
    if not isinstance(imported.key, PrivateKey):
        raise Unsupported(f"{path.name} is a key of the classic scheme; it cannot seal or open sealed pictures.")
    for warning in imported.warnings:
        console.warn(warning)
    return imported.key


def _load_public(path: Path, passphrase_file: Path | None, console: Console) -> tuple[PublicKey, list[str], bool]:
    """Return a public key, what opens its file, and whether the private key proved it."""
    from desktop.crypto import key_file

    data = key_file.read_key_file(path)
    if not key_file.looks_like_key_file(data):
        return load_key(path, passphrase_file, console).public, [], True
    kinds = [kind.value for kind in key_file.slot_kinds(data)]
    if passphrase_file is None:
        return key_file.read_public(data), kinds, False
    return load_key(path, passphrase_file, console).public, kinds, True


def _record(path: Path, key: PublicKey) -> dict[str, Any]:
    return {"file": str(path), "fingerprint": key.fingerprint, "bits": key.bits}


def _new(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import key_file
    from desktop.crypto.keys import PrivateKey

    path: Path = arguments.keyfile
    require_folder(path.parent)
    require_free(path)
    passphrase = passphrase_from(arguments.passphrase_file, "Passphrase for the new key file", new=True)
    key = PrivateKey.generate(arguments.bits)
    key_file.write_key_file(path, key_file.create(key, passphrase), passphrase)
    _say_created(path, key.public, console)


def _say_created(path: Path, key: PublicKey, console: Console) -> None:
    from desktop.crypto.key_formats import fingerprint_groups

    console.result(f"{quoted(path)}: key of {key.bits} bits, {fingerprint_groups(key.fingerprint)}", _record(path, key))
    console.warn("Keep a second copy of the key file. Without file and passphrase nobody can open your pictures.")


def _show(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto.key_formats import fingerprint_groups
    from desktop.crypto.words import fingerprint_words

    key, slots, proven = _load_public(arguments.keyfile, arguments.passphrase_file, console)
    words = " ".join(fingerprint_words(key.fingerprint))
    record = {**_record(arguments.keyfile, key), "words": words, "opens_with": slots, "proven": proven}
    console.result(words if arguments.words else fingerprint_groups(key.fingerprint), record)


def _export(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import key_formats

    out: Path | None = arguments.out
    if out is not None:
        require_folder(out.parent)
        require_free(out)
    if arguments.public:
        if arguments.new_passphrase_file or arguments.unencrypted:
            raise UsageError("A public key is never encrypted; leave out --new-passphrase-file and --unencrypted.")
        public, _, _ = _load_public(arguments.keyfile, arguments.passphrase_file, console)
        if out is None:
            console.text(key_formats.export_public(public))
        else:
            _write(out, key_formats.export_public(public).encode("ascii"))
        return
    if out is None:
        raise UsageError("A private key is not printed; say where to write it with --out FILE.")
    if arguments.format == "pkcs1" and not arguments.unencrypted:
        raise UsageError(
            "PKCS#1 cannot protect a key with a passphrase. Add --unencrypted, or choose pkcs8 or openssh."
        )
    key = load_key(arguments.keyfile, arguments.passphrase_file, console)
    secret = None
    if not arguments.unencrypted:
        secret = passphrase_from(arguments.new_passphrase_file, "Passphrase for the exported key", new=True)
    _write(out, key_formats.export_private(key, arguments.format, secret))
    if secret is None:
        console.warn(
            f"{quoted(out)} holds the private key without protection. Whoever reads it can open your pictures."
        )


def _write(path: Path, data: bytes) -> None:
    from desktop.crypto.safe_write import new_file

    with new_file(path) as file:
        file.write(data)


def _import(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import key_file

    out: Path = arguments.out
    require_folder(out.parent)
    require_free(out)
    key = load_key(arguments.file, arguments.passphrase_file, console)
    passphrase = passphrase_from(arguments.new_passphrase_file, "Passphrase for the new key file", new=True)
    key_file.write_key_file(out, key_file.create(key, passphrase), passphrase)
    _say_created(out, key.public, console)


def _change_passphrase(arguments: argparse.Namespace, console: Console) -> None:
    from desktop.crypto import key_file

    path: Path = arguments.keyfile
    data = key_file.read_key_file(path)
    key_file.read_public(data)
    old = passphrase_from(arguments.passphrase_file, f"Passphrase of {quoted(path)}")
    key_file.open_with_passphrase(data, old)
    new = passphrase_from(arguments.new_passphrase_file, "New passphrase", new=True)
    key_file.write_key_file(path, key_file.change_passphrase(data, old, new), new, replace=True)
    console.warn("The passphrase was changed. Old copies of the key file still open with the old one.")


def read_public_key(path: Path) -> PublicKey:
    """Read a public key given as PEM; raises FileUnreadable or KeyRefused."""
    from desktop.crypto.keys import MAX_PUBLIC_PEM, PublicKey
    from desktop.crypto.safe_write import read_bounded

    try:
        return PublicKey.from_pem(read_bounded(path, MAX_PUBLIC_PEM).decode("ascii"))
    except UnicodeDecodeError:
        raise KeyRefused(f"{path.name} is not a public key in PEM form.") from None
