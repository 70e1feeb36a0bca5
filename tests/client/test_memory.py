"""The durable memory: kept, private, crash-safe, quick."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from desktop import errors
from desktop.client import memory as memory_module
from desktop.client.judging import Listed, judge
from desktop.client.memory import FILE, Memory, set_aside
from desktop.client.memory_model import Entry, Intent, IntentKind
from desktop.crypto.envelope import text_hash
from desktop.crypto.keys import PrivateKey
from desktop.crypto.order import Known
from desktop.models import Scheme
from tests.crypto import forge

OWNER = "0f" * 32
ROOT = Path(__file__).parents[2]


@pytest.fixture
def owner(key: PrivateKey) -> PrivateKey:
    """Whose pictures they are."""
    return key


def hashed(number: int) -> str:
    return f"{number:064x}"


def entry(number: int, revisions: int = 1, owner: str = OWNER) -> Entry:
    accepted = frozenset(hashed(number * 1000 + at) for at in range(revisions))
    known = Known(owner, f"{number:032x}", 1, revisions, hashed(number * 1000 + revisions - 1), hashed(7), accepted)
    return Entry(owner, f"{number:032x}", Scheme.SEALED, known, hashed(number))


def intent(number: int, kind: IntentKind = IntentKind.HEADER) -> Intent:
    return Intent(OWNER, f"{number:032x}", kind, hashed(1), "" if kind is IntentKind.GONE else hashed(2))


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "place")
    entries = [
        entry(1),
        entry(2, revisions=30),
        Entry("", "holiday", Scheme.CLASSIC),
        Entry(OWNER, "ee" * 16, gone=True),
    ]
    memory.put(entries)
    memory.begin(intent(1))
    memory.begin(intent(2, IntentKind.GONE))
    memory.saw_serial(5)
    memory.saw_serial(4)
    memory.close()
    memory.close()
    again = Memory(tmp_path / "place")
    assert again.snapshot().entries == {item.key: item for item in entries}
    assert sorted(again.intents(), key=lambda item: item.picture_id) == [intent(1), intent(2, IntentKind.GONE)]
    assert again.ledger_serial == 5
    assert again.snapshot().text_hash(OWNER, f"{1:032x}") == hashed(1)
    assert again.snapshot().text_hash(OWNER, "ff" * 16) == ""
    again.close()


def test_a_snapshot_does_not_change(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    before = memory.snapshot()
    memory.put([entry(1)])
    assert before.entries == {}
    assert memory.entry(OWNER, f"{1:032x}") == entry(1)
    memory.close()


def test_intents_are_settled_with_what_they_were_about(tmp_path: Path, owner: PrivateKey) -> None:
    memory = Memory(tmp_path)
    made = forge.picture(owner)
    wanted = Intent(owner.fingerprint, made.picture_id, IntentKind.HEADER, made.hash, "00" * 32)
    memory.begin(wanted)
    assert memory.intents() == [wanted]
    memory.stored(made.read())
    assert memory.intents() == []
    kept = memory.entry(owner.fingerprint, made.picture_id)
    assert kept is not None
    assert kept.known is not None
    assert (kept.known.header_hash, kept.text_hash) == (made.hash, text_hash(made.envelope))
    memory.begin(wanted)
    memory.drop(*wanted.key, IntentKind.GONE)
    assert memory.intents() == [wanted]
    memory.drop(*wanted.key, IntentKind.HEADER)
    memory.drop(*wanted.key, IntentKind.HEADER)
    assert memory.intents() == []
    memory.begin(Intent(*wanted.key, IntentKind.GONE, made.hash))
    memory.gone(*wanted.key)
    assert memory.intents() == []
    assert memory.entry(*wanted.key) == Entry(*wanted.key, Scheme.SEALED, kept.known, kept.text_hash, True)
    with pytest.raises(errors.Resurrected):
        memory.stored(made.read())
    memory.close()


def test_a_stored_header_must_follow(tmp_path: Path, owner: PrivateKey) -> None:
    memory = Memory(tmp_path)
    first = forge.picture(owner)
    memory.stored(first.read())
    other = forge.picture(owner, picture_id=first.picture_id)
    memory.begin(Intent(owner.fingerprint, first.picture_id, IntentKind.HEADER, other.hash, "00" * 32))
    with pytest.raises(errors.Forked):
        memory.stored(other.read())
    assert len(memory.intents()) == 1
    memory.close()


def test_sealed_pictures_are_never_forgotten(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.put([entry(1), Entry("", "holiday", Scheme.CLASSIC)])
    with pytest.raises(ValueError, match="never forgotten"):
        memory.forget(*entry(1).key)
    memory.forget("", "holiday")
    memory.forget("", "holiday")
    memory.close()
    again = Memory(tmp_path)
    assert list(again.snapshot().entries) == [entry(1).key]
    again.close()


def test_a_closed_memory_keeps_nothing_more(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.close()
    for change in (
        lambda: memory.put([entry(1)]),
        lambda: memory.begin(intent(1)),
        lambda: memory.people.see("1", "tom", None, 0),
    ):
        with pytest.raises(errors.MemoryUnreadable):
            change()
    assert memory.snapshot().entries == {}


# -- the file -----------------------------------------------------------------------------------------------------


def test_files_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "place"
    before = os.umask(0)
    try:
        memory = Memory(folder)
        memory.put([entry(1)])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        memory.close()
    finally:
        os.umask(before)
    assert FILE in modes
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_there_is_one_writer(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    code = (
        "import sys; from pathlib import Path; from desktop import errors; from desktop.client.memory import Memory\n"
        "try: Memory(Path(sys.argv[1]))\n"
        "except errors.VaultInUse: print('in use')"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert said.stdout == "in use\n"
    memory.put([entry(1)])
    memory.close()


@pytest.mark.parametrize("damage", ["text", "half", "other", "newer", "key"])
def test_a_damaged_file_is_said_to_be_so_and_left_alone(tmp_path: Path, damage: str, owner: PrivateKey) -> None:
    memory = Memory(tmp_path)
    memory.put([entry(number) for number in range(200)])
    memory.people.see("u1", "tom", owner.public, 1)
    memory.close()
    path = tmp_path / FILE
    if damage == "text":
        path.write_bytes(b"not a database, but long enough to be looked at" * 40)
    elif damage == "half":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        statement = {
            "other": "PRAGMA application_id=7",
            "newer": "PRAGMA user_version=9",
            "key": "UPDATE people SET key=x'00'",
        }[damage]
        with sqlite3.connect(path) as db:
            db.execute(statement)
        db.close()
    content = path.read_bytes()
    with pytest.raises(errors.MemoryUnreadable):
        Memory(tmp_path)
    if damage != "half":  # SQLite may look at its log first
        assert path.read_bytes() == content
    aside = set_aside(tmp_path)
    assert aside is not None
    assert aside.exists()
    fresh = Memory(tmp_path)
    fresh.close()
    assert set_aside(tmp_path) not in (None, aside)
    assert set_aside(tmp_path) is None


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((errors.FileUnreadable, errors.StorageReadOnly)):
        Memory(tmp_path / "file")
    (tmp_path / FILE).mkdir()
    with pytest.raises(errors.MemoryUnreadable):
        Memory(tmp_path)


def test_all_of_a_change_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(tmp_path)
    bad = Entry(OWNER, "aa" * 16, Scheme.SEALED, None, "no hexadecimal")
    with pytest.raises(errors.MemoryUnreadable):
        memory.put([entry(1), bad])
    assert memory.snapshot().entries == {}
    memory.put([entry(2)])
    memory.close()
    again = Memory(tmp_path)
    assert list(again.snapshot().entries) == [entry(2).key]
    again.close()


def test_ten_thousand_pictures(tmp_path: Path) -> None:
    entries = [entry(number, revisions=3) for number in range(10_000)]
    memory = Memory(tmp_path)
    memory.put(entries)
    memory.close()
    # one transaction, one row each: no more than some hundred bytes a picture
    assert (tmp_path / FILE).stat().st_size < 6_000_000
    again = Memory(tmp_path)
    assert again.snapshot().entries == {item.key: item for item in entries}
    again.close()


WRITER = """
import sys
from pathlib import Path
from desktop.client.memory import Memory
from tests.client.test_memory import entry, intent
memory = Memory(Path(sys.argv[1]))
start = len(memory.snapshot().entries)
for number in range(start, start + 100_000):
    memory.begin(intent(number))
    memory.put([entry(number)], settled=[intent(number)])
    print(number, flush=True)
