"""Bad days at the real window: files that are no pictures, flipped bits, full disks, dying servers.

Each time: a clear message where the person is, nothing lost, nothing half-written, no traceback.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from desktop.client import api
from desktop.logs import start_log
from desktop.viewmodels.transfer_silence import Silence
from tests.end_to_end.driver import Driver
from tests.end_to_end.trouble import (
    DISKS,
    READ_ONLY,
    Blobs,
    Disk,
    MiB,
    OtherWindow,
    ServerProcess,
    blobs_by_name,
    flipped,
    obeying_permissions,
    regions,
)
from tests.sample_pictures import bad_files, good_pictures, png, write_all

PASSPHRASE = "a long walk by the river"
PASSWORD = "not the passphrase"
PICTURES = dict(list(good_pictures().items())[:4])

Run = Callable[[], Driver]


@pytest.fixture(autouse=True)
def the_log(data_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The program's log, as ``desktop.app`` keeps it; nothing unforeseen may be in it."""
    if "disk" in request.fixturenames:
        request.getfixturevalue("disk")
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "urllib3", "PIL", "werkzeug", "waitress", "mongita")}
    handler = start_log(data_folder / "log")
    assert handler is not None
    yield data_folder / "log" / "glassine.log"
    root.removeHandler(handler)
    handler.close()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    said = (data_folder / "log" / "glassine.log").read_text()
    assert "Traceback" not in said, said
    assert "unexpected" not in said, said


