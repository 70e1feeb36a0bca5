"""Taking over an installation of Image-N-crypt from what mongoexport wrote, on both engines."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import import_dump_json, import_dump_layout, import_dump_store
from backend.config import Config
from backend.services.passwords import Passwords
from backend.storage.protocol import Permission, PictureRecord, Storage
from tests.backend.samples import png
from tests.backend.two_storages import ENGINES, Command, Place, add_user, database, folder, runner

ROOT = Path(__file__).resolve().parents[2]
ADA, BOB, STRANGER = "628385eb1dc6fa1a0cd84c38", "628387db1dc6fa1a0cd84c42", "f" * 24
FIRST, SECOND, THIRD = (f"62838aaa1dc6fa1a0cd84c{n:02x}" for n in (0x50, 0x51, 0x52))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return runner(capsys)


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A storage, empty but there."""
    if request.param == "embedded":
        made = folder(tmp_path / "storage")
    else:
        made = database(request.getfixturevalue("mongo_uri"))
    with made.open():
        pass
    yield made


def hashed(password: str) -> str:
    digest = hmac.new(b"pepper", password.encode(), hashlib.sha256).hexdigest()
    return f"sha256$pepper${digest}"


def user(user_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": {"$oid": user_id},
        "username": name,
        "password": hashed(f"{name}'s"),
        "publicKey": "27977 9431",
    } | more


def image(image_id: str, owner: str, name: str, file_id: str, **more: Any) -> dict[str, Any]:
    stem, dot, extension = name.rpartition(".")
    return {
        "_id": {"$oid": image_id}, "userId": owner, "nameImg": stem, "extImg": dot + extension,
        "dataImg": {"$oid": file_id}, "quotientImg": "98 98 77 2 ", "permissions": [],
    } | more  # fmt: skip


def file_id_of(number: int) -> str:
    return f"62838bbb1dc6fa1a0cd84d{number:02x}"


def entry(file_id: str, data: bytes, chunk_size: int = 50, **more: Any) -> dict[str, Any]:
    return {
        "_id": {"$oid": file_id}, "length": len(data), "chunkSize": chunk_size, "filename": None,
        "uploadDate": {"$date": "2022-05-17T11:25:30.123Z"},
    } | more  # fmt: skip


