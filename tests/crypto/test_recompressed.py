"""Carriers that were compressed again still open; bombs are refused before they cost anything."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import oxipng
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PySide6.QtGui import QImage

from desktop.crypto import PrivateKey, open_carrier, read_carrier_envelope
from desktop.crypto.carrier_layout import Layout, chunk
from desktop.crypto.sizes import ciphertext_size
from desktop.errors import Damaged, GlassineError, TooLarge
from tests.crypto import forge
from tests.crypto.forge import flipped

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MB = 1 << 20


def pillow(data: bytes, **options: object) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.save(out, "PNG", **options)
    return out.getvalue()


def with_text(data: bytes) -> bytes:
    info = PngInfo()
    info.add_text("Comment", "found on a disk", zip=True)
    info.add_itxt("Title", "Ä" * 5000, zip=True)
    return pillow(data, pnginfo=info, icc_profile=b"profile" * 100, dpi=(300, 300))


def qt(data: bytes) -> bytes:
    from PySide6.QtCore import QBuffer, QByteArray

    image = QImage.fromData(data)
    buffer = QBuffer(out := QByteArray())
    assert image.convertToFormat(QImage.Format.Format_RGB888).save(buffer, "PNG")
    return out.data()


def rows_of(data: bytes) -> tuple[int, int, np.ndarray]:
    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture)
    return pixels.shape[1], pixels.shape[0], pixels


def png(width: int, height: int, raw: bytes, *, pieces: int = 1, level: int = 1) -> bytes:
    data = zlib.compress(raw, level)
    step = -(-len(data) // pieces)
    idats = b"".join(chunk(b"IDAT", data[at : at + step]) for at in range(0, len(data), step))
    header = chunk(b"IHDR", struct.pack(">II5B", width, height, 8, 2, 0, 0, 0))
    return SIGNATURE + header + idats + chunk(b"IEND", b"")


def filtered(kind: int) -> Callable[[bytes], bytes]:
    """The same picture with one filter for all rows (ISO/IEC 15948, 9.2)."""

    def apply(data: bytes) -> bytes:
        width, height, pixels = rows_of(data)
        x = pixels.reshape(height, 3 * width).astype(np.int64)
        a = np.pad(x, ((0, 0), (3, 0)))[:, :-3]
        b = np.pad(x, ((1, 0), (0, 0)))[:-1]
        c = np.pad(x, ((1, 0), (3, 0)))[:-1, :-3]
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
        out = (x - [0 * x, a, b, (a + b) // 2, paeth][kind]).astype(np.uint8)
        return png(width, height, b"".join(bytes([kind]) + row.tobytes() for row in out), pieces=3)

    return apply


RECOMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "pillow": pillow,
    "pillow optimize": lambda data: pillow(data, optimize=True),
    "pillow fastest": lambda data: pillow(data, compress_level=1),
    "pillow with text and profile": with_text,
    "qt": qt,
    "oxipng": lambda data: oxipng.optimize_from_memory(data, level=2),
    "oxipng forced, stripped": lambda data: oxipng.optimize_from_memory(
        data, level=4, force=True, strip=oxipng.StripChunks.all()
    ),
    "no filter": filtered(0),
    "Sub": filtered(1),
    "Up": filtered(2),
    "Average": filtered(3),
    "Paeth": filtered(4),
}


@pytest.mark.parametrize("recompress", RECOMPRESSED.values(), ids=RECOMPRESSED.keys())
def test_a_carrier_compressed_again_opens(
    recompress: Callable[[bytes], bytes], owner: PrivateKey, tmp_path: Path
) -> None:
    made = forge.picture(owner, os.urandom(70_000))
    again = recompress(made.carrier)
    path = tmp_path / "again.png"
    path.write_bytes(again)
    assert read_carrier_envelope(path) == made.envelope
    assert open_carrier(path, owner, tmp_path).path.read_bytes() == made.plain


def test_oxipng_in_place(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(300_000))
    path = tmp_path / "noise.png"
    path.write_bytes(made.carrier)
    oxipng.optimize(path, level=1, force=True)
    assert path.read_bytes() != made.carrier
    assert open_carrier(path, owner, tmp_path).path.read_bytes() == made.plain


def test_it_needs_more_than_one_strip_and_chunk(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(2_500_000))
    path = tmp_path / "again.png"
    path.write_bytes(pillow(made.carrier, compress_level=1))
    assert open_carrier(path, owner, tmp_path).path.read_bytes() == made.plain


def test_flipped_pixels_of_a_recompressed_carrier(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(1000))
    width, height, pixels = rows_of(made.carrier)
    layout = made.read().layout
    path = tmp_path / "again.png"
    out = tmp_path / "out"
    out.mkdir()
    stream = pixels.tobytes()
    for at in [*range(32), 40, 1000, *range(32 + layout.payload, layout.total, 101), layout.total - 1]:
        changed = np.frombuffer(flipped(stream, at), np.uint8).reshape(height, 3 * width)
        path.write_bytes(png(width, height, b"".join(b"\0" + row.tobytes() for row in changed)))
        with pytest.raises(GlassineError) as caught:
            open_carrier(path, owner, out)
        assert caught.value.exit_code == 4, at
        assert list(out.iterdir()) == []


def test_a_lossy_change_is_damaged(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(20_000))
    for name, change in {
        "smaller": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
        "cropped": lambda picture: picture.crop((0, 0, picture.width, picture.height - 1)),
        "turned": lambda picture: picture.rotate(180),
        "grey": lambda picture: picture.convert("L"),
        "palette": lambda picture: picture.quantize(256),
        "alpha": lambda picture: picture.convert("RGBA"),
    }.items():
        path = tmp_path / f"{name}.png"
        with Image.open(io.BytesIO(made.carrier)) as picture:
            change(picture).save(path)
        with pytest.raises(Damaged):
            open_carrier(path, owner, tmp_path)


# -- bombs --------------------------------------------------------------------------------------------------------


def bomb(side: int) -> bytes:
    """A right prefix, dimensions that fit it, and nothing but zeros: megabytes out of kilobytes."""
    layout = Layout(ciphertext_size(3 * side * side), 3000)
    width, height = layout.size
    squeeze = zlib.compressobj(9)
    parts = [squeeze.compress(b"\0" + layout.prefix + bytes(layout.row - len(layout.prefix)))]
    rows = bytes(64 * (layout.row + 1))
    left = height - 1
    while left:
        count = min(64, left)
        parts.append(squeeze.compress(rows[: count * (layout.row + 1)]))
        left -= count
    data = b"".join([*parts, squeeze.flush()])
    header = chunk(b"IHDR", struct.pack(">II5B", width, height, 8, 2, 0, 0, 0))
    return SIGNATURE + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def header(width: int, height: int, *rest: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", struct.pack(">II5B", width, height, *(rest or (8, 2, 0, 0, 0))))


def hostile() -> dict[str, tuple[bytes, type[GlassineError]]]:
    end = chunk(b"IEND", b"")
    idat = chunk(b"IDAT", zlib.compress(bytes(100 * 301)))
    flood = chunk(b"IDAT", b"") * 400_000
    plain = header(100, 100)
    return {
        "png_bomb": (bomb(4000), Damaged),
        "16001 px": (header(16_001, 1) + idat + end, TooLarge),
        "60000 x 60000": (header(60_000, 60_000) + idat + end, TooLarge),
        "0 px": (header(0, 100) + idat + end, Damaged),
        "palette": (header(100, 100, 8, 3, 0, 0, 0) + idat + end, Damaged),
        "grey": (header(100, 100, 8, 0, 0, 0, 0) + idat + end, Damaged),
        "alpha": (header(100, 100, 8, 6, 0, 0, 0) + idat + end, Damaged),
        "16 bit": (header(100, 100, 16, 2, 0, 0, 0) + idat + end, Damaged),
        "interlaced": (header(100, 100, 8, 2, 0, 0, 1) + idat + end, Damaged),
        "IDAT flood": (plain + flood + idat + end, Damaged),
        "text flood": (plain + chunk(b"tEXt", b"") * 400_000 + idat + end, Damaged),
        "no IDAT": (plain + end, Damaged),
        "no IEND": (plain + idat, Damaged),
        "more behind": (plain + idat + end + b"more", Damaged),
        "no header": (SIGNATURE + idat + end, Damaged),
        "length lie": (plain + struct.pack(">I4s", 0x7FFFFFFF, b"IDAT") + bytes(1000), Damaged),
        "no deflate": (plain + chunk(b"IDAT", b"hello") + end, Damaged),
        "preset dictionary": (plain + chunk(b"IDAT", b"\x78\xbb" + bytes(40)) + end, Damaged),
        "photograph": (plain + idat + end, Damaged),
        "narrow": (header(3, 1000) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + end, Damaged),
    }


HOSTILE = hostile()


@pytest.mark.parametrize(("data", "error"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_in_bounded_memory(
    data: bytes,
    error: type[GlassineError],
    owner: PrivateKey,
    tmp_path: Path,
    peak_growth: Callable[[Callable[[], object]], int],
) -> None:
    path = tmp_path / "hostile.png"
    path.write_bytes(data)

    def attempt() -> None:
        with pytest.raises(error):
            open_carrier(path, owner, tmp_path)

    assert peak_growth(attempt) < 12 * MB
    assert list(tmp_path.iterdir()) == [path]


def test_the_bomb_would_have_been_one() -> None:
    data, _ = HOSTILE["png_bomb"]
    assert len(data) < MB // 4
    assert len(zlib.decompress(data[41:-16])) > 45 * MB


def test_compressed_data_far_beyond_the_picture(owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(1000))
    width, height, pixels = rows_of(made.carrier)
    raw = b"".join(b"\0" + row.tobytes() for row in pixels.reshape(height, 3 * width))
    path = tmp_path / "flood.png"
    path.write_bytes(png(width, height, raw + os.urandom(3 * MB)))
    with pytest.raises(Damaged):
        open_carrier(path, owner, tmp_path)


def test_a_bomb_in_a_profile_is_never_inflated(
    owner: PrivateKey, tmp_path: Path, peak_growth: Callable[[Callable[[], object]], int]
) -> None:
    made = forge.picture(owner, os.urandom(5000))
    again = pillow(made.carrier)
    bombs = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(60 * MB))) + chunk(
        b"zTXt", b"x\0\0" + zlib.compress(bytes(60 * MB))
    )
    path = tmp_path / "again.png"
    path.write_bytes(again[:33] + bombs + again[33:])
    opened = []
    assert peak_growth(lambda: opened.append(open_carrier(path, owner, tmp_path))) < 12 * MB
    assert opened[0].path.read_bytes() == made.plain
