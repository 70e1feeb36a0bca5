"""Sealed pictures waiting on this computer to be uploaded: complete, synced ciphertext and nothing else.

One folder per picture holds the carrier, the sealed thumbnail and, written last, the manifest. A folder without a
manifest is the rest of a crash and is removed at the next start; one with a manifest is uploaded, however often it
takes. Must not import PySide6, ``requests`` or ``backend``.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop import errors
from desktop.config import make_private_folder
from desktop.models import Picture

if TYPE_CHECKING:
    from desktop.crypto.sealed import Sealed

log = logging.getLogger(__name__)

CARRIER = "carrier.png"
THUMBNAIL = "thumbnail"
MANIFEST = "manifest.json"
MAX_MANIFEST = 64 * 1024
MAX_THUMBNAIL = 262_144 + 16
_PICTURE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Staged:
    """A sealed picture that waits for its upload.

    Attributes:
        picture: As the gallery will know it.
        thumbnail: JPEG, decrypted, in memory only.
        folder: Where its ciphertext is.
        envelope: The sealed header.
        size: Bytes to be uploaded, about.
        b3: BLAKE3 of the plaintext; never written down.
        carrier_b3: BLAKE3 of the sealed PNG as it was written, to notice a disk that gives back something else.
    """

    picture: Picture
    thumbnail: bytes
    folder: Path
    envelope: str
    size: int
    b3: str
    carrier_b3: str

    @property
    def carrier(self) -> Path:
        """The sealed PNG."""
        return self.folder / CARRIER

    @property
    def waiting(self) -> Waiting:
        """What is needed to send it."""
        return Waiting(self.picture.id, self.folder, self.envelope, self.carrier_b3)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the disk says of a complete staged picture; the envelope has not been verified yet."""

    picture_id: str
    folder: Path
    untrusted_envelope: str
    carrier_b3: str


class Staging:
    """The staging folder of one place. Only one process may use it at a time."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or created yet."""
        self.folder = folder

    def begin(self, picture_id: str) -> Path:
        """Make the folder for one picture.

        Raises:
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be made.
        """
        make_private_folder(self.folder)
        folder = self._of(picture_id)
        make_private_folder(folder)
        return folder

    def complete(self, sealed: Sealed, carrier_b3: str) -> Path:
        """Write thumbnail and manifest beside the synced carrier; from now on it counts.

        Raises:
            StorageFull, StorageReadOnly, FileUnreadable: It cannot be written.
        """
        from desktop.crypto.safe_write import new_file, sync_folder

        folder = self._of(sealed.picture_id)
        with new_file(folder / THUMBNAIL) as file:
            file.write(sealed.thumbnail)
        sync_folder(self.folder)
        manifest = {
            "format": 1,
            "picture_id": sealed.picture_id,
            "header_hash": sealed.header_hash,
            "carrier_size": sealed.carrier_size,
            "carrier_b3": carrier_b3,
            "thumbnail_size": len(sealed.thumbnail),
            "envelope": sealed.envelope,
        }
        with new_file(folder / MANIFEST) as file:
            file.write(json.dumps(manifest).encode("ascii"))
        return folder

    def remove(self, picture_id: str) -> None:
        """Remove a picture's folder, the manifest first, so that what a crash leaves is never taken for complete."""
        folder = self._of(picture_id)
        try:
            (folder / MANIFEST).unlink(missing_ok=True)
        except OSError as problem:
            if folder.exists():
                log.warning("a staged picture cannot be removed: %s", problem.strerror)
                return
        shutil.rmtree(folder, ignore_errors=True)

    def clean(self) -> int:
        """Remove what is incomplete and return how many there were; called at start, before anything is sealed."""
        removed = 0
        for folder in self._folders():
            if not (folder / MANIFEST).exists():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def waiting(self) -> list[Waiting]:
        """Return the complete pictures in the order they were sealed; what does not fit together is left out."""
        found: list[tuple[float, Waiting]] = []
        for folder in self._folders():
            try:
                found.append((self._changed(folder), self._read(folder)))
            except FileNotFoundError:
                continue
            except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
                log.warning("a staged picture is left alone: %s", error)
        return [item for _, item in sorted(found, key=lambda pair: (pair[0], pair[1].picture_id))]

    # -- inside ---------------------------------------------------------------------------------------------------

    def _of(self, picture_id: str) -> Path:
        if not _PICTURE_ID.fullmatch(picture_id):
            raise errors.WrongPicture(details="picture id")
        return self.folder / picture_id

    def _folders(self) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(self.folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            if _PICTURE_ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)

    @staticmethod
    def _changed(folder: Path) -> float:
        return (folder / MANIFEST).stat().st_mtime

    @staticmethod
    def _read(folder: Path) -> Waiting:
        from desktop.crypto.safe_write import open_own

        with open_own(folder / MANIFEST) as file:
            manifest: Any = json.loads(file.read(MAX_MANIFEST))
        envelope, carrier_b3 = manifest["envelope"], manifest["carrier_b3"]
        if not isinstance(envelope, str) or not isinstance(carrier_b3, str):
            raise TypeError("its manifest is not one")
        if manifest["format"] != 1 or manifest["picture_id"] != folder.name:
            raise ValueError("its manifest is not its own")
        if (folder / CARRIER).stat().st_size != manifest["carrier_size"]:
            raise ValueError("its carrier has another size")
        if (folder / THUMBNAIL).stat().st_size != manifest["thumbnail_size"]:
            raise ValueError("its thumbnail has another size")
        return Waiting(folder.name, folder, envelope, carrier_b3)