def chunks(file_id: str, data: bytes, chunk_size: int = 50) -> list[dict[str, Any]]:
    return [
        {
            "_id": {"$oid": hashlib.sha256(f"{file_id}{n}".encode()).hexdigest()[:24]},
            "files_id": {"$oid": file_id},
            "n": n,
            "data": {"$binary": {"base64": base64.b64encode(data[n * chunk_size : (n + 1) * chunk_size]).decode(),
                                 "subType": "00"}},
        }
        for n in range(-(-len(data) // chunk_size))
    ]  # fmt: skip


class Dump:
    """The exported collections of a small installation, to be changed and written."""

    def __init__(self) -> None:
        self.pngs = [png(), png(), png()]
        self.collections: dict[str, list[dict[str, Any]]] = {
            "users": [user(ADA, "ada"), user(BOB, "bob")],
            "images": [
                image(FIRST, ADA, "bicycle.png", file_id_of(0), permissions=[{"userId": BOB, "role": "write"}]),
                image(SECOND, ADA, "my pic.png", file_id_of(1)),
                image(THIRD, BOB, "bicycle.png", file_id_of(2)),
            ],
            "images.files": [entry(file_id_of(n), data) for n, data in enumerate(self.pngs)],
            "images.chunks": [one for n, data in enumerate(self.pngs) for one in chunks(file_id_of(n), data)],
        }

    def __getitem__(self, collection: str) -> list[dict[str, Any]]:
        return self.collections[collection]

    def __setitem__(self, collection: str, documents: list[dict[str, Any]]) -> None:
        self.collections[collection] = documents

    def write(self, into: Path, *, form: str = "array", prefix: str = "") -> Path:
        into.mkdir(exist_ok=True)
        for name, documents in self.collections.items():
            lines = [json.dumps(document) for document in documents]
            text = {
                "array": "[" + ",".join(lines) + "]\n",
                "lines": "".join(f"{line}\n" for line in lines),
                "pretty": "\ufeff" + json.dumps(documents, indent=4),
            }[form]
            (into / f"{prefix}{name}.json").write_text(text, encoding="utf-8")
        return into


@pytest.fixture
def dump() -> Dump:
    return Dump()


def content(storage: Storage, blob_id: str) -> bytes:
    blob = storage.open_blob(blob_id)
    assert blob is not None
    with blob:
        return blob.read()


def pictures(storage: Storage) -> dict[str, PictureRecord]:
    return {one.id: one for owner in storage.users() for one in storage.pictures(owner.id)}


# -- what comes over --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "prefix"), [("array", ""), ("lines", ""), ("pretty", "imagecrypt.")])
def test_everything_comes_over(form: str, prefix: str, dump: Dump, place: Place, tmp_path: Path, run: Command) -> None:
    result = run("import-dump", dump.write(tmp_path / "dump", form=form, prefix=prefix), *place.options, "--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == {
        "users_added": 2, "users_present": 0, "pictures_added": 3, "pictures_present": 0, "permissions_added": 1,
        "skipped": [], "notes": [], "dry_run": False,
    }  # fmt: skip
    with place.open() as storage:
        ada = storage.user(ADA)
        assert ada is not None
        assert (ada.name, ada.public_key) == ("ada", "27977 9431")
        assert ada.created == datetime(2022, 5, 17, 11, 24, 27)  # its id says so
        assert Passwords(Config()).opens(ada.password_hash, "ada's")
        assert not Passwords(Config()).opens(ada.password_hash, "bob's")
        found = pictures(storage)
        assert {one.id: (one.owner_id, one.name) for one in found.values()} == {
            FIRST: (ADA, "bicycle.png"), SECOND: (ADA, "my pic.png"), THIRD: (BOB, "bicycle.png"),
        }  # fmt: skip
        for picture_id, data in zip((FIRST, SECOND, THIRD), dump.pngs, strict=True):
            record = found[picture_id]
            assert content(storage, record.content_blob) == data
            assert content(storage, record.quotient_blob) == b"98 98 77 2 "
            assert (record.size, record.content_sha256) == (len(data), hashlib.sha256(data).hexdigest())
            assert (record.scheme, record.created) == ("classic", datetime(2022, 5, 17, 11, 25, 30, 123000))
        assert storage.permissions(FIRST) == [Permission(FIRST, BOB, "write")]
        assert [record.id for record, _ in storage.shared_with(BOB)] == [FIRST]
        assert storage.bin(ADA) == []
        assert ada.used_bytes == sum(found[one].stored_bytes for one in (FIRST, SECOND))


def test_a_second_run_adds_nothing_and_takes_nothing_back(
    dump: Dump, place: Place, tmp_path: Path, run: Command
) -> None:
    exported = dump.write(tmp_path / "dump")
    assert run("import-dump", exported, *place.options).code == 0
    with place.open() as storage:
        storage.remove_permission(FIRST, BOB)  # ada has thought better of it
        storage.change_user(ADA, {}, {"password_hash": "$argon2id$new"})
        before, blobs = pictures(storage), sorted(storage.blob_ids())
    result = run("import-dump", exported, *place.options, "--json")
    assert result.code == 0
    counts = json.loads(result.out)
    assert (counts["users_added"], counts["pictures_added"], counts["permissions_added"]) == (0, 0, 0)
    assert (counts["users_present"], counts["pictures_present"]) == (2, 3)
    with place.open() as storage:
        assert (pictures(storage), sorted(storage.blob_ids())) == (before, blobs)
        assert storage.permissions(FIRST) == []
        ada = storage.user(ADA)
        assert ada is not None
        assert ada.password_hash == "$argon2id$new"


def test_a_dry_run_says_the_same_and_writes_nothing(dump: Dump, place: Place, tmp_path: Path, run: Command) -> None:
    dump["images"][1]["quotientImg"] = ""
    exported = dump.write(tmp_path / "dump")
    dry = run("import-dump", exported, *place.options, "--dry-run", "--json")
    with place.open() as storage:
        assert storage.users() == []
        assert list(storage.blob_ids()) == []
    real = run("import-dump", exported, *place.options, "--json")
    assert json.loads(dry.out) | {"dry_run": False} == json.loads(real.out)
    assert dry.code == real.code == 1


def test_a_dry_run_needs_no_storage(dump: Dump, tmp_path: Path, run: Command) -> None:
    result = run("import-dump", dump.write(tmp_path / "dump"), "--data", tmp_path / "new", "--dry-run")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Would import: 2 accounts (0 were there), 3 pictures (0 were there)")
    assert not (tmp_path / "new").exists()


def test_bins_that_are_emptied_meanwhile(dump: Dump, place: Place, tmp_path: Path, run: Command) -> None:
    folder = dump.write(tmp_path / "dump")
    with place.open() as storage:
        engine = type(storage)
    give = engine.add_permission

    def given(self: Any, permission: Permission) -> bool:
        added = give(self, permission)
        assert self.remove_picture(permission.picture_id, deleted=import_dump_store.UNFINISHED)
        return added

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "add_permission", given)
        result = run("import-dump", folder, *place.options)
    assert result.code == 1
    assert "bicycle.png: it was removed before it was complete; run the import again" in result.err
    assert run("import-dump", folder, *place.options).code == 0
    with place.open() as storage:
        assert storage.permissions(FIRST) == [Permission(FIRST, BOB, "write")]


def test_interrupted_between_a_picture_and_its_permissions(
    dump: Dump, place: Place, tmp_path: Path, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = dump.write(tmp_path / "dump")

    class Cut(Exception):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with place.open() as storage:
        engine = type(storage)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "add_permission", cut)
        with pytest.raises(Cut):
            run("import-dump", exported, *place.options)
    with place.open() as storage:
        assert storage.picture(ADA, "bicycle.png") is None
        assert [one.deleted for one in storage.bin(ADA)] == [import_dump_store.UNFINISHED]
    assert run("import-dump", exported, *place.options).code == 0
    with place.open() as storage:
        assert storage.permissions(FIRST) == [Permission(FIRST, BOB, "write")]
        assert storage.bin(ADA) == []
        assert len(list(storage.blob_ids())) == 6


# -- forms of extended JSON -------------------------------------------------------------------------------------------


def test_canonical_and_earlier_extended_json(dump: Dump, tmp_path: Path, run: Command) -> None:
    place = folder(tmp_path / "storage")
    dump["images.files"][0] |= {
        "length": {"$numberLong": str(len(dump.pngs[0]))}, "chunkSize": {"$numberInt": "50"},
        "uploadDate": {"$date": {"$numberLong": "1652786730123"}},
    }  # fmt: skip
    dump["images.files"][1]["uploadDate"] = {"$date": 1652786730123}
    dump["images.files"][2]["uploadDate"] = {"$date": "2022-05-17T13:25:30.123+0200"}
    for number, one in enumerate(dump["images.chunks"]):
        if number % 2:
            one["n"] = {"$numberInt": str(one["n"])}
            one["data"] = {"$binary": one["data"]["$binary"]["base64"], "$type": "00"}
    assert run("import-dump", dump.write(tmp_path / "dump"), *place.options).code == 0
    with place.open() as storage:
        found = pictures(storage)
        assert {one.created for one in found.values()} == {datetime(2022, 5, 17, 11, 25, 30, 123000)}
        assert [content(storage, found[one].content_blob) for one in (FIRST, SECOND, THIRD)] == dump.pngs


@pytest.mark.parametrize(
    ("changes", "without"),
    [
        ({"name": "bicycle.png"}, ("nameImg", "extImg")),
        ({"img_name": "bicycle.png", "user_id": {"$oid": ADA}}, ("nameImg", "extImg", "userId")),
        ({"filename": "bicycle.png", "owner": ADA.upper(), "quotient": "98 98 77 2 "},
         ("nameImg", "extImg", "userId", "quotientImg")),
        ({"file_id": file_id_of(0)}, ("dataImg",)),
        ({"image_id": {"$oid": file_id_of(0)}}, ("dataImg",)),
        ({"_id": {"$oid": file_id_of(0)}}, ("dataImg",)),
        ({}, ("dataImg",)),  # found by its name
    ],
)  # fmt: skip
def test_other_names_of_fields(
    changes: dict[str, Any], without: tuple[str, ...], dump: Dump, tmp_path: Path, run: Command
) -> None:
    place = folder(tmp_path / "storage")
    dump["images.files"][0]["filename"] = "bicycle.png"
    dump["users"] = [
        {"_id": {"$oid": ADA}, "user_name": "ada", "password_hash": hashed("x"), "public_key": "27977 9431"},
        {"_id": {"$oid": BOB}, "name": "bob", "password": hashed("y"), "publicKey": ""},
    ]
    first = dump["images"][0]
    for name in without:
        del first[name]
    first |= changes
    result = run("import-dump", dump.write(tmp_path / "dump"), *place.options)
    assert (result.code, result.err) == (0, "")
    with place.open() as storage:
        record = storage.picture(ADA, "bicycle.png")
        assert record is not None
        assert content(storage, record.content_blob) == dump.pngs[0]


def test_chunks_in_any_order_and_twice(dump: Dump, tmp_path: Path, run: Command) -> None:
    place = folder(tmp_path / "storage")
    dump["images.chunks"].reverse()
    dump["images.chunks"].append(dump["images.chunks"][0])
    assert run("import-dump", dump.write(tmp_path / "dump"), *place.options).code == 0
    with place.open() as storage:
        found = pictures(storage)
        assert [content(storage, found[one].content_blob) for one in (FIRST, SECOND, THIRD)] == dump.pngs
    assert not (tmp_path / "storage" / "importing").exists()


# -- what is skipped --------------------------------------------------------------------------------------------------


def lose_a_chunk(dump: Dump) -> None:
    del dump["images.chunks"][1]


def no_png(dump: Dump) -> None:
    data = b"GIF89a" + bytes(20)
    dump["images.files"][0] = entry(file_id_of(0), data)
    dump["images.chunks"][:] = [one for one in dump["images.chunks"] if one["files_id"]["$oid"] != file_id_of(0)]
    dump["images.chunks"] += chunks(file_id_of(0), data)


def change(position: int = 0, **values: Any) -> Callable[[Dump], None]:
    return lambda dump: dump["images"][position].update(values)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change(quotientImg=None), "no quotient"),
        (change(userId=STRANGER), "owner"),
        (change(userId=7), "owner"),
        (change(extImg=".jpg"), "PNG images only!"),
        (change(nameImg="a\nb"), "not allowed"),
        (change(_id=7), "24 hex digits"),
        (change(dataImg={"$oid": STRANGER}), "not in the export"),
        (lose_a_chunk, "a part of its bytes"),
        (no_png, "not a PNG"),
        (lambda dump: dump["images.files"][0].update(length=10_000), "a part of its bytes"),
        (lambda dump: dump["images.files"][0].update(length=1 << 60, chunkSize=1), "not in the export"),
        (lambda dump: dump["images"].append(dump["images"][0]), "another picture has its id"),
    ],
)
def test_a_picture_that_cannot_come_over_is_skipped_and_named(
    spoil: Callable[[Dump], None], reason: str, dump: Dump, tmp_path: Path, run: Command
) -> None:
    place = folder(tmp_path / "storage")
    spoil(dump)
    result = run("import-dump", dump.write(tmp_path / "dump"), *place.options)
    assert result.code == 1
    (line,) = result.err.splitlines()
    assert "Skipped: picture " in line
    assert reason in line
    with place.open() as storage:
        assert {SECOND, THIRD} <= pictures(storage).keys()


