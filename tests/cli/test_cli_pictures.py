"""`glassine seal` and `glassine open`, and what they do with bad input."""

from __future__ import annotations

import json
import os
import resource
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import main


@pytest.fixture
def sealed(glassine, keys, photo, tmp_path) -> Path:
    (tmp_path / "store").mkdir()
    assert glassine("seal", photo, *keys.options, "--out", "store").code == 0
    (path,) = (tmp_path / "store").iterdir()
    return path


def entries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_picture_comes_back_to_the_byte(glassine, keys, photo, sealed, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    result = glassine("open", sealed, *keys.options, "--out", "out")
    assert result.code == 0
    assert "signed by you" in result.out
    assert (tmp_path / "out" / "holiday.png").read_bytes() == photo.read_bytes()


def test_the_sealed_file_tells_nothing_by_its_name_and_is_a_png(sealed) -> None:
    from PIL import Image

    assert sealed.name.startswith("p-")
    assert sealed.suffix == ".png"
    with Image.open(sealed) as image:
        image.load()
        assert (image.format, image.mode) == ("PNG", "RGB")
    assert b"holiday" not in sealed.read_bytes()


def test_json_for_scripts(glassine, keys, photo, tmp_path) -> None:
    (tmp_path / "no.png").write_text("text")
    result = glassine("seal", photo, "no.png", *keys.options, "--json")
    assert result.code == 5
    done, failed = (json.loads(line) for line in result.out.splitlines())
    assert done["file"] == str(photo)
    assert Path(done["sealed"]).stat().st_size == done["size"]
    assert failed["file"] == "no.png"
    assert (failed["error"]["code"], failed["error"]["exit_code"]) == ("F-101", 5)
    opened = json.loads(glassine("open", done["sealed"], *keys.options, "--json", "--out", tmp_path.parent).out)
    Path(opened["picture"]).unlink()
    assert opened["author"] == keys.private.fingerprint


def png_header(width: int, height: int) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    return b"\x89PNG\r\n\x1a\n" + chunk


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"just text, named .png\n", id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(png_header(60000, 60000), id="header-60000x60000"),
        pytest.param(png_header(60000, 60000) + struct.pack(">I", 9) + b"IDATxx", id="bomb"),
        pytest.param(png_header(10, 10), id="header-only"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="signature-only"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg"),
        pytest.param(b"%PDF-1.7", id="pdf"),
    ],
)
def test_what_is_no_picture_is_unsupported_and_leaves_nothing(glassine, keys, tmp_path, content) -> None:
    (tmp_path / "fake.png").write_bytes(content)
    for command in (("seal", "fake.png", *keys.options), ("classic", "encrypt", "fake.png", "--key", "rsa_pub.txt")):
        (tmp_path / "rsa_pub.txt").write_text("27977 9431")
        result = glassine(*command)
        assert result.code == 5
        assert entries(tmp_path) == ["fake.png", "rsa_pub.txt"]
    result = glassine("open", "fake.png", *keys.options)
    assert result.code in {4, 5}
    assert entries(tmp_path) == ["fake.png", "rsa_pub.txt"]


def test_a_truncated_picture_is_not_sealed(glassine, keys, photo, tmp_path) -> None:
    photo.write_bytes(photo.read_bytes()[:-500])
    assert glassine("seal", photo, *keys.options).code == 5
    assert entries(tmp_path) == ["holiday.png"]


def test_a_wrong_passphrase_and_a_wrong_key_have_their_code(glassine, keys, photo, sealed, tmp_path) -> None:
    before = entries(tmp_path)
    wrong = keys.passphrase.with_name("wrong")
    for command in ("seal", "open"):
        path = photo if command == "seal" else sealed
        assert glassine(command, path, "--key", keys.mine, "--passphrase-file", wrong).code == 3
    result = glassine("open", sealed, "--key", keys.theirs, "--passphrase-file", keys.passphrase)
    assert result.code == 3
    assert entries(tmp_path) == before


def test_the_author_can_be_insisted_on(glassine, keys, sealed, tmp_path) -> None:
    before = entries(tmp_path)
    theirs = keys.theirs.with_name("theirs.pem")
    assert glassine("open", sealed, *keys.options, "--author", theirs).code == 4
    assert glassine("open", sealed, *keys.options, "--author", keys.mine).code == 5
    assert entries(tmp_path) == before
    (tmp_path / "holiday.png").unlink()
    assert glassine("open", sealed, *keys.options, "--author", keys.mine.with_name("mine.pem")).code == 0


