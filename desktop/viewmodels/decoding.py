"""Decoding of pictures in worker threads. Must not import widgets.

Only ``QImageReader.read`` is used for the heavy part: unlike ``QImage.fromData``, ``scaled`` and ``convertToFormat`` it
releases the interpreter lock, so the window stays quick meanwhile. These functions make ``QImage``, never ``QPixmap``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSize
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader

from desktop import image_formats
from desktop.errors import Cancelled, Damaged, GlassineError, TooLarge

ALLOCATION_LIMIT_MB = 1280
"""Qt's own limit of 256 MB would refuse pictures above 64 megapixels; 250 megapixels need 1,000 MB."""

MAX_PIXELS = 80_000_000
"""The largest image kept decoded (320 MB). Larger pictures are shown with fewer pixels than they have."""

_BAND_ROWS = 128

_PAINTABLE = (QImage.Format.Format_RGB32, QImage.Format.Format_ARGB32_Premultiplied)

_QUARTER_TURN = QImageIOHandler.Transformation.TransformationRotate90


def decode_tile(jpeg: bytes, side: int) -> QImage:
    """Decode the middle square of a thumbnail to ``side`` by ``side`` pixels.

    Raises:
        Damaged: The bytes are not a picture.
    """
    with _thumbnail_reader(jpeg) as reader:
        size = reader.size()
        short = min(size.width(), size.height())
        reader.setClipRect(QRect((size.width() - short) // 2, (size.height() - short) // 2, short, short))
        reader.setScaledSize(QSize(side, side))
        image = reader.read()
        if image.isNull():
            raise Damaged(details=f"thumbnail: {reader.errorString()}")
    return _paintable(image, lambda: False)


def decode_preview(jpeg: bytes) -> QImage:
    """Decode a whole thumbnail.

    Raises:
        Damaged: The bytes are not a picture.
    """
    with _thumbnail_reader(jpeg) as reader:
        image = reader.read()
        if image.isNull():
            raise Damaged(details=f"thumbnail: {reader.errorString()}")
    return _paintable(image, lambda: False)


def decode_picture(data: bytearray, bounds: QSize, cancelled: Callable[[], bool]) -> tuple[QImage, QSize]:
    """Decode a picture, upright, no larger than ``bounds`` (an empty size: as large as sensible).

    Returns:
        The image, ready to paint, and the picture's own size after orientation.

    Raises:
        Unsupported: It is of none of the formats that Glassine takes; no decoder has seen it.
        TooLarge: It has more pixels than Glassine takes.
        Damaged: The decoder makes no picture of these bytes.
        Cancelled: ``cancelled()`` answered True.
    """
    QImageReader.setAllocationLimit(ALLOCATION_LIMIT_MB)
    known = image_formats.detect_bytes(bytes(data[: image_formats.HEAD_BYTES]))
    with _reader(data, known.decoder.lower()) as reader:
        reader.setAutoTransform(True)
        stored = reader.size()
        turned = bool(reader.transformation() & _QUARTER_TURN)
        full = stored.transposed() if turned else stored
        target = fit_within(full, bounds)
        if target != full:
            reader.setScaledSize(target.transposed() if turned else target)
        image = reader.read()
        problem = reader.errorString()
    if image.isNull():
        return _with_pillow(data, known.decoder, bounds, problem, cancelled)
    if not full.isValid():
        full = image.size()
    return _paintable(image, cancelled), full


def fit_within(full: QSize, bounds: QSize) -> QSize:
    """The size of a picture of size ``full`` decoded for ``bounds``: never enlarged, never above ``MAX_PIXELS``."""
    if not full.isValid():
        return full
    target = QSize(full)
    if bounds.isValid() and not bounds.isEmpty() and (full.width() > bounds.width() or full.height() > bounds.height()):
        ratio = min(bounds.width() / full.width(), bounds.height() / full.height())
        target = QSize(max(1, round(full.width() * ratio)), max(1, round(full.height() * ratio)))
    pixels = target.width() * target.height()
    if pixels > MAX_PIXELS:
        ratio = (MAX_PIXELS / pixels) ** 0.5
        target = QSize(max(1, int(target.width() * ratio)), max(1, int(target.height() * ratio)))
    return target


@contextmanager
def _thumbnail_reader(untrusted_jpeg: bytes) -> Iterator[QImageReader]:
    """A reader of a thumbnail: a JPEG of few pixels; raises Damaged before anything is decoded."""
    with _reader(untrusted_jpeg, "jpeg") as reader:
        size = reader.size()
        if not size.isValid() or max(size.width(), size.height()) > image_formats.THUMBNAIL_SIDE:
            raise Damaged(details=f"thumbnail: {reader.errorString()}")
        yield reader


@contextmanager
def _reader(data: bytes | bytearray, format: str) -> Iterator[QImageReader]:
    """A reader of one format: Qt knows others that are programs rather than pictures, such as SVG.

    It lets go of the buffer before that is freed: Qt's TIFF reader uses it once more while it is destroyed, and Python
    would free the buffer first.
    """
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(format.encode()))
    reader.setAutoDetectImageFormat(False)
    try:
        yield reader
    finally:
        reader.setDevice(None)  # type: ignore[arg-type]


def _paintable(image: QImage, cancelled: Callable[[], bool]) -> QImage:
    """Convert to what paints quickest, a band of rows at a time, because each conversion holds the interpreter."""
    if image.format() in _PAINTABLE:
        return image
    wanted = _PAINTABLE[1] if image.hasAlphaChannel() else _PAINTABLE[0]
    if image.width() * image.height() <= 1_000_000:
        return image.convertToFormat(wanted)
    result = QImage(image.size(), wanted)
    stride = result.bytesPerLine()
    target = memoryview(result.bits()).cast("B")
    for top in range(0, image.height(), _BAND_ROWS):
        if cancelled():
            raise Cancelled
        band = image.copy(0, top, image.width(), min(_BAND_ROWS, image.height() - top)).convertToFormat(wanted)
        target[top * stride : (top + band.height()) * stride] = band.constBits()[: band.height() * stride]
    return result


def _with_pillow(
    data: bytearray, decoder: str, bounds: QSize, reason: str, cancelled: Callable[[], bool]
) -> tuple[QImage, QSize]:
    """Decode what Qt does not, such as TIFF of unusual kinds."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = image_formats.MAX_PIXELS
    try:
        with Image.open(io.BytesIO(data), formats=[decoder]) as opened:
            if opened.width * opened.height > image_formats.MAX_PIXELS:
                raise TooLarge(details=f"{opened.width} x {opened.height} pixels")
            upright = ImageOps.exif_transpose(opened)
            full = QSize(upright.width, upright.height)
            target = fit_within(full, bounds)
            if target != full:
                upright.thumbnail((target.width(), target.height()), Image.Resampling.LANCZOS)
            pixels = upright.convert("RGBA")
    except GlassineError:
        raise
    except (MemoryError, Image.DecompressionBombError) as error:
        raise TooLarge(details=str(error)) from None
    except Exception as error:  # decoders raise nearly anything on bad input
        raise Damaged(details=f"Qt: {reason}; Pillow: {type(error).__name__}: {error}") from None
    raw = pixels.tobytes()
    image = QImage(raw, pixels.width, pixels.height, pixels.width * 4, QImage.Format.Format_RGBA8888)
    if not all(low == 255 for low, _ in [pixels.getchannel("A").getextrema()]):
        return _paintable(image, cancelled).copy(), full
    opaque = QImage(raw, pixels.width, pixels.height, pixels.width * 4, QImage.Format.Format_RGBX8888)
    return _paintable(opaque, cancelled).copy(), full