@pytest.fixture(scope="module")
def stocked(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose vault holds ``PICTURES``; made once, because keys take time. To be copied."""
    folder = tmp_path_factory.mktemp("stocked")
    data = folder / "data"
    before = os.environ.get("GLASSINE_DATA_DIR")
    os.environ["GLASSINE_DATA_DIR"] = str(data)
    try:
        glassine = Driver(data)
        glassine.create_vault(PASSPHRASE)
        glassine.add(write_all(PICTURES, folder / "photos"))
        glassine.until(lambda: glassine.shown() == len(PICTURES) and not glassine.busy(), "the pictures")
        glassine.close()
    finally:
        if before is None:
            del os.environ["GLASSINE_DATA_DIR"]
        else:
            os.environ["GLASSINE_DATA_DIR"] = before
    (data / "preferences.json").unlink()  # it names the folder that the copies are not in
    return data


@pytest.fixture(scope="module")
def stored_as(stocked: Path) -> dict[str, Blobs]:
    """The stored files of each picture."""
    return blobs_by_name(stocked / "vault", PASSPHRASE)


@pytest.fixture
def vault(stocked: Path, data_folder: Path) -> Path:
    """A vault of the test's own, in the folder where the program looks first."""
    shutil.copytree(stocked / "vault", data_folder / "vault")
    return data_folder / "vault"


def open_all(run_glassine: Run, count: int = len(PICTURES)) -> Driver:
    """Start the program and open the vault."""
    glassine = run_glassine()
    glassine.open_vault(PASSPHRASE)
    glassine.until(lambda: glassine.shown() == count and not glassine.listing(), f"{count} tiles")
    return glassine


def look_at(glassine: Driver, name: str) -> None:
    """Open a picture by keyboard."""
    rows = {glassine.name_of(row): row for row in range(glassine.shown())}
    glassine.open_row(rows[name])


def sees_picture(glassine: Driver) -> None:
    """Wait for the picture on the stage."""
    glassine.until(lambda: not glassine.picture_on_stage().isNull(), "the picture on the stage")


def save_all(glassine: Driver, folder: Path) -> dict[str, bytes]:
    """Save copies of all pictures into a new folder and return what is in it then."""
    folder.mkdir()
    glassine.save_copies_of_all(folder)
    glassine.until(lambda: not glassine.saving(), "the copies")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def nothing_half_written(data: Path) -> None:
    """Whether every file below is one that is meant to stay."""
    odd = [path for path in data.rglob("*") if path.name.endswith((".part", ".new")) or path.parent.name == "incoming"]
    assert odd == []
    for staged in (data / "vault" / "staging").glob("*"):
        assert (staged / "manifest.json").is_file(), f"{staged} is incomplete"


# -- files -------------------------------------------------------------------------------------------------------------


def test_files_that_are_no_pictures_are_listed_with_the_reason(vault: Path, run_glassine: Run, tmp_path: Path) -> None:
    glassine = open_all(run_glassine)
    fresh = {f"fresh {number}.png": png(seed=20 + number) for number in range(2)}
    glassine.drop(write_all({**bad_files(), **fresh}, tmp_path / "dropped"))
    glassine.see("2 cannot be added")
    glassine.press("Start")
    glassine.until(lambda: glassine.shown() == len(PICTURES) + 2 and not glassine.busy(), "the good ones")
    glassine.press("Transfers")
    for section, name in (("Unsupported, 3", "a letter.png"), ("Too large, 1", "huge.png")):
        glassine.settle()
        if not glassine.reads(name):
            glassine.press(section)
    for name, reason in {
        "a letter.png": "This is a text file, not a picture",
        "nothing.png": "The file is empty",
        "cut off.png": "This PNG file ends too early; it was not copied completely.",
        "huge.png": "The picture says it has more than 250 megapixels",
    }.items():
        assert name in glassine.words()
        glassine.see(reason)
    assert save_all(glassine, tmp_path / "copies") == {**PICTURES, **fresh}
    glassine.close()


# -- passphrases -------------------------------------------------------------------------------------------------------


def test_a_wrong_passphrase_of_a_servers_account(
    run_glassine: Run, data_folder: Path, tmp_path: Path, stocked: Path
) -> None:
    server = ServerProcess(tmp_path / "server", tmp_path / "server.log")
    server.start()
    glassine = run_glassine()
    glassine.create_account(server.address, "mara", PASSWORD, PASSPHRASE)
    glassine.close()
    glassine = run_glassine()
    glassine.sign_in(server.address, "mara", "not the password", PASSPHRASE, unlock=False)
    glassine.see("User name or password is not right")
    glassine.sign_in(server.address, "mara", PASSWORD, "not the passphrase of the key")
    glassine.see("That is not the passphrase of this key. Check Caps Lock.")
    glassine.type("Passphrase of your key", PASSPHRASE)
    glassine.press("Unlock")
    glassine.see("Drop pictures here")
    glassine.close()
    server.end()
    assert "Traceback" not in server.log


# -- flipped bits ------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_a_stored_picture(
    vault: Path, stored_as: dict[str, Blobs], run_glassine: Run, tmp_path: Path
) -> None:
    rng = random.Random()
    glassine = open_all(run_glassine)
    for number, (part, positions) in enumerate(regions(vault / stored_as["plain.png"].carrier).items()):
        position, bit = rng.choice(positions), rng.randrange(8)
        where = f"bit {bit} of byte {position}, {part}"
        with flipped(vault / stored_as["plain.png"].carrier, position, bit):
            look_at(glassine, "plain.png")
            glassine.until(lambda: glassine.reads("This picture is damaged"), f"the error for {where}")
            glassine.see("F-120")
            assert glassine.picture_on_stage().isNull(), where
            if number % 3 == 0:  # the others are not concerned, and saving says which one is
                glassine.key(Qt.Key.Key_Escape)
                saved = save_all(glassine, tmp_path / f"copies {number}")
                assert saved == {name: data for name, data in PICTURES.items() if name != "plain.png"}, where
                glassine.see("1 copy could not be saved")
                glassine.press("Show them")
                glassine.see("This picture is damaged (F-120)")
                glassine.press("Close")
                look_at(glassine, "plain.png")
                glassine.see("F-120")
        glassine.press("Try again")
        sees_picture(glassine)
        glassine.key(Qt.Key.Key_Escape)
    assert save_all(glassine, tmp_path / "copies") == PICTURES
    glassine.close()


