"""Another key pair for an account: whole, cut off at every request, with people and a bin."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.client import key_change_state
from desktop.client.api import Api
from desktop.client.key_change import Changed, KeyChange
from desktop.client.memory import Memory
from desktop.client.memory_model import PinState
from desktop.client.staging import Staging
from desktop.client.transport import Transport
from desktop.client.vault_context import VaultContext
from desktop.client.vault_listing import Catalog
from desktop.client.vault_thumbnails import VaultThumbnails
from desktop.crypto import sealed
from desktop.crypto.grants import grant_to, read_grant
from desktop.crypto.keys import PrivateKey
from desktop.crypto.sealed import read_envelope
from tests.client.conftest import PASSWORD, RunningServer

THUMBNAIL = b"a small picture"
_counter = iter(range(1, 10_000))


@pytest.fixture(scope="session")
def third_key() -> PrivateKey:
    """A friend's key pair."""
    return PrivateKey.generate(2048)


class Person:
    """An account with pictures, without the parts of a vault that a change of the key does not use."""

    def __init__(self, server: RunningServer, folder: Path, key: PrivateKey) -> None:
        self.name, self.key, self.folder = f"changer-{next(_counter)}", key, folder
        folder.mkdir(parents=True, exist_ok=True)
        accounts = server.app.extensions["glassine"].services.accounts
        self.user_id = accounts.register(self.name, PASSWORD, key.public.pem).id
        self.api = Api(Transport(server.address), wait=lambda seconds: None)
        self.api.login(self.name, PASSWORD)
        self.memory = Memory(folder, key.fingerprint)
        self.originals: dict[str, bytes] = {}

    @property
    def context(self) -> VaultContext:
        thumbnails = VaultThumbnails(self.api, self.user_id, self.folder / "cache")
        staging = Staging(self.folder / "staging")
        return VaultContext(self.api, self.user_id, self.key, self.memory, self.folder, Catalog(), thumbnails, staging)

    def add(self, content: bytes) -> str:
        carrier = self.folder / f"carrier-{len(self.originals)}.png"
        made = sealed.seal(
            content,
            carrier,
            self.key,
            name=f"picture {len(self.originals)}.bin",
            media_type="image/png",
            width=1,
            height=1,
            taken="",
            thumbnail=THUMBNAIL,
        )
        self.api.upload_sealed(
            self.user_id, made.picture_id, carrier=carrier, envelope=made.envelope, thumbnail=made.thumbnail
        )
        self.memory.stored(read_envelope(made.envelope, owner=self.key.public, picture_id=made.picture_id))
        carrier.unlink()
        self.originals[made.picture_id] = content
        return made.picture_id

    def change(self, new: PrivateKey, *, api: Any = None, **more: Any) -> Changed:
        """Go over to another key."""
        used = api or self.api

        def change_account(pem: str) -> None:
            used.change_key(self.user_id, pem, PASSWORD)

        context = replace(self.context, api=used)
        return KeyChange(context, self.key, new, change_account).run(**more)

    def check(self, new: PrivateKey, stranger: PrivateKey) -> None:
        """Every picture opens with the new key to the same bytes, and to nothing with the old one."""
        assert self.api.user(self.user_id).public_key == new.public.pem
        rows, _ = self.api.page(self.user_id)
        assert {row.stored_name[2:] for row in rows} == set(self.originals)
        for row in rows:
            picture_id = row.stored_name[2:]
            envelope = read_envelope(row.envelope, owner=new.public, picture_id=picture_id)
            assert (envelope.epoch, envelope.revision) == (2, 1)
            opened = envelope.open(new)
            with self.api.content(self.user_id, row.stored_name) as stream:
                assert bytes(opened.open_payload_to_memory(stream)) == self.originals[picture_id]
            thumbnail = self.api.thumbnails(self.user_id, [row.stored_name])[row.stored_name]
            assert opened.open_thumbnail(thumbnail) == THUMBNAIL
            with pytest.raises(errors.GlassineError):
                envelope.open(stranger)
            entry = self.memory.entry(new.fingerprint, picture_id)
            assert entry is not None
            assert entry.known is not None
            assert entry.known.header_hash == envelope.header_hash
            assert len(entry.known.accepted) == 2
        assert not self.memory.intents()
        assert key_change_state.load(self.folder) is None


@pytest.fixture
def person(server: RunningServer, tmp_path: Path, key: PrivateKey) -> Iterator[Person]:
    made = Person(server, tmp_path / "mara", key)
    yield made
    made.memory.close()
    made.api.close()


