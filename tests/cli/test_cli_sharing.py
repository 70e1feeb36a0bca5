"""`glassine share` and `glassine people` against a real server; `seal --to` and `open --from` without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop import embedded
from desktop.client.session import Sessions
from desktop.client.shared import SharedPictures
from desktop.config import DATA_DIR_VARIABLE, Config
from desktop.crypto.keys import PublicKey
from desktop.crypto.words import fingerprint_words
from tests.cli.conftest import PASSPHRASE, Glassine, Keys
from tests.client.conftest import PASSWORD, RunningServer, run_server

# -- with a server --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = run_server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@dataclass
class Account:
    """An account whose things are in the data folder of the tests."""

    name: str
    public: PublicKey
    data: Path
    address: str

    def session(self):  # type: ignore[no-untyped-def]
        session = Sessions(Config(self.data), embedded.start).sign_in(self.address, self.name, PASSWORD)
        session.unlock(PASSPHRASE)
        return session

    def shared(self) -> list[tuple[str, bytes]]:
        """What others share, after accepting them: names and contents."""
        session = self.session()
        try:
            shared = SharedPictures(session.vault().context())
            for sender in shared.senders():
                shared.accept(sender.person.user_id)
            return [(picture.name, bytes(shared.open(picture.id).data)) for picture in shared.list()]
        finally:
            session.close()


_names = iter(range(1_000_000))


@pytest.fixture
def accounts(
    server: RunningServer, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Account, Account]:
    """Me, and somebody else."""
    made = []
    for who, path, folder in (("me", keys.mine, "data"), ("they", keys.theirs, "their data")):
        name = f"{who} {next(_names)}"
        public = PublicKey.from_pem(path.with_name(f"{path.name}.pem").read_text())
        server.app.extensions["glassine"].services.accounts.register(name, PASSWORD, public.pem)
        folder_path = tmp_path / folder / "keys"
        folder_path.mkdir(parents=True)
        (folder_path / f"{public.fingerprint}.glassine-key").write_bytes(path.read_bytes())
        made.append(Account(name, public, tmp_path / folder, server.address))
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path / "data"))
    (tmp_path / "password").write_text(PASSWORD)
    return made[0], made[1]


@pytest.fixture
def me(accounts: tuple[Account, Account]) -> Account:
    return accounts[0]


@pytest.fixture
def them(accounts: tuple[Account, Account]) -> Account:
    return accounts[1]


@pytest.fixture
def stored(me: Account, photo: Path) -> str:
    """A picture of mine on the server."""
    session = me.session()
    try:
        vault = session.vault()
        return vault.upload(vault.seal(photo)).id
    finally:
        session.close()


@pytest.fixture
def run(glassine: Glassine, me: Account, keys: Keys) -> Glassine:
    """Runs a command for my account."""

    def run(command: str, *arguments: str):  # type: ignore[no-untyped-def]
        options = ("--server", me.address, "--user", me.name, "--password-file", "password")
        return glassine(command, *arguments, *options, "--passphrase-file", keys.passphrase)

    return run


def test_sharing_and_taking_back(run: Glassine, them: Account, stored: str, photo: Path) -> None:
    refused = run("share", "holiday.png", "--with", them.name)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "glassine: You have not compared this person's key yet. Nothing was shared.\n"
    shared = run("share", stored, "--with", them.name, "--accept-unverified")
    assert (shared.code, shared.out) == (0, f"holiday.png: shared with {them.name}, to read\n")
    assert them.shared() == [("holiday.png", photo.read_bytes())]
    (listed,) = run("share", "--list", "--json").out.splitlines()
    record = json.loads(listed)
    assert record.pop("since")
    assert record == {
        "picture_id": stored,
        "person": them.name,
        "role": "read",
        "state": "open",
        "key": "unverified",
    }
    stopped = run("share", "--stop", them.name, "--reseal")
    assert stopped.out == f"holiday.png: taken back from {them.name} and encrypted anew\n"
    assert "may have been kept" in stopped.err
    assert them.shared() == []
    assert run("share", "--list").out == ""
    again = run("share", "--stop", them.name)
    assert (again.code, again.out) == (0, "")
    assert again.err == f"glassine: Nothing is shared with {them.name}, as far as this computer remembers.\n"
    unknown = run("share", "--stop", "nobody")
    assert (unknown.code, unknown.err) == (1, "glassine: Nobody called nobody is known in this account.\n")


def test_comparing(run: Glassine, me: Account, them: Account, stored: str) -> None:
    words = fingerprint_words(them.public.fingerprint)
    shown = run("people", "--compare", them.name)
    assert shown.out == f"{them.name} (never compared): {' '.join(words)}\n"
    wrong = run("people", "--compare", them.name, *fingerprint_words(me.public.fingerprint))
    assert (wrong.code, wrong.out) == (4, "")
    assert len(wrong.err.splitlines()) == 1
    assert json.loads(run("people", "--json").out)["state"] == "changed"
    assert run("share", stored, "--with", them.name, "--accept-unverified").code == 4
    nonsense = run("people", "--compare", them.name, "one", "two")
    assert nonsense.code == 5
    right = run("people", "--compare", them.name, *words)
    assert right.out == f"{them.name} (compared): {' '.join(words)}\n"
    assert run("share", stored, "--with", them.name, "--role", "write").code == 0
    assert run("people").out == right.out


def test_copies_without_metadata(run: Glassine, them: Account, stored: str) -> None:
    result = run("share", stored, "--with", them.name, "--accept-unverified", "--strip", "--json")
    record = json.loads(result.out)
    assert record["copy"] not in ("", stored)
    assert [name for name, _ in them.shared()] == ["picture.png"]
    # who takes back the original is not told that the copy was
    original = run("share", "holiday.png", "--stop", them.name)
    assert (original.code, original.out) == (1, "")
    assert original.err.startswith(f"glassine: holiday.png: This picture is not shared with {them.name}. A copy ")
    assert [name for name, _ in them.shared()] == ["picture.png"]
    assert run("share", "picture.png", "--stop", them.name).code == 0
    assert them.shared() == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("share",), 2, "ne of the arguments --with --stop --list is required"),
        (("share", "--with", "x"), 2, "Say which pictures to share."),
        (("share", "a", "--with", "x", "--stop", "y"), 2, "not allowed with"),
        (("share", "a", "--with", "x", "--reseal"), 2, "--reseal belongs to --stop."),
        (("share", "--list", "--strip"), 2, "belong to --with"),
        (("share", "a", "--with", "x", "--role", "admin"), 2, "invalid choice"),
        (("share", "a", "--with", "x", "--server", "http://127.0.0.1:9"), 2, "Give both --server and --user"),
        (("people", "word"), 2, "Words belong to --compare NAME."),
        (("people",), 2, "Say which account"),
        (("people", "--server", "http://127.0.0.1:9", "--user", "me", "--password-file", "password"), 1, "answer"),
    ],
)
def test_wrong_command_lines(
    glassine: Glassine, accounts: object, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = glassine(*arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_what_is_not_there(run: Glassine, them: Account, stored: str) -> None:
    result = run("share", "nothing.png", "holiday.png", "--with", them.name, "--accept-unverified")
    assert result.code == 1
    assert result.out == f"holiday.png: shared with {them.name}, to read\n"
    assert result.err == "glassine: There is no picture nothing.png in this account.\n"
    nobody = run("share", "holiday.png", "--with", "Nobody At All")
    assert (nobody.code, nobody.out) == (1, "")
    assert "Nobody of exactly this name" in nobody.err


# -- without a server -----------------------------------------------------------------------------------------------


@pytest.fixture
def theirs(keys: Keys) -> tuple[str, ...]:
    """The options of the other person."""
    return ("--key", str(keys.theirs), "--passphrase-file", str(keys.passphrase))


@pytest.fixture
def given(glassine: Glassine, keys: Keys, photo: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A sealed picture and the grant beside it."""
    (tmp_path / "store").mkdir()
    result = glassine("seal", photo, *keys.options, "--to", keys.theirs.with_name("theirs.pem"), "--out", "store")
    assert result.code == 0
    grant, carrier = sorted((tmp_path / "store").iterdir(), key=lambda path: path.suffix != ".grant")
    return carrier, grant


