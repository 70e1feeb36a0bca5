"""`glassine upload`, `glassine list` and `glassine download`: a vault on this computer, or an account on a server.

Must not import PySide6; network and crypto are imported when a command runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.cli_account import add_account, opened_vault
from desktop.cli_console import (
    EXIT_DAMAGED,
    GRAVITY,
    Console,
    UsageError,
    add_command,
    passphrase_from,
    quoted,
    require_folder,
    require_no_folder,
)
from desktop.cli_keys import add_json
from desktop.errors import AlreadyStored, GlassineError, NotFound

if TYPE_CHECKING:
    from desktop.client.vault import Vault
    from desktop.models import Picture


def add_commands(commands: Any) -> None:
    """Add `upload`, `list` and `download` to the parser."""
    upload = add_command(commands, "upload", "encrypt pictures and store them")
    upload.add_argument("files", metavar="FILE", type=Path, nargs="+", help="a picture file")
    upload.set_defaults(work=_upload)

    list_ = add_command(commands, "list", "list the pictures of a vault or an account")
    list_.add_argument("--bin", action="store_true", help="list what is in the bin instead")
    list_.set_defaults(work=_list)

    download = add_command(commands, "download", "fetch pictures and decrypt them")
    download.add_argument("pictures", metavar="PICTURE", nargs="+", help="a picture's id, or its name")
    download.add_argument("--to", metavar="DIR", type=Path, required=True, help="an existing folder for the pictures")
    download.set_defaults(work=_download)

    for parser in (upload, list_, download):
        parser.add_argument("--vault", metavar="DIR", type=Path, help="a vault on this computer instead of a server")
        add_account(parser)
        add_json(parser)


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[Vault]:
    """Open the vault that the options name; it is closed when the block ends."""
    if arguments.vault is None:
        with opened_vault(arguments) as vault:
            yield vault
        return
    if arguments.server or arguments.user or arguments.password_file:
        raise UsageError("Give either --vault, or --server, --user and --password-file.")
    from desktop import embedded
    from desktop.client.session import Sessions
    from desktop.config import Config

    folder = arguments.vault.absolute()
    require_folder(folder)
    passphrase = passphrase_from(arguments.passphrase_file, f"Passphrase of {quoted(arguments.vault)}")
    session = Sessions(Config(), embedded.start).open_vault(folder, passphrase)
    try:
        yield session.vault()
    finally:
        session.close()


def _upload(arguments: argparse.Namespace, console: Console) -> None:
    with _opened(arguments) as vault:
        for staged in vault.staged():
            try:
                picture = vault.upload(staged)
            except GlassineError as error:  # one that is not taken must not be in the way of the others for ever
                console.fail(error, Path(staged.picture.name))
            else:
                console.warn(f"{picture.name} had been encrypted by an earlier run and is stored now.")
        for path in arguments.files:
            try:
                _upload_one(vault, path, console)
            except GlassineError as error:
                console.fail(error, path)


def _upload_one(vault: Vault, path: Path, console: Console) -> None:
    require_no_folder(path)
    try:
        picture, status = vault.upload(vault.seal(path)), "stored"
        said = f"{path.name} is stored as {picture.id}"
    except AlreadyStored as error:
        if error.in_bin:
            picture, status = vault.restore(error.picture_id), "restored"
            said = f"{path.name} was in the bin and is back as {picture.id}"
        else:
            record = {"file": str(path), "picture_id": error.picture_id, "status": "already-stored"}
            console.result(f"{path.name} is there already as {error.picture_id}", record)
            return
    console.result(said, {"file": str(path), "picture_id": picture.id, "status": status})


def _list(arguments: argparse.Namespace, console: Console) -> None:
    with _opened(arguments) as vault:
        pictures = vault.list_bin() if arguments.bin else vault.list_pictures()
        for picture in pictures:
            console.result(_line(picture), _record(picture))
        for picture in pictures:
            if picture.state.value in ("refused", "missing"):
                console.warn(f"{picture.name} ({picture.id}): {picture.problem} ({picture.problem_code})")
                console.worst = max(console.worst, EXIT_DAMAGED, key=GRAVITY.index)
        if not arguments.bin:
            _say_what_is_new(vault, console)


def _say_what_is_new(vault: Vault, console: Console) -> None:
    trust = vault.trust()
    if trust.new_device:
        newest = f"is of {trust.ledger_time:%Y-%m-%d %H:%M} UTC" if trust.ledger_time else "is not there"
        console.warn(
            f"This computer had no memory of these pictures. The newest list the server offers {newest}. "
            "Had it offered an older one, nobody could tell."
        )
    if trust.ledger_problem:
        console.warn(f"What other computers remember could not be taken over ({trust.ledger_problem}).")
        console.worst = max(console.worst, EXIT_DAMAGED, key=GRAVITY.index)


def _line(picture: Picture) -> str:
    state = "" if picture.state.value == "ready" else f"  [{picture.state.value}]"
    return f"{picture.id}  {picture.when:%Y-%m-%d %H:%M}  {picture.size:>10}  {picture.name}{state}"


def _record(picture: Picture) -> dict[str, Any]:
    return {
        "id": picture.id,
        "name": picture.name,
        "type": picture.media_type,
        "size": picture.size,
        "width": picture.width,
        "height": picture.height,
        "taken": picture.taken.isoformat() if picture.taken else None,
        "added": picture.added.isoformat(),
        "deleted": picture.deleted.isoformat() if picture.deleted else None,
        "scheme": picture.scheme.value,
        "state": picture.state.value,
        "code": picture.problem_code or None,
    }


def _download(arguments: argparse.Namespace, console: Console) -> None:
    require_folder(arguments.to)
    with _opened(arguments) as vault:
        pictures = vault.list_pictures()
        for wanted in arguments.pictures:
            try:
                picture = _find(pictures, wanted)
                path = vault.export(picture.id, arguments.to)
            except GlassineError as error:
                console.fail(error, Path(wanted))
            else:
                record = {"picture_id": picture.id, "file": str(path), "size": path.stat().st_size}
                console.result(f"{picture.name} is in {quoted(path)}", record)


def _find(pictures: Sequence[Picture], wanted: str) -> Picture:
    by_id = [picture for picture in pictures if picture.id == wanted]
    found = by_id or [picture for picture in pictures if picture.name == wanted]
    if not found:
        raise NotFound("There is no picture of this name or id.")
    if len(found) > 1:
        ids = ", ".join(picture.id for picture in found)
        raise UsageError(f"{len(found)} pictures have this name. Say which by its id: {ids}.")
    return found[0]
