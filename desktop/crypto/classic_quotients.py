"""The quotient text of the classic scheme: every ``c div 256`` in decimal, each followed by one space.

Both directions work on 64 Ki values at a time: the memory stays small, and the calls that hold the interpreter lock
stay short, so that a window in the same process does not stutter. Must not import PySide6 or the network; numpy is
imported when first used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from desktop.errors import Damaged

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

CHUNK_VALUES: Final = 1 << 16
MAX_DIGITS: Final = 7
"""n is at most 2^31, so a quotient is at most 8,388,607."""
_TEXT_CHUNK: Final = 1 << 18
_PAD: Final = 8


class QuotientEncoder:
    """Turns channel values into quotient text through a table of 256 ready-made pieces."""

    def __init__(self, quotients: Sequence[int]) -> None:
        """Build the table.

        Args:
            quotients: For each of the 256 channel values its quotient.
        """
        import numpy as np

        longest = max(len(str(q)) for q in quotients) + 1
        size = 4 if longest <= 4 else 8
        # pieces of equal size, filled up with NUL bytes that are taken out again afterwards
        pieces = b"".join(f"{q} ".encode("ascii").ljust(size, b"\0") for q in quotients)
        self._table: npt.NDArray[Any] = np.frombuffer(pieces, np.dtype(f"<u{size}"))
        self._buffer = np.empty(CHUNK_VALUES, self._table.dtype)

    def encode(self, values: npt.NDArray[np.uint8]) -> bytes:
        """Return the text for at most ``CHUNK_VALUES`` channel values."""
        piece = self._buffer[: len(values)]
        # mode: without it numpy buffers `out` once more; a byte cannot leave a table of 256
        self._table.take(values, out=piece, mode="clip")
        return piece.tobytes().translate(None, b"\0")


def parse_quotients(untrusted_file: BinaryIO) -> Iterator[npt.NDArray[np.uint64]]:
    """Read quotient text strictly and yield its values in pieces.

    Accepted are decimal integers of one to seven digits, one space between two of them, and any white space or none
    at the very end.

    Raises:
        Damaged: Anything else.
    """
    import numpy as np

    rest = b""
    while chunk := untrusted_file.read(_TEXT_CHUNK):
        text = rest + chunk
        end = text.rfind(b" ") + 1
        # white space at the end of the file is cut off below; it may only just have begun here
        if text[end:].strip(b" \r\n\t") == b"":
            end = len(text.rstrip(b" \r\n\t"))
            end = text.rfind(b" ", 0, end) + 1
        rest = text[end:]
        if len(rest) > _TEXT_CHUNK:
            raise _damaged()
        if end:
            yield _parse_complete(text[:end])
    rest = rest.rstrip(b" \r\n\t")
    yield _parse_complete(rest + b" ") if rest else np.empty(0, np.uint64)


def _parse_complete(text: bytes) -> npt.NDArray[np.uint64]:
    """Parse text in which every value is followed by a space."""
    import numpy as np

    raw = np.frombuffer(bytes(_PAD) + text, np.uint8)
    # functions, not operators: under `make fuzz` each comparison operator between arrays loses a reference
    ends = np.flatnonzero(np.equal(raw, ord(" ")))
    lengths = np.diff(ends, prepend=_PAD - 1) - 1
    digits = np.count_nonzero(np.less(raw - np.uint8(ord("0")), 10))
    if digits + len(ends) != len(text) or lengths.min() < 1 or lengths.max() > MAX_DIGITS:
        raise _damaged()
    # the eight bytes before each space as one number; its highest bytes are the value's digits
    windows: npt.NDArray[np.uint64] = np.ndarray((len(raw) - 7,), np.dtype("<u8"), raw, strides=(1,))
    words = windows[ends - _PAD]
    words &= np.uint64(0x0F0F0F0F0F0F0F0F)
    # clear what stands before the value
    unused = ((8 - lengths) * 8).astype(np.uint64)
    words >>= unused
    words <<= unused
    # join digits to pairs, pairs to fours, fours to eights
    words *= np.uint64(2561)
    words >>= np.uint64(8)
    words &= np.uint64(0x00FF00FF00FF00FF)
    words *= np.uint64(6553601)
    words >>= np.uint64(16)
    words &= np.uint64(0x0000FFFF0000FFFF)
    words *= np.uint64(42949672960001)
    words >>= np.uint64(32)
    return words


def _damaged() -> Damaged:
    return Damaged(
        "The quotient text is not the list of numbers that the classic scheme writes; nothing was decrypted."
    )
