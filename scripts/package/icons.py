"""The program's icon as each system wants it, made of the PNGs in ``resources/app``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ICO_SIDES: Final = (16, 24, 32, 48, 64, 128, 256)
ICNS_SIDES: Final = (32, 64, 128, 256, 512)


def for_platform(platform: str, pictures: Path, folder: Path) -> str | None:
    """Return the icon file for executables of this platform, made in the folder; None where they have none."""
    if platform == "win32":
        return str(_write(folder / "glassine.ico", pictures, ICO_SIDES))
    if platform == "darwin":
        return str(_write(folder / "glassine.icns", pictures, ICNS_SIDES))
    return None


def _write(target: Path, pictures: Path, sides: tuple[int, ...]) -> Path:
    from PIL import Image

    drawn = [Image.open(pictures / f"glassine-{side}.png") for side in sides]
    target.parent.mkdir(parents=True, exist_ok=True)
    drawn[-1].save(target, sizes=[(side, side) for side in sides], append_images=drawn[:-1])
    return target