def test_a_flipped_bit_in_a_thumbnail_harms_nothing_else(
    vault: Path, stored_as: dict[str, Blobs], run_glassine: Run, tmp_path: Path, the_log: Path
) -> None:
    thumbnail = vault / stored_as["plain.png"].thumbnail
    with flipped(thumbnail, random.randrange(thumbnail.stat().st_size), random.randrange(8)):
        glassine = open_all(run_glassine)
        look_at(glassine, "plain.png")
        sees_picture(glassine)
        glassine.key(Qt.Key.Key_Escape)
        assert save_all(glassine, tmp_path / "copies") == PICTURES
        glassine.close()
    assert "a thumbnail does not open: F-120" in the_log.read_text()
    glassine = open_all(run_glassine)
    glassine.until(glassine.thumbnails_painted, "all thumbnails")
    glassine.close()


def test_a_flipped_bit_in_the_record_of_a_picture(vault: Path, run_glassine: Run, tmp_path: Path) -> None:
    """In the signature of its header: the one picture is refused, and the others are shown."""
    database = vault / "backend" / "records.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = 'SELECT id, body FROM documents WHERE instr(body, CAST(\'"sig":"\' AS BLOB)) LIMIT 1'
        [(number, record)] = connection.execute(query)
    position = record.index(b'"sig":"') + 100
    letter = next(bytes([record[position] ^ 1 << bit]) for bit in range(5) if (record[position] ^ 1 << bit) in _LETTERS)

    def keep(body: bytes) -> None:
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE documents SET body=? WHERE id=?", (body, number))

    keep(record[:position] + letter + record[position + 1 :])
    glassine = open_all(run_glassine)
    glassine.see("1 picture is not what you stored")
    glassine.see("V-110")
    assert len(save_all(glassine, tmp_path / "copies")) == len(PICTURES) - 1
    glassine.close()
    keep(record)
    glassine = open_all(run_glassine)
    assert save_all(glassine, tmp_path / "healed") == PICTURES
    glassine.close()


_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def test_flipped_bits_anywhere_in_the_records(vault: Path, run_glassine: Run, tmp_path: Path) -> None:
    """Whatever it hits: nothing wrong is handed out, no stored file goes, and flipped back all is as it was."""
    database, blobs = vault / "backend" / "records.sqlite3", vault / "backend" / "blobs"
    data, stored = database.read_bytes(), set(blobs.rglob("*"))
    rng = random.Random()
    for number in range(6):
        position, bit = rng.randrange(len(data)), rng.randrange(8)
        where = f"bit {bit} of byte {position} of the records"
        wrong = bytearray(data)
        wrong[position] ^= 1 << bit
        database.write_bytes(wrong)
        if number % 2:  # as if the last run had been killed
            (vault / "backend" / "lock").write_bytes(b"open\n")
        saved = what_can_be_had(run_glassine, tmp_path / f"copies {number}", where)
        assert set(blobs.rglob("*")) == stored, where
        assert saved.items() <= PICTURES.items(), where
        if database.read_bytes() != wrong:
            assert saved == PICTURES, f"{where}: a damaged database was written to, and not to mend it"
        for rest in (f"{database}-wal", f"{database}-shm"):
            Path(rest).unlink(missing_ok=True)
        database.write_bytes(data)
    glassine = open_all(run_glassine)
    assert save_all(glassine, tmp_path / "copies") == PICTURES
    glassine.close()


def what_can_be_had(run_glassine: Run, folder: Path, where: str) -> dict[str, bytes]:
    """Open the vault, save copies of all that is listed; whatever is missing must have been spoken of."""
    glassine = run_glassine()
    glassine.open_vault(PASSPHRASE)
    glassine.wait_for_answer()
    glassine.until(lambda: not glassine.listing(), f"the list with {where}")
    saved = save_all(glassine, folder) if glassine.shown() else {}
    spoken = any(words in text for text in glassine.words() for words in ("(F-1", "(V-1", "(S-1", "not be saved"))
    assert saved == PICTURES or spoken, f"nothing is said about {where}: {glassine.words()}"
    glassine.close()
    return saved