"""


def test_killed_while_writing(tmp_path: Path) -> None:
    acknowledged = -1
    for lines in (1, 7, 30):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert writer.stdout is not None
        with writer:
            for _ in range(lines):
                acknowledged = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read().split("\n")[:-1]
        acknowledged = int(rest[-1]) if rest else acknowledged
        memory = Memory(tmp_path)
        kept = memory.snapshot()
        numbers = sorted(int(key[1], 16) for key in kept.entries)
        # everything acknowledged is there, at most one more is, and what began is known to have begun
        assert numbers == list(range(len(numbers)))
        assert len(numbers) - 1 in (acknowledged, acknowledged + 1)
        assert all(kept.entries[entry(number).key] == entry(number) for number in numbers)
        assert [item.picture_id for item in memory.intents()] in ([], [f"{len(numbers):032x}"])
        memory.close()


# -- judgements ---------------------------------------------------------------------------------------------------


def test_a_judgement_does_not_undo_what_happened_meanwhile(tmp_path: Path, owner: PrivateKey) -> None:
    memory = Memory(tmp_path)
    a, b, c = (forge.picture(owner) for _ in range(3))
    for made in (a, b):
        memory.stored(made.read())
    snapshot = memory.snapshot()
    second = forge.picture(
        owner, picture_id=a.picture_id, picture_key=a.picture_key, deed_object=a.deed, revision=2, previous=a.hash
    )
    third = forge.picture(
        owner, picture_id=a.picture_id, picture_key=a.picture_key, deed_object=a.deed, revision=3, previous=second.hash
    )
    # the listing saw the second revision; meanwhile the third was stored, b was deleted, and c listed first
    rows = [
        Listed(owner.fingerprint, a.picture_id, envelope=second.read()),
        Listed(owner.fingerprint, c.picture_id, envelope=c.read()),
    ]
    judged = judge(rows, snapshot, own=owner.fingerprint, complete_for={owner.fingerprint})
    memory.stored(second.read())
    memory.stored(third.read())
    memory.gone(owner.fingerprint, b.picture_id)
    held = memory.commit(judged)
    assert {key[1]: verdict.standing for key, verdict in held.verdicts.items()} == {
        a.picture_id: "next",
        b.picture_id: "gone",
        c.picture_id: "new",
    }
    kept = {key[1]: item for key, item in memory.snapshot().entries.items()}
    known = kept[a.picture_id].known
    assert known is not None
    assert known.header_hash == third.hash
    assert kept[b.picture_id].gone
    assert kept[c.picture_id].known is not None
    memory.close()


def test_the_module_needs_no_database_to_be_imported() -> None:
    code = "import sys; import desktop.client.memory; print('sqlite3' in sys.modules, 'cryptography' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout == "False False\n"
    assert memory_module.FILE == FILE