def test_accounts_and_permissions_that_cannot_come_over(dump: Dump, place: Place, tmp_path: Path, run: Command) -> None:
    with place.open() as storage:
        add_user(storage, "carl")
    dump["users"] += [
        user("6" * 24, "carl"), user("7" * 24, "ada"), user("8" * 24, ""), user("9" * 24, "a\u202eb"),
        {"username": "dora"},
    ]  # fmt: skip
    dump["users"][1] |= {"password": "pbkdf2:sha256:1$a$b", "publicKey": "no key"}
    dump["images"][1]["permissions"] = [
        {"userId": ADA, "role": "read"}, {"userId": STRANGER, "role": "read"}, {"userId": BOB, "role": "owner"},
        {"user_id": {"$oid": BOB}, "role": "read"}, {"userId": BOB, "role": "write"},
    ]  # fmt: skip
    result = run("import-dump", dump.write(tmp_path / "dump"), *place.options, "--json")
    assert result.code == 1
    report = json.loads(result.out)
    assert (report["users_added"], len(report["skipped"]), len(report["notes"])) == (2, 9, 2)
    with place.open() as storage:
        assert sorted(one.name for one in storage.users()) == ["ada", "bob", "carl"]
        assert storage.permissions(SECOND) == [Permission(SECOND, BOB, "read")]
        bob = storage.user(BOB)
        assert bob is not None
        assert (bob.password_hash, bob.public_key) == ("", "")