def test_every_picture_goes_on_under_the_new_key(person: Person, key: PrivateKey, other_key: PrivateKey) -> None:
    for number in range(3):
        person.add(bytes([number]) * (300_000 * number + 5))
    seen: list[tuple[int, int]] = []
    changed = person.change(other_key, report=lambda done, total: seen.append((done, total)))
    assert (changed.pictures, changed.failed) == (3, {})
    assert (3, 3) in seen
    person.check(other_key, key)
    # the old key is at hand for whoever opens the new one, and for nobody else
    assert [found.fingerprint for found in key_change_state.former_keys(person.folder, other_key)] == [key.fingerprint]
    assert key_change_state.former_keys(person.folder, key) == []
    (record,) = person.api.successions(person.user_id)
    assert record.about == key.fingerprint


class CutOff(Exception):
    """The program ends here."""


class Breaking:
    """An ``Api`` whose n-th request is not sent, or sent and its answer lost: the program ends there."""

    def __init__(self, api: Api, at: int, *, sent: bool) -> None:
        self._api, self._left, self._sent = api, at, sent

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._api, name)
        if not callable(value) or name in ("close",):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._sent:
                raise CutOff
            answer = value(*arguments, **named)
            if self._left == 0:
                raise CutOff
            return answer

        return call


@pytest.mark.parametrize("sent", [False, True])
def test_cut_off_at_every_request(
    sent: bool, server: RunningServer, tmp_path: Path, key: PrivateKey, other_key: PrivateKey
) -> None:
    at = 2 if sent else 1
    while True:
        person = Person(server, tmp_path / f"{at}", key)
        person.add(b"outside")
        binned = person.add(b"in the bin")
        person.api.delete(person.user_id, f"p-{binned}")
        try:
            person.change(other_key, api=Breaking(person.api, at, sent=sent))
            complete = True
        except CutOff:
            complete = False
            person.memory.close()  # the program is started again
            person.memory = Memory(person.folder, key.fingerprint)
            person.change(other_key)
        (row,) = person.api.bin_page(person.user_id)
        assert row.stored_name == f"p-{binned}"
        read_envelope(row.envelope, owner=other_key.public, picture_id=binned).open(other_key)
        del person.originals[binned]
        person.check(other_key, key)
        person.memory.close()
        person.api.close()
        if complete:
            break
        at += 2  # lost before the server had it and lost after come to the same every second time
    assert at > 15


def test_what_is_in_the_bin_stays_there(person: Person, key: PrivateKey, other_key: PrivateKey) -> None:
    kept, binned = person.add(b"kept"), person.add(b"binned")
    person.api.delete(person.user_id, f"p-{binned}")
    assert person.change(other_key).pictures == 2
    (row,) = person.api.bin_page(person.user_id)
    assert row.stored_name == f"p-{binned}"
    opened = read_envelope(row.envelope, owner=other_key.public, picture_id=binned).open(other_key)
    assert opened.metadata.name == "picture 1.bin"
    del person.originals[binned]
    person.check(other_key, key)
    assert kept in person.originals


