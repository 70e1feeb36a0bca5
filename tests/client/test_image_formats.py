"""Formats by content, metadata without decoding, thumbnails of everything people have, and bad files."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from desktop import errors, image_formats
from desktop.image_formats import FORMATS, detect, detect_bytes, make_thumbnail, read_info
from tests import sample_pictures


def save(path: Path, image: Image.Image, kind: str, **options: Any) -> Path:
    image.save(path, kind, **options)
    return path


def colours(width: int = 800, height: int = 600) -> Image.Image:
    """Red, green, blue and white quarters, so that a thumbnail's corners can be told apart."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


def thumbnail(path: Path) -> Image.Image:
    image = Image.open(io.BytesIO(make_thumbnail(path)))
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    assert max(image.size) <= image_formats.THUMBNAIL_SIDE
    return image


def corners(image: Image.Image) -> list[str]:
    """The names of the colours in the corners: top left, top right, bottom left, bottom right."""
    width, height = image.size
    names = []
    for x, y in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)):
        red, green, blue = image.getpixel((int(x * width), int(y * height)))  # type: ignore[misc]
        bright = [red > 200, green > 200, blue > 200]
        names.append({(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}.get(tuple(map(int, bright)), "?"))  # type: ignore[arg-type]
    return names


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_each_format_is_told_by_its_content(known: Any, tmp_path: Path) -> None:
    path = save(tmp_path / "misnamed.txt", colours(), known.decoder)
    assert detect(path) is known
    assert read_info(path) == (known.media_type, 800, 600, "")
    image = thumbnail(path)
    assert image.size == (512, 384)
    assert corners(image) == ["r", "g", "b", "w"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "x.jpg", colours(), "JPEG", exif=exif)
    expected = {
        1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb",
    }[orientation]  # fmt: skip

    info = read_info(path)
    image = thumbnail(path)

    assert (info.width, info.height) == ((600, 800) if orientation >= 5 else (800, 600))
    assert image.size == ((384, 512) if orientation >= 5 else (512, 384))
    assert corners(image) == list(expected)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_orientation_and_time_in_other_formats(kind: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2024:02:29 23:59:59"
    exif[0x8769] = 8  # Pillow writes the inner directory of a TIFF only if an outer entry names it
    path = save(tmp_path / "x", colours(), kind, exif=exif)
    assert read_info(path)[1:] == (600, 800, "2024-02-29T23:59:59")
    assert thumbnail(path).size == (384, 512)
    assert corners(thumbnail(path)) == ["b", "r", "w", "g"]


@pytest.mark.parametrize("text", ["", "0000:00:00 00:00:00", "2023:02:29 10:00:00", "yesterday", "2024:01:02"])
def test_times_that_are_none(text: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = text
    assert read_info(save(tmp_path / "x.jpg", colours(), "JPEG", exif=exif)).taken == ""


def test_the_time_falls_back_to_digitising(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9004] = "1999:12:31 08:00:00\0"
    assert read_info(save(tmp_path / "x.jpg", colours(), "JPEG", exif=exif)).taken == "1999-12-31T08:00:00"


def test_light_pictures_on_nothing_are_laid_on_dark_grey(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (300, 200), (255, 255, 255, 0))
    picture.paste((250, 250, 250, 255), (100, 50, 200, 150))
    picture.save(tmp_path / "logo.png")
    with Image.open(io.BytesIO(image_formats.make_thumbnail(tmp_path / "logo.png"))) as thumbnail:
        corner, middle = thumbnail.getpixel((5, 5)), thumbnail.getpixel((150, 100))
    assert isinstance(corner, tuple) and isinstance(middle, tuple)
    assert max(corner) < 90 < 220 < min(middle)


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((400, 600, 4), np.uint8)
    pixels[:, :300] = (255, 0, 0, 255)
    for path in (
        save(tmp_path / "rgba.png", Image.fromarray(pixels), "PNG"),
        save(tmp_path / "palette.png", Image.fromarray(pixels).quantize(8), "PNG"),
        save(tmp_path / "rgba.webp", Image.fromarray(pixels), "WEBP", lossless=True),
        save(tmp_path / "rgba.tif", Image.fromarray(pixels), "TIFF"),
        save(tmp_path / "rgba.gif", Image.fromarray(pixels), "GIF"),
    ):
        assert corners(thumbnail(path)) == ["r", "w", "r", "w"], path.name
    grey = np.zeros((400, 600, 2), np.uint8)
    grey[..., 0] = 90
    assert corners(thumbnail(save(tmp_path / "la.png", Image.fromarray(grey, "LA"), "PNG"))) == ["w"] * 4


def test_more_than_eight_bits_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 700 * 500).reshape(500, 700)
    half = np.full((300, 300), 1 << 15)
    for kind, name in (("PNG", "x.png"), ("TIFF", "x.tif")):
        image = thumbnail(save(tmp_path / name, Image.fromarray(ramp.astype(np.uint16)), kind))
        assert abs(image.getpixel((256, 180))[0] - 127) < 6  # type: ignore[index]
        flat = thumbnail(save(tmp_path / name, Image.fromarray(half.astype(np.uint16)), kind))
        assert abs(flat.getpixel((5, 5))[0] - 128) < 3  # type: ignore[index]
    floats = thumbnail(save(tmp_path / "f.tif", Image.fromarray((ramp / 65535).astype(np.float32)), "TIFF"))
    assert floats.getpixel((5, 5))[0] < 20 < 230 < floats.getpixel((500, 360))[0]  # type: ignore[index]
    (tmp_path / "rgb16.png").write_bytes(sample_pictures.png_16_bit())
    (tmp_path / "rgb8.png").write_bytes(sample_pictures.png(seed=3))
    deep, plain = thumbnail(tmp_path / "rgb16.png"), thumbnail(tmp_path / "rgb8.png")
    assert np.abs(np.asarray(deep, int) - np.asarray(plain, int)).max() < 8


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "YCbCr"])
def test_other_colour_models(mode: str, tmp_path: Path) -> None:
    kind = "TIFF" if mode == "1" else "JPEG"
    image = thumbnail(save(tmp_path / "x", colours().convert(mode), kind))
    assert image.size == (512, 384)
    if mode in {"CMYK", "YCbCr"}:
        assert corners(image) == ["r", "g", "b", "w"]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_counts(kind: str, tmp_path: Path) -> None:
    later = Image.new("RGB", (800, 600), (0, 0, 0))
    path = save(tmp_path / "x", colours(), kind, save_all=True, append_images=[later, later])
    assert corners(thumbnail(path)) == ["r", "g", "b", "w"]


