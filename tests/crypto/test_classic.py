"""The classic scheme against a straightforward loop over every pixel, written from its description."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from desktop.crypto import classic, classic_quotients
from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey
from desktop.crypto.classic_quotients import QuotientEncoder, parse_quotients
from desktop.errors import (
    Cancelled,
    Damaged,
    FileUnreadable,
    GlassineError,
    KeyRefused,
    NameTaken,
    Unsupported,
    WrongKey,
)

# n = 101 * 277, the public example; 257 * 331; 65537 * 32749 just below 2^31; 11 * 29 just above 255
KEYS = {
    "example": (101, 277, 9431),
    "new": (257, 331, 4999),
    "largest": (65537, 32749, 2147009),
    "smallest": (11, 29, 3),
}


def key_pair(name: str) -> tuple[ClassicPublicKey, ClassicPrivateKey]:
    p, q, e = KEYS[name]
    return ClassicPublicKey(p * q, e), ClassicPrivateKey(pow(e, -1, (p - 1) * (q - 1)), p * q)


def reference_encrypt(bgr: list[list[tuple[int, int, int]]], n: int, e: int) -> tuple[list[list[list[int]]], str]:
    """The original's loops: channel by channel, row by row, column by column."""
    encrypted = [[list(pixel) for pixel in row] for row in bgr]
    quotient = ""
    for channel in range(3):
        for row in range(len(bgr)):
            for column in range(len(bgr[0])):
                c = pow(bgr[row][column][channel], e, n)
                encrypted[row][column][channel] = c % 256
                quotient += f"{c // 256} "
    return encrypted, quotient


def noise(width: int, height: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encrypt(folder: Path, source: Path, key: ClassicPublicKey) -> tuple[Path, Path]:
    made = classic.encrypt_file(source, key, folder / "e.png", folder / "e.txt")
    assert made.warnings == ()
    return made.picture, made.quotient


@pytest.mark.parametrize("name", KEYS)
def test_encrypts_exactly_as_the_reference_and_back(tmp_path: Path, name: str) -> None:
    public, private = key_pair(name)
    rgb = noise(37, 23)
    Image.fromarray(rgb).save(tmp_path / "p.png")

    picture, quotient = encrypt(tmp_path, tmp_path / "p.png", public)

    bgr = [[(int(b), int(g), int(r)) for r, g, b in row] for row in rgb]
    expected, text = reference_encrypt(bgr, public.n, public.e)
    assert quotient.read_bytes() == text.encode()
    with Image.open(picture) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        assert np.asarray(image)[..., ::-1].tolist() == expected

    classic.decrypt_file(picture, quotient, private, tmp_path / "back.png")
    with Image.open(tmp_path / "back.png") as image:
        assert np.array_equal(np.asarray(image), rgb)


def test_a_picture_of_many_chunks_comes_back(tmp_path: Path) -> None:
    public, private = key_pair("new")
    rgb = noise(1000, 701)  # several chunks of values and of text, and rows over several strips
    Image.fromarray(rgb).save(tmp_path / "p.png", compress_level=0)
    seen: list[tuple[int, int]] = []
    classic.encrypt_file(
        tmp_path / "p.png",
        public,
        tmp_path / "e.png",
        tmp_path / "e.txt",
        lambda done, total: seen.append((done, total)),
    )
    classic.decrypt_file(tmp_path / "e.png", tmp_path / "e.txt", private, tmp_path / "back.png")
    with Image.open(tmp_path / "back.png") as image:
        assert np.array_equal(np.asarray(image), rgb)
    assert seen[-1] == (rgb.size, rgb.size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def make_source(kind: str, path: Path) -> np.ndarray:
    """Write a picture of some kind and return the RGB values that the original would see."""
    base = noise(6, 4)
    alpha = noise(6, 4, 2)[..., 0]
    grey = base[..., 0]
    if kind == "rgba":
        Image.fromarray(np.dstack([base, alpha])).save(path)
    elif kind == "grey":
        Image.fromarray(grey).save(path)
        base = np.dstack([grey] * 3)
    elif kind == "grey-alpha":
        Image.fromarray(np.dstack([grey, alpha])).save(path)
        base = np.dstack([grey] * 3)
    elif kind == "grey-16":
        wide = grey.astype(np.uint16) * 256 + alpha
        Image.fromarray(wide).save(path)
        base = np.dstack([grey] * 3)
    elif kind == "bilevel":
        Image.fromarray(grey > 99).save(path)
        base = np.dstack([np.where(grey > 99, 255, 0).astype(np.uint8)] * 3)
    elif kind in ("palette", "palette-transparent"):
        image = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6), "L").convert("P")
        image.putpalette(base.tobytes())
        image.save(path, **({"transparency": bytes(range(0, 240, 10))} if "transparent" in kind else {}))
    elif kind == "jpeg-turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        block = np.zeros((32, 64, 3), np.uint8)
        block[:, :32] = (250, 0, 0)
        Image.fromarray(block).save(path, "JPEG", quality=100, subsampling=0, exif=exif)
        with Image.open(path) as image:
            base = np.rot90(np.asarray(image), -1)
    elif kind == "png-xmp-only":
        # orientation in XMP alone turns nothing in the original
        Image.fromarray(base).save(path, xmp=b'<x tiff:Orientation="6"/>')
    else:
        Image.fromarray(base).save(path, **({"lossless": True} if kind == "webp" else {}))
    return base