def test_handing_over_without_a_server(
    glassine: Glassine, keys: Keys, theirs: tuple[str, ...], given: tuple[Path, Path], photo: Path, tmp_path: Path
) -> None:
    carrier, grant = given
    public = PublicKey.from_pem(keys.theirs.with_name("theirs.pem").read_text())
    assert grant.name == f"{carrier.name}.{public.fingerprint[:8]}.grant"
    owner = str(keys.mine.with_name("mine.pem"))
    for number, more in enumerate(((), ("--grant", str(grant)))):
        out = tmp_path / f"out {number}"
        out.mkdir()
        result = glassine("open", carrier, *theirs, "--from", owner, *more, "--out", out)
        assert result.code == 0
        assert "signed by you" not in result.out
        assert (out / "holiday.png").read_bytes() == photo.read_bytes()
    # the owner opens it as ever
    (tmp_path / "own").mkdir()
    assert glassine("open", carrier, *keys.options, "--out", "own").code == 0


def test_a_grant_opens_nothing_else(
    glassine: Glassine, keys: Keys, theirs: tuple[str, ...], given: tuple[Path, Path], photo: Path, tmp_path: Path
) -> None:
    carrier, grant = given
    owner, other = (str(keys.mine.with_name(f"{name}.pem")) for name in ("mine", "theirs"))
    (tmp_path / "other").mkdir()
    glassine("seal", photo, *keys.options, "--out", "other")
    (second,) = (tmp_path / "other").iterdir()
    (tmp_path / "out").mkdir()

    def opened(*arguments: str) -> int:
        result = glassine("open", *arguments, "--out", "out")
        assert list((tmp_path / "out").iterdir()) == []
        assert result.code == 0 or len(result.err.splitlines()) == 1
        return result.code

    assert opened(str(carrier), *theirs) == 3  # nobody said whose it is
    assert opened(str(carrier), *theirs, "--grant", str(grant)) == 2
    assert opened(str(carrier), *theirs, "--from", other, "--grant", str(grant)) == 3
    assert opened(str(second), *theirs, "--from", owner, "--grant", str(grant)) == 4
    assert opened(str(second), *theirs, "--from", owner) == 1  # there is none beside it
    assert opened(str(carrier), str(second), *theirs, "--from", owner, "--grant", str(grant)) == 2
    text = grant.read_text()
    for damaged in (text.replace('"read"', '"write"'), text[:-3], "{}", "", "\xe9" * 10, " " * 40_000):
        grant.write_text(damaged, encoding="latin-1")
        assert opened(str(carrier), *theirs, "--from", owner) == 4


def test_sealing_for_oneself_is_refused(glassine: Glassine, keys: Keys, photo: Path, tmp_path: Path) -> None:
    result = glassine("seal", photo, *keys.options, "--to", keys.mine.with_name("mine.pem"))
    assert result.code == 2
    assert not list(tmp_path.glob("p-*"))
    (tmp_path / "weak.pem").write_text("27977 9431")
    assert glassine("seal", photo, *keys.options, "--to", "weak.pem").code == 5
    assert not list(tmp_path.glob("p-*"))


def test_a_grant_that_cannot_be_written_leaves_no_picture(
    glassine: Glassine, keys: Keys, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desktop import cli_pictures

    monkeypatch.setattr(cli_pictures, "grant_path", lambda *_: tmp_path / "missing" / "x.grant")
    result = glassine("seal", photo, *keys.options, "--to", keys.theirs.with_name("theirs.pem"))
    assert result.code == 1
    assert not list(tmp_path.glob("p-*"))