def test_a_flipped_bit_in_the_key_file(vault: Path, run_glassine: Run) -> None:
    """The vault opens all the same, or the message is one of the key file and where it was typed."""
    [key_file] = (vault / "keys").glob("*.glassine-key")
    glassine = run_glassine()
    for _ in range(4):
        position, bit = random.randrange(key_file.stat().st_size), random.randrange(8)
        with flipped(key_file, position, bit):
            glassine.open_vault(PASSPHRASE)
            glassine.wait_for_answer()
            said = [words for words in ("not the passphrase", "(K-1", "key file") if glassine.reads(words)]
            assert said or glassine.is_open(), f"bit {bit} of byte {position} of the key file: {glassine.words()}"
        if glassine.is_open():
            glassine.close()
            glassine = run_glassine()
    glassine.open_vault(PASSPHRASE)
    glassine.until(lambda: glassine.shown() == len(PICTURES), "the pictures")
    glassine.close()


# -- full disks --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=DISKS)
def disk(request: pytest.FixtureRequest, data_folder: Path) -> Iterator[Disk]:
    """The data folder is on a disk that can be filled."""
    disk = DISKS[request.param](data_folder)
    yield disk
    disk.free()
    disk.remove()


def noise(mebibytes: float, seed: int) -> bytes:
    """A BMP of random pixels, that large."""
    side = int((mebibytes * MiB / 3) ** 0.5) // 4 * 4
    head = b"BM" + (54 + 3 * side * side).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    head += (40).to_bytes(4, "little") + side.to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    return head + (24).to_bytes(2, "little") + bytes(24) + random.Random(seed).randbytes(3 * side * side)


def test_a_full_disk(disk: Disk, vault: Path, data_folder: Path, run_glassine: Run, tmp_path: Path) -> None:
    small = {"small.bmp": noise(0.5, 1)}
    large = {"large.bmp": noise(4, 2), "last.bmp": noise(4, 3)}
    paths = write_all({**small, **large}, tmp_path / "photos")
    glassine = open_all(run_glassine)
    disk.fill(3 * MiB)
    glassine.add(paths)
    glassine.see("The disk is full (S-101)")
    glassine.see("Free some space and try again")
    glassine.press("Transfers")
    glassine.see("Failed")
    glassine.key(Qt.Key.Key_Escape)
    glassine.close()
    nothing_half_written(data_folder)

    glassine = open_all(run_glassine, len(PICTURES) + 1)
    look_at(glassine, "small.bmp")
    sees_picture(glassine)
    glassine.key(Qt.Key.Key_Escape)
    glassine.see("The disk is full (S-101)")  # it has tried by itself
    disk.free()
    glassine.press("Try again")
    glassine.until(lambda: glassine.stored() == len(PICTURES) + 3 and not glassine.busy(), "all of them")
    assert save_all(glassine, tmp_path / "copies") == {**PICTURES, **small, **large}
    glassine.close()
    nothing_half_written(data_folder)


def test_a_disk_that_is_full_for_the_vault(
    disk: Disk, vault: Path, data_folder: Path, run_glassine: Run, tmp_path: Path
) -> None:
    """What is encrypted already waits, and is not called a server's trouble."""
    fresh = {f"{number}.bmp": noise(1.5, number) for number in range(3)}
    paths = write_all(fresh, tmp_path / "photos")
    glassine = open_all(run_glassine)
    disk.fill(disk.ROOM_TO_ENCRYPT)
    glassine.add(paths)
    glassine.see("The disk is full (S-101)")
    glassine.see("Free some space and try again.")
    assert not glassine.reads("server")
    disk.free()
    glassine.press("Try again")
    glassine.until(lambda: glassine.stored() == len(PICTURES) + 3 and not glassine.busy(), "all of them")
    assert save_all(glassine, tmp_path / "copies") == {**PICTURES, **fresh}
    glassine.close()
    nothing_half_written(data_folder)
    assert list((vault / "staging").iterdir()) == []


def test_saving_copies_on_a_full_disk(disk: Disk, vault: Path, run_glassine: Run, data_folder: Path) -> None:
    large = {"large.bmp": noise(4, 5)}
    glassine = open_all(run_glassine)
    glassine.add(write_all(large, data_folder / "photos"))
    glassine.until(lambda: glassine.shown() == len(PICTURES) + 1 and not glassine.busy(), "the large one")
    disk.fill(1 * MiB)
    saved = save_all(glassine, data_folder / "copies")
    glassine.see("The disk is full (S-101)")
    assert saved.items() <= PICTURES.items()
    disk.free()
    assert save_all(glassine, data_folder / "again") == {**PICTURES, **large}
    glassine.close()


