"""The classic scheme: compatible to the bit with the programs that came before, and not secure.

Every channel value m becomes ``c = m^e mod n`` through one fixed table; the encrypted picture keeps ``c mod 256`` as
pixels and the quotient text keeps ``c div 256``. Whoever offers it says that it protects nothing. Must not import
PySide6 or the network; numpy and Pillow are imported when first used.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from desktop.crypto.classic_keys import MAX_N, ClassicPrivateKey, ClassicPublicKey
from desktop.crypto.classic_pixels import read_planes, write_png
from desktop.crypto.classic_quotients import CHUNK_VALUES, QuotientEncoder, parse_quotients
from desktop.crypto.safe_write import all_or_nothing, new_file, reading_error
from desktop.errors import Cancelled, Damaged, Unsupported, WrongKey
from desktop.models import IsCancelled, Report, never_cancelled, no_report

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from desktop.crypto.classic_pixels import Planes

__all__ = ["ClassicPrivateKey", "ClassicPublicKey", "Encrypted", "decrypt_file", "decrypt_planes", "encrypt_file"]

_EMPTY: Final = 0xFFFFFFFF
_HASH_BITS: Final = (16, 18, 20)
_MULTIPLIERS: Final = tuple((0x9E3779B1 * step & 0xFFFFFFFF) | 1 for step in range(1, 65))
_PROOF_OF_KEY: Final = 16
"""So many different values that decrypt well prove that the key is right, and the rest is damaged."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """What ``encrypt_file`` made.

    Attributes:
        picture: The encrypted picture, a PNG.
        quotient: Its quotient text, needed to decrypt it.
        warnings: What people should know, one sentence each.
    """

    picture: Path
    quotient: Path
    warnings: tuple[str, ...]


def encrypt_file(
    source: Path,
    key: ClassicPublicKey,
    picture: Path,
    quotient: Path,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> Encrypted:
    """Encrypt a picture file into a PNG and its quotient text; both appear, or neither.

    Raises:
        KeyRefused: The key could not restore every picture.
        Unsupported, TooLarge, FileUnreadable: The source cannot be used.
        NameTaken, StorageFull, StorageReadOnly: The results cannot be written.
        Cancelled: The person cancelled.
    """
    warnings = key.check_for_encryption()
    planes = read_planes(source, cancelled)
    with all_or_nothing() as written:
        with new_file(quotient) as quotient_file:
            encrypt_planes(planes, key, quotient_file, report, cancelled)
        written.append(quotient)
        with new_file(picture) as picture_file:
            write_png(picture_file, planes, filtered=False, cancelled=cancelled)
        written.append(picture)
    return Encrypted(picture, quotient, tuple(warnings))


def encrypt_planes(
    planes: Planes,
    key: ClassicPublicKey,
    quotient_file: BinaryIO,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> None:
    """Replace every value of ``planes`` (blue, green, red) by its remainder and write the quotients."""
    import numpy as np

    ciphertexts = key.ciphertexts()
    remainders = np.array([c % 256 for c in ciphertexts], np.uint8)
    encoder = QuotientEncoder([c // 256 for c in ciphertexts])
    values = planes.reshape(-1)
    for start in range(0, len(values), CHUNK_VALUES):
        if cancelled():
            raise Cancelled
        piece = values[start : start + CHUNK_VALUES]
        quotient_file.write(encoder.encode(piece))
        piece[...] = remainders[piece]
        report(start + len(piece), len(values))


def decrypt_file(
    untrusted_picture: Path,
    untrusted_quotient: Path,
    key: ClassicPrivateKey,
    target: Path,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> None:
    """Decrypt a picture and its quotient text into a PNG; nothing is written unless every value fits.

    Raises:
        WrongKey: A value decrypts to more than 255.
        Damaged: The quotient text does not match the picture, or is not one.
        FileUnreadable, TooLarge, NameTaken, StorageFull, StorageReadOnly: Files cannot be read or written.
        Cancelled: The person cancelled.
    """
    try:
        planes = read_planes(untrusted_picture, cancelled)
    except Unsupported:
        raise Damaged(f"{untrusted_picture.name} is not a complete picture, so it cannot be decrypted.") from None
    try:
        with untrusted_quotient.open("rb") as quotient_file:
            decrypt_planes(planes, quotient_file, key, report, cancelled)
    except OSError as problem:
        raise reading_error(problem, untrusted_quotient) from None
    with new_file(target) as file:
        write_png(file, planes, filtered=True, cancelled=cancelled)


def decrypt_planes(
    planes: Planes,
    untrusted_quotients: BinaryIO,
    key: ClassicPrivateKey,
    report: Report = no_report,
    cancelled: IsCancelled = never_cancelled,
) -> None:
    """Replace every value of ``planes`` (blue, green, red) by what it was; raises as ``decrypt_file``."""
    import numpy as np

    table = _DecryptionTable(key)
    values = planes.reshape(-1)
    done = 0
    for quotients in parse_quotients(untrusted_quotients):
        if cancelled():
            raise Cancelled
        if done + len(quotients) > len(values):
            raise Damaged("The quotient text has more values than the picture needs: they are not a pair.")
        piece = values[done : done + len(quotients)]
        piece[...] = table.decrypt((quotients << np.uint64(8)) | piece)
        done += len(quotients)
        report(done, len(values))
    if done != len(values):
        raise Damaged(f"The quotient text has {done} values, the picture needs {len(values)}: they are not a pair.")


class _DecryptionTable:
    """Decrypts through a table of the ciphertexts met so far: a picture has at most 256 different ones.

    The table is a perfect hash: a slot holds one ciphertext and its plaintext. When two ciphertexts meet in one slot,
    another multiplier is tried.
    """

    def __init__(self, key: ClassicPrivateKey) -> None:
        self._key = key
        self._known: dict[int, int] = {}
        self._multiplier = 1
        self._shift = 16
        self._rebuild()

    def decrypt(self, ciphertexts: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
        import numpy as np

        if int(ciphertexts.max(initial=0)) >= MAX_N:
            raise Damaged("The quotient text has a value that no classic key makes, so nothing was decrypted.")
        narrow = ciphertexts.astype(np.uint32)
        slots = self._slots(narrow)
        unknown = self._ciphertexts[slots] != narrow
        if unknown.any():
            self._learn(np.unique(narrow[unknown]))
            slots = self._slots(narrow)
        return self._plaintexts[slots]

    def _slots(self, ciphertexts: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        import numpy as np

        return (ciphertexts * np.uint32(self._multiplier)) >> np.uint32(self._shift)

    def _learn(self, ciphertexts: npt.NDArray[np.uint32]) -> None:
        d, n = self._key.d, self._key.n
        failed = 0
        for c in ciphertexts[: 4 * 256].tolist():
            m = pow(c, d, n) if c < n else 256
            if m > 255:
                failed += 1
            else:
                self._known[c] = m
        if failed or len(self._known) > 256:
            # whether the key or the data is wrong: a key that opened nearly all values is right
            if max(_PROOF_OF_KEY, 8 * failed) <= len(self._known) <= 256:
                raise Damaged("The encrypted picture or its quotient text has changed; nothing was decrypted.")
            raise WrongKey("This is not the classic key of this picture. Nothing was written.")
        self._rebuild()

    def _rebuild(self) -> None:
        import numpy as np

        known = np.fromiter(self._known.keys(), np.uint32, len(self._known))
        for bits, multiplier in itertools.product(_HASH_BITS, _MULTIPLIERS):
            self._shift, self._multiplier = 32 - bits, multiplier
            slots = self._slots(known)
            if len(np.unique(slots)) == len(slots):
                break
        else:
            raise Damaged("The quotient text was made to defeat this program, so nothing was decrypted.")
        self._ciphertexts = np.full(1 << bits, _EMPTY, np.uint32)
        self._plaintexts = np.zeros(1 << bits, np.uint8)
        self._ciphertexts[slots] = known
        self._plaintexts[slots] = np.fromiter(self._known.values(), np.uint8, len(self._known))
