"""Deleting an account, cut off at every step, is finished later; nothing of it is left and nothing of others goes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.errors import BadCredentials, NotAuthorized, UserNotFound
from backend.services.accounts import Accounts
from backend.services.clock import utc_now
from backend.services.closing import close_account
from backend.services.documents import GONE, LEDGER, Documents
from backend.services.files import Files
from backend.services.tokens import SignIn, Tokens
from backend.storage.embedded import open_storage
from backend.storage.mongo import open_mongo
from backend.storage.protocol import (
    Document,
    Permission,
    PictureRecord,
    PublishedFile,
    Session,
    Storage,
    User,
)
from tests.backend import samples
from tests.backend.conftest import FAST
from tests.mongodb import MongoDatabases

WHEN = datetime(2026, 11, 27, 3, 41)
CHANGING = (
    "change_user",
    "remove_user",
    "remove_sessions",
    "remove_permissions_of",
    "remove_documents",
    "remove_picture",
    "remove_file",
    "remove_blob",
)


class Cut(BaseException):
    """The power is gone."""


class CutOff:
    """A storage whose process dies at the n-th change: before it, or just after."""

    def __init__(self, storage: Storage, step: int, *, after: bool) -> None:
        self._storage = storage
        self._left = step
        self._after = after
        self.changes: list[str] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        if name not in CHANGING:
            return method

        def change(*args: Any, **more: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Cut
            value = method(*args, **more)
            self.changes.append(name)
            if self._left == 0:
                raise Cut
            return value

        return change


@pytest.fixture(scope="module", params=["embedded", "mongo"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    if request.param == "embedded":
        opened: Storage = open_storage(tmp_path_factory.mktemp("closing"))
        yield opened
        opened.close()
        return
    databases: MongoDatabases = request.getfixturevalue("mongo_databases")
    uri = databases.take()
    opened = open_mongo(uri)
    yield opened
    opened.close()
    databases.give_back(uri)


def finish_closing(storage: Storage) -> None:
    for user in storage.closing_users():
        close_account(storage, user.id)


def issuer(sign_in: SignIn) -> Tokens:
    return Tokens(sign_in.user_id, sign_in.family)


def blob(storage: Storage) -> str:
    with storage.write_blob() as writer:
        writer.write(b"bytes")
        return writer.commit()


def picture(storage: Storage, owner: User, name: str) -> PictureRecord:
    record = PictureRecord(
        storage.new_id(), owner.id, name, "classic", 5, WHEN, blob(storage), "0" * 64, quotient_blob=blob(storage)
    )
    storage.add_picture(record)
    return record


def furnish(storage: Storage, owner: User, other: User) -> None:
    """Give an account one or two of everything, and each of the two a permission of the other."""
    pictures = [picture(storage, owner, f"{number}.png") for number in range(2)]
    binned = picture(storage, owner, "old.png")
    theirs = picture(storage, other, f"for {owner.name}.png")
    assert storage.add_permission(Permission(pictures[0].id, other.id, "read"))
    assert storage.add_permission(Permission(theirs.id, owner.id, "write"))
    assert storage.move_to_bin(owner.id, binned.name, WHEN) is not None
    assert storage.put_document(Document(owner.id, "ledger", "", 1, b"value", WHEN))
    storage.add_session(Session(f"session of {owner.name}", owner.id, WHEN))
    assert storage.put_file(PublishedFile(storage.new_id(), owner.id, "plan", 5, WHEN, blob(storage))) is None


def left_of(storage: Storage, owner: User, other: User) -> list[object]:
    """What is there of an account, and what others have to do with it."""
    shared = [permission for _, permission in storage.shared_with(owner.id)]
    given = [permission for record, permission in storage.shared_with(other.id) if record.owner_id == owner.id]
    records: list[object] = [*storage.pictures(owner.id), *storage.bin(owner.id), *storage.files(owner.id)]
    kept = [storage.user(owner.id), storage.session(f"session of {owner.name}"), *storage.documents(owner.id, "ledger")]
    return [*records, *shared, *given, *(one for one in kept if one is not None)]


@pytest.mark.parametrize("storage", ["embedded"], indirect=True)  # some sixty accounts; with MongoDB that takes long
@pytest.mark.parametrize("after", [False, True], ids=["before the change", "after the change"])
def test_cut_off_at_every_step(storage: Storage, after: bool) -> None:
    accounts = Accounts(storage, FAST, issuer)
    other = accounts.create_local_account(f"other {after}", "7 5")
    step, cut = 1, True
    while cut:
        name = f"closing {after} {step}"
        owner = accounts.register(name, "secret", "7 5")
        furnish(storage, owner, other)
        before = set(storage.blob_ids())
        dying = CutOff(storage, step, after=after)
        try:
            Accounts(dying, FAST, issuer).delete(owner.id)
            cut = False
        except Cut:
            pass
        started = "change_user" in dying.changes
        if cut and started:
            with pytest.raises(UserNotFound):
                accounts.get(owner.id)
            with pytest.raises(BadCredentials):
                accounts.sign_in(name, "secret")
            assert accounts.find(name) is None
            assert owner.id not in {user.id for user in accounts.all()}
        if started:
            finish_closing(storage)
            assert left_of(storage, owner, other) == []
            storage.collect_orphans(utc_now() + timedelta(days=1))  # the bytes of a record that was cut off
            assert len(before - set(storage.blob_ids())) == 7
            assert storage.closing_users() == []
            accounts.register(name, "anew", "7 5")
        else:
            assert accounts.sign_in(name, "secret") == owner
            assert len(left_of(storage, owner, other)) == 9
            accounts.delete(owner.id)
        step += 1
    assert step > 15
    assert {picture.name for picture in storage.pictures(other.id)} == {
        f"for closing {after} {number}.png" for number in range(1, step)
    }


def test_what_is_added_while_an_account_goes_goes_too(storage: Storage) -> None:
    class Late(CutOff):
        """Somebody's upload ends just before the account's record is removed."""

        def remove_user(self, user_id: str) -> bool:
            picture(self._storage, owner, "late.png")
            return self._storage.remove_user(user_id)

    owner = Accounts(storage, FAST, issuer).register("uploading", "secret", "7 5")
    blobs = set(storage.blob_ids())
    Accounts(Late(storage, -1, after=False), FAST, issuer).delete(owner.id)
    assert storage.pictures(owner.id) == []
    assert set(storage.blob_ids()) == blobs


def test_deleting_goes_on_where_it_was_cut_off(storage: Storage) -> None:
    accounts = Accounts(storage, FAST, issuer)
    owner = accounts.register("twice", "secret", "7 5")
    picture(storage, owner, "one.png")
    with pytest.raises(Cut):
        Accounts(CutOff(storage, 2, after=True), FAST, issuer).delete(owner.id)
    accounts.delete(owner.id)
    assert storage.user(owner.id) is None
    assert storage.pictures(owner.id) == []
    with pytest.raises(UserNotFound):
        accounts.delete(owner.id)


def test_many_pictures_take_several_pages(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.closing.PAGE", 2)
    accounts = Accounts(storage, FAST, issuer)
    owner = accounts.register("collector", "secret", "7 5")
    for number in range(5):
        picture(storage, owner, f"{number}.png")
    accounts.delete(owner.id)
    assert storage.pictures(owner.id) == []


def test_a_page_of_users_is_full_although_some_are_closing(storage: Storage) -> None:
    accounts = Accounts(storage, FAST, issuer)
    made = [accounts.create_local_account(f"row {number}", "7 5") for number in range(6)]
    for closing in (made[1], made[2], made[5]):
        assert storage.change_user(closing.id, {}, {"closing": True})
    page = accounts.users(after=made[0].id, limit=2)
    assert page == [made[3], made[4]]
    assert accounts.users(after=made[3].id, limit=2) == [made[4]]
    assert made[1] not in accounts.all()
    finish_closing(storage)


@pytest.mark.parametrize("way", ["file", "document", "record"])
def test_what_arrives_after_the_account_went_is_not_kept(storage: Storage, way: str) -> None:
    class Late(CutOff):
        """The account is deleted, all of it, just before the last step of what somebody sends."""

        def put_file(self, file: PublishedFile) -> PublishedFile | None:
            accounts.delete(owner.id)
            return self._storage.put_file(file)

        def put_document(self, document: Document) -> bool:
            accounts.delete(owner.id)
            return self._storage.put_document(document)

    accounts = Accounts(storage, FAST, issuer)
    owner = accounts.register(f"sending a {way}", "secret", "", kind="ops", key_required=False)
    blobs = set(storage.blob_ids())
    late = Late(storage, -1, after=False)
    documents = Documents(late)
    if way == "file":
        files = Files(late, FAST, accounts, b"k" * 32)
        with files.begin_upload() as upload:
            upload.begin("request_file", "a.bin").write(b"bytes")
            with pytest.raises(NotAuthorized):
                files.publish(owner.id, upload)
    elif way == "document":
        with pytest.raises(NotAuthorized):
            documents.put(owner.id, LEDGER, b"sealed", "")
    else:
        with pytest.raises(NotAuthorized):
            documents.record_gone(owner.id, "a" * 32, samples.gone("a" * 32))
    assert storage.files(owner.id) == [] and set(storage.blob_ids()) == blobs
    assert storage.document(owner.id, LEDGER) is None and storage.documents(owner.id, GONE) == []
