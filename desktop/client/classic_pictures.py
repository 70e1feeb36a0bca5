"""Opening pictures of the classic scheme, for accounts that have a classic key pair. Nothing about it is secure.

The decrypted picture stays in memory; only noise is written to a temporary file of our own. Must not import PySide6,
``requests`` or ``backend``.
"""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from desktop import errors
from desktop.config import make_private_folder
from desktop.image_formats import MAX_FILE_BYTES
from desktop.models import IsCancelled, Picture, Report

if TYPE_CHECKING:
    from desktop.client.api import Api
    from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey

_PIECE = 1 << 18


def belongs(key: ClassicPrivateKey, public: ClassicPublicKey) -> bool:
    """Whether a private key undoes what the public key does."""
    return key.n == public.n and all(
        pow(pow(m, public.e, public.n), key.d, key.n) == m for m in range(2, min(public.n, 256))
    )


def open_picture(
    api: Api, picture: Picture, key: ClassicPrivateKey, folder: Path, report: Report, cancelled: IsCancelled
) -> bytearray:
    """Fetch and decrypt a classic picture; returns a PNG.

    Args:
        api: Signed in.
        picture: A classic picture.
        key: The account's classic private key.
        folder: For the encrypted temporary file.
        report: Values decrypted and in all.
        cancelled: Asked between pieces.

    Raises:
        WrongKey: It is not the key that the picture was encrypted for.
        Damaged: Picture and quotient text do not fit together.
        TooLarge: It is larger than Glassine opens.
    """
    from desktop.crypto.classic import decrypt_planes
    from desktop.crypto.classic_pixels import read_planes, write_png
    from desktop.crypto.safe_write import remove_stale, temporary_name

    make_private_folder(folder)
    remove_stale(folder)
    noise = temporary_name(folder / "classic")
    try:
        with api.content(picture.owner_id, picture.stored_name, cancelled) as untrusted:
            _save(untrusted, noise, cancelled)
        try:
            planes = read_planes(noise, cancelled)
        except errors.Unsupported as error:
            raise errors.Damaged("What is stored is not a complete picture.") from error
    finally:
        with suppress(OSError):
            noise.unlink(missing_ok=True)
    with api.quotient(picture.owner_id, picture.stored_name, cancelled) as untrusted:
        decrypt_planes(planes, untrusted, key, report, cancelled)
    whole = io.BytesIO()
    write_png(whole, planes, filtered=True, cancelled=cancelled)
    return bytearray(whole.getbuffer())


def _save(untrusted: BinaryIO, target: Path, cancelled: IsCancelled) -> None:
    from desktop.crypto.safe_write import writing_error

    done = 0
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while piece := untrusted.read(_PIECE):
                if cancelled():
                    raise errors.Cancelled
                done += len(piece)
                if done > MAX_FILE_BYTES:
                    raise errors.TooLarge
                file.write(piece)
    except OSError as problem:
        raise writing_error(problem, target) from problem
