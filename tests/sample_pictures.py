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