def test_one_flipped_bit_never_gives_another_picture(glassine, keys, photo, sealed, tmp_path) -> None:
    """Bits all over the file. Some carry nothing (checksums, filler): then the picture is the same."""
    data = sealed.read_bytes()
    original = photo.read_bytes()
    photo.unlink()
    codes = set()
    before = entries(tmp_path)
    for at in [*range(0, 120, 7), *range(120, len(data), len(data) // 60)]:
        damaged = bytearray(data)
        damaged[at] ^= 1 << at % 8
        sealed.write_bytes(damaged)
        result = glassine("open", sealed, *keys.options)
        codes.add(result.code)
        if result.code == 0:
            assert photo.read_bytes() == original
            photo.unlink()
        assert entries(tmp_path) == before
    assert codes <= {0, 4, 5}
    assert 4 in codes


@pytest.mark.parametrize("size", [0, 8, 60, 1000, -1, -100])
def test_a_cut_off_sealed_file_is_refused(glassine, keys, photo, sealed, tmp_path, size) -> None:
    photo.unlink()
    sealed.write_bytes(sealed.read_bytes()[:size])
    assert glassine("open", sealed, *keys.options).code in {4, 5}
    assert not photo.exists()


def test_the_rest_goes_on_and_the_gravest_code_counts(glassine, keys, photo, sealed, tmp_path) -> None:
    photo.unlink()
    damaged = bytearray(sealed.read_bytes())
    damaged[200] ^= 1
    (tmp_path / "damaged.png").write_bytes(damaged)
    (tmp_path / "text.png").write_text("text")
    result = glassine("open", "text.png", "missing.png", "damaged.png", sealed, *keys.options)
    assert result.code == 4
    assert photo.exists()
    lines = result.err.splitlines()
    assert len(lines) == 3
    for line, name in zip(lines, ("text.png", "missing.png", "damaged.png"), strict=True):
        assert line.count(name) == 1
    photo.unlink()
    assert glassine("open", "text.png", "missing.png", sealed, *keys.options).code == 1


def test_nothing_is_overwritten(glassine, keys, photo, sealed) -> None:
    photo.write_bytes(b"other content")
    result = glassine("open", sealed, *keys.options)
    assert result.code == 1
    assert "already there" in result.err
    assert photo.read_bytes() == b"other content"


def test_an_interrupted_seal_leaves_nothing(glassine, keys, photo, tmp_path, monkeypatch) -> None:
    from desktop.crypto import sealed as module

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.CarrierWriter, "finish", interrupt)
    assert glassine("seal", photo, *keys.options).code == 130
    assert entries(tmp_path) == ["holiday.png"]


def test_a_mistake_in_the_program_is_one_line_too(glassine, keys, photo, monkeypatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("desktop.image_formats.read_info", break_down)
    result = glassine("seal", photo, *keys.options)
    assert result.code == 1
    assert "ZeroDivisionError" in result.err
    assert "secret detail" not in result.err


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Give up root for a while: permissions mean nothing to it."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_named(glassine, keys, photo, sealed, capsys) -> None:
    (sealed.parent / "out").mkdir()
    # everything is imported once before root is given up
    assert glassine("open", sealed, *keys.options, "--out", sealed.parent / "out").code == 0
    # not below tmp_path, which nobody else may enter
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        copies = {path: folder / path.name for path in (photo, sealed, keys.mine, keys.passphrase)}
        for path, copy in copies.items():
            copy.write_bytes(path.read_bytes())
            copy.chmod(0o644)
        locked = folder / "locked"
        locked.mkdir()
        locked.chmod(0o555)
        options = ["--key", copies[keys.mine], "--passphrase-file", copies[keys.passphrase], "--out", locked]
        for command, path in (("seal", copies[photo]), ("open", copies[sealed])):
            with as_ordinary_user():
                code = main.main([command, str(path), *map(str, options)])
            assert code == 1
            assert "cannot be written" in capsys.readouterr().err
        assert list(locked.iterdir()) == []
        locked.chmod(0o755)


def test_no_room_is_said_without_the_name_of_a_temporary_file(glassine, keys, sealed, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        result = glassine("open", sealed, *keys.options, "--out", "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.code == 1
    assert "There is no space left to write the picture. Free" in result.err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_named(glassine, keys, photo) -> None:
    result = glassine("seal", photo, *keys.options, "--out", photo)
    assert result.code == 2
    assert "not a folder" in result.err


def test_a_folder_in_the_place_of_a_picture_is_named(glassine, keys, tmp_path) -> None:
    (tmp_path / "holiday").mkdir()
    for command in ("seal", "open"):
        result = glassine(command, "holiday", *keys.options)
        assert result.code == 1
        assert result.err == "glassine: holiday is a folder. Give the pictures in it, one by one or as holiday/*.\n"


def test_names_with_line_ends_stay_on_one_line(glassine, keys, tmp_path) -> None:
    name = "a\nb\x1b[31m\u202egnp.png"
    (tmp_path / name).write_text("text")
    result = glassine("seal", name, *keys.options)
    assert result.code == 5
    assert len(result.err.splitlines()) == 1
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err


def test_names_that_are_no_unicode_are_printed_all_the_same(glassine, keys, tmp_path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_text("text")
    result = glassine("seal", name, *keys.options)
    assert result.code == 5


def test_a_classic_key_does_not_seal(glassine, photo, tmp_path) -> None:
    (tmp_path / "rsa.txt").write_text("2831 27977")
    result = glassine("seal", photo, "--key", "rsa.txt")
    assert result.code == 5
    assert "classic" in result.err


def test_a_key_of_another_program_seals_too(glassine, photo, tmp_path) -> None:
    key = Path(__file__).parents[1] / "crypto" / "foreign_keys" / "openssh-plain.pem"
    assert glassine("seal", photo, "--key", key).code == 0
    (path,) = tmp_path.glob("p-*.png")
    photo.unlink()
    assert glassine("open", path, "--key", key).code == 0
    assert photo.exists()
