"""Classic key pairs: their files, names and what new ones promise."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from desktop.crypto import classic_keys
from desktop.crypto.classic_keys import ClassicPrivateKey, ClassicPublicKey
from desktop.errors import FileUnreadable, KeyRefused, NameTaken, StorageFull

NOW = datetime(2022, 1, 12, 16, 28, 9)


def test_new_keys_restore_everything_and_change_nearly_everything() -> None:
    for _ in range(40):
        public, private = classic_keys.generate()
        assert public.n >= 1 << 16
        assert public.n == private.n
        assert max(public.ciphertexts()) // 256 <= 999  # three digits keep the quotient text short
        assert [pow(c, private.d, private.n) for c in public.ciphertexts()] == list(range(256))
        assert sum(c == m for m, c in enumerate(public.ciphertexts())) <= 4
        assert public.check_for_encryption() == []
        assert ClassicPublicKey.from_text(public.to_text()) == public
        assert ClassicPrivateKey.from_text(private.to_text()) == private


def test_new_keys_differ() -> None:
    assert len({classic_keys.generate()[1].d for _ in range(10)}) > 1


def test_files_are_written_as_the_original_does(tmp_path: Path) -> None:
    public, private = ClassicPublicKey(27977, 9431), ClassicPrivateKey(2831, 27977)
    paths = classic_keys.save_key_pair(tmp_path, public, private, NOW)
    assert [path.name for path in paths] == ["rsa.txt", "rsa_pub.txt"]
    assert [path.read_bytes() for path in paths] == [b"2831 27977", b"27977 9431"]
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600, 0o600]
    assert classic_keys.read_private_key(paths[0]) == private
    assert classic_keys.read_public_key(paths[1]) == public


@pytest.mark.parametrize("taken", ["rsa.txt", "rsa_pub.txt"])
def test_taken_names_get_the_time_and_then_a_counter(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("mine")
    pair = classic_keys.generate()
    names = [[path.name for path in classic_keys.save_key_pair(tmp_path, *pair, NOW)] for _ in range(3)]
    assert names == [
        ["rsa_20220112162809.txt", "rsa_pub_20220112162809.txt"],
        ["rsa_20220112162809_1.txt", "rsa_pub_20220112162809_1.txt"],
        ["rsa_20220112162809_2.txt", "rsa_pub_20220112162809_2.txt"],
    ]
    assert (tmp_path / taken).read_text() == "mine"


def test_a_name_taken_at_the_last_moment_leaves_no_half_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = classic_keys.new_file

    def racing(path: Path):
        if path.name == "rsa_pub.txt":
            path.write_text("theirs")
        return real(path)

    monkeypatch.setattr(classic_keys, "new_file", racing)
    paths = classic_keys.save_key_pair(tmp_path, *classic_keys.generate(), NOW)
    assert [path.name for path in paths] == ["rsa_20220112162809.txt", "rsa_pub_20220112162809.txt"]
    assert not (tmp_path / "rsa.txt").exists()
    assert (tmp_path / "rsa_pub.txt").read_text() == "theirs"


def test_a_full_disk_leaves_no_half_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = classic_keys.new_file

    def full(path: Path):
        if path.name.startswith("rsa_pub"):
            raise StorageFull
        return real(path)

    monkeypatch.setattr(classic_keys, "new_file", full)
    with pytest.raises(StorageFull):
        classic_keys.save_key_pair(tmp_path, *classic_keys.generate(), NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_full_of_this_seconds_keys_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classic_keys, "_MAX_COUNTER", 2)
    pair = classic_keys.generate()
    for _ in range(3):
        classic_keys.save_key_pair(tmp_path, *pair, NOW)
    with pytest.raises(NameTaken):
        classic_keys.save_key_pair(tmp_path, *pair, NOW)


@pytest.mark.parametrize("text", ["27977 9431", "27977\t9431", "27977  9431\r\n", "27977 9431\n"])
def test_public_keys_are_read(text: str) -> None:
    assert ClassicPublicKey.from_text(text) == ClassicPublicKey(27977, 9431)


@pytest.mark.parametrize(
    "text",
    ["", "27977", "27977 9431 1", " 27977 9431", "27977,9431", "27977 -9431", "27977 9431.0", "٢٧٩٧٧ 9431", "0x6d49 7",
     "27977 0", "9431 27977", "27977 27977", f"{(1 << 31) + 1} 3", "1 0", "9" * 300 + " 3", "27977 9431" + " " * 300],
)  # fmt: skip
def test_other_texts_are_no_public_keys(text: str) -> None:
    with pytest.raises(KeyRefused):
        ClassicPublicKey.from_text(text)


@pytest.mark.parametrize("text", ["27977 9431", "5 5", "0 27977", f"3 {(1 << 31) + 1}", "x y", ""])
def test_other_texts_are_no_private_keys(text: str) -> None:
    with pytest.raises(KeyRefused):
        ClassicPrivateKey.from_text(text)


def test_the_two_halves_are_not_confused_silently() -> None:
    with pytest.raises(KeyRefused, match=re.escape("rsa_pub.txt")):
        ClassicPublicKey.from_text("2831 27977")
    with pytest.raises(KeyRefused, match=re.escape("rsa.txt")):
        ClassicPrivateKey.from_text("27977 9431")


def test_unreadable_key_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=re.escape("no.txt")):
        classic_keys.read_private_key(tmp_path / "no.txt")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe1 2")
    with pytest.raises(KeyRefused, match=re.escape("bad.txt")):
        classic_keys.read_public_key(tmp_path / "bad.txt")


def test_the_private_number_is_not_shown_by_accident() -> None:
    assert "2831" not in repr(ClassicPrivateKey(2831, 27977))
