"""A picture file without what it tells besides the picture: place, time, camera, names, previews.

Pixels are not encoded again where the format lets metadata be cut out: JPEG, PNG, WebP and GIF. TIFF and BMP become a
PNG of the same pixels, or are refused. Orientation and colour profile stay, or the picture would look different. Must
not import PySide6 or anything of the project but ``desktop.errors`` and ``desktop.image_formats``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from desktop import errors, image_formats
from desktop.client.strip_formats import CUTTERS

if TYPE_CHECKING:
    from PIL import Image

MAX_VALUE: Final = 120
MAX_TAGS: Final = 500
_LOSSLESS: Final = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
"""Pillow's modes that a PNG holds as they are."""
_ORIENTATION: Final = 0x0112
_MAKER_NOTE: Final = 0x927C
_EXIF, _GPS, _INTEROPERABILITY = 0x8769, 0x8825, 0xA005
_PREVIEW: Final = 0x0201


@dataclass(frozen=True, slots=True)
class Tag:
    """Something that a file tells.

    Attributes:
        name: Such as ``GPSLatitude``, as the standards call it, or what it is.
        value: For people, shortened.
        removed: Whether a shared copy is without it.
    """

    name: str
    value: str
    removed: bool


@dataclass(frozen=True, slots=True)
class Stripped:
    """A copy without metadata.

    Attributes:
        data: The file.
        name: A name that says nothing.
        encoded_anew: The pixels are the same but had to be written as another format (PNG).
    """

    data: bytes
    name: str
    encoded_anew: bool = False


def details(data: bytes) -> list[Tag]:
    """Return what a file tells, for a person to look at; raises Unsupported or TooLarge."""
    known = image_formats.detect_bytes(data[: image_formats.HEAD_BYTES])
    cut = CUTTERS.get(known.media_type)
    if cut is None:
        with image_formats.opened_image(data) as image:
            return list(_exif_tags(image.getexif()))[:MAX_TAGS]
    parts = cut(data)
    tags = list(_exif_block(parts.exif))
    tags += [Tag(name, _shown(value), removed=True) for name, value in parts.removed]
    tags += [Tag(name, f"{size} bytes", removed=False) for name, size in parts.kept]
    return tags[:MAX_TAGS]


def strip(data: bytes) -> Stripped:
    """Return a copy without metadata.

    Raises:
        Unsupported: It is not a picture, it is broken, or one that cannot be copied without loss (several pages, or
            colours that a PNG cannot hold).
        TooLarge: More pixels than Glassine takes.
    """
    known = image_formats.detect_bytes(data[: image_formats.HEAD_BYTES])
    cut = CUTTERS.get(known.media_type)
    if cut is None:
        return Stripped(_as_png(data, known.name), "picture.png", encoded_anew=True)
    return Stripped(bytes(cut(data).out), f"picture{known.extension}")


def _as_png(data: bytes, kind: str) -> bytes:
    with image_formats.opened_image(data) as image:
        if getattr(image, "n_frames", 1) > 1 or image.mode not in _LOSSLESS:
            raise errors.Unsupported(
                f"This {kind} picture cannot be copied without its metadata and without loss. Save it as PNG or JPEG "
                "in another program, or share it as it is."
            )
        profile = image.info.get("icc_profile")
        image.load()
        image.info.clear()
        target = io.BytesIO()
        image.save(target, "PNG", **({"icc_profile": profile} if profile else {}))
        return target.getvalue()


# -- for people -----------------------------------------------------------------------------------------------------


def _exif_block(block: bytes) -> Iterator[Tag]:
    from PIL import Image

    if not block:
        return
    exif = Image.Exif()
    try:
        exif.load(b"Exif\0\0" + block)
        yield from _exif_tags(exif)
    except Exception:  # Pillow raises nearly anything on odd metadata; it is removed all the same
        yield Tag("Exif", f"{len(block)} bytes", removed=True)


def _exif_tags(exif: Image.Exif) -> Iterator[Tag]:
    from PIL.ExifTags import GPSTAGS, TAGS

    yield from _named(exif, TAGS)
    for directory, names in ((_EXIF, TAGS), (_GPS, GPSTAGS), (_INTEROPERABILITY, {})):
        yield from _named(_directory(exif, directory), names)
    if _PREVIEW in _directory(exif, 1):  # IFD1
        yield Tag("Embedded preview", "", removed=True)


def _directory(exif: Image.Exif, number: int) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(number)
    except Exception:  # odd metadata
        return {}


def _named(values: Mapping[int, Any], names: Mapping[int, str]) -> Iterator[Tag]:
    for number, value in sorted(values.items()):
        if number in (_EXIF, _GPS, _INTEROPERABILITY):
            continue
        shown = f"{len(value)} bytes" if number == _MAKER_NOTE and isinstance(value, bytes) else _shown(value)
        yield Tag(names.get(number, f"Tag {number:04X}"), shown, removed=number != _ORIENTATION)


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        head = value[: 2 * MAX_VALUE].strip(b"\0 ")
        text = head.decode("utf-8", "replace")
        if not text.isprintable() or "\N{REPLACEMENT CHARACTER}" in text:
            return f"{len(value)} bytes"
    else:
        text = " ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
    text = "".join(char if char.isprintable() else " " for char in text).strip()
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
