"""Classic pictures stored again, sealed: whole, cut off at every request, with what does not decrypt."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from desktop import errors
from desktop.client import moving_classic
from desktop.client.open_session import Session
from desktop.client.session import Sessions
from desktop.crypto import classic, classic_keys
from desktop.crypto.keys import PrivateKey
from desktop.models import Scheme
from tests.client.conftest import PASSPHRASE, PASSWORD, RunningServer, put_key_file
from tests.sample_pictures import png

_counter = iter(range(1, 1000))


class Oldtimer:
    """A classic account with pictures, and its rsa.txt."""

    def __init__(self, server: RunningServer, sessions: Sessions, folder: Path) -> None:
        public, self.private = classic_keys.generate()
        self.name, self.address, self.sessions = f"oldtimer-{next(_counter)}", server.address, sessions
        server.app.extensions["glassine"].services.accounts.register(self.name, PASSWORD, public.to_text())
        folder.mkdir()
        self.folder, self.public = folder, public
        self.originals: dict[str, bytes] = {}
        self.session = sessions.sign_in(server.address, self.name, PASSWORD)

    def bring_key(self) -> None:
        path = self.folder / "rsa.txt"
        path.write_text(self.private.to_text())
        self.session.key_store.import_classic(path)

    def add(self, name: str) -> None:
        content = png(9, 7, seed=len(self.originals))
        source = self.folder / name
        source.write_bytes(content)
        made = classic.encrypt_file(source, self.public, self.folder / f"{name}.noise", self.folder / f"{name}.txt")
        self.session.api.upload_classic(self.session.user_id, name, picture=made.picture, quotient=made.quotient)
        self.originals[name] = content

    def again(self) -> Session:
        """End the program and start it again."""
        self.session.close()
        self.session = self.sessions.sign_in(self.address, self.name, PASSWORD)
        if not self.session.classic:
            self.session.unlock(PASSPHRASE)
        return self.session

    def check(self, *, binned: tuple[str, ...] = ()) -> None:
        vault = self.again().vault()
        pictures = vault.list_pictures()
        assert {picture.name for picture in pictures} == set(self.originals) - set(binned)
        assert {picture.name for picture in vault.list_bin()} == set(binned)
        for picture in [*vault.list_bin()]:
            vault.restore(picture.id)
        for picture in vault.list_pictures():
            assert picture.scheme is Scheme.SEALED
            opened = Image.open(io.BytesIO(bytes(vault.open(picture.id).data)))
            assert np.array_equal(np.asarray(opened), np.asarray(Image.open(io.BytesIO(self.originals[picture.name]))))
        assert not self.session.moving_classic
        assert vault.trust().quiet
        assert set(vault.thumbnails([picture.id for picture in pictures])) == {picture.id for picture in pictures}


@pytest.fixture
def old(server: RunningServer, sessions: Sessions, tmp_path: Path, key: PrivateKey, key_file_bytes: bytes) -> Any:
    put_key_file(tmp_path / "data" / "keys", key, key_file_bytes)
    made = Oldtimer(server, sessions, tmp_path / "old")
    yield made
    made.session.close()


def test_every_picture_is_sealed_and_the_old_ones_are_gone(old: Oldtimer, key: PrivateKey) -> None:
    for name in ("a.png", "b.png", "in the bin.png"):
        old.add(name)
    old.bring_key()
    old.session.api.delete(old.session.user_id, "in the bin")
    seen: list[tuple[int, int]] = []
    moved = old.session.move_classic(key, PASSWORD, report=lambda done, total: seen.append((done, total)))
    assert (moved.pictures, moved.failed, seen[-1]) == (3, {}, (3, 3))
    rows, _ = old.session.api.page(old.session.user_id)
    assert {row.scheme for row in [*rows, *old.session.api.bin_page(old.session.user_id)]} == {Scheme.SEALED}
    old.check(binned=("in the bin.png",))


def test_nothing_begins_without_the_classic_key(old: Oldtimer, key: PrivateKey) -> None:
    old.add("a.png")
    with pytest.raises(errors.KeyMissing, match=r"rsa\.txt"):
        old.session.move_classic(key, PASSWORD)
    assert old.again().classic


def test_a_wrong_password_leaves_the_account_classic(old: Oldtimer, key: PrivateKey) -> None:
    old.add("a.png")
    old.bring_key()
    with pytest.raises(errors.WrongPassword):
        old.session.move_classic(key, "not the password")
    assert old.again().classic
    old.session.move_classic(key, PASSWORD)
    old.check()


class CutOff(Exception):
    """The program ends here."""


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Lets the n-th request end the program, before it is sent or before its answer is read."""
    from desktop.client.transport import Transport

    real = Transport.send
    left = [0, False]

    def send(self: Any, *arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not left[1]:
            raise CutOff
        answer = real(self, *arguments, **named)
        if left[0] == 0:
            with answer:
                pass
            raise CutOff
        return answer

    def at(number: int, *, sent: bool) -> None:
        left[:] = [number, sent]

    monkeypatch.setattr(Transport, "send", send)
    yield at
    left[:] = [0, False]


@pytest.mark.parametrize("sent", [False, True])
def test_cut_off_at_every_request(
    sent: bool,
    server: RunningServer,
    tmp_path: Path,
    sessions: Sessions,
    key: PrivateKey,
    key_file_bytes: bytes,
    cut_off: Any,
) -> None:
    put_key_file(tmp_path / "data" / "keys", key, key_file_bytes)
    at = 2 if sent else 1
    complete = False
    while not complete:
        old = Oldtimer(server, sessions, tmp_path / f"{at}")
        old.add("outside.png")
        old.add("binned.png")
        old.bring_key()
        old.session.api.delete(old.session.user_id, "binned")
        cut_off(at, sent=sent)
        try:
            old.session.move_classic(key, PASSWORD)
            complete = True
        except CutOff:
            cut_off(0, sent=False)
            old.again()
            old.session.move_classic(key, PASSWORD)
        cut_off(0, sent=False)
        old.check(binned=("binned.png",))
        old.session.close()
        at += 5
    assert at > 15


def test_what_does_not_decrypt_stays_as_it_is(old: Oldtimer, key: PrivateKey) -> None:
    old.add("good.png")
    source = old.folder / "broken.txt"
    source.write_text("1 2 3 ")
    noise = old.folder / "good.png.noise"
    old.session.api.upload_classic(old.session.user_id, "bad.png", picture=noise, quotient=source)
    old.bring_key()
    moved = old.session.move_classic(key, PASSWORD)
    assert moved.pictures == 1
    assert set(moved.failed) == {"bad"}
    schemes = {picture.name: picture.scheme for picture in old.session.vault().list_pictures()}
    assert schemes == {"good.png": Scheme.SEALED, "bad.png": Scheme.CLASSIC}
    assert old.session.moving_classic


def test_a_server_that_gives_back_another_picture_loses_nothing(
    old: Oldtimer, key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    old.add("a.png")
    old.bring_key()
    real: Any = old.session.api.content

    @contextmanager
    def content(user_id: str, name: str, *more: Any) -> Iterator[Any]:
        with real(user_id, name, *more) as stream:
            data = bytearray(stream.read())
            if name.startswith("p-"):
                data[300] ^= 1
            yield io.BytesIO(data)

    monkeypatch.setattr(old.session.api, "content", content)
    moved = old.session.move_classic(key, PASSWORD)
    assert isinstance(moved.failed["a"], errors.Damaged)
    rows, _ = old.session.api.page(old.session.user_id)
    assert Scheme.CLASSIC in {row.scheme for row in rows}
    monkeypatch.setattr(old.session.api, "content", real)
    assert old.session.move_classic().pictures == 1
    old.check()


def test_no_decrypted_byte_is_written(old: Oldtimer, key: PrivateKey, tmp_path: Path) -> None:
    from desktop.crypto import safe_write

    old.add("a.png")
    old.bring_key()
    written: list[bytes] = []
    real = safe_write.release

    def release(temporary: Path, target: Path, **more: Any) -> None:
        written.append(temporary.read_bytes())
        real(temporary, target, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(safe_write, "release", release)
        old.session.move_classic(key, PASSWORD)
    assert written
    pixels = np.asarray(Image.open(io.BytesIO(old.originals["a.png"]))).tobytes()
    assert not any(pixels[:60] in content for content in written)


def test_a_note_that_makes_no_sense_is_ignored(tmp_path: Path) -> None:
    (tmp_path / moving_classic.FILE).write_text('{"classic_key": 1}')
    assert moving_classic.load(tmp_path) is None
