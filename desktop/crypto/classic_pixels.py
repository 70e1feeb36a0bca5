"""Pictures as the classic scheme sees them: 8 bits, three channels, in the order blue, green, red.

Reading follows OpenCV's ``imread`` default, which the original used: alpha is dropped (not blended), grey and palette
become three channels, 16 bits become 8 by dropping the low byte, EXIF orientation is applied. Must not import PySide6
or the network; numpy and Pillow are imported when first used.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from desktop.crypto.safe_write import reading_error
from desktop.errors import Cancelled, TooLarge, Unsupported
from desktop.models import IsCancelled, never_cancelled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    Planes = npt.NDArray[np.uint8]
    """Shape (3, height, width): the blue, green and red plane."""

MAX_PIXELS: Final = 80_000_000
"""80 megapixels; their quotient text takes up to 1.9 GB."""
FORMATS: Final = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_STRIP_PIXELS: Final = 1 << 18
_ORIENTATION_TAG: Final = 0x0112


def read_planes(untrusted_path: Path, cancelled: IsCancelled = never_cancelled) -> Planes:
    """Read a picture file into its blue, green and red plane, each height x width.

    Raises:
        FileUnreadable: The file cannot be read.
        Unsupported: It is not a picture, or one that is not complete.
        TooLarge: It has more than ``MAX_PIXELS`` pixels; nothing was decoded.
    """
    import PIL.Image
    import PIL.TiffImagePlugin
    import PIL.WebPImagePlugin  # Pillow itself loads these two only after the first failure

    try:
        with untrusted_path.open("rb") as file, PIL.Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise _too_large(f"{width} x {height}")
            image.load()
            return _planes_of(_oriented(image), cancelled)
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        # Pillow's own limits are above ours; where warnings are errors, this one comes first
        raise _too_large("too many") from None
    except PIL.UnidentifiedImageError:
        raise Unsupported(f"{untrusted_path.name} is not a picture that Glassine can open.") from None
    except OSError as problem:
        if problem.errno is not None:
            raise reading_error(problem, untrusted_path) from None
        raise _incomplete(untrusted_path) from None
    except (ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error):
        # what Pillow's decoders raise for malformed files
        raise _incomplete(untrusted_path) from None


def _too_large(what: str) -> TooLarge:
    return TooLarge(
        f"The picture has {what} pixels; the classic scheme takes {MAX_PIXELS // 10**6} megapixels at most."
    )


def _incomplete(path: Path) -> Unsupported:
    return Unsupported(f"{path.name} is not a complete picture and cannot be read.")


def _oriented(image: Image) -> Image:
    """Apply the EXIF orientation (and, unlike Pillow's own helper, no orientation from XMP)."""
    import PIL.Image

    raw = image.info.get("exif")
    if not isinstance(raw, bytes):
        return image  # TIFF files are turned by Pillow itself
    exif = PIL.Image.Exif()
    try:
        exif.load(raw)
        orientation = exif.get(_ORIENTATION_TAG)
    except Exception:
        return image  # a malformed EXIF block turns nothing
    turns = {
        2: PIL.Image.Transpose.FLIP_LEFT_RIGHT,
        3: PIL.Image.Transpose.ROTATE_180,
        4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
        5: PIL.Image.Transpose.TRANSPOSE,
        6: PIL.Image.Transpose.ROTATE_270,
        7: PIL.Image.Transpose.TRANSVERSE,
        8: PIL.Image.Transpose.ROTATE_90,
    }
    turn = turns.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _planes_of(image: Image, cancelled: IsCancelled) -> Planes:
    """Take a decoded picture apart, strip by strip so that no second whole copy exists."""
    import numpy as np

    width, height = image.size
    planes = np.empty((3, height, width), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        if cancelled():
            raise Cancelled
        strip = image.crop((0, top, width, min(top + rows, height)))
        planes[:, top : top + rows] = _strip_planes(strip)
    return planes


def _strip_planes(strip: Image) -> Planes:
    import numpy as np

    if strip.mode.startswith("I"):  # grey of 16 bits, in one of several byte orders
        grey = np.asarray(strip).astype(np.uint32) >> 8
        return np.broadcast_to(grey.clip(0, 255).astype(np.uint8), (3, *grey.shape))
    if strip.mode == "F":
        raise Unsupported("Pictures with floating-point colours cannot be encrypted in the classic scheme.")
    if strip.mode in ("LA", "La"):
        strip = strip.getchannel("L")  # convert() would do the same; said explicitly: alpha is dropped
    if strip.mode in ("PA", "P") and strip.palette is not None:
        strip = strip.convert("RGBA")  # the palette's colour, then without its transparency
    if strip.mode == "RGBA":
        colours = np.asarray(strip)[..., :3]
    else:
        colours = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    return np.moveaxis(colours[..., ::-1], -1, 0)


class PngWriter:
    """Writes an 8-bit RGB PNG row strip by row strip, in the memory of one strip (PNG, third edition)."""

    def __init__(self, file: BinaryIO, width: int, height: int, *, filtered: bool) -> None:
        """Write the header.

        Args:
            file: Where to write.
            width: Pixels.
            height: Pixels.
            filtered: Whether rows are stored as differences to the row above: smaller for photographs, of no use for
                encrypted ones.
        """
        self._file = file
        self._width = width
        self._filtered = filtered
        self._above: Planes | None = None
        # level 1 with run lengths: OpenCV's own choice, and what fits the time of a person waiting
        self._deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE if filtered else zlib.Z_DEFAULT_STRATEGY)
        file.write(PNG_SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))

    def write_rows(self, planes: Planes) -> None:
        """Append rows given as blue, green and red planes, shape (3, rows, width)."""
        import numpy as np

        rows = planes.shape[1]
        lines = np.empty((rows, 1 + 3 * self._width), np.uint8)
        lines[:, 0] = 2 if self._filtered else 0
        pixels = lines[:, 1:].reshape(rows, self._width, 3)
        current = np.moveaxis(planes[::-1], 0, -1)
        if self._filtered:
            above = np.zeros((1, self._width, 3), np.uint8) if self._above is None else self._above
            np.subtract(current[:1], above, out=pixels[:1])
            np.subtract(current[1:], current[:-1], out=pixels[1:])
            self._above = current[-1:].copy()
        else:
            pixels[...] = current
        self._chunk(b"IDAT", self._deflate.compress(lines.reshape(-1).data))

    def close(self) -> None:
        """Write what is left and the end mark; the file itself stays open."""
        self._chunk(b"IDAT", self._deflate.flush())
        self._chunk(b"IEND", b"", always=True)

    def _chunk(self, kind: bytes, data: bytes, *, always: bool = False) -> None:
        if data or always:
            crc = zlib.crc32(data, zlib.crc32(kind))
            self._file.write(len(data).to_bytes(4) + kind)
            self._file.write(data)
            self._file.write(crc.to_bytes(4))


def write_png(file: BinaryIO, planes: Planes, *, filtered: bool, cancelled: IsCancelled = never_cancelled) -> None:
    """Write blue, green and red planes as an RGB PNG."""
    _, height, width = planes.shape
    writer = PngWriter(file, width, height, filtered=filtered)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        if cancelled():
            raise Cancelled
        writer.write_rows(planes[:, top : top + rows])
    writer.close()
