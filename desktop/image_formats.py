"""Which picture files Glassine takes, told by their content, and the thumbnails made of them.

A format is one entry of :data:`FORMATS`; a new one is added there. Every file is bad input until proven otherwise:
whatever a decoder raises becomes an error of ``desktop.errors`` in plain words. Pillow is imported when first needed.
Must not import PySide6 or anything of the project but ``desktop.errors``.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from desktop import errors

if TYPE_CHECKING:
    from PIL import Image

MAX_FILE_BYTES = 750_000_000
"""Largest picture file that is sealed (FORMAT.md: payload size)."""
MAX_PIXELS = 250_000_000
"""Largest picture that is decoded for its thumbnail: 250 megapixels, 750 MB as RGB."""
THUMBNAIL_SIDE = 512
"""Longest side of a thumbnail in pixels."""
THUMBNAIL_QUALITY = 80
WHITE = (255, 255, 255)
DARK_GROUND = (58, 58, 61)
HEAD_BYTES = 64
"""How much of a file's start :func:`detect_bytes` wants to see."""

_EXIF_IFD = 0x8769
_ORIENTATION = 0x0112
_DATE_TIME_ORIGINAL = 0x9003
_DATE_TIME_DIGITIZED = 0x9004


class ImageFormat(Protocol):
    """A picture format: how to recognise it and how Pillow and people call it."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def media_type(self) -> str: ...

    @property
    def extension(self) -> str:
        """Usual file name extension, with the dot."""
        ...

    @property
    def decoder(self) -> str:
        """Pillow's name of its decoder; no other decoder is given the file."""
        ...

    def matches(self, head: bytes) -> bool:
        """Whether a file that starts with ``head`` (up to :data:`HEAD_BYTES`) is of this format."""
        ...


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    media_type: str
    extension: str
    decoder: str
    signatures: tuple[bytes, ...]
    at_8: bytes = b""

    def matches(self, head: bytes) -> bool:
        return head.startswith(self.signatures) and head[8 : 8 + len(self.at_8)] == self.at_8


JPEG = _Format("JPEG", "image/jpeg", ".jpg", "JPEG", (b"\xff\xd8\xff",))

FORMATS: tuple[ImageFormat, ...] = (
    _Format("PNG", "image/png", ".png", "PNG", (b"\x89PNG\r\n\x1a\n",)),
    JPEG,
    _Format("WebP", "image/webp", ".webp", "WEBP", (b"RIFF",), at_8=b"WEBP"),
    _Format("GIF", "image/gif", ".gif", "GIF", (b"GIF87a", b"GIF89a")),
    _Format("TIFF", "image/tiff", ".tif", "TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    _Format("BMP", "image/bmp", ".bmp", "BMP", (b"BM",)),
)
"""All formats Glassine takes, in the order they are tried."""

NAMES = ", ".join(known.name for known in FORMATS[:-1]) + f" and {FORMATS[-1].name}"

_OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypheic", "This is a HEIC picture"),
    (4, b"ftypheix", "This is a HEIC picture"),
    (4, b"ftypmif1", "This is a HEIF picture"),
    (4, b"ftypavif", "This is an AVIF picture"),
    (4, b"ftyp", "This is a video"),
    (0, b"%PDF", "This is a PDF document"),
    (0, b"PK\x03\x04", "This is a ZIP archive or an office document"),
    (0, b"8BPS", "This is a Photoshop document"),
    (0, b"<svg", "This is an SVG drawing"),
)


class ImageInfo(NamedTuple):
    """What a picture file says about itself.

    Attributes:
        media_type: Such as ``image/jpeg``, by content.
        width: Pixels, after the orientation is applied.
        height: Pixels, after the orientation is applied.
        taken: ``YYYY-MM-DDTHH:MM:SS`` in the camera's local time, or empty.
    """

    media_type: str
    width: int
    height: int
    taken: str


def detect_bytes(head: bytes) -> ImageFormat:
    """Return the format of a file that starts with ``head``.

    Raises:
        Unsupported: None of :data:`FORMATS`; the message says what it is, as far as one can tell.
    """
    for known in FORMATS:
        if known.matches(head):
            return known
    raise errors.Unsupported(f"{_what_else(head)}. Glassine takes {NAMES}.")


