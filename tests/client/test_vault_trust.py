"""Listings of a vault against its memory, from the server's answers to what the gallery is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop import embedded, errors
from desktop.client.answers import Row
from desktop.client.memory import FILE
from desktop.client.notes import UNKNOWN_NAME
from desktop.client.session import Session, Sessions
from desktop.config import Config
from desktop.crypto import sealed
from desktop.crypto.keys import PrivateKey
from desktop.crypto.plans import new_epoch, next_revision
from desktop.models import Picture, PictureState
from tests import sample_pictures
from tests.client.conftest import PASSPHRASE, PASSWORD, Somewhere, put_key_file


def by_id(place: Somewhere) -> dict[str, Picture]:
    return {picture.id: picture for picture in place.vault.list_pictures()}


def lie(place: Somewhere, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Row]], list[Row]]) -> None:
    """Change the rows of every page, and say that nothing is to be had one by one."""
    page = place.session.api.page
    monkeypatch.setattr(place.session.api, "page", lambda *more: (found := page(*more)) and (change(found[0]), 0))

    def nothing(*_: Any) -> None:
        raise errors.NotFound

    monkeypatch.setattr(place.session.api, "present", nothing)


def revise(place: Somewhere, picture_id: str, content: bytes, *, epoch: bool = False) -> None:
    """Store the next revision, or epoch, as another of the person's computers would."""
    context = place.vault.context()
    present = context.api.present(context.user_id, f"p-{picture_id}")
    before = sealed.read_envelope(present.row.envelope, owner=context.key.public)
    opened = before.open(context.key)
    folder = place.outside / f"revision {next(place._names)}"
    folder.mkdir()
    made = sealed.seal(
        content,
        folder / "carrier.png",
        context.key,
        name="revised.png",
        media_type="image/png",
        width=20,
        height=20,
        taken="",
        thumbnail=b"",
        plan=new_epoch(opened, context.key) if epoch else next_revision(opened, context.key, owner=context.key.public),
    )
    context.api.put_revision(
        context.user_id,
        picture_id,
        replaces=before.header_hash,
        carrier=made.carrier,
        envelope=made.envelope,
        thumbnail=made.thumbnail,
        permissions=[] if epoch else None,
    )


def test_next_revisions_are_followed_however_many(place: Somewhere) -> None:
    picture_id = place.add(sample_pictures.png(20, 20, seed=1))
    for number in range(3):
        revise(place, picture_id, sample_pictures.png(20, 20, seed=number + 2))
    revise(place, picture_id, sample_pictures.png(20, 20, seed=9), epoch=True)
    revise(place, picture_id, sample_pictures.png(20, 20, seed=10))

    picture = by_id(place)[picture_id]
    assert (picture.state, picture.name) == (PictureState.READY, "revised.png")
    assert bytes(place.vault.open(picture_id).data) == sample_pictures.png(20, 20, seed=10)
    assert place.vault.trust().quiet


