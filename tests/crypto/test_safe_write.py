"""Files that are complete under their name or not there at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from desktop.crypto import safe_write
from desktop.crypto.safe_write import all_or_nothing, new_file, read_bounded
from desktop.errors import FileUnreadable, GlassineError, NameTaken, StorageFull, StorageReadOnly


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_at_the_end_only(tmp_path: Path) -> None:
    with new_file(tmp_path / "a") as file:
        file.write(b"content")
        assert "a" not in names(tmp_path)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"content"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("replace", [False, True])
def test_the_content_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    target, honest = tmp_path / "a", os.fsync
    synced: list[tuple[bool, bytes]] = []

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if not is_folder:
            assert os.pread(descriptor, 100, 0) == b"content"
        synced.append((is_folder, target.read_bytes() if target.exists() else b""))
        honest(descriptor)

    monkeypatch.setattr(safe_write.os, "fsync", fsync)
    with new_file(target, replace=replace) as file:
        file.write(b"content")
    assert synced == [(False, b""), (True, b"content")]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, NameTaken, SystemExit])
def test_an_exception_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), new_file(tmp_path / "a") as file:
        file.write(b"half")
        raise error
    assert names(tmp_path) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(NameTaken, match="Choose another name"), new_file(tmp_path / "a"):
        pytest.fail("no work is done for nothing")
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_dangling_link_is_there_too(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NameTaken), new_file(tmp_path / "a"):
        pytest.fail("a link is followed nowhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(NameTaken, match="Choose another name"), new_file(tmp_path / "a") as file:
        file.write(b"mine")
        (tmp_path / "a").write_bytes(b"theirs")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"theirs"


def test_file_systems_without_hard_links_overwrite_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Path, other: Path) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    with new_file(tmp_path / "a") as file:
        file.write(b"first")
    with pytest.raises(NameTaken), new_file(tmp_path / "b") as file:
        (tmp_path / "b").write_bytes(b"theirs")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert (tmp_path / "b").read_bytes() == b"theirs"
    assert names(tmp_path) == ["a", "b"]


def test_replacing_is_atomic_and_on_request(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="no"), new_file(tmp_path / "a", replace=True):
        raise ValueError("no")
    assert (tmp_path / "a").read_bytes() == b"old"
    with new_file(tmp_path / "a", replace=True) as file:
        file.write(b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_last_check_sees_everything_and_can_refuse(tmp_path: Path) -> None:
    seen = []

    def check(path: Path) -> None:
        seen.append(path.read_bytes())
        raise FileUnreadable

    with pytest.raises(FileUnreadable), new_file(tmp_path / "a", before_release=check) as file:
        file.write(b"content")
    assert seen == [b"content"]
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EROFS, StorageReadOnly),
        (errno.EACCES, StorageReadOnly),
        (errno.EIO, FileUnreadable),
    ],
)
def test_what_the_system_says_gets_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[GlassineError]
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(safe_write.os, "fsync", fail)
    with pytest.raises(expected), new_file(tmp_path / "a") as file:
        file.write(b"content")
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="no folder"), new_file(tmp_path / "no" / "a"):
        pytest.fail("there is nowhere to write")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileUnreadable, match="no folder"), new_file(tmp_path / "file" / "a"):
        pytest.fail("there is nowhere to write")


def test_several_files_stay_together_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="second"), all_or_nothing() as written:
        with new_file(tmp_path / "a") as file:
            file.write(b"1")
        written.append(tmp_path / "a")
        raise ValueError("second")
    assert names(tmp_path) == []


def test_reading_is_bounded_and_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123456")
    assert read_bounded(tmp_path / "a", 3) == b"1234"
    for path, says in ((tmp_path / "no", "not there"), (tmp_path, "folder"), (tmp_path / "a" / "b", "not there")):
        with pytest.raises(FileUnreadable, match=says):
            read_bounded(path, 3)
