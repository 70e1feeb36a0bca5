"""The whole main job at the real window: drop, see, close, come back, look, save copies, compare to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from tests.end_to_end.driver import Driver
from tests.sample_pictures import bad_files, good_pictures, write_all

PASSPHRASE = "a long walk by the river"
PASSWORD = "not the passphrase"


@pytest.fixture(params=["this computer", "a server"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the pictures are kept."""
    if request.param == "a server":
        return str(request.getfixturevalue("server"))
    return ""


def enter(glassine: Driver, place: str, *, first: bool) -> None:
    """Create the vault or account, or come back to it."""
    if place and first:
        glassine.create_account(place, "mara", PASSWORD, PASSPHRASE)
    elif place:
        glassine.sign_in(place, "mara", PASSWORD, PASSPHRASE)
    elif first:
        glassine.create_vault(PASSPHRASE)
    else:
        glassine.open_vault(PASSPHRASE)


def test_pictures_come_back_to_the_byte(run_glassine: Callable[[], Driver], place: str, tmp_path: Path) -> None:
    good, bad = good_pictures(), bad_files()
    photos = tmp_path / "photos"
    paths = write_all({**good, **bad}, photos)

    glassine = run_glassine()
    enter(glassine, place, first=True)
    glassine.drop(paths)
    glassine.see("cannot be added")
    glassine.press("Start")
    glassine.until(lambda: glassine.shown() == len(good), f"{len(good)} tiles")
    glassine.until(lambda: not glassine.busy(), "the transfers to end")
    glassine.close()

    glassine = run_glassine()
    enter(glassine, place, first=False)
    glassine.until(lambda: glassine.shown() == len(good), f"{len(good)} tiles after coming back")
    glassine.until(glassine.thumbnails_painted, "the thumbnails")

    name = glassine.open_first()
    glassine.until(lambda: not glassine.picture_on_stage().isNull(), "the picture on the stage")
    assert same_picture(glassine.picture_on_stage(), photos / name), f"{name} looks different"
    glassine.key(Qt.Key.Key_Right)
    glassine.key(Qt.Key.Key_Escape)

    copies = tmp_path / "copies"
    copies.mkdir()
    glassine.save_copies_of_all(copies)
    glassine.until(lambda: len(list(copies.iterdir())) == len(good) and not glassine.saving(), "the copies")
    assert {path.name: path.read_bytes() for path in copies.iterdir()} == good
    glassine.close()


def test_what_is_stored_is_noise_in_valid_pngs(
    run_glassine: Callable[[], Driver], data_folder: Path, tmp_path: Path
) -> None:
    good = good_pictures()
    glassine = run_glassine()
    glassine.create_vault(PASSPHRASE)
    glassine.add(write_all(good, tmp_path / "photos"))
    glassine.until(lambda: glassine.shown() == len(good) and not glassine.busy(), "all tiles")
    glassine.close()

    carriers = [path for path in data_folder.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x89PNG"]
    assert len(carriers) == len(good)
    for path in carriers:
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            pixels = np.asarray(image)
        # after the prefix of 32 bytes comes the encrypted picture, of which the smallest has 1,838 bytes
        counts = np.bincount(pixels.reshape(-1)[32 : 32 + 1792], minlength=256)
        # 7 expected of each value; noise has a chi-square (255 degrees) above 400 once in ten million times
        assert ((counts - 7) ** 2 / 7).sum() < 400

    for path in data_folder.rglob("*"):
        if not path.is_file():
            continue
        data = path.read_bytes()
        for name, content in good.items():
            assert name.encode() not in data, f"{path} holds the name {name}"
            assert content[-64:] not in data, f"{path} holds a piece of {name}"


def test_pictures_are_deleted_for_good_only_after_asking(
    run_glassine: Callable[[], Driver], place: str, tmp_path: Path
) -> None:
    good = dict(list(good_pictures().items())[:3])
    glassine = run_glassine()
    enter(glassine, place, first=True)
    glassine.add(write_all(good, tmp_path / "photos"))
    glassine.until(lambda: glassine.shown() == 3 and not glassine.busy(), "three tiles")
    glassine.select_all()
    glassine.key(Qt.Key.Key_Delete)
    glassine.see("Moved 3 pictures to the bin")
    glassine.see("Drop pictures here")
    glassine.go("Bin")
    glassine.until(lambda: glassine.shown() == 3, "three tiles in the bin")
    glassine.press("Empty bin")
    glassine.see("Delete 3 pictures for good?")
    glassine.press("Cancel")
    assert glassine.shown() == 3
    glassine.press("Empty bin")
    glassine.press("Delete for good")
    glassine.see("The bin is empty")
    glassine.close()
    glassine = run_glassine()
    enter(glassine, place, first=False)
    glassine.see("Drop pictures here")
    glassine.go("Bin")
    glassine.see("The bin is empty")
    glassine.close()


def test_a_wrong_passphrase_is_said_in_place(run_glassine: Callable[[], Driver]) -> None:
    glassine = run_glassine()
    glassine.create_vault(PASSPHRASE)
    glassine.close()
    glassine = run_glassine()
    glassine.open_vault("not this one")
    glassine.see("That is not the passphrase of this key. Check Caps Lock.")
    glassine.open_vault(PASSPHRASE)
    glassine.see("Drop pictures here")
    glassine.close()


def test_locking_drops_pictures_and_unlocking_brings_them_back(
    run_glassine: Callable[[], Driver], tmp_path: Path
) -> None:
    glassine = run_glassine()
    glassine.create_vault(PASSPHRASE)
    glassine.add(write_all(dict(list(good_pictures().items())[:2]), tmp_path / "photos"))
    glassine.until(lambda: glassine.shown() == 2 and not glassine.busy(), "two tiles")
    glassine.key(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    glassine.see("Locked")
    assert glassine.window.windowTitle() == "Glassine"
    assert glassine.shown() == 0
    glassine.type("Passphrase of your key", PASSPHRASE)
    glassine.press("Unlock")
    glassine.until(lambda: glassine.shown() == 2, "two tiles again")
    glassine.close()


def test_nothing_secret_is_written_to_settings_or_log(
    run_glassine: Callable[[], Driver], server: str, data_folder: Path
) -> None:
    glassine = run_glassine()
    glassine.create_account(server, "mara", PASSWORD, PASSPHRASE)
    glassine.close()
    for path in data_folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert PASSWORD.encode() not in data
            assert PASSPHRASE.encode() not in data
            assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
    json.loads((data_folder / "preferences.json").read_text())


def same_picture(shown: QImage, original: Path) -> bool:
    """Whether what is shown looks like the file: same shape, mean difference below three of 255 steps where opaque."""
    with Image.open(original) as image:
        upright = ImageOps.exif_transpose(image)
        expected = np.asarray(upright.convert("RGBA").resize((32, 32), Image.Resampling.BOX), dtype=np.int16)
        shape = upright.width / upright.height
    if abs(shown.width() / shown.height() / shape - 1) > 0.02:
        return False
    seen = shown.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(seen.constBits(), dtype=np.uint8).reshape(seen.height(), seen.bytesPerLine())
    pixels = rows[:, : 4 * seen.width()].reshape(seen.height(), seen.width(), 4)
    got = np.asarray(Image.fromarray(pixels.copy()).resize((32, 32), Image.Resampling.BOX), dtype=np.int16)
    opaque = expected[..., 3:] > 250
    return bool((np.abs(expected[..., :3] - got[..., :3]) * opaque).mean() < 3)
