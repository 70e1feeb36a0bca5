"""glassine admin, on both engines."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from backend import create_app
from backend.config import Config
from backend.services.clock import utc_now
from backend.services.passwords import Passwords
from backend.storage.embedded import open_storage
from backend.storage.protocol import Permission, Session, Storage, User
from tests.backend.two_storages import (
    ENGINES,
    NOW,
    Command,
    Place,
    add_picture,
    add_user,
    database,
    fill,
    folder,
    runner,
)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return runner(capsys)


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSINE_ARGON2_MEMORY_KIB", "8192")
    monkeypatch.setenv("GLASSINE_ARGON2_PASSES", "1")


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A storage with something of everything in it."""
    if request.param == "embedded":
        made = folder(tmp_path / "storage")
    else:
        made = database(request.getfixturevalue("mongo_uri"))
    with made.open() as storage:
        fill(storage)
    yield made


def person(storage: Storage, name: str, kind: str = "") -> User:
    user = storage.user_by_name(name, kind)
    assert user is not None
    return user


def test_users_are_listed(place: Place, run: Command) -> None:
    result = run("admin", "users", *place.options, "--json")
    assert result.code == 0
    found = {(one["kind"], one["name"]): one for one in map(json.loads, result.out.splitlines())}
    assert found.keys() == {("person", "ada"), ("person", "bob"), ("ops", "ada"), ("client", "ada")}
    ada, bob = found["person", "ada"], found["person", "bob"]
    assert (ada["pictures"], ada["email"], ada["key"], ada["quota_bytes"]) == (3, "ada@x.example", "classic", 9_000_000)
    assert (bob["pictures"], bob["key"], bob["quota_bytes"], bob["created"]) == (
        1, "none", "default", "2024-05-17T11:22:33Z",
    )  # fmt: skip
    assert ada["used_bytes"] > 15_000
    assert "argon2" not in result.out
    text = run("admin", "users", *place.options).out
    assert len(text.splitlines()) == 4
    assert "ada <ada@x.example>" in text
    assert len(run("admin", "users", "--kind", "ops", *place.options).out.splitlines()) == 1
    assert len(run("admin", "users", "--kind", "people", *place.options).out.splitlines()) == 2


@pytest.mark.parametrize(
    ("said", "kept"),
    [("5GB", 5 * 10**9), ("5GiB", 5 << 30), ("1234", 1234), ("2 kb", 2000), ("none", 0), ("default", -1)],
)
def test_a_quota_is_set(said: str, kept: int, tmp_path: Path, run: Command) -> None:
    place = folder(tmp_path / "storage")
    with place.open() as storage:
        add_user(storage, "ada", email="ada@x.example")
        add_user(storage, "ada", kind="ops")
    assert run("admin", "quota", "ada@x.example", said, *place.options).code == 0
    with place.open() as storage:
        assert person(storage, "ada").quota_bytes == kept
        assert person(storage, "ada", "ops").quota_bytes == -1
    assert run("admin", "quota", "ada", said, "--kind", "ops", *place.options).code == 0
    with place.open() as storage:
        assert person(storage, "ada", "ops").quota_bytes == kept


@pytest.mark.parametrize("said", ["0", "-1", "5XB", "", "much", "1e9", "9" * 30, "٣"])
def test_no_quota_is_guessed(said: str, tmp_path: Path, run: Command) -> None:
    with closing(open_storage(tmp_path / "storage")) as storage:
        add_user(storage, "ada")
    result = run("admin", "quota", "ada", said, "--data", tmp_path / "storage")
    assert result.code == 2
    assert len(result.err.splitlines()) == 1