@pytest.mark.parametrize("room", [1 << 10, 1 << 14])
def test_no_room_for_a_new_vault(disk: Disk, data_folder: Path, run_glassine: Run, room: int) -> None:
    """Neither for its key file, or only for that."""
    glassine = run_glassine()
    disk.fill(room)
    glassine.press("This computer")
    glassine.type("Passphrase of your key", PASSPHRASE)
    glassine.type("The passphrase once more", PASSPHRASE)
    glassine.press("Create the vault")
    glassine.see("The disk is full (S-101)")
    nothing_half_written(data_folder)
    disk.free()
    glassine.press(glassine.sign_in_button())
    glassine.see("Drop pictures here")
    glassine.close()


# -- folders that cannot be written ------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", READ_ONLY)
def test_a_vault_that_cannot_be_written_is_said_in_place(
    vault: Path, run_glassine: Run, tmp_path: Path, how: str
) -> None:
    with obeying_permissions():
        glassine = run_glassine()
        with READ_ONLY[how](vault):
            glassine.open_vault(PASSPHRASE)
            glassine.see("The folder cannot be written (S-102)")
            glassine.see("Glassine may not write to this folder.")
        glassine.open_vault(PASSPHRASE)
        glassine.until(lambda: glassine.shown() == len(PICTURES), "the pictures")
        assert save_all(glassine, tmp_path / "copies") == PICTURES
        glassine.close()


@pytest.mark.parametrize("part", ["", "backend"])
@pytest.mark.parametrize("how", READ_ONLY)
def test_an_open_vault_that_becomes_read_only(
    vault: Path, run_glassine: Run, tmp_path: Path, how: str, part: str
) -> None:
    fresh = {f"fresh {number}.png": png(seed=30 + number) for number in range(2)}
    with obeying_permissions():
        glassine = open_all(run_glassine)
        with READ_ONLY[how](vault / part):
            glassine.add(write_all(fresh, tmp_path / "photos"))
            glassine.see("The folder cannot be written (S-102)")
            glassine.see("Glassine may not write to")
            assert not glassine.reads("server")
            look_at(glassine, "plain.png")
            sees_picture(glassine)
            glassine.key(Qt.Key.Key_Escape)
        glassine.press("Try again")
        glassine.until(lambda: glassine.stored() == len(PICTURES) + 2 and not glassine.busy(), "all of them")
        assert save_all(glassine, tmp_path / "copies") == {**PICTURES, **fresh}
        glassine.close()
    nothing_half_written(vault)


@pytest.mark.parametrize("how", READ_ONLY)
def test_saving_copies_where_nothing_may_be_written(vault: Path, run_glassine: Run, tmp_path: Path, how: str) -> None:
    forbidden = tmp_path / "forbidden"
    forbidden.mkdir()
    with obeying_permissions():
        glassine = open_all(run_glassine)
        with READ_ONLY[how](forbidden):
            glassine.save_copies_of_all(forbidden)
            glassine.see("The folder cannot be written (S-102)")
            glassine.see("4 pictures are not done")
        assert list(forbidden.iterdir()) == []
        glassine.close()


# -- other processes ---------------------------------------------------------------------------------------------------


def test_a_second_window_on_the_same_vault(vault: Path, data_folder: Path, run_glassine: Run) -> None:
    other = OtherWindow(data_folder, PASSPHRASE)
    try:
        glassine = run_glassine()
        glassine.open_vault(PASSPHRASE)
        glassine.see("This vault is already open (S-103)")
        glassine.see("Another Glassine window or command has this vault open. Close it, or wait for it, first.")
    finally:
        other.quit()
    glassine.open_vault(PASSPHRASE)
    glassine.until(lambda: glassine.shown() == len(PICTURES), "the pictures")
    glassine.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """A server that can die; what waits for it waits less long than usual."""
    monkeypatch.setattr(api, "BACKOFF_S", (0.1, 0.1, 0.1))
    monkeypatch.setattr(Silence, "RETRY_S", (0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))
    server = ServerProcess(tmp_path / "server", tmp_path / "server.log")
    server.start()
    yield server
    server.end()
    assert "Traceback" not in server.log, server.log