def test_equal_names_are_told_apart(dump: Dump, place: Place, tmp_path: Path, run: Command) -> None:
    dump["images"][1]["nameImg"] = "bicycle"
    dump["images"][1]["permissions"] = [{"userId": BOB, "role": "read"}]
    result = run("import-dump", dump.write(tmp_path / "dump"), *place.options)
    assert result.code == 0
    assert "Note: picture bicycle.png" in result.err
    with place.open() as storage:
        names = {one.name for one in storage.pictures(ADA)}
        assert names == {"bicycle.png", "bicycle_20220517112530.png"}
        assert len(storage.permissions(SECOND)) == 1


# -- files that are no export -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["{", "[{}", "[{},]", "[,{}]", "[{} {}]", '[{"a": 1]', "[1]", '"text"', "[]x", "{},{}", "[[]]", "\0", "[{}]]",
     "[" * 100_000, '{"a":' * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_named(text: str, dump: Dump, tmp_path: Path, run: Command) -> None:
    exported = dump.write(tmp_path / "dump")
    (exported / "users.json").write_text(text)
    result = run("import-dump", exported, "--data", tmp_path / "storage")
    assert result.code == 4
    assert "users.json" in result.err
    assert len(result.err.splitlines()) == 1


def test_what_is_missing_is_named(dump: Dump, tmp_path: Path, run: Command) -> None:
    exported = dump.write(tmp_path / "dump")
    (exported / "images.chunks.json").unlink()
    result = run("import-dump", exported, "--data", tmp_path / "storage")
    assert result.code == 1
    assert "images.chunks.json" in result.err
    assert not (tmp_path / "storage").exists()
    assert run("import-dump", tmp_path / "nowhere", "--data", tmp_path / "storage").code == 1
    (exported / "images.chunks.json").write_bytes(b"\xff\xfe[\x00]\x00")
    assert run("import-dump", exported, "--data", tmp_path / "storage").code == 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$oid", "$date", "$binary", "base64", "$numberLong", "$numberInt", "n", "_id", "length"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
