"""A change of the key as the program does it: with sessions, key files and another computer that knows the old key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop import embedded, errors
from desktop.client.revising import Revising
from desktop.client.session import Sessions
from desktop.config import Config
from desktop.crypto.keys import PrivateKey
from tests.client.conftest import PASSPHRASE, PASSWORD, Somewhere, put_key_file
from tests.sample_pictures import png

NEW = "the passphrase of the new key"

pytestmark = pytest.mark.usefixtures("cheap_key_files")


def test_a_session_goes_over_to_another_key(place: Somewhere, other_key: PrivateKey) -> None:
    picture_id = place.add(png(9, 7))
    waiting = place.vault.seal(place.source(png(9, 7, seed=1))).picture.id
    session = place.session
    session.key_store.add(other_key, "the next", NEW)
    changed = session.change_key(other_key, PASSWORD)
    assert (changed.pictures, changed.failed) == (2, {})
    assert session.key_change is None
    vault = session.vault()
    assert {picture.id for picture in vault.list_pictures()} == {picture_id, waiting}
    assert vault.trust().quiet
    assert bytes(vault.open(picture_id).data) == png(9, 7)
    session.lock()
    with pytest.raises(errors.GlassineError):
        session.unlock(PASSPHRASE)
    session.unlock(NEW)
    retired = session.key_store.notes(place.session.key_store.list()[0].fingerprint)
    assert "retired" in retired


def test_another_computer_follows_what_the_old_key_signed(
    there: Somewhere, key: PrivateKey, other_key: PrivateKey, key_file_bytes: bytes, tmp_path: Path
) -> None:
    picture_id = there.add(png(9, 7))
    address, name = there.session.api.address, there.session.user_name
    put_key_file(tmp_path / "elsewhere" / "keys", key, key_file_bytes)
    elsewhere = Sessions(Config(tmp_path / "elsewhere"), embedded.start)
    session = elsewhere.sign_in(address, name, PASSWORD)
    session.unlock(PASSPHRASE)  # it knows the old key now
    session.close()
    there.session.key_store.add(other_key, "the next", NEW)
    there.session.change_key(other_key, PASSWORD)
    session = elsewhere.sign_in(address, name, PASSWORD)
    try:
        assert session.key_missing  # the new one has to be brought here
        session.key_store.add(other_key, "the next", NEW)
        session.unlock(NEW)
        session.vault().list_pictures()
        assert bytes(session.vault().open(picture_id).data) == png(9, 7)
    finally:
        session.close()


def test_a_key_that_the_old_one_did_not_sign_for_is_refused(there: Somewhere, other_key: PrivateKey) -> None:
    there.session.api.change_key(there.session.user_id, other_key.public.pem, PASSWORD)
    there.session.close()
    with pytest.raises(errors.KeyChanged):
        there.sign_in()


def test_a_version_that_waits_is_stored_or_chosen_before_the_key_that_opens_it_ends(
    there: Somewhere, other_key: PrivateKey
) -> None:
    waits, conflicts = there.add(png(9, 7)), there.add(png(9, 8))
    context = there.vault.context()
    put, listed = there.session.api.put_revision, context.catalog.get(conflicts)

    def silent(*_: Any, **__: Any) -> None:
        raise errors.ServerSilent

    there.session.api.put_revision = silent  # type: ignore[method-assign]
    with pytest.raises(errors.ServerSilent):
        Revising(context).replace(waits, there.source(png(9, 7, seed=1)))
    there.session.api.put_revision = put  # type: ignore[method-assign]
    Revising(context).replace(conflicts, there.source(png(9, 8, seed=2)))
    context.catalog.add(listed)  # as it was listed before
    with pytest.raises(errors.ConflictKept):
        Revising(context).replace(conflicts, there.source(png(9, 8, seed=3)))
    there.session.key_store.add(other_key, "the next", NEW)
    with pytest.raises(errors.ConflictKept, match="Nothing was changed"):
        there.session.change_key(other_key, PASSWORD)
    assert there.session.key_change is None
    assert [kept.picture_id for kept in Revising(context).kept()] == [conflicts]
    copy = Revising(context).resolve(conflicts, "both")
    there.session.change_key(other_key, PASSWORD)
    vault = there.session.vault()
    vault.list_pictures()
    assert bytes(vault.open(waits).data) == png(9, 7, seed=1)
    assert bytes(vault.open(conflicts).data) == png(9, 8, seed=2)
    assert bytes(vault.open(copy).data) == png(9, 8, seed=3)
