"""`glassine classic …`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def classic_keys(glassine, tmp_path) -> tuple[Path, Path]:
    result = glassine("classic", "keys", ".")
    assert result.code == 0
    assert "protects nothing" in result.err
    return tmp_path / "rsa.txt", tmp_path / "rsa_pub.txt"


def test_a_picture_comes_back_pixel_for_pixel(glassine, classic_keys, photo, tmp_path) -> None:
    private, public = classic_keys
    result = glassine("classic", "encrypt", photo, "--key", public)
    assert result.code == 0
    assert "protects nothing" in result.err
    assert glassine("classic", "decrypt", "holiday-encrypted.png", "--key", private).code == 0
    with Image.open(photo) as before, Image.open(tmp_path / "holiday-decrypted.png") as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))


def test_names_can_be_chosen_and_the_originals_quotient_is_found(glassine, classic_keys, photo, tmp_path) -> None:
    private, public = classic_keys
    command = ("classic", "encrypt", photo, "--key", public, "--out", "bicycle.png", "--quotient", "quotient.txt")
    record = json.loads(glassine(*command, "--json").out)
    assert (record["picture"], record["quotient"]) == ("bicycle.png", "quotient.txt")
    assert glassine("classic", "decrypt", "bicycle.png", "--key", private, "--out", "back.png").code == 0
    assert (tmp_path / "back.png").exists()


def test_nothing_is_overwritten(glassine, classic_keys, photo, tmp_path) -> None:
    _, public = classic_keys
    (tmp_path / "holiday-encrypted.txt").write_text("mine")
    assert glassine("classic", "encrypt", photo, "--key", public).code == 1
    assert (tmp_path / "holiday-encrypted.txt").read_text() == "mine"
    assert not (tmp_path / "holiday-encrypted.png").exists()
    glassine("classic", "keys", ".")
    assert len(list(tmp_path.glob("rsa*.txt"))) == 4


@pytest.mark.parametrize(
    ("key", "code"),
    [("255 7", 5), ("63001 251", 5), ("2147483659 7", 5), ("7 27977", 5), ("text", 5), ("", 5), (None, 1)],
)
def test_keys_that_cannot_be_used_are_named(glassine, photo, tmp_path, key, code) -> None:
    if key is not None:
        (tmp_path / "rsa_pub.txt").write_text(key)
    assert glassine("classic", "encrypt", photo, "--key", "rsa_pub.txt").code == code
    assert not list(tmp_path.glob("*-encrypted*"))


def test_a_key_that_changes_little_is_warned_about(glassine, photo, tmp_path) -> None:
    (tmp_path / "rsa_pub.txt").write_text("27977 1")
    result = glassine("classic", "encrypt", photo, "--key", "rsa_pub.txt")
    assert result.code == 0
    assert "unchanged" in result.err


def test_wrong_key_and_damage_have_their_codes_and_write_nothing(glassine, classic_keys, photo, tmp_path) -> None:
    private, public = classic_keys
    glassine("classic", "encrypt", photo, "--key", public)
    quotient = tmp_path / "holiday-encrypted.txt"
    text = quotient.read_text()
    decrypt = ("classic", "decrypt", "holiday-encrypted.png", "--key")
    (tmp_path / "other.txt").write_text("2831 27977")
    assert glassine(*decrypt, "other.txt").code == 3
    assert glassine(*decrypt, public).code == 5
    for changed in (text[:-4], text + "7 ", text.replace(" ", " x", 1), "", text.replace(" ", " -", 1)):
        quotient.write_text(changed)
        assert glassine(*decrypt, private).code == 4
    quotient.unlink()
    result = glassine(*decrypt, private)
    assert result.code == 1
    assert "--quotient" in result.err
    assert not (tmp_path / "holiday-decrypted.png").exists()


def test_no_folder(glassine, photo) -> None:
    assert glassine("classic", "keys", "nowhere").code == 2
    assert glassine("classic", "keys", photo).code == 2