def test_the_server_dies_and_comes_back(server: ServerProcess, run_glassine: Run, tmp_path: Path) -> None:
    fresh = {f"{number}.bmp": noise(1, number) for number in range(16)}
    glassine = run_glassine()
    glassine.create_account(server.address, "mara", PASSWORD, PASSPHRASE)
    glassine.add(write_all(fresh, tmp_path / "photos"))
    glassine.until(lambda: glassine.stored() >= 1, "the first one")
    server.die_at_work()
    glassine.press("Transfers")
    glassine.see("Waiting for the server")
    stored = glassine.stored()
    assert stored < len(fresh)
    server.start()
    glassine.until(lambda: glassine.stored() == len(fresh) and not glassine.busy(), "the others")
    assert save_all(glassine, tmp_path / "copies") == fresh
    assert records(server.data) == len(fresh)
    glassine.close()


def test_what_waits_for_a_dead_server_goes_on_at_the_next_start(
    server: ServerProcess, data_folder: Path, run_glassine: Run, tmp_path: Path
) -> None:
    fresh = {f"{number}.bmp": noise(1, number) for number in range(16)}
    glassine = run_glassine()
    glassine.create_account(server.address, "mara", PASSWORD, PASSPHRASE)
    glassine.add(write_all(fresh, tmp_path / "photos"))
    glassine.until(lambda: glassine.stored() >= 1, "the first one")
    server.die_at_work()
    glassine.press("Transfers")
    glassine.see("Waiting for the server")
    glassine.close()

    glassine = run_glassine()
    glassine.sign_in(server.address, "mara", PASSWORD, PASSPHRASE, unlock=False)
    glassine.see("The server did not answer (N-204)")
    server.start()
    glassine.sign_in(server.address, "mara", PASSWORD, PASSPHRASE)
    glassine.until(lambda: glassine.stored() == len(fresh) and not glassine.busy(), "the rest")
    assert save_all(glassine, tmp_path / "copies") == fresh
    assert records(server.data) == len(fresh)
    glassine.close()
    assert list(data_folder.rglob("staging/*")) == []


def test_a_flipped_bit_and_a_lost_file_on_a_server(server: ServerProcess, run_glassine: Run, tmp_path: Path) -> None:
    glassine = run_glassine()
    glassine.create_account(server.address, "mara", PASSWORD, PASSPHRASE)
    glassine.add(write_all(PICTURES, tmp_path / "photos"))
    glassine.until(lambda: glassine.stored() == len(PICTURES) and not glassine.busy(), "all of them")
    pngs = [path for path in (server.data / "blobs").rglob("*") if path.is_file() and path.stat().st_size > 60_000]
    [carrier] = pngs  # of the 16-bit picture, the only large one
    with flipped(carrier, random.randrange(carrier.stat().st_size), random.randrange(8)):
        look_at(glassine, "deep 16 bit.png")
        glassine.see("The stored file has changed and cannot be opened. Your key is right. (F-120)")
    elsewhere = carrier.rename(tmp_path / "elsewhere")
    glassine.press("Try again")
    glassine.see("The server has lost the stored file, or cannot read it. Your key is right. (F-120)")
    glassine.key(Qt.Key.Key_Escape)
    others = {name: data for name, data in PICTURES.items() if name != "deep 16 bit.png"}
    assert save_all(glassine, tmp_path / "copies") == others
    elsewhere.rename(carrier)
    assert save_all(glassine, tmp_path / "healed") == PICTURES
    glassine.close()


def records(backend: Path) -> int:
    """How many pictures a server's database holds."""
    with sqlite3.connect(f"file:{backend / 'records.sqlite3'}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM documents WHERE collection LIKE '%pictures'").fetchone()
    connection.close()
    return int(count)