@pytest.mark.parametrize(
    "kind",
    [
        "rgba",
        "grey",
        "grey-alpha",
        "grey-16",
        "bilevel",
        "palette",
        "palette-transparent",
        "jpeg-turned",
        "png-xmp-only",
        "bmp",
        "tiff",
        "webp",
    ],
)
def test_every_kind_of_picture_becomes_eight_bits_and_three_channels(tmp_path: Path, kind: str) -> None:
    source = tmp_path / (f"p.{kind}" if kind in ("bmp", "tiff", "webp") else "p.png")
    expected = make_source(kind, source)
    public, private = key_pair("example")
    picture, quotient = encrypt(tmp_path, source, public)
    classic.decrypt_file(picture, quotient, private, tmp_path / "back.png")
    with Image.open(tmp_path / "back.png") as image:
        assert np.array_equal(np.asarray(image), expected)


def test_sixteen_bit_colour_loses_the_low_byte(tmp_path: Path) -> None:
    # Pillow cannot write such a file: signature, header, one stored row of two pixels, end
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(">6H", 0x01FF, 0x02FF, 0x0300, 0xFFFF, 0x80FE, 0x007F)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    (tmp_path / "p.png").write_bytes(png + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b""))
    public, private = key_pair("example")
    picture, quotient = encrypt(tmp_path, tmp_path / "p.png", public)
    classic.decrypt_file(picture, quotient, private, tmp_path / "back.png")
    with Image.open(tmp_path / "back.png") as image:
        assert np.asarray(image).tolist() == [[[1, 2, 3], [255, 128, 0]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noise(5, 3)).save(tmp_path / "p.png", exif=exif)
    with Image.open(tmp_path / "p.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    public, private = key_pair("new")
    picture, quotient = encrypt(tmp_path, tmp_path / "p.png", public)
    classic.decrypt_file(picture, quotient, private, tmp_path / "back.png")
    with Image.open(tmp_path / "back.png") as image:
        assert np.array_equal(np.asarray(image), expected)


# -- what must be refused ---------------------------------------------------------------------------------------------


@pytest.fixture
def encrypted(tmp_path: Path) -> tuple[Path, Path, ClassicPrivateKey]:
    public, private = key_pair("new")
    Image.fromarray(noise(30, 20)).save(tmp_path / "p.png")
    return *encrypt(tmp_path, tmp_path / "p.png", public), private


def refuse(folder: Path, picture: Path, quotient: Path, key: ClassicPrivateKey) -> GlassineError:
    before = sorted(folder.iterdir())
    with pytest.raises(GlassineError) as caught:
        classic.decrypt_file(picture, quotient, key, folder / "back.png")
    assert sorted(folder.iterdir()) == before
    return caught.value


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: t[: t.rindex(b" ", 0, -1) + 1], Damaged),  # one value less
        (lambda t: t + b"1 ", Damaged),
        (lambda t: b"", Damaged),
        (lambda t: b"-" + t, Damaged),
        (lambda t: t.replace(b" ", b"  ", 1), Damaged),
        (lambda t: b" " + t, Damaged),
        (lambda t: t.replace(b" ", b"\n", 1), Damaged),
        (lambda t: t.replace(b" ", b"\0", 1), Damaged),
        (lambda t: b"1.0" + t[t.index(b" ") :], Damaged),
        (lambda t: b"x" + t[t.index(b" ") :], Damaged),
        (lambda t: b"9999999" + t[t.index(b" ") :], Damaged),
        (lambda t: b"12345678" + t[t.index(b" ") :], Damaged),
        (lambda t: "٣".encode() + t[t.index(b" ") :], Damaged),
        (lambda t: b"332" + t[t.index(b" ") :], Damaged),  # c is n or above
        (lambda t: b"1 " * 30 * 20 * 3, WrongKey),
    ],
)
def test_altered_quotient_text_is_refused_and_writes_nothing(tmp_path, encrypted, change, expected) -> None:
    picture, quotient, key = encrypted
    quotient.write_bytes(change(quotient.read_bytes()))
    assert type(refuse(tmp_path, picture, quotient, key)) is expected


