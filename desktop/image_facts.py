"""What a picture's file says of the photograph besides its pixels: where, and with what. Must not import PySide6."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from desktop import image_formats
from desktop.errors import GlassineError

if TYPE_CHECKING:
    from PIL.Image import Exif

_MAKE, _MODEL, _GPS_IFD = 0x010F, 0x0110, 0x8825
_LATITUDE, _LONGITUDE = (1, 2, 90.0), (3, 4, 180.0)
"""Tags of hemisphere and of degrees, minutes, seconds; and the largest number of degrees."""
MAX_CAMERA: Final = 60


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What was found; nothing of it is proven.

    Attributes:
        place: Degrees north and degrees east; None when the file does not say.
        camera: Model of the camera, else its maker; empty when the file does not say.
        taken: ISO 8601 in the camera's local time; empty when the file does not say.
    """

    place: tuple[float, float] | None = None
    camera: str = ""
    taken: str = ""


def facts_of(untrusted_data: bytes | bytearray) -> ImageFacts:
    """Read the facts of a picture in memory; what is odd counts as not said, and nothing is raised."""
    try:
        with image_formats.opened_image(bytes(untrusted_data)) as image:
            exif = image_formats.exif_of(image)
            if exif is not None:
                return ImageFacts(_place(exif), _camera(exif), image_formats.taken_of(exif))
    except GlassineError:
        pass
    return ImageFacts()


def _camera(exif: Exif) -> str:
    for tag in (_MODEL, _MAKE):
        value = exif.get(tag)
        text = "".join(char if char.isprintable() else " " for char in value) if isinstance(value, str) else ""
        if text := " ".join(text.split()):
            return text if len(text) <= MAX_CAMERA else f"{text[:MAX_CAMERA]}…"
    return ""


def _place(exif: Exif) -> tuple[float, float] | None:
    try:
        said = exif.get_ifd(_GPS_IFD)
        latitude, longitude = _degrees(said, *_LATITUDE), _degrees(said, *_LONGITUDE)
    except Exception:  # Pillow raises nearly anything on odd metadata
        return None
    return None if latitude is None or longitude is None else (latitude, longitude)


def _degrees(said: dict[int, Any], hemisphere: int, parts: int, most: float) -> float | None:
    numbers = [float(part) for part in said[parts]]
    value = math.fsum(number / 60.0**place for place, number in enumerate(numbers[:3]))
    side = str(said[hemisphere]).strip("\0 ").upper()
    if side not in ("N", "S", "E", "W") or not math.isfinite(value) or not 0 <= value <= most:
        return None
    return -value if side in ("S", "W") else value