def detect(path: Path) -> ImageFormat:
    """Return the format of a file, by its content; its name does not matter.

    Raises:
        Unsupported: Not a picture that Glassine takes.
        FileUnreadable: It cannot be read.
    """
    with _opened(path) as file:
        return detect_bytes(file.read(HEAD_BYTES))


def read_info(path: Path) -> ImageInfo:
    """Read type, dimensions and time of a picture file without decoding it.

    Raises:
        Unsupported: Not a picture that Glassine takes, or its header is broken.
        TooLarge: More than :data:`MAX_PIXELS`.
        FileUnreadable: It cannot be read.
    """
    with _opened(path) as file:
        return _info(file)


def _info(file: BinaryIO) -> ImageInfo:
    known = detect_bytes(file.read(HEAD_BYTES))
    with _decoding(known):
        image = _open_image(file, known)
        exif = exif_of(image)
        width, height = image.size
        if _orientation(image, exif) >= 5:
            width, height = height, width
        return ImageInfo(known.media_type, width, height, taken_of(exif))


def make_thumbnail(path: Path) -> bytes:
    """Decode a picture file and return it as a JPEG of at most :data:`THUMBNAIL_SIDE` pixels a side.

    The first frame counts, the orientation is applied, transparency is laid on white or dark grey. Decoding the whole
    picture also proves that the file is complete.

    Raises:
        Unsupported: Not a picture that Glassine takes, or a broken or truncated one.
        TooLarge: More than :data:`MAX_PIXELS`, or more than memory holds.
        FileUnreadable: It cannot be read.
    """
    with _opened(path) as file:
        return _thumbnail(file)


def make_thumbnail_of(data: bytes | bytearray) -> bytes:
    """Return the thumbnail of a picture in memory; as :func:`make_thumbnail`."""
    return _thumbnail(io.BytesIO(data))


def read_info_of(data: bytes | bytearray) -> ImageInfo:
    """Read type, dimensions and time of a picture in memory; as :func:`read_info`."""
    return _info(io.BytesIO(data))


def _thumbnail(file: BinaryIO) -> bytes:
    known = detect_bytes(file.read(HEAD_BYTES))
    with _decoding(known):
        image = _open_image(file, known)
        orientation = _orientation(image, exif_of(image))
        side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        image.draft("RGB", side)  # a JPEG is then decoded at a fraction of its size
        small = _eight_bit(image)
        small.thumbnail(side, reducing_gap=2.0)
        target = io.BytesIO()
        _turned(_opaque(small), orientation).save(target, "JPEG", quality=THUMBNAIL_QUALITY)
        return target.getvalue()


def check_thumbnail(untrusted_jpeg: bytes) -> None:
    """Refuse a decrypted thumbnail that is no JPEG of at most :data:`THUMBNAIL_SIDE` pixels a side; decodes nothing.

    Raises:
        Damaged: It is something else.
    """
    if not JPEG.matches(untrusted_jpeg[:HEAD_BYTES]):
        raise errors.Damaged("The thumbnail is not one that Glassine made.")
    try:
        with _decoding(JPEG):
            size = _open_image(io.BytesIO(untrusted_jpeg), JPEG).size
    except errors.GlassineError as error:
        raise errors.Damaged("The thumbnail is not one that Glassine made.", details=error.message) from error
    if max(size) > THUMBNAIL_SIDE:
        raise errors.Damaged("The thumbnail is larger than Glassine makes them.")


@contextmanager
def opened_image(data: bytes) -> Iterator[Image.Image]:
    """Open a picture in memory, within the limits and errors of this module; it is decoded when its pixels are used."""
    known = detect_bytes(data[:HEAD_BYTES])
    with _decoding(known), _open_image(io.BytesIO(data), known) as image:
        yield image


# -- files and decoders -------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        try:
            yield file
        except OSError as error:
            raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> errors.FileUnreadable:
    reason = error.strerror or "it cannot be read"
    return errors.FileUnreadable(f"The file “{path.name}” cannot be read: {reason}.", details=str(error))