documents = st.dictionaries(
    st.sampled_from(["_id", "userId", "nameImg", "permissions", "files_id", "n", "data", "length", "chunkSize"])
    | st.text(max_size=5),
    json_values,
    max_size=6,
)


@given(documents)
def test_no_document_breaks_the_reading_of_fields(document: dict[str, Any]) -> None:
    for read in (
        import_dump_layout.user,
        import_dump_layout.picture,
        import_dump_layout.file,
        import_dump_layout.chunk,
    ):
        read(document)


@settings(max_examples=30, deadline=None)
@given(st.lists(documents, max_size=5), st.sampled_from([None, 1, 4]), st.integers(1, 40))
def test_documents_are_read_as_they_were_written(written: list[dict[str, Any]], indent: int | None, piece: int) -> None:
    """However the pieces in which the file is read are cut."""
    for text in (json.dumps(written, indent=indent), "\n".join(json.dumps(one, indent=indent) for one in written)):
        rest = [text]

        def read(size: int, rest: list[str] = rest) -> str:
            taken, rest[0] = rest[0][:piece], rest[0][piece:]
            return taken

        source = import_dump_json._Source("x.json", read, lambda: None)
        assert list(source.documents()) == written


def test_memory_stays_bounded_with_a_large_file_of_chunks(tmp_path: Path) -> None:
    """60 MB of chunks in one array, which are 80 MB of JSON."""
    dump, data = Dump(), b"\x89PNG\r\n\x1a\n" + bytes(60 << 20)
    size = 255 * 1024
    dump.collections["images.files"][0] = entry(file_id_of(0), data, size)
    exported = dump.write(tmp_path / "dump")
    with (exported / "images.chunks.json").open("w") as file:
        for number, one in enumerate(chunks(file_id_of(0), data, size)):
            file.write(("," if number else "[") + json.dumps(one))
        file.write("]")
    program = (
        "import resource, sys; from backend.__main__ import main\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "main(['restore', '--help']); import backend.storage.embedded_storage; before = peak()\n"
        "main(['import-dump', *sys.argv[1:]])\n"
        "print(peak() - before)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, exported, "--data", tmp_path / "storage"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(ran.stdout.splitlines()[-1]) < 60_000, ran.stdout  # KiB
    with folder(tmp_path / "storage").open() as storage:
        record = storage.picture_by_id(FIRST)
        assert record is not None
        assert record.content_sha256 == hashlib.sha256(data).hexdigest()