def test_steps_that_are_left_out_are_missed(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = place.add(sample_pictures.png(20, 20, seed=1), "first.png")
    for number in range(2):
        revise(place, picture_id, sample_pictures.png(20, 20, seed=number + 2))
    monkeypatch.setattr(place.session.api, "history", lambda *_: [])

    picture = by_id(place)[picture_id]
    assert (picture.state, picture.problem_code) == (PictureState.REFUSED, errors.HistoryMissing.code)
    assert picture.name == "first.png"  # as it was seen last
    assert place.vault.trust().forked == (picture_id,)
    monkeypatch.undo()
    assert by_id(place)[picture_id].state is PictureState.READY


def test_an_older_revision_is_named_over_a_restart(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = place.add(sample_pictures.png(20, 20, seed=1))
    old = place.session.api.present(place.session.user_id, f"p-{picture_id}").row.envelope
    revise(place, picture_id, sample_pictures.png(20, 20, seed=2))
    assert by_id(place)[picture_id].name == "revised.png"
    place.restart()
    lie(place, monkeypatch, lambda rows: [replace(row, envelope=old) for row in rows])

    picture = by_id(place)[picture_id]
    assert (picture.state, picture.problem_code) == (PictureState.REFUSED, errors.RolledBack.code)
    assert picture.name == "revised.png"
    assert place.vault.trust().rolled_back == (picture_id,)
    for use in (place.vault.open, lambda wanted: place.vault.export(wanted, place.outside)):
        with pytest.raises(errors.RolledBack):
            use(picture_id)
    assert not place.vault.thumbnails([picture_id])


def test_another_revision_of_the_same_number_is_a_fork(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = place.add(sample_pictures.png(20, 20, seed=1))
    context = place.vault.context()
    first = sealed.read_envelope(
        context.api.present(context.user_id, f"p-{picture_id}").row.envelope, owner=context.key.public
    ).open(context.key)
    made = sealed.seal(
        sample_pictures.png(20, 20, seed=3),
        place.outside / "other.png",
        context.key,
        name="other.png",
        media_type="image/png",
        width=20,
        height=20,
        taken="",
        thumbnail=b"",
        plan=next_revision(first, context.key, owner=context.key.public),
    )
    revise(place, picture_id, sample_pictures.png(20, 20, seed=2))
    by_id(place)
    lie(place, monkeypatch, lambda rows: [replace(row, envelope=made.envelope) for row in rows])
    assert by_id(place)[picture_id].problem_code == errors.Forked.code
    assert place.vault.trust().forked == (picture_id,)


def test_missing_pictures_have_a_name_and_a_thumbnail(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    stays = place.add(sample_pictures.png(seed=1))
    lost = place.add(sample_pictures.png(200, 100, seed=2), "wedding.png")
    jpeg = place.vault.thumbnails([lost])[lost]
    place.restart()
    lie(place, monkeypatch, lambda rows: [row for row in rows if lost not in row.stored_name])
    pages: list[list[str]] = []

    place.vault.list_pictures(on_page=lambda page: pages.append([picture.id for picture in page]))

    assert pages == [[stays], [lost]]
    picture = place.vault.list_pictures()[-1]
    assert (picture.id, picture.state, picture.problem_code) == (lost, PictureState.MISSING, "V-120")
    assert (picture.name, picture.width, picture.height) == ("wedding.png", 200, 100)
    assert ("server" in picture.problem.split(".")[1]) == (place.kind == "server")
    assert place.vault.trust().missing == (lost,)
    assert place.vault.thumbnails([lost]) == ({lost: jpeg} if place.kind == "server" else {})
    with pytest.raises(errors.Missing):
        place.vault.open(lost)
    with pytest.raises(errors.NotFound):
        place.vault.delete(lost)
    monkeypatch.undo()
    assert by_id(place)[lost].state is PictureState.READY  # it is back
    assert place.vault.trust().quiet


def test_a_loss_can_be_accepted(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = place.add(sample_pictures.png(seed=3))
    lie(place, monkeypatch, lambda rows: [])
    assert by_id(place)[lost].state is PictureState.MISSING
    assert place.vault.purge([lost]) == [lost]
    assert by_id(place) == {}
    monkeypatch.undo()
    back = by_id(place)[lost]
    assert (back.state, back.problem_code) == (PictureState.REFUSED, errors.Resurrected.code)
    assert place.vault.trust().resurrected == (lost,)


def test_what_another_program_moved_meanwhile_is_asked_for_again(
    there: Somewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_id = there.add(sample_pictures.png(seed=4))
    monkeypatch.setattr(there.session.api, "page", lambda *_: ([], 0))  # restored just after the page was read
    assert by_id(there)[picture_id].state is PictureState.READY
    assert there.vault.trust().quiet


def test_strangers_pictures_are_named(place: Somewhere, other_key: PrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.crypto import forge

    mine = place.add(sample_pictures.png(seed=5))
    theirs = forge.picture(other_key)

    def inject(rows: list[Row]) -> list[Row]:
        if not rows:
            return rows
        name = f"p-{theirs.picture_id}"
        return [*rows, replace(rows[0], id="f" * 24, stored_name=name, envelope=theirs.envelope)]

    lie(place, monkeypatch, inject)
    pictures = by_id(place)
    assert pictures[mine].state is PictureState.READY
    assert pictures[theirs.picture_id].problem_code == errors.Injected.code
    assert place.vault.trust().injected == (theirs.picture_id,)


def test_a_picture_listed_on_two_pages_is_refused(place: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = place.add(sample_pictures.png(seed=6))
    rows, _ = place.session.api.page(place.session.user_id)
    answers = iter([(rows, 2), ([replace(rows[0], id="f" * 24)], 2), ([], 2)])
    monkeypatch.setattr(place.session.api, "page", lambda *_: next(answers))
    pages: list[list[str]] = []
    place.vault.list_pictures(on_page=lambda page: pages.append([picture.problem_code for picture in page]))
    assert pages == [[""], [errors.WrongPicture.code]]
    assert place.vault._catalog.get(picture_id).refusal is not None


def test_memory_is_written_before_anything_is_shown(there: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_id = there.add(sample_pictures.png(20, 20, seed=7))
    revise(there, picture_id, sample_pictures.png(20, 20, seed=8))
    context = there.vault.context()
    shown: list[tuple[str, str]] = []

    def look(page: list[Picture]) -> None:
        for picture in page:
            entry = context.memory.entry(context.key.fingerprint, picture.id)
            assert entry is not None
            assert entry.known is not None
            shown.append((picture.revision, entry.known.header_hash))

    there.vault.list_pictures(on_page=look)
    [(revision, remembered)] = shown
    assert revision == remembered


def test_an_incomplete_listing_calls_nothing_missing(there: Somewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    there.add(sample_pictures.png(seed=9))

    def silent(*_: Any) -> None:
        raise errors.ServerSilent

    monkeypatch.setattr(there.session.api, "page", lambda *_: ([], 0))
    monkeypatch.setattr(there.session.api, "bin_page", silent)
    pages: list[list[Picture]] = []
    with pytest.raises(errors.ServerSilent):
        there.vault.list_pictures(on_page=pages.append)
    assert pages == []
    assert there.vault.trust().quiet


def test_a_place_of_an_earlier_version_learns_without_an_alarm(place: Somewhere) -> None:
    wanted = {place.add(sample_pictures.png(seed=seed)) for seed in (10, 11)}
    folder = place.session.place.folder
    place.session.close()
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    place.session = place.sign_in()

    pictures = by_id(place)
    assert set(pictures) == wanted
    assert {picture.state for picture in pictures.values()} == {PictureState.READY}
    assert place.vault.trust().quiet


def test_a_restored_backup_of_a_vaults_folder_raises_no_alarm(here: Somewhere, tmp_path: Path) -> None:
    kept = here.add(sample_pictures.png(20, 20, seed=12))
    gone = here.add(sample_pictures.png(20, 20, seed=13))
    here.session.close()
    folder, backup = here.session.place.folder, tmp_path / "backup"
    shutil.copytree(folder, backup)
    here.session = here.sign_in()
    here.vault.list_pictures()
    revise(here, kept, sample_pictures.png(20, 20, seed=14))
    here.vault.list_pictures()
    here.vault.purge([gone])
    later = here.add(sample_pictures.png(seed=15))
    here.session.close()
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    here.session = here.sign_in()

    pictures = by_id(here)
    assert set(pictures) == {kept, gone}
    assert later not in pictures
    assert {picture.state for picture in pictures.values()} == {PictureState.READY}
    assert here.vault.trust().quiet


def test_a_damaged_memory_is_said_and_can_be_set_aside(place: Somewhere, key: PrivateKey) -> None:
    picture_id = place.add(sample_pictures.png(seed=16))
    place.session.lock()
    place.session._forget_memory()
    path = place.session.place.folder / FILE
    path.write_bytes(b"not a memory" * 100)
    for other in path.parent.glob(f"{FILE}-*"):
        other.unlink()

    with pytest.raises(errors.MemoryUnreadable):
        place.session.accept(key)
    assert place.session.locked
    kept = place.session.begin_memory_anew()
    assert kept is not None
    assert kept.read_bytes().startswith(b"not a memory")
    place.session.accept(key)
    assert by_id(place)[picture_id].state is PictureState.READY


# -- two computers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def second(there: Somewhere, tmp_path: Path, key: PrivateKey, key_file_bytes: bytes) -> Any:
    """The same person at another computer that has never been used; call it to sign in there."""
    put_key_file(tmp_path / "second" / "keys", key, key_file_bytes)
    sessions = Sessions(Config(tmp_path / "second"), embedded.start)
    opened: list[Session] = []

    def sign_in() -> Session:
        for session in opened:
            session.close()
        session = sessions.sign_in(there.session.place.address, there.session.user_name, PASSWORD)
        session.unlock(PASSPHRASE)
        opened.append(session)
        return session

    yield sign_in
    for session in opened:
        session.close()


def test_a_new_computer_takes_what_the_other_remembers(there: Somewhere, second: Callable[[], Session]) -> None:
    kept = there.add(sample_pictures.png(seed=20))
    purged = there.add(sample_pictures.png(seed=21))
    there.vault.list_pictures()
    there.vault.purge([purged])
    assert there.vault.sync_ledger()
    assert not there.vault.sync_ledger()  # nothing has changed since

    vault = second().vault()
    assert [picture.id for picture in vault.list_pictures()] == [kept]
    trust = vault.trust()
    assert (trust.new_device, trust.quiet) == (True, True)
    assert trust.ledger_time is not None
    entry = vault.context().memory.entry(vault.context().key.fingerprint, purged)
    assert entry is not None
    assert entry.gone
    vault.list_pictures()
    assert second().vault().list_pictures()[0].id == kept
    assert not second().vault().trust().new_device


def test_a_new_computer_notices_what_is_missing_and_what_is_old(
    there: Somewhere, second: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, old = there.add(sample_pictures.png(seed=22)), there.add(sample_pictures.png(20, 20, seed=23))
    before = there.session.api.present(there.session.user_id, f"p-{old}").row.envelope
    revise(there, old, sample_pictures.png(20, 20, seed=24))
    there.vault.list_pictures()
    session = second()
    elsewhere = replace_session(there, session)
    lie(
        elsewhere,
        monkeypatch,
        lambda rows: [replace(row, envelope=before) for row in rows if lost not in row.stored_name],
    )

    pictures = by_id(elsewhere)
    assert (pictures[lost].state, pictures[lost].name) == (PictureState.MISSING, UNKNOWN_NAME)
    assert pictures[old].problem_code == errors.RolledBack.code
    trust = elsewhere.vault.trust()
    assert (trust.missing, trust.rolled_back, trust.new_device) == ((lost,), (old,), True)


def replace_session(place: Somewhere, session: Session) -> Somewhere:
    """The same place as another computer sees it."""
    return replace(place, session=session)


def test_without_a_ledger_a_new_computer_says_so(
    there: Somewhere, second: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    there.add(sample_pictures.png(seed=25))
    session = second()
    monkeypatch.setattr(session.api, "ledger", lambda *_: None)
    vault = session.vault()
    vault.list_pictures()
    assert (vault.trust().new_device, vault.trust().ledger_time) == (True, None)


def test_a_new_account_is_no_new_computer(there: Somewhere) -> None:
    there.vault.list_pictures()
    assert not there.vault.trust().new_device
    there.add(sample_pictures.png(seed=26))
    there.vault.list_pictures()
    assert not there.vault.trust().new_device


def test_what_one_computer_bins_the_other_does_not_miss(there: Somewhere, second: Callable[[], Session]) -> None:
    session = second()
    picture_id = there.add(sample_pictures.png(seed=27))
    assert [picture.id for picture in session.vault().list_pictures()] == [picture_id]
    there.vault.delete(picture_id)
    there.vault.sync_ledger()
    session.vault().sync_ledger()
    [row] = there.session.api.bin_page(there.session.user_id)
    there.session.api.remove_from_bin(there.session.user_id, row.id)
    assert session.vault().list_pictures() == []
    assert session.vault().trust().quiet


def test_what_one_computer_purges_the_other_believes_by_the_record_alone(
    there: Somewhere, second: Callable[[], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = second()
    picture_id = there.add(sample_pictures.png(seed=28))
    assert len(session.vault().list_pictures()) == 1
    there.vault.purge([picture_id])  # and no ledger is written
    with monkeypatch.context() as hidden:
        hidden.setattr(session.api, "gone_page", lambda *_: [])
        [missing] = session.vault().list_pictures()
        assert missing.state is PictureState.MISSING
    assert session.vault().list_pictures() == []
    assert session.vault().trust().quiet


def test_an_older_ledger_is_named_and_replaced(there: Somewhere) -> None:
    api, user = there.session.api, there.session.user_id
    there.add(sample_pictures.png(seed=29))
    there.vault.sync_ledger()
    old = api.ledger(user)
    assert old is not None
    there.add(sample_pictures.png(seed=30))
    there.vault.sync_ledger()
    new = api.ledger(user)
    assert new is not None
    serial = there.vault.context().memory.ledger_serial
    api.put_ledger(user, old.content, new.tag)

    there.vault.list_pictures()
    assert there.vault.trust().ledger_problem == errors.RolledBack.code
    assert not there.vault.trust().quiet
    assert there.vault.context().memory.ledger_serial == serial + 1
    there.vault.list_pictures()
    assert there.vault.trust().quiet


@pytest.mark.parametrize("content", [b"x" * 100, b"", b"\0" * 20])
def test_a_ledger_that_is_none_is_named_and_left(
    there: Somewhere, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.add(sample_pictures.png(seed=31))
    there.vault.sync_ledger()
    fetch = there.session.api.ledger
    monkeypatch.setattr(there.session.api, "ledger", lambda *more: replace(fetch(*more), content=content, tag="other"))
    there.vault.list_pictures()
    assert there.vault.trust().ledger_problem == errors.LedgerDamaged.code
    assert there.vault.list_pictures()[0].state is PictureState.READY


def test_two_computers_that_write_at_once_lose_nothing(there: Somewhere, second: Callable[[], Session]) -> None:
    there.vault.sync_ledger()
    session = second()
    session.vault().list_pictures()
    mine = there.add(sample_pictures.png(seed=32))
    put = there.session.api.put_ledger
    other: list[str] = []

    def late(*arguments: Any) -> str:
        if not other:
            other.append("theirs")
            path = there.source(sample_pictures.png(seed=33))
            other.append(session.vault().upload(session.vault().seal(path)).id)
            session.vault().sync_ledger()
        return put(*arguments)

    there.session.api.put_ledger = late  # type: ignore[method-assign]
    assert there.vault.sync_ledger()
    memory = there.vault.context().memory
    known = {entry.picture_id for entry in memory.snapshot().entries.values()}
    assert known >= {mine, other[1]}


def test_the_ledger_is_written_at_the_end_only_when_something_changed(there: Somewhere) -> None:
    there.add(sample_pictures.png(seed=34))
    api, user = there.session.api, there.session.user_id
    there.vault.list_pictures()
    first = api.ledger(user)
    there.vault.farewell()
    assert api.ledger(user) == first
    there.vault.delete(there.add(sample_pictures.png(seed=35)))
    there.vault.farewell()
    assert api.ledger(user) != first


def test_a_vault_on_this_computer_has_no_ledger(here: Somewhere) -> None:
    here.add(sample_pictures.png(seed=36))
    here.vault.list_pictures()
    assert not here.vault.sync_ledger()
    assert here.session.api.ledger(here.session.user_id) is None