def test_the_space_at_the_end_may_be_missing_or_be_a_line_end(tmp_path, encrypted) -> None:
    picture, quotient, key = encrypted
    text = quotient.read_bytes()
    for number, ending in enumerate([b"", b" ", b"\n", b" \r\n"]):
        quotient.write_bytes(text.rstrip() + ending)
        classic.decrypt_file(picture, quotient, key, tmp_path / f"back{number}.png")


@pytest.mark.parametrize("name", ["example", "largest", "smallest"])
def test_another_key_is_called_a_wrong_key(tmp_path, encrypted, name) -> None:
    picture, quotient, _ = encrypted
    assert type(refuse(tmp_path, picture, quotient, key_pair(name)[1])) is WrongKey


def test_a_key_that_decrypts_everything_to_small_numbers_is_wrong(tmp_path, encrypted) -> None:
    # c^(λ) is 1 for nearly every c: no picture has more than 256 different ciphertexts
    picture, quotient, key = encrypted
    rng = np.random.default_rng(3)
    quotient.write_text(" ".join(map(str, rng.integers(0, 330, 30 * 20 * 3))) + " ")
    assert type(refuse(tmp_path, picture, quotient, ClassicPrivateKey(256 * 330, key.n))) is WrongKey


def test_one_changed_pixel_is_named_as_damage(tmp_path, encrypted) -> None:
    picture, quotient, key = encrypted
    with Image.open(picture) as image:
        values = np.array(image)
    values[7, 7, 1] ^= 1
    Image.fromarray(values).save(picture)
    assert type(refuse(tmp_path, picture, quotient, key)) is Damaged


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", None])
def test_a_picture_that_is_none_is_refused(tmp_path, encrypted, content) -> None:
    picture, quotient, key = encrypted
    data = picture.read_bytes()
    picture.write_bytes(data[: len(data) // 2] if content is None else content)
    assert isinstance(refuse(tmp_path, picture, quotient, key), Damaged)
    with pytest.raises(Unsupported):
        classic.encrypt_file(picture, key_pair("new")[0], tmp_path / "f.png", tmp_path / "f.txt")
    assert not (tmp_path / "f.png").exists()
    assert not (tmp_path / "f.txt").exists()


def test_missing_files_are_named(tmp_path, encrypted) -> None:
    picture, quotient, key = encrypted
    assert isinstance(refuse(tmp_path, tmp_path / "no.png", quotient, key), FileUnreadable)
    assert isinstance(refuse(tmp_path, picture, tmp_path / "no.txt", key), FileUnreadable)
    assert isinstance(refuse(tmp_path, tmp_path, quotient, key), FileUnreadable)


def test_nothing_is_overwritten_and_no_half_pair_stays(tmp_path) -> None:
    public, _ = key_pair("new")
    Image.fromarray(noise(3, 3)).save(tmp_path / "p.png")
    (tmp_path / "e.png").write_bytes(b"mine")
    with pytest.raises(NameTaken):
        classic.encrypt_file(tmp_path / "p.png", public, tmp_path / "e.png", tmp_path / "e.txt")
    assert (tmp_path / "e.png").read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.png", "p.png"]


def test_cancelling_leaves_nothing(tmp_path, encrypted) -> None:
    picture, quotient, key = encrypted
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        classic.decrypt_file(picture, quotient, key, tmp_path / "back.png", cancelled=lambda: True)
    for calls in range(4):
        answers = iter([False] * calls + [True] * 9)
        with pytest.raises(Cancelled):
            classic.encrypt_file(
                tmp_path / "p.png",
                key_pair("new")[0],
                tmp_path / "f.png",
                tmp_path / "f.txt",
                cancelled=lambda answers=answers: next(answers),
            )
            pytest.fail(f"{calls} calls were not enough")
        if calls == 2:
            break
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("n", "e"), [(2, 1), (255, 1), (13 * 23, 2), (251 * 251, 251), ((1 << 31) + 11, 3)])
def test_keys_that_cannot_restore_pictures_are_refused(tmp_path, n, e) -> None:
    Image.fromarray(noise(3, 3)).save(tmp_path / "p.png")
    with pytest.raises(KeyRefused):
        classic.encrypt_file(tmp_path / "p.png", ClassicPublicKey(n, e), tmp_path / "e.png", tmp_path / "e.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.png"]


def test_a_key_that_changes_little_is_warned_about(tmp_path) -> None:
    Image.fromarray(noise(3, 3)).save(tmp_path / "p.png")
    made = classic.encrypt_file(tmp_path / "p.png", ClassicPublicKey(27977, 1), tmp_path / "e.png", tmp_path / "e.txt")
    assert len(made.warnings) == 1
    assert "256 of 256" in made.warnings[0]


# -- quotient text ----------------------------------------------------------------------------------------------------


def parsed(text: bytes) -> list[int]:
    return [int(value) for piece in parse_quotients(io.BytesIO(text)) for value in piece]


@given(st.lists(st.integers(0, 9_999_999), max_size=200), st.integers(8, 40))
def test_the_parser_reads_what_python_reads_whatever_the_chunks(values: list[int], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classic_quotients, "_TEXT_CHUNK", chunk)
        assert parsed("".join(f"{value} " for value in values).encode()) == values


@settings(max_examples=300)
@given(st.text(alphabet="0123456789 -+.e\n\t", max_size=60), st.integers(8, 40))
def test_the_parser_is_strict(text: str, chunk: int) -> None:
    import re

    body = text.rstrip(" \r\n\t")
    is_valid = re.fullmatch(r"([0-9]{1,7}( [0-9]{1,7})*)?", body) is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classic_quotients, "_TEXT_CHUNK", chunk)
        if is_valid and len(text) - len(body) <= chunk:
            assert parsed(text.encode()) == [int(part) for part in body.split()]
        elif not is_valid:
            with pytest.raises(Damaged):
                parsed(text.encode())


@given(st.lists(st.integers(0, 8_388_607), min_size=256, max_size=256), st.binary(max_size=300))
def test_the_encoder_writes_what_python_writes(quotients: list[int], values: bytes) -> None:
    text = QuotientEncoder(quotients).encode(np.frombuffer(values, np.uint8))
    assert text == "".join(f"{quotients[value]} " for value in values).encode()