def test_what_another_computer_took_out_of_the_bin_meanwhile_stays_outside(
    person: Person, key: PrivateKey, other_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_id = person.add(b"taken out")
    person.api.delete(person.user_id, f"p-{picture_id}")
    restore = person.api.restore

    def too_late(*arguments: str) -> Any:
        restore(*arguments)
        return restore(*arguments)

    monkeypatch.setattr(person.api, "restore", too_late)
    changed = person.change(other_key)
    assert (changed.pictures, changed.failed) == (1, {})
    assert person.api.bin_page(person.user_id) == []
    person.check(other_key, key)


def test_cancelled_and_gone_on_with(person: Person, key: PrivateKey, other_key: PrivateKey) -> None:
    for number in range(4):
        person.add(bytes([number]))
    done: list[int] = []
    with pytest.raises(errors.Cancelled):
        person.change(
            other_key, report=lambda at, total: done.append(at), cancelled=lambda: bool(done) and done[-1] >= 2
        )
    state = key_change_state.load(person.folder)
    assert state is not None
    assert (state.old, state.new) == (key.fingerprint, other_key.fingerprint)
    person.change(other_key)
    person.check(other_key, key)


def share(person: Person, friend: Person, picture_id: str, role: str = "read") -> None:
    """Share as the program does."""
    row = person.api.present(person.user_id, f"p-{picture_id}").row
    opened = read_envelope(row.envelope, owner=person.key.public, picture_id=picture_id).open(person.key)
    grant = grant_to(opened, person.key, friend.key.public, role, 0)  # type: ignore[arg-type]
    person.api.add_permission(person.user_id, f"p-{picture_id}", friend.user_id, role, grant)


def test_grants_are_made_anew_for_those_whose_key_is_known(
    person: Person, server: RunningServer, tmp_path: Path, key: PrivateKey, other_key: PrivateKey, third_key: PrivateKey
) -> None:
    friend = Person(server, tmp_path / "lina", third_key)
    changed_friend = Person(server, tmp_path / "tom", PrivateKey.generate(2048))
    picture_id = person.add(b"shared")
    for somebody in (friend, changed_friend):
        person.memory.people.see(somebody.user_id, somebody.name, somebody.key.public, 0)
        share(person, somebody, picture_id)
    with pytest.raises(errors.KeyChanged):
        person.memory.people.see(changed_friend.user_id, changed_friend.name, PrivateKey.generate(2048).public, 0)
    changed = person.change(other_key)
    assert changed.without_grant == {changed_friend.user_id}
    (shared,) = person.api.permissions(person.user_id, f"p-{picture_id}")
    assert (shared.user_id, shared.role) == (friend.user_id, "read")
    present = friend.api.present(person.user_id, f"p-{picture_id}")
    envelope = read_envelope(present.row.envelope, owner=other_key.public, picture_id=picture_id)
    grant = read_grant(present.grant, envelope, other_key.public, third_key.fingerprint)
    opened = envelope.open(third_key, grant)
    with friend.api.content(person.user_id, f"p-{picture_id}") as stream:
        assert bytes(opened.open_payload_to_memory(stream)) == b"shared"
    # the friend's program does not follow by itself
    friend.memory.people.see(person.user_id, person.name, key.public, 0)
    with pytest.raises(errors.KeyChanged):
        friend.memory.people.see(person.user_id, person.name, other_key.public, 0)
    pin = friend.memory.people.get(person.user_id)
    assert pin is not None
    assert pin.state is PinState.CHANGED
    for somebody in (friend, changed_friend):
        somebody.memory.close()
        somebody.api.close()


def test_a_permission_that_the_server_made_up_gets_no_grant(
    person: Person, server: RunningServer, tmp_path: Path, other_key: PrivateKey, third_key: PrivateKey
) -> None:
    friend = Person(server, tmp_path / "lina", third_key)
    picture_id = person.add(b"mine alone")
    person.memory.people.see(friend.user_id, friend.name, third_key.public, 0)
    person.api.add_permission(person.user_id, f"p-{picture_id}", friend.user_id, "read")
    changed = person.change(other_key)
    assert changed.without_grant == {friend.user_id}
    assert person.api.permissions(person.user_id, f"p-{picture_id}") == []
    friend.memory.close()
    friend.api.close()


def test_what_was_decided_here_counts_more_than_what_the_server_lists(
    person: Person, server: RunningServer, tmp_path: Path, other_key: PrivateKey, third_key: PrivateKey
) -> None:
    """It could hand out the grant of somebody who was taken off, or of before a writer was made a reader."""
    from desktop.client.ties import TieKind

    friend = Person(server, tmp_path / "lina", third_key)
    person.memory.people.see(friend.user_id, friend.name, third_key.public, 0)
    lowered, taken = person.add(b"lowered"), person.add(b"taken back")
    for picture_id, decided in ((lowered, "read"), (taken, "")):
        share(person, friend, picture_id, "write")
        person.memory.ties.set(TieKind.SHARED, picture_id, friend.user_id, decided)
    person.change(other_key)
    (given,) = person.api.permissions(person.user_id, f"p-{lowered}")
    assert (given.role, '"role":"read"' in given.grant) == ("read", True)
    assert person.api.permissions(person.user_id, f"p-{taken}") == []
    friend.memory.close()
    friend.api.close()


def test_somebody_whose_comparison_failed_gets_no_new_grant(
    person: Person, server: RunningServer, tmp_path: Path, other_key: PrivateKey, third_key: PrivateKey
) -> None:
    from desktop.client.ties import TieKind

    friend = Person(server, tmp_path / "lina", third_key)
    person.memory.people.see(friend.user_id, friend.name, third_key.public, 0)
    picture_id = person.add(b"shared")
    share(person, friend, picture_id)
    person.memory.ties.set(TieKind.DIFFERS, friend.user_id, third_key.fingerprint, "yes")
    assert person.change(other_key).without_grant == {friend.user_id}
    assert person.api.permissions(person.user_id, f"p-{picture_id}") == []
    friend.memory.close()
    friend.api.close()


def test_an_older_revision_is_not_carried_over(
    person: Person, other_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that hands out what was replaced must not get it sealed as the newest."""
    from desktop.crypto.plans import next_revision
    from desktop.crypto.reseal import reseal

    picture_id = person.add(b"first")
    name = f"p-{picture_id}"
    old_row = person.api.present(person.user_id, name)
    opened = read_envelope(old_row.row.envelope, owner=person.key.public, picture_id=picture_id).open(person.key)
    carrier = person.folder / "next.png"
    with person.api.content(person.user_id, name) as stream:
        made = reseal(
            opened,
            io.BytesIO(stream.read()),
            carrier,
            person.key,
            next_revision(opened, person.key, owner=person.key.public),
            thumbnail=b"",
            name="renamed.bin",
        )
    person.api.put_revision(
        person.user_id,
        picture_id,
        replaces=opened.header.hash,
        carrier=carrier,
        envelope=made.envelope,
        thumbnail=made.thumbnail,
    )
    person.memory.stored(read_envelope(made.envelope, owner=person.key.public, picture_id=picture_id))
    monkeypatch.setattr(person.api, "present", lambda *arguments: old_row)
    changed = person.change(other_key)
    assert isinstance(changed.failed[picture_id], errors.RolledBack)
    assert changed.pictures == 0


def test_a_damaged_picture_does_not_stop_the_others(
    person: Person, other_key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    good, bad = person.add(b"good"), person.add(b"bad")
    real: Callable[..., Any] = person.api.content

    @contextmanager
    def content(user_id: str, name: str, *more: Any) -> Iterator[Any]:
        with real(user_id, name, *more) as stream:
            data = bytearray(stream.read())
            if name == f"p-{bad}":
                data[200] ^= 1
            yield io.BytesIO(data)

    monkeypatch.setattr(person.api, "content", content)
    changed = person.change(other_key)
    assert isinstance(changed.failed[bad], errors.Damaged)
    assert (changed.pictures, set(changed.failed)) == (1, {bad})
    assert person.memory.entry(other_key.fingerprint, good) is not None


def test_only_one_change_at_a_time(person: Person, other_key: PrivateKey, third_key: PrivateKey) -> None:
    person.add(b"x")
    with pytest.raises(errors.Cancelled):
        person.change(other_key, cancelled=lambda: True)
    with pytest.raises(errors.KeyRefused):
        person.change(third_key)


def test_a_wrong_password_leaves_the_account_alone(person: Person, key: PrivateKey, other_key: PrivateKey) -> None:
    def change_account(pem: str) -> None:
        person.api.change_key(person.user_id, pem, "not the password")

    picture_id = person.add(b"x")
    with pytest.raises(errors.WrongPassword):
        KeyChange(person.context, key, other_key, change_account).run()
    assert person.api.user(person.user_id).public_key == key.public.pem
    row = person.api.present(person.user_id, f"p-{picture_id}").row
    read_envelope(row.envelope, owner=key.public, picture_id=picture_id)
    person.change(other_key)
    person.check(other_key, key)


def test_the_list_of_other_computers_is_carried_over(person: Person, key: PrivateKey, other_key: PrivateKey) -> None:
    from desktop.crypto.records import open_ledger, seal_ledger

    person.add(b"x")
    person.api.put_ledger(person.user_id, seal_ledger(key, 7, person.memory.export()), "")
    person.change(other_key)
    kept = person.api.ledger(person.user_id)
    assert kept is not None
    serial, document = open_ledger(other_key, kept.content)
    assert serial == 8 == person.memory.ledger_serial
    assert other_key.fingerprint.encode() in document


def test_a_note_that_makes_no_sense_stops_everything(person: Person, other_key: PrivateKey) -> None:
    (person.folder / key_change_state.FILE).write_text('{"format": 1}')
    with pytest.raises(errors.VaultUnreadable):
        person.change(other_key)


def test_the_other_key_opens_for_nobody_else(tmp_path: Path, key: PrivateKey, other_key: PrivateKey) -> None:
    key_change_state.keep_key(tmp_path, key, other_key)
    assert key_change_state.open_key(tmp_path, key, other_key.fingerprint).fingerprint == other_key.fingerprint
    with pytest.raises(errors.KeyFileDamaged):
        key_change_state.open_key(tmp_path, other_key, other_key.fingerprint)
    path = tmp_path / key_change_state.FOLDER / other_key.fingerprint
    damaged = bytearray(path.read_bytes())
    damaged[40] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(errors.KeyFileDamaged):
        key_change_state.open_key(tmp_path, key, other_key.fingerprint)
