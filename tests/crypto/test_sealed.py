"""Sealing files and opening them again: nothing lost, nothing half-written, every failure named."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.crypto import (
    OpenedEnvelope,
    PrivateKey,
    Sealed,
    local_carrier,
    new_picture_id,
    open_carrier,
    read_carrier_envelope,
    read_envelope,
    seal,
)
from desktop.crypto import sealed as sealed_module
from desktop.crypto.carrier import HELPER_FROM_BYTES
from desktop.crypto.sizes import CHUNK
from desktop.errors import (
    Cancelled,
    Damaged,
    FileUnreadable,
    GlassineError,
    NameTaken,
    NotAuthentic,
    SourceChanged,
    StorageFull,
    StorageReadOnly,
    TooLarge,
    Unsupported,
    WrongKey,
)
from tests.crypto import forge
from tests.crypto.forge import JPEG, flipped

LARGE = HELPER_FROM_BYTES + 100_000


def do_seal(source: Path, carrier: Path, key: PrivateKey, **changes: Any) -> Sealed:
    arguments: dict[str, Any] = {
        "name": source.name,
        "media_type": "image/jpeg",
        "width": 640,
        "height": 480,
        "taken": "2024-05-06T07:08:09",
        "thumbnail": JPEG,
    }
    return seal(source, carrier, key, **(arguments | changes))


def do_open(sealed: Sealed, key: PrivateKey) -> OpenedEnvelope:
    return read_envelope(sealed.envelope, owner=key.public, picture_id=sealed.picture_id).open(key)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    path = folder / "sea.jpg"
    path.write_bytes(os.urandom(300_000))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_seal_and_open(source: Path, out: Path, owner: PrivateKey) -> None:
    result = do_seal(source, out / "noise.png", owner)
    assert result.carrier.stat().st_size == result.carrier_size
    assert result.metadata.b3 == blake3(source.read_bytes()).hexdigest()
    opened = do_open(result, owner)
    assert opened.metadata == result.metadata
    assert opened.metadata.name == "sea.jpg"
    assert opened.open_thumbnail(result.thumbnail) == JPEG
    with result.carrier.open("rb") as file:
        opened.open_payload(file, out / "again.jpg")
    with result.carrier.open("rb") as file:
        assert opened.open_payload_to_memory(file) == source.read_bytes()
    assert (out / "again.jpg").read_bytes() == source.read_bytes()
    assert sorted(path.name for path in out.iterdir()) == ["again.jpg", "noise.png"]


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([0, 1, 255, 256, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1]) | st.integers(0, 700_000),
    st.text(max_size=60),
    st.binary(max_size=3000).map(lambda data: data + b"\xd9"),
)
def test_any_bytes_of_any_size_make_a_round_trip(owner: PrivateKey, size: int, name: str, thumbnail: bytes) -> None:
    data = os.urandom(size)
    with tempfile.TemporaryDirectory() as folder:
        source, carrier, target = (Path(folder) / name for name in ("source", "carrier.png", "target"))
        source.write_bytes(data)
        result = do_seal(source, carrier, owner, name=name, thumbnail=thumbnail, taken="", width=0)
        opened = do_open(result, owner)
        with carrier.open("rb") as file:
            opened.open_payload(file, target)
        assert target.read_bytes() == data
        assert opened.open_thumbnail(result.thumbnail) == thumbnail
        assert read_carrier_envelope(carrier) == result.envelope


def test_files_are_private(source: Path, out: Path, owner: PrivateKey) -> None:
    seen: list[int] = []

    def look(done: int, total: int) -> None:
        seen.extend(stat.S_IMODE(path.stat().st_mode) for path in out.iterdir())

    before = os.umask(0)
    try:
        result = do_seal(source, out / "noise.png", owner, report=look)
        opened = open_carrier(result.carrier, owner, out, report=look)
    finally:
        os.umask(before)
    assert set(seen) == {0o600}
    assert stat.S_IMODE(result.carrier.stat().st_mode) == stat.S_IMODE(opened.path.stat().st_mode) == 0o600


def test_nothing_readable_is_in_the_carrier_or_beside_it(out: Path, source: Path, owner: PrivateKey) -> None:
    secret = b"somebody's secret picture "
    source.write_bytes(secret * 20_000)

    def look(done: int, total: int) -> None:
        for path in out.iterdir():
            data = path.read_bytes()
            assert secret[:8] not in data
            assert b"sea" not in path.name.encode()

    result = do_seal(source, out / "noise.png", owner, name="my secret holiday.jpg", report=look)
    look(0, 0)
    for hidden in ("holiday", "image/jpeg", "2024-05-06", result.metadata.b3):
        assert hidden not in result.envelope


def test_progress_rises_to_the_size(source: Path, out: Path, owner: PrivateKey) -> None:
    for action in (
        lambda report: do_seal(source, out / "noise.png", owner, report=report),
        lambda report: open_carrier(out / "noise.png", owner, out, report=report),
    ):
        reports: list[tuple[int, int]] = []
        action(lambda done, total, reports=reports: reports.append((done, total)))
        assert reports == sorted(set(reports))
        assert reports[-1] == (300_000, 300_000)
        assert len(reports) == 2


@pytest.mark.parametrize("size", [300_000, LARGE])
@pytest.mark.parametrize("after", [0, 1])
def test_cancel(source: Path, out: Path, owner: PrivateKey, size: int, after: int) -> None:
    source.write_bytes(os.urandom(size))
    result = do_seal(source, out / "noise.png", owner)
    for action in (
        lambda stop: do_seal(source, out / "other.png", owner, cancelled=stop),
        lambda stop: open_carrier(result.carrier, owner, out, cancelled=stop),
    ):
        answers = iter([False] * after + [True])
        with pytest.raises(Cancelled):
            action(lambda answers=answers: next(answers))
        assert [path.name for path in out.iterdir()] == ["noise.png"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("carrier")]


def test_a_salt_never_repeats(source: Path, out: Path, owner: PrivateKey) -> None:
    seen: dict[str, set[object]] = {}
    picture_id = new_picture_id()
    for number in range(8):
        result = do_seal(source, out / f"{number}.png", owner, picture_id=picture_id)
        header = read_envelope(result.envelope, owner=owner.public, picture_id=picture_id).header
        for name, value in {
            "salt": header.salt,
            "kc": header.deed.kc,
            "vault nonce": header.deed.vault[:12],
            "wrap": header.deed.wrap,
            "meta": header.meta,
            "payload": header.payload.b3,
            "thumb": header.thumbnail.b3,
            "hash": result.header_hash,
        }.items():
            seen.setdefault(name, set()).add(value)
    assert {name: len(values) for name, values in seen.items()} == dict.fromkeys(seen, 8)
    assert len({new_picture_id() for _ in range(100)}) == 100


# -- sources ------------------------------------------------------------------------------------------------------


def change_during(action: Any) -> Any:
    done_once: list[bool] = []

    def report(done: int, total: int) -> None:
        if not done_once:
            done_once.append(True)
            action()

    return report


@pytest.mark.parametrize("change", ["grow", "shrink", "rewrite"])
def test_a_source_that_changes_is_refused(source: Path, out: Path, owner: PrivateKey, change: str) -> None:
    def act() -> None:
        time.sleep(0.02)  # beyond the clock tick of the file system
        with source.open("r+b") as file:
            if change == "shrink":
                file.truncate(280_000)
            else:
                file.seek(0, os.SEEK_END if change == "grow" else os.SEEK_SET)
                file.write(b"changed")

    with pytest.raises(SourceChanged):
        do_seal(source, out / "noise.png", owner, report=change_during(act))
    assert list(out.iterdir()) == []


def test_sources_that_cannot_be_read(tmp_path: Path, out: Path, owner: PrivateKey) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing.jpg", tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(FileUnreadable):
            do_seal(path, out / "noise.png", owner)
        with pytest.raises(FileUnreadable):
            open_carrier(path, owner, out)
    assert list(out.iterdir()) == []


def test_a_source_that_fails_while_read(
    source: Path, out: Path, owner: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(sealed_module.io.FileIO):
        def readinto(self, target: Any) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(sealed_module.io, "FileIO", Failing)
    with pytest.raises(FileUnreadable, match=r"sea\.jpg"):
        do_seal(source, out / "noise.png", owner)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("readable", [0, 500, 250_000])
def test_a_carrier_that_fails_while_read(
    source: Path, out: Path, owner: PrivateKey, monkeypatch: pytest.MonkeyPatch, readable: int
) -> None:
    result = do_seal(source, out / "noise.png", owner)

    class Failing(local_carrier.io.FileIO):
        left = readable

        def readinto(self, target: Any) -> int:
            self.left -= len(target)
            if self.left < 0:
                raise OSError(errno.EIO, "Input/output error")
            return super().readinto(target)

    monkeypatch.setattr(local_carrier.io, "FileIO", Failing)
    with pytest.raises(FileUnreadable, match=r"noise\.png"):
        open_carrier(result.carrier, owner, out)
    assert list(out.iterdir()) == [result.carrier]


def test_a_source_above_the_limit(tmp_path: Path, out: Path, owner: PrivateKey) -> None:
    source = tmp_path / "large.jpg"
    with source.open("wb") as file:
        file.truncate(750_000_001)
    with pytest.raises(TooLarge, match=r"large\.jpg"):
        do_seal(source, out / "noise.png", owner)
    with pytest.raises(TooLarge):
        do_seal(tmp_path / "large.jpg", out / "noise.png", owner, thumbnail=b"x" * 262_145)
    assert list(out.iterdir()) == []


# -- targets ------------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(source: Path, out: Path, owner: PrivateKey) -> None:
    taken = out / "noise.png"
    taken.write_bytes(b"mine")
    with pytest.raises(NameTaken):
        do_seal(source, taken, owner)
    assert taken.read_bytes() == b"mine"

    late = out / "late.png"
    with pytest.raises(NameTaken):
        do_seal(source, late, owner, report=change_during(lambda: late.write_bytes(b"mine too")))
    assert late.read_bytes() == b"mine too"
    assert sorted(path.name for path in out.iterdir()) == ["late.png", "noise.png"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [300_000, LARGE])
def test_a_disk_that_fills(source: Path, out: Path, owner: PrivateKey, size: int) -> None:
    source.write_bytes(os.urandom(size))
    result = do_seal(source, out / "noise.png", owner)
    for limit in (100, size // 2, size - 1000):
        with largest_file(limit), pytest.raises(StorageFull):
            do_seal(source, out / "other.png", owner)
        with largest_file(limit), pytest.raises(StorageFull):
            open_carrier(result.carrier, owner, out)
        assert [path.name for path in out.iterdir()] == ["noise.png"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("carrier")]
    assert do_seal(source, out / "other.png", owner).carrier.exists()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EROFS, StorageReadOnly),
        (errno.EACCES, StorageReadOnly),
        (errno.EIO, FileUnreadable),
    ],
)
@pytest.mark.parametrize("call", ["open", "fsync"])
def test_every_failure_of_the_target_is_named(
    source: Path,
    out: Path,
    owner: PrivateKey,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    code: int,
    error: type[GlassineError],
) -> None:
    real = getattr(os, call)

    def fail(target: Any, *rest: Any, **more: Any) -> Any:
        if call == "fsync" or (isinstance(target, Path) and target.name.endswith(".part")):
            raise OSError(code, os.strerror(code))
        return real(target, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(error) as caught:
            do_seal(source, out / "noise.png", owner)
        assert caught.type is error
    assert list(out.iterdir()) == []


def test_folders_that_are_not_there(source: Path, out: Path, owner: PrivateKey) -> None:
    with pytest.raises(FileUnreadable):
        do_seal(source, out / "missing" / "noise.png", owner)


def test_kill_at_any_moment_leaves_all_or_nothing(source: Path, out: Path, owner: PrivateKey) -> None:
    source.write_bytes(os.urandom(12_000_000))
    script = (
        "import sys; from pathlib import Path; from desktop.crypto import PrivateKey, seal\n"
        "key = PrivateKey.from_pkcs8(Path(sys.argv[1]).read_bytes(), authenticated=True)\n"
        "print('ready', flush=True)\n"
        "for n in range(1000):\n"
        "    seal(Path(sys.argv[2]), Path(sys.argv[3]) / f'{n}.png', key, name='sea.jpg', media_type='image/jpeg',\n"
        "         width=1, height=1, taken='', thumbnail=b'')\n"
    )
    key = source.with_name("key")
    key.write_bytes(owner.to_pkcs8())
    for delay in (0.0, 0.011, 0.027, 0.04):
        command = [sys.executable, "-c", script, str(key), str(source), str(out)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for path in out.iterdir():
            if path.suffix == ".png":
                with tempfile.TemporaryDirectory() as folder:
                    assert open_carrier(path, owner, Path(folder)).path.read_bytes() == source.read_bytes()
            path.unlink()
    assert do_seal(source, out / "0.png", owner).carrier.exists()


# -- loose files --------------------------------------------------------------------------------------------------


def test_a_loose_file_opens_and_says_who_signed(
    source: Path, out: Path, owner: PrivateKey, stranger: PrivateKey
) -> None:
    result = do_seal(source, out / "noise.png", owner)
    for insisted in (None, owner.public):
        opened = open_carrier(result.carrier, owner, out, owner=insisted)
        assert (opened.path, opened.author) == (out / "sea.jpg", owner.fingerprint)
        assert opened.metadata == result.metadata
        assert opened.path.read_bytes() == source.read_bytes()
        opened.path.unlink()
    with pytest.raises(WrongKey):
        open_carrier(result.carrier, stranger, out)
    with pytest.raises(WrongKey):
        open_carrier(result.carrier, stranger, out, owner=owner.public)
    with pytest.raises(NotAuthentic):
        open_carrier(result.carrier, owner, out, owner=stranger.public)
    assert [path.name for path in out.iterdir()] == ["noise.png"]


def test_a_writers_loose_file_opens_for_the_writer(out: Path, owner: PrivateKey, friend: PrivateKey) -> None:
    first = forge.picture(owner)
    made = forge.picture(
        owner,
        b"edited",
        picture_id=first.picture_id,
        picture_key=first.picture_key,
        deed_object=first.deed,
        author=friend,
        grant_object=forge.grant(owner, friend.public, first.deed, first.picture_key),
        revision=2,
        previous=first.hash,
    )
    (out / "noise.png").write_bytes(made.carrier)
    opened = open_carrier(out / "noise.png", friend, out, owner=owner.public)
    assert (opened.author, opened.path.read_bytes()) == (friend.fingerprint, b"edited")
    with pytest.raises(NotAuthentic):
        open_carrier(out / "noise.png", owner, out)  # the friend's key is not known here


def test_flip_one_bit_anywhere_in_a_loose_file(out: Path, owner: PrivateKey, tmp_path: Path) -> None:
    made = forge.picture(owner, os.urandom(200))
    path = tmp_path / "flipped.png"
    good = made.carrier
    for at in range(len(good)):
        path.write_bytes(flipped(good, at, 1 << at % 7))
        # without its signature it is no PNG at all
        with pytest.raises(Unsupported if at < 8 else (Damaged, NotAuthentic)):
            open_carrier(path, owner, out)
        assert list(out.iterdir()) == []
    path.write_bytes(good)
    assert open_carrier(path, owner, out).path.read_bytes() == made.plain


def test_files_that_are_no_sealed_pictures(out: Path, tmp_path: Path, owner: PrivateKey) -> None:
    path = tmp_path / "text.png"
    for content in (b"", b"hello", b"\x89PNG", b"\xff\xd8\xff\xe0" + bytes(100)):
        path.write_bytes(content)
        with pytest.raises(Unsupported, match=r"text\.png"):
            open_carrier(path, owner, out)
        with pytest.raises(Unsupported):
            read_carrier_envelope(path)


def test_a_name_that_is_taken_is_not_overwritten(source: Path, out: Path, owner: PrivateKey) -> None:
    result = do_seal(source, out / "noise.png", owner)
    (out / "sea.jpg").write_bytes(b"mine")
    with pytest.raises(NameTaken):
        open_carrier(result.carrier, owner, out)
    assert (out / "sea.jpg").read_bytes() == b"mine"
