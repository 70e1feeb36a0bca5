"""A picture file without what it tells besides the picture: place, time, camera, names, previews.

Pixels are not encoded again where the format lets metadata be cut out. Must not import PySide6 or anything of the
project but ``desktop.errors`` and ``desktop.image_formats``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """Something that a file tells.

    Attributes:
        name: Such as ``GPS latitude``.
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
    """Return what a file tells, for a person to look at; raises Unsupported, Damaged or TooLarge."""
    raise NotImplementedError


def strip(data: bytes) -> Stripped:
    """Return a copy without metadata.

    Raises:
        Unsupported: It is not a picture, or one that cannot be copied without loss (an animated or many-page TIFF).
        Damaged: It ends too early or is broken.
        TooLarge: More pixels than Glassine takes.
    """
    raise NotImplementedError
