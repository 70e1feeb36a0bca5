"""Two people at two windows over one server: sharing, accepting, replacing, taking back; and one person's bin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.end_to_end.driver import Driver
from tests.sample_pictures import photograph

PASSPHRASE = "a long walk by the river"
PASSWORD = "not the passphrase"


@pytest.fixture
def people(qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[str], Driver]]:
    """Start the program for somebody, on a computer of their own."""
    from desktop.app import name_application

    name_application(qapp)
    started: list[Driver] = []

    def begin(name: str) -> Driver:
        driver = Driver(tmp_path / name)
        started.append(driver)
        return driver

    yield begin
    for driver in started:
        if driver.window_is_open():
            driver.close()


def enter(glassine: Driver, address: str, name: str) -> None:
    """Create an account, and put the recovery kit off."""
    glassine.create_account(address, name, PASSWORD, PASSPHRASE)
    glassine.settle()
    if glassine.reads("You have no recovery kit yet"):
        glassine.press("Close")


def photographs(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    paths = []
    for number in range(count):
        path = folder / f"IMG_{number}.jpg"
        path.write_bytes(photograph(number, taken=f"2026:03:{14 - number:02} 11:08:00"))
        paths.append(path)
    return paths


def test_two_people_share_a_picture_replace_it_and_part(
    people: Callable[[str], Driver], server: str, tmp_path: Path
) -> None:
    mara, tom = people("mara"), people("tom")
    enter(mara, server, "mara")
    enter(tom, server, "tom")
    pictures = photographs(tmp_path / "photos", 2)
    mara.add(pictures)
    mara.until(lambda: mara.stored() == 2 and not mara.busy(), "two stored pictures")

    mara.choose_row(0)
    mara.press("Share")
    mara.type("User name", "nobody at all")
    mara.press("Add")
    mara.see("Nobody called")
    mara.type("User name", "mara")
    mara.press("Add")
    mara.see("That is you.")
    mara.type("User name", "tom")
    mara.choose_in("What they may do", "Can view and replace")
    mara.press("Add")
    mara.see("Not verified")
    mara.press("Share")
    mara.see("Share with tom before comparing words?")
    mara.press("Share")
    mara.see("Shared 1 picture with tom")
    mara.go("Shared by me")
    mara.until(lambda: mara.shown() == 1, "the shared picture alone")

    tom.go("Shared with me")
    tom.see("Waiting for you")
    assert tom.shown() == 1
    assert "IMG_0" not in tom.name_of(0), "nothing of it is decoded"
    tom.press("Accept, mara")
    tom.until(lambda: not tom.reads("Waiting for you") and tom.name_of(0) == "IMG_0.jpg", "the picture, decoded")
    tom.open_row(0)
    tom.until(lambda: not tom.picture_on_stage().isNull(), "the picture on the stage")
    tom.see("IMG_0.jpg")

    newer = tmp_path / "newer.jpg"
    newer.write_bytes(photograph(7))
    tom.drop([newer])
    tom.see("Replace “IMG_0.jpg” with “newer.jpg”?")
    tom.press("Replace")
    tom.see("The new version is stored")

    mara.go("All pictures")
    mara.reload()
    mara.until(lambda: "newer.jpg" in {mara.name_of(row) for row in range(mara.shown())}, "the new version")

    row = next(row for row in range(mara.shown()) if mara.name_of(row) == "newer.jpg")
    mara.choose_row(row)
    mara.press("Share")
    mara.press("Stop sharing with tom")
    mara.see("Stop sharing 1 picture with tom?")
    mara.see("What tom has already saved cannot be taken back.")
    mara.press("Stop sharing")
    mara.until(lambda: not mara.reads("Since"), "nobody in the list")
    mara.press("Close")
    mara.go("Shared by me")
    mara.see("You share nothing")

    tom.go("All pictures")
    tom.go("Shared with me")
    tom.see("Nothing shared with you yet")


def test_two_people_replace_a_picture_at_the_same_time_and_both_versions_are_kept(
    people: Callable[[str], Driver], server: str, tmp_path: Path
) -> None:
    mara, tom = people("mara"), people("tom")
    enter(tom, server, "tom")
    enter(mara, server, "mara")
    mara.add(photographs(tmp_path / "photos", 1))
    mara.until(lambda: mara.stored() == 1 and not mara.busy(), "a stored picture")
    mara.choose_row(0)
    mara.press("Share")
    mara.type("User name", "tom")
    mara.choose_in("What they may do", "Can view and replace")
    mara.press("Add")
    mara.see("Not verified")
    mara.press("Share")
    mara.see("Share with tom before comparing words?")
    mara.press("Share")
    mara.see("Shared 1 picture with tom")
    tom.go("Shared with me")
    tom.press("Accept, mara")
    tom.until(lambda: tom.shown() == 1 and tom.name_of(0) == "IMG_0.jpg", "the picture, decoded")

    versions = {name: photograph(number) for number, name in enumerate(("of mara.jpg", "of tom.jpg"), 7)}
    for name, data in versions.items():
        (tmp_path / name).write_bytes(data)
    mara.open_row(0)
    tom.open_row(0)
    tom.until(lambda: not tom.picture_on_stage().isNull(), "the picture on the stage")
    tom.drop([tmp_path / "of tom.jpg"])
    tom.see("Replace “IMG_0.jpg” with “of tom.jpg”?")
    tom.press("Replace")
    tom.see("The new version is stored")
    mara.choose_in_viewer_menu("Replace with a file…")  # with the earlier version before her
    mara.choose_path(tmp_path / "of mara.jpg")
    mara.see("Replace “IMG_0.jpg” with “of mara.jpg”?")
    mara.press("Replace")
    mara.see("replaced this picture while you did")
    mara.see("Both versions are kept.")
    mara.press("Keep both")
    mara.until(lambda: {mara.name_of(row) for row in range(mara.shown())} == set(versions), "both versions")
    (tmp_path / "copies").mkdir()
    mara.save_copies_of_all(tmp_path / "copies")
    mara.until(lambda: not mara.saving(), "the copies")
    assert {path.name: path.read_bytes() for path in (tmp_path / "copies").iterdir()} == versions
    tom.go("All pictures")
    tom.go("Shared with me")
    tom.until(lambda: tom.shown() == 1 and tom.name_of(0) == "of tom.jpg", "the version that stayed shared")


def test_comparing_words_verifies_a_person(people: Callable[[str], Driver], server: str, tmp_path: Path) -> None:
    mara, tom = people("mara"), people("tom")
    enter(tom, server, "tom")
    enter(mara, server, "mara")
    mara.add(photographs(tmp_path / "photos", 1))
    mara.until(lambda: mara.stored() == 1 and not mara.busy(), "a stored picture")
    mara.choose_row(0)
    mara.press("Share")
    mara.type("User name", "tom")
    mara.press("Add")
    mara.press("Compare words with tom")
    mara.see("Do these words match what tom sees?")
    mara.press("They match")
    mara.see("Verified")
    mara.press("Share")
    mara.see("Shared 1 picture with tom")


def test_the_bin_gives_back_and_forgets(run_glassine: Callable[[], Driver], tmp_path: Path) -> None:
    glassine = run_glassine()
    glassine.create_vault(PASSPHRASE)
    glassine.add(photographs(tmp_path / "photos", 3))
    glassine.until(lambda: glassine.stored() == 3 and not glassine.busy(), "three stored pictures")
    first = glassine.name_of(0)
    glassine.choose_row(0)
    glassine.press("Move to bin")
    glassine.see("Moved 1 picture to the bin")
    glassine.until(lambda: glassine.shown() == 2, "two tiles")
    glassine.press("Undo")
    glassine.until(lambda: glassine.shown() == 3, "three tiles again")
    assert glassine.name_of(0) == first
    glassine.choose_row(0)
    glassine.press("Move to bin")
    glassine.until(lambda: glassine.shown() == 2, "two tiles")
    glassine.add([tmp_path / "photos" / first])
    glassine.until(lambda: glassine.shown() == 3 and not glassine.saving(), "the one in the bin, taken out again")
    assert glassine.name_of(0) == first

    glassine.select_all()
    glassine.key(Qt.Key.Key_Delete)
    glassine.see("Moved 3 pictures to the bin")
    glassine.until(lambda: glassine.shown() == 0, "an empty gallery")
    glassine.go("Bin")
    glassine.until(lambda: glassine.shown() == 3, "the bin")
    glassine.choose_row(0)
    back = glassine.name_of(0)
    glassine.press("Restore")
    glassine.until(lambda: glassine.shown() == 2, "two in the bin")
    glassine.press("Empty bin")
    glassine.see("Delete 2 pictures for good?")
    glassine.press("Delete for good")
    glassine.see("The bin is empty")
    glassine.go("All pictures")
    glassine.until(lambda: glassine.shown() == 1, "one picture")
    assert glassine.name_of(0) == back
    glassine.close()

    glassine = run_glassine()
    glassine.open_vault(PASSPHRASE)
    glassine.until(lambda: glassine.shown() == 1, "one picture after coming back")
    assert glassine.name_of(0) == back
    glassine.close()
