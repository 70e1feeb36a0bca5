"""Pictures of every kind that the tests drop on Glassine, made at run time."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def gradient(width: int, height: int, seed: int = 0) -> np.ndarray:
    """A smooth coloured picture, uint8, shape (height, width, 3), different for each seed."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    phase = 1.7 * seed
    channels = [
        127 + 120 * np.sin(x / width * 5 + phase + i * 2.1) * np.cos(y / height * 4 + phase * 0.7 + i) for i in range(3)
    ]
    return np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8)


def landscape(width: int, height: int, seed: int) -> np.ndarray:
    """A drawn landscape at some hour of the day: sky, sun, hills behind hills; uint8, shape (height, width, 3)."""
    rng = np.random.default_rng(seed)
    skies = (
        (62, 92, 140, 240, 199, 154),
        (38, 52, 96, 232, 138, 116),
        (92, 150, 190, 226, 236, 228),
        (54, 40, 84, 244, 178, 120),
    )
    grounds = (
        (124, 132, 160, 46, 58, 80),
        (116, 84, 106, 44, 28, 50),
        (120, 158, 132, 34, 66, 52),
        (150, 120, 90, 58, 42, 34),
    )
    sky, ground = skies[rng.integers(len(skies))], grounds[rng.integers(len(grounds))]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / height
    picture = _blend(sky, (y / 0.75).clip(0, 1))
    sun_x, sun_y = rng.uniform(0.2, 0.8) * width / height, rng.uniform(0.2, 0.5)
    distance = np.hypot(x - sun_x, y - sun_y)
    for edge, softness, strength in ((0.06, 0.004, 1.0), (0.06, 0.25, 0.35)):
        glow = (1 - ((distance - edge) / softness).clip(0, 1)) * strength
        picture += (np.array((255, 236, 196), dtype=np.float32) - picture) * glow[..., None]
    for layer in range(4):
        depth = layer / 3
        waves = sum(
            rng.uniform(0.3, 1) / k * np.sin(x[0] * k * rng.uniform(1.5, 3.5) + rng.uniform(0, 6.3))
            for k in (1, 2, 4, 9)
        )
        ridge = 0.58 + 0.12 * layer - 0.07 * waves * (1 - 0.5 * depth)
        inside = ((y - ridge) * height / 2).clip(0, 1)
        colour = np.array(ground[:3]) * (1 - depth) + np.array(ground[3:]) * depth
        picture += (colour.astype(np.float32) - picture) * inside[..., None]
    grain = rng.normal(0, 2, (height, width, 1)).astype(np.float32)
    return (picture + grain).clip(0, 255).astype(np.uint8)


def photograph(seed: int, width: int = 1200, height: int = 900, taken: str = "") -> bytes:
    """A JPEG of a drawn landscape, as a camera would store it."""
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    return _save(Image.fromarray(landscape(width, height, seed)), "JPEG", quality=90, exif=exif)


def _blend(colours: tuple[int, ...], share: np.ndarray) -> np.ndarray:
    first, second = np.array(colours[:3], dtype=np.float32), np.array(colours[3:], dtype=np.float32)
    return first + (second - first) * share[..., None]


def png(width: int = 160, height: int = 120, seed: int = 0) -> bytes:
    """An ordinary 8-bit RGB PNG."""
    return _save(Image.fromarray(gradient(width, height, seed)), "PNG")


def png_alpha(width: int = 160, height: int = 120, seed: int = 1) -> bytes:
    """A PNG with an alpha channel."""
    alpha = np.linspace(0, 255, width * height).reshape(height, width, 1).astype(np.uint8)
    return _save(Image.fromarray(np.concatenate([gradient(width, height, seed), alpha], axis=-1)), "PNG")


def png_palette(width: int = 160, height: int = 120, seed: int = 2) -> bytes:
    """A PNG with a palette of 32 colours."""
    return _save(Image.fromarray(gradient(width, height, seed)).quantize(32), "PNG")


def png_16_bit(width: int = 160, height: int = 120, seed: int = 3) -> bytes:
    """A 16-bit RGB PNG, written by hand because Pillow writes only 8-bit colour."""
    pixels = gradient(width, height, seed).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return _png_file(struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0), rows)


def png_interlaced(width: int = 160, height: int = 120, seed: int = 4) -> bytes:
    """An Adam7-interlaced 8-bit RGB PNG."""
    pixels = gradient(width, height, seed)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(
        b"\0" + np.ascontiguousarray(row).tobytes()
        for x0, y0, dx, dy in passes
        for row in pixels[y0::dy, x0::dx]
        if row.size
    )
    return _png_file(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1), rows)


def jpeg(width: int = 400, height: int = 300, seed: int = 5, orientation: int = 6) -> bytes:
    """A JPEG with an EXIF orientation and the time it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0x9003] = "2026:03:14 09:26:53"
    return _save(Image.fromarray(gradient(width, height, seed)), "JPEG", quality=90, exif=exif)


def webp(width: int = 200, height: int = 150, seed: int = 6) -> bytes:
    """A lossless WebP."""
    return _save(Image.fromarray(gradient(width, height, seed)), "WEBP", lossless=True)


def png_claiming(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims any size at all."""
    return _png_file(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"\0" * 64)


def good_pictures() -> dict[str, bytes]:
    """One of each kind that Glassine stores, by file name."""
    return {
        "plain.png": png(),
        "with alpha.png": png_alpha(),
        "palette.png": png_palette(),
        "deep 16 bit.png": png_16_bit(),
        "interlaced.png": png_interlaced(),
        "turned.jpg": jpeg(),
        "Größe ☀.webp": webp(),
    }


def bad_files() -> dict[str, bytes]:
    """Files that are refused, by file name."""
    whole = png(seed=9)
    return {
        "cut off.png": whole[: len(whole) // 2],
        "a letter.png": b"Dear Mara, this is a letter and no picture at all.\n",
        "nothing.png": b"",
        "huge.png": png_claiming(60_000, 60_000),
    }


def write_all(pictures: dict[str, bytes], folder: Path) -> list[Path]:
    """Write pictures into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, data in pictures.items():
        path = folder / name
        path.write_bytes(data)
        paths.append(path)
    return paths


def _save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _png_file(header: bytes, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