def test_odd_shapes(tmp_path: Path) -> None:
    assert thumbnail(save(tmp_path / "dot.png", Image.new("RGB", (1, 1)), "PNG")).size == (1, 1)
    assert thumbnail(save(tmp_path / "line.png", Image.new("RGB", (9000, 2)), "PNG")).size == (512, 1)


def test_interlaced_and_palette(tmp_path: Path) -> None:
    for name, content in sample_pictures.good_pictures().items():
        (tmp_path / name).write_bytes(content)
        assert thumbnail(tmp_path / name).size[0] > 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Dear Mara,\nthis is a letter.", "text file"),
        (b"\0" * 500, "only zeros"),
        (b"\x7fELF\x02\x01\x01\0garbage\xff\xfe", "not a picture"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0", "video"),
        (b"PK\x03\x04\x14\0\xff", "ZIP"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    for look in (detect, read_info, make_thumbnail):
        with pytest.raises(errors.Unsupported, match=words) as refused:
            look(path)
        assert "JPEG" in refused.value.message  # says what is taken


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_truncated_files(kind: str, tmp_path: Path) -> None:
    picture = Image.fromarray(sample_pictures.gradient(300, 200))
    whole = save(tmp_path / "whole", picture, kind).read_bytes()
    for part in (0.2, 0.6, 0.95):
        path = tmp_path / "cut"
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(errors.Unsupported, match=r"too early|broken"):
            make_thumbnail(path)


@pytest.mark.parametrize("side", [60_000, 16_000, (1 << 31) - 1])
def test_huge_headers_are_refused_without_decoding(side: int, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(sample_pictures.png_claiming(side, side))
    for look in (read_info, make_thumbnail):
        with pytest.raises(errors.TooLarge, match="megapixels"):
            look(path)


def test_the_largest_that_is_taken_is_not_refused_for_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(sample_pictures.png_claiming(15_800, 15_800))
    assert read_info(path)[1:3] == (15_800, 15_800)


def test_pillow_does_not_warn(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(sample_pictures.png_claiming(12_000, 12_000))  # Pillow warns from 89 megapixels
    exif = tmp_path / "exif.jpg"
    exif.write_bytes(sample_pictures.jpeg().replace(b"Exif\0\0", b"Exif\0\0II*\0\xff\xff", 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read_info(path).width == 12_000
        read_info(exif)
    assert caught == []


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.png", tmp_path):
        for look in (detect, read_info, make_thumbnail):
            with pytest.raises(errors.FileUnreadable, match=path.name):
                look(path)


def test_decrypted_thumbnails_are_checked(tmp_path: Path) -> None:
    image_formats.check_thumbnail(make_thumbnail(save(tmp_path / "x", colours(), "PNG")))
    large = save(tmp_path / "large", colours(1024, 20), "JPEG").read_bytes()
    for bad in (b"", b"<svg", sample_pictures.png(), large, b"\xff\xd8\xff\xe0broken"):
        with pytest.raises(errors.Damaged):
            image_formats.check_thumbnail(bad)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(sample_pictures.good_pictures().values())), st.data())
def test_damaged_files_raise_only_our_errors(content: bytes, data: st.DataObject) -> None:
    import tempfile

    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged)
        file.flush()
        for look in (read_info, make_thumbnail):
            try:
                look(Path(file.name))
            except errors.GlassineError as error:
                assert isinstance(error, errors.Unsupported | errors.TooLarge)


@given(st.binary(max_size=64))
def test_any_head_is_a_format_or_unsupported(head: bytes) -> None:
    try:
        assert detect_bytes(head) in FORMATS
    except errors.Unsupported as error:
        assert error.message.endswith(".")