@contextmanager
def _decoding(known: ImageFormat) -> Iterator[None]:
    """Convert whatever Pillow raises; decoders raise nearly anything on bad input."""
    from PIL import Image

    try:
        yield
    except errors.GlassineError:
        raise
    except Image.DecompressionBombError as error:
        limit = MAX_PIXELS // 1_000_000
        message = f"The picture says it has more than {limit} megapixels, which is the most Glassine takes."
        raise errors.TooLarge(message, details=str(error)) from error
    except MemoryError as error:
        raise errors.TooLarge("The picture has too many pixels to be opened on this computer.") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
        reason = "ends too early; it was not copied completely" if cut else "is broken and cannot be decoded"
        raise errors.Unsupported(
            f"This {known.name} file {reason}.", details=f"{type(error).__name__}: {error}"
        ) from error


def _open_image(file: BinaryIO, known: ImageFormat) -> Image.Image:
    from PIL import Image

    # Pillow warns about odd metadata and large pictures; both are handled here. The filter is set at each call
    # because whoever runs us may have replaced the list of filters since.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    file.seek(0)
    image = Image.open(file, formats=[known.decoder])
    width, height = image.size
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise errors.TooLarge(f"The picture says it is {width} × {height} pixels; Glassine takes {limit} megapixels.")
    if width < 1 or height < 1:
        raise errors.Unsupported(f"This {known.name} file says it has no pixels.")
    return image


def _what_else(head: bytes) -> str:
    if not head:
        return "The file is empty"
    for offset, signature, words in _OTHER_KINDS:
        if head[offset:].startswith(signature):
            return words
    if not head.strip(b"\0"):
        return "The file holds only zeros"
    if all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in head):
        return "This is a text file, not a picture"
    return "This is not a picture"


# -- metadata -----------------------------------------------------------------------------------------------------


def exif_of(image: Image.Image) -> Image.Exif | None:
    """Return what a picture's file says in Exif; None for nothing, or nothing that Pillow can read."""
    if image.format == "PNG" and "exif" not in image.info:
        return None  # Pillow would decode the whole picture to look behind its pixels
    try:
        return image.getexif()
    except Exception:  # odd metadata does not make a picture unusable
        return None


def _orientation(image: Image.Image, exif: Image.Exif | None) -> int:
    """Return what is left to be applied; for TIFF Pillow applies it by itself, to the size at once."""
    value = exif.get(_ORIENTATION, 1) if exif is not None and image.format != "TIFF" else 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def taken_of(exif: Image.Exif | None) -> str:
    """Return when a photograph was taken, as :class:`ImageInfo` has it."""
    if exif is None:
        return ""
    try:
        details = exif.get_ifd(_EXIF_IFD)
    except Exception:  # odd metadata does not make a picture unusable
        return ""
    for tag in (_DATE_TIME_ORIGINAL, _DATE_TIME_DIGITIZED):
        text = str(details.get(tag, "")).strip("\0 ")
        try:
            # the camera's clock: it has no time zone
            return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007
        except ValueError:
            continue
    return ""


# -- pixels -------------------------------------------------------------------------------------------------------


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture in a mode with 8 bits a channel that can be scaled smoothly."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        wide = image.convert("F")
        low, high = wide.getextrema()
        if image.mode.startswith("I;16") or (image.mode == "I" and 0 <= low <= high <= 65535):  # type: ignore[operator]
            low, high = 0.0, 65535.0
        scale = 255.0 / (high - low) if high > low else 1.0  # type: ignore[operator]
        return wide.point(lambda value: value * scale + -low * scale).convert("L")  # type: ignore[operator]
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode not in {"RGB", "L"}:
        return image.convert("RGB")
    image.load()
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """Lay a transparent picture on white, or on dark grey when all that can be seen of it is light itself."""
    from PIL import Image, ImageStat

    if image.mode != "RGBA":
        return image.convert("RGB")
    alpha = image.getchannel("A")
    seen = alpha.point(lambda value: 255 if value > 32 else 0)
    transparent = alpha.getextrema()[0] < 224  # type: ignore[operator]
    light = transparent and seen.getbbox() is not None and ImageStat.Stat(image.convert("L"), seen).mean[0] > 216
    ground = Image.new("RGB", image.size, DARK_GROUND if light else WHITE)
    ground.paste(image, mask=alpha)
    return ground


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    from PIL.Image import Transpose

    how = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if how is None else image.transpose(how)
