"""Signing in: vaults on this computer, accounts on servers, and whose key is believed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from desktop import embedded, errors
from desktop.client.session import Sessions
from desktop.config import Config
from desktop.crypto.keys import PrivateKey
from desktop.models import PlaceKind
from tests import sample_pictures
from tests.client.conftest import (
    PASSPHRASE,
    PASSWORD,
    RunningServer,
    Somewhere,
    make_on_server,
    put_key_file,
    run_server,
)


@contextmanager
def powerless() -> Iterator[Path]:
    """A folder that may not be written, also when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="glassine-read-only-"))
    target = folder / "vault"
    target.mkdir()
    folder.chmod(0o755)
    root = os.geteuid() == 0
    if root:
        os.chown(target, 65534, 65534)
    target.chmod(0o500)
    if root:
        os.seteuid(65534)
    try:
        yield target
    finally:
        if root:
            os.seteuid(0)
        target.chmod(0o700)
        shutil.rmtree(folder)


# -- this computer ------------------------------------------------------------------------------------------------


def test_a_vault_is_made_closed_and_opened(sessions: Sessions, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "my vault"
    steps: list[tuple[int, int]] = []
    assert not sessions.vault_exists(folder)

    created = sessions.create_vault(folder, PASSPHRASE, lambda done, total: steps.append((done, total)))
    fingerprint = created.public_key.fingerprint if created.public_key else ""
    assert not created.locked
    assert created.place.kind is PlaceKind.THIS_COMPUTER
    created.close()

    assert steps == sorted(steps)
    assert steps[-1] == (4, 4)
    assert sessions.vault_exists(folder)
    with pytest.raises(errors.WrongKey):
        sessions.open_vault(folder, PASSPHRASE + "!")
    opened = sessions.open_vault(folder, PASSPHRASE)
    assert opened.key is not None
    assert opened.key.fingerprint == fingerprint
    assert opened.vault().list_pictures() == []
    opened.close()
    assert [place.folder for place in sessions.places()] == [folder]
    assert [place.folder for place in Sessions(Config(tmp_path / "data"), embedded.start).places()] == [folder]


def test_a_vault_is_not_made_over_another(here: Somewhere, sessions: Sessions) -> None:
    with pytest.raises(errors.NameTaken):
        sessions.create_vault(here.session.place.folder, PASSPHRASE)


@pytest.mark.parametrize("passphrase", ["", "   "])
def test_an_empty_passphrase_is_refused(sessions: Sessions, tmp_path: Path, passphrase: str) -> None:
    with pytest.raises(errors.PassphraseRefused):
        sessions.create_vault(tmp_path / "vault", passphrase)
    assert not (tmp_path / "vault").exists()


def test_a_second_window_is_told(here: Somewhere, sessions: Sessions) -> None:
    with pytest.raises(errors.VaultInUse):
        sessions.open_vault(here.session.place.folder, PASSPHRASE)
    here.add(sample_pictures.png())  # the first one goes on


def test_a_wrong_passphrase_does_not_hold_the_vault(here: Somewhere, sessions: Sessions) -> None:
    here.session.close()
    with pytest.raises(errors.WrongKey):
        sessions.open_vault(here.session.place.folder, "wrong")
    here.session = here.sign_in()


def test_a_folder_without_a_vault(sessions: Sessions, tmp_path: Path) -> None:
    with pytest.raises(errors.VaultUnreadable, match="no vault"):
        sessions.open_vault(tmp_path, PASSPHRASE)


def test_a_vault_without_its_key_file(here: Somewhere, sessions: Sessions) -> None:
    here.session.close()
    folder = here.session.place.folder
    shutil.rmtree(folder / "keys")
    assert sessions.vault_exists(folder)
    with pytest.raises(errors.VaultUnreadable, match="key file is gone"):
        sessions.open_vault(folder, PASSPHRASE)


def test_a_damaged_key_file_is_not_called_a_wrong_passphrase(here: Somewhere, sessions: Sessions) -> None:
    here.session.close()
    [path] = (here.session.place.folder / "keys").glob("*.glassine-key")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(errors.KeyFileDamaged):
        sessions.open_vault(here.session.place.folder, PASSPHRASE)


def test_a_vault_with_anothers_key_file(here: Somewhere, sessions: Sessions, other_key: PrivateKey) -> None:
    from desktop.crypto import key_file
    from desktop.crypto.key_slots import LEAST_COST

    here.session.close()
    keys = here.session.place.folder / "keys"
    shutil.rmtree(keys)
    put_key_file(keys, other_key, key_file.create(other_key, PASSPHRASE, _cost=LEAST_COST))
    with pytest.raises(errors.KeyChanged):
        sessions.open_vault(here.session.place.folder, PASSPHRASE)
    shutil.rmtree(keys)  # and the vault was let go
    backend = embedded.start(here.session.place.folder / "backend")
    backend.close()


def test_a_vault_folder_that_may_not_be_written(sessions: Sessions) -> None:
    with powerless() as folder, pytest.raises(errors.StorageReadOnly):
        sessions.create_vault(folder / "new", PASSPHRASE)


def test_a_vault_that_became_read_only(sessions: Sessions, key: PrivateKey, key_file_bytes: bytes) -> None:
    with powerless() as folder:
        root = os.geteuid() != os.getuid()
        if root:
            os.seteuid(0)
        put_key_file(folder / "keys", key, key_file_bytes)
        session = sessions.open_vault(folder, PASSPHRASE)
        session.close()
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(errors.StorageReadOnly):
                sessions.open_vault(folder, PASSPHRASE)
        finally:
            if root:
                os.seteuid(0)
            for path in [folder, *folder.rglob("*")]:
                path.chmod(0o700)


def test_locking_and_unlocking(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png())
    place.session.lock()
    assert place.session.locked
    with pytest.raises(errors.WrongKey):
        place.session.unlock("wrong")
    assert place.session.locked
    place.session.unlock(PASSPHRASE)
    assert [picture.id for picture in place.vault.list_pictures()] == [picture_id]


def test_a_closed_session_does_nothing_more(place: Somewhere, key: PrivateKey) -> None:
    place.session.close()
    place.session.close()
    assert place.session.locked
    with pytest.raises(errors.NotSignedIn):
        place.session.vault()
    with pytest.raises(errors.NotSignedIn):
        place.session.accept(key)


# -- servers ------------------------------------------------------------------------------------------------------


def test_registering_and_signing_in(sessions: Sessions, server: RunningServer, tmp_path: Path) -> None:
    session = sessions.register(server.address, "Zoë", PASSWORD, PASSPHRASE)
    assert not session.locked
    [entry] = session.key_store.list()
    assert session.public_key == entry.public
    picture = session.vault().upload(session.vault().seal(write(tmp_path / "a.png")))
    session.close()

    again = sessions.sign_in(server.address + "/", "Zoë", PASSWORD)
    assert again.locked
    assert not again.key_missing
    with pytest.raises(errors.KeyMissing):
        again.vault()
    again.unlock(PASSPHRASE)
    assert [item.id for item in again.vault().list_pictures()] == [picture.id]
    again.close()
    assert [(place.user_name, place.address) for place in sessions.places()] == [("Zoë", server.address)]
    with pytest.raises(errors.UserNameTaken):
        sessions.register(server.address, "Zoë", PASSWORD, PASSPHRASE)
    assert len(session.key_store.list()) == 1  # no key is left of the attempt


def write(path: Path, content: bytes | None = None) -> Path:
    path.write_bytes(content or sample_pictures.png())
    return path


def test_a_passphrase_equal_to_the_password_is_refused_before_anything_is_sent(sessions: Sessions) -> None:
    for passphrase, password in ((PASSWORD, PASSWORD), ("Zoe\u0308 and more", "Zo\u00eb and more")):
        with pytest.raises(errors.PassphraseRefused, match="differ"):
            sessions.register("http://127.0.0.1:1", "a", password, passphrase)


def test_a_wrong_password(there: Somewhere, sessions: Sessions) -> None:
    with pytest.raises(errors.WrongPassword):
        sessions.sign_in(there.session.place.address, there.session.user_name, "wrong")


def test_an_account_whose_key_is_not_here(
    there: Somewhere, sessions: Sessions, key_file_bytes: bytes, key: PrivateKey, tmp_path: Path
) -> None:
    picture_id = there.add(sample_pictures.png())
    there.session.close()
    elsewhere = Sessions(Config(tmp_path / "another computer"), embedded.start)

    session = elsewhere.sign_in(there.session.place.address, there.session.user_name, PASSWORD)
    assert session.key_missing
    with pytest.raises(errors.KeyMissing):
        session.unlock(PASSPHRASE)
    copy = tmp_path / "copy of my key"
    copy.write_bytes(key_file_bytes)
    session.key_store.import_file(copy, PASSPHRASE, "mine", "another passphrase")
    assert not session.key_missing
    session.unlock("another passphrase")
    assert [picture.id for picture in session.vault().list_pictures()] == [picture_id]
    session.close()


def test_another_key_than_the_accounts(there: Somewhere, sessions: Sessions, other_key: PrivateKey) -> None:
    there.session.lock()
    there.session.key_store.add(other_key, "another", "another passphrase")
    with pytest.raises(errors.KeyChanged):
        there.session.unlock("another passphrase", other_key.fingerprint)
    assert there.session.locked


def test_a_server_that_names_another_key_is_caught(
    there: Somewhere, other_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that this computer knows of the account is believed, not what the server says next time."""
    there.session.close()
    from desktop.client.api import Api

    honest = Api.user

    def lie(api: Api, user_id: str) -> object:
        user = honest(api, user_id)
        return type(user)(user.user_id, user.user_name, answer)

    monkeypatch.setattr(Api, "user", lie)
    answer = other_key.public.pem
    with pytest.raises(errors.KeyChanged):
        there.sign_in()
    answer = "27977 9431"
    with pytest.raises(errors.SchemeChanged):
        there.sign_in()
    answer = "no key at all"
    with pytest.raises(errors.KeyRefused):
        there.sign_in()
    monkeypatch.undo()
    there.session = there.sign_in()  # nothing was changed or kept locked


def test_two_windows_on_one_account(there: Somewhere) -> None:
    with pytest.raises(errors.VaultInUse):
        there.sign_in()
    there.add(sample_pictures.png())


def test_signing_out_revokes_the_token(there: Somewhere) -> None:
    token = there.session.api._tokens.access
    there.session.close()
    there.session = there.sign_in()
    there.session.api.use_token(token)
    with pytest.raises(errors.NotSignedIn):
        there.vault.list_pictures()


def test_a_server_without_registration(sessions: Sessions, tmp_path: Path) -> None:
    closed = run_server(tmp_path / "closed", registration=False)
    try:
        with pytest.raises(errors.NotAllowed, match="no new accounts"):
            sessions.register(closed.address, "a", PASSWORD, PASSPHRASE)
        assert not (tmp_path / "data" / "keys").exists()
    finally:
        closed.stop()


def test_a_classic_account(sessions: Sessions, server: RunningServer, tmp_path: Path) -> None:
    """Old pictures can be listed, opened and exported with the account's rsa.txt; nothing new is stored."""
    import io

    import numpy as np
    from PIL import Image

    from desktop.crypto import classic, classic_keys

    public, private = classic_keys.generate()
    server.app.extensions["glassine"].services.accounts.register("oldtimer", PASSWORD, public.to_text())
    session = sessions.sign_in(server.address, "oldtimer", PASSWORD)
    assert session.classic
    assert not session.locked
    assert not session.key_missing
    original = write(tmp_path / "old bicycle.png")
    noise = classic.encrypt_file(original, public, tmp_path / "noise.png", tmp_path / "quotient.txt")
    session.api.upload_classic(session.user_id, "old bicycle.png", picture=noise.picture, quotient=noise.quotient)
    [picture] = session.vault().list_pictures()
    assert (picture.name, picture.state.value, picture.scheme.value) == ("old bicycle.png", "ready", "classic")
    assert session.vault().thumbnails([picture.id]) == {}

    with pytest.raises(errors.KeyMissing, match=r"rsa\.txt"):
        session.vault().open(picture.id)
    (tmp_path / "wrong.txt").write_text(f"{private.d + 2} {private.n}")
    session.key_store.import_classic(tmp_path / "wrong.txt")
    with pytest.raises(errors.KeyMissing):
        session.vault().open(picture.id)
    (tmp_path / "rsa.txt").write_text(private.to_text())
    session.key_store.import_classic(tmp_path / "rsa.txt")
    opened = session.vault().open(picture.id)
    exported = session.vault().export(picture.id, tmp_path)

    assert exported.name == "old bicycle (2).png"
    for content in (bytes(opened.data), exported.read_bytes()):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), np.asarray(Image.open(original)))
    assert list((session.place.folder / "cache").iterdir()) == []
    with pytest.raises(errors.KeyMissing):
        session.vault().seal(write(tmp_path / "new.png"))
    session.vault().delete(picture.id)
    assert session.vault().list_pictures() == []
    session.close()


def test_a_server_killed_in_the_middle_of_an_upload(
    sessions: Sessions, tmp_path: Path, key: PrivateKey, key_file_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.client.api.BACKOFF_S", (0.1,))
    running = run_server(tmp_path / "server")
    there = make_on_server(sessions, tmp_path, key, key_file_bytes, running)
    staged = there.vault.seal(there.source(sample_pictures.png(1500, 1000, seed=3)))
    stopped = False

    def pull_the_plug(done: int, total: int) -> None:
        nonlocal stopped
        if done > total // 2 and not stopped:
            stopped = True
            running.stop()

    with pytest.raises(errors.ServerSilent):
        there.vault.upload(staged, pull_the_plug)
    assert stopped
    assert [item.picture.id for item in there.vault.staged()] == [staged.picture.id]

    port = int(running.address.rsplit(":", 1)[1])
    again = run_server(tmp_path / "server", port=port)
    try:
        there.vault.upload(staged)
        assert [picture.id for picture in there.vault.list_pictures()] == [staged.picture.id]
    finally:
        there.session.close()
        again.stop()