def test_a_password_is_reset(place: Place, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.open() as storage:
        ada = person(storage, "ada")
        storage.add_session(Session("session of ada", ada.id, NOW))
        storage.add_session(Session("session of bob", person(storage, "bob").id, NOW))
    result = run("admin", "reset-password", "ada", *place.options)
    assert result.code == 0
    assert "stay encrypted" in result.out
    password = result.out.splitlines()[0].rpartition(" ")[2]
    assert len(password) >= 20
    with place.open() as storage:
        after = person(storage, "ada")
        assert Passwords(Config()).opens(after.password_hash, password)
        assert after.generation == ada.generation + 1
        assert storage.session("session of ada") is None
        assert storage.session("session of bob") is not None
    monkeypatch.setattr(sys, "stdin", io.StringIO("chosen by me\nsecond line\n"))
    result = run("admin", "reset-password", "ada", "--stdin", *place.options)
    assert "chosen by me" not in result.out + result.err
    with place.open() as storage:
        assert Passwords(Config()).opens(person(storage, "ada").password_hash, "chosen by me")
        assert person(storage, "ada", "ops").password_hash == "$argon2id$x"


@pytest.mark.parametrize("line", ["", "\n", "x" * 2000])
def test_no_password_is_no_password(line: str, tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_storage(tmp_path / "storage")) as storage:
        ada = add_user(storage, "ada")
    monkeypatch.setattr(sys, "stdin", io.StringIO(line))
    assert run("admin", "reset-password", "ada", "--stdin", "--data", tmp_path / "storage").code in {1, 2}
    with closing(open_storage(tmp_path / "storage")) as storage:
        assert storage.user(ada.id) == ada


def test_an_account_is_deleted_with_all_that_is_its(place: Place, run: Command) -> None:
    with place.open() as storage:
        ada, bob = person(storage, "ada"), person(storage, "bob")
        shared = next(iter(storage.shared_with(bob.id)))[0]
    refused = run("admin", "delete", "ada", *place.options)  # nobody there to ask
    assert refused.code == 2
    assert run("admin", "delete", "ada", "--yes", *place.options).code == 0
    with place.open() as storage:
        assert storage.user(ada.id) is None
        assert storage.picture_by_id(shared.id) is None
        assert storage.shared_with(bob.id) == []
        assert storage.documents(ada.id, "ledger") == []
        assert all(storage.permissions(one.id) == [] for one in storage.bin(bob.id))  # what was shared with ada
        assert storage.user_by_name("ada", "ops") is not None
        assert len(list(storage.blob_ids())) == 3 * 2 + 1  # bob's pictures, and the file of the operator
    assert run("admin", "delete", "ada", "--yes", "--kind", "ops", *place.options).code == 0
    with place.open() as storage:
        assert len(list(storage.blob_ids())) == 3 * 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_deleting_asks_for_the_name(tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(tmp_path / "storage")
    with place.open() as storage:
        ada = add_user(storage, "ada", email="a@x.example")
    for answer in ("yes\n", ""):  # nothing: the end of the input
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        assert run("admin", "delete", "a@x.example", *place.options).code == 1
    with place.open() as storage:
        assert storage.user(ada.id) == ada
    monkeypatch.setattr(sys, "stdin", Terminal("ada\n"))
    assert run("admin", "delete", "a@x.example", *place.options).code == 0
    with place.open() as storage:
        assert storage.user(ada.id) is None


def test_an_interrupted_deletion_is_finished(tmp_path: Path, run: Command) -> None:
    place = folder(tmp_path / "storage")
    with place.open() as storage:
        ada = add_user(storage, "ada")
        add_picture(storage, ada, "p.png", b"x", b"t")
        storage.change_user(ada.id, {}, {"closing": True})
    assert run("admin", "quota", "ada", "5GB", *place.options).code == 1
    assert run("admin", "delete", "ada", "--yes", *place.options).code == 0
    with place.open() as storage:
        assert list(storage.blob_ids()) == []


def test_figures(place: Place, run: Command) -> None:
    figures = json.loads(run("admin", "stats", *place.options, "--json").out)
    assert {"users": 2, "pictures": 4, "files": 1, "ops": 1, "clients": 1, "without_key": 1, "sessions": 0}.items() <= (
        figures.items()
    )
    assert figures["used_bytes"] > 15_000
    assert "users: 2\n" in run("admin", "stats", *place.options).out


def test_a_count_that_drifted_is_mended(place: Place, run: Command) -> None:
    with place.open() as storage:
        ada, bob = person(storage, "ada"), person(storage, "bob")
        storage.reserve_bytes(ada.id, 1000, 0)
        storage.reserve_bytes(bob.id, 77, 0)
    result = run("admin", "recount", "ada", *place.options)
    assert f"not {ada.used_bytes + 1000:,}" in result.out
    with place.open() as storage:
        assert person(storage, "ada").used_bytes == ada.used_bytes
        assert person(storage, "bob").used_bytes == bob.used_bytes + 77
    assert run("admin", "recount", "--all", *place.options).code == 0
    with place.open() as storage:
        assert person(storage, "bob").used_bytes == bob.used_bytes
    assert run("admin", "recount", *place.options).code == 2
    assert run("admin", "recount", "ada", "--all", *place.options).code == 2


def test_housekeeping(place: Place, run: Command) -> None:
    with place.open() as storage:
        bob = person(storage, "bob")
        storage.move_to_bin(bob.id, "p-3.png", utc_now() - timedelta(days=2))  # two others are there since 2024
        storage.change_user(person(storage, "ada").id, {}, {"closing": True})
    result = run("admin", "housekeeping", *place.options)
    assert (result.code, result.err) == (0, "")
    assert "2 pictures from bins, 1 accounts" in result.out
    with place.open() as storage:
        assert len(storage.bin(bob.id)) == 1
        assert storage.user_by_name("ada") is None


def test_a_server_finishes_a_deletion_too(tmp_path: Path) -> None:
    with closing(open_storage(tmp_path / "storage")) as storage:
        ada = add_user(storage, "ada")
        picture = add_picture(storage, ada, "p.png", b"x", b"t")
        storage.add_permission(Permission(picture.id, add_user(storage, "bob").id, "read"))
        storage.change_user(ada.id, {}, {"closing": True})
        create_app(Config(), storage).extensions["glassine"].services.housekeeping.run()
        assert storage.user(ada.id) is None
        assert list(storage.blob_ids()) == []


def test_who_is_not_there_is_said(tmp_path: Path, run: Command) -> None:
    with closing(open_storage(tmp_path / "storage")) as storage:
        add_user(storage, "ada", kind="ops")
        closing_one = add_user(storage, "x\ny")
        assert storage.change_user(closing_one.id, {}, {"closing": True})
    for command in (["quota", "ada", "5GB"], ["reset-password", "ada"], ["recount", "ada"], ["delete", "ada", "--yes"]):
        result = run("admin", *command, "--data", tmp_path / "storage")
        assert result.code == 1
        assert "There is no account ada" in result.err
    assert len(run("admin", "users", "--data", tmp_path / "storage").out.splitlines()) == 2
    assert run("admin").code == 2
    assert run("admin", "users", "--data", tmp_path / "mistyped").code == 1
    assert not (tmp_path / "mistyped").exists()


def test_the_servers_own_settings_say_where(tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_storage(tmp_path / "storage")) as storage:
        ada = add_user(storage, "ada")
        storage.change_user(ada.id, {}, {"quota_bytes": 5})
        assert storage.user(ada.id) == replace(ada, quota_bytes=5)
    settings = tmp_path / "glassine.toml"
    settings.write_text(f'data = "{(tmp_path / "storage").as_posix()}"\n')
    monkeypatch.setenv("GLASSINE_CONFIG", str(settings))
    monkeypatch.delenv("GLASSINE_DATA", raising=False)
    monkeypatch.delenv("GLASSINE_MONGODB", raising=False)
    assert "ada" in run("admin", "users").out
    monkeypatch.setenv("GLASSINE_MONGODB", "mongodb://127.0.0.1:1/x")  # a server would refuse both
    assert "ada" in run("admin", "users", "--data", tmp_path / "storage").out
