"""Keys at the real window: an empty computer, the kit and the server's copy; and another key pair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.end_to_end.driver import Driver
from tests.end_to_end.test_sharing import PASSPHRASE, PASSWORD, people, photographs

__all__ = ["people"]

NEW = "over the hills and far away"


def make_kit(glassine: Driver) -> list[str]:
    """Make a kit, prove it, keep a copy on the server, and return its words."""
    glassine.see("You have no recovery kit yet")
    glassine.press("Make the kit")
    glassine.type("Passphrase of your key", PASSPHRASE)
    glassine.press("Show the words")
    glassine.see("Your recovery words")
    words = glassine.recovery_words()
    glassine.press("Hide them and prove")
    glassine.see("Prove your recovery kit")
    glassine.type_words("The words of the kit", " ".join(words))
    glassine.press("Finish")
    glassine.press("Keep a copy on the server")
    glassine.until(lambda: not glassine.reads("Keep a second copy"), "the kit to count")
    return words


def test_kit_and_server_copy_open_everything_on_an_empty_computer(
    people: Callable[[str], Driver], server: str, tmp_path: Path
) -> None:
    mara = people("mara")
    mara.create_account(server, "mara", PASSWORD, PASSPHRASE)
    words = make_kit(mara)
    mara.add(photographs(tmp_path / "photos", 1))
    mara.until(lambda: mara.stored() == 1 and not mara.busy(), "a stored picture")
    mara.close()

    again = people("the new computer")
    again.sign_in(server, "mara", PASSWORD, "", unlock=False)
    again.see("Your key is not on this computer")
    again.press("Use the recovery kit")
    again.type_words("The words of the kit", " ".join([*words[:4], "xylophon", *words[5:]]))
    again.see("Word 5")
    assert not again.is_enabled("Open with these words")
    again.type_words("The words of the kit", " ".join(words))
    again.press("Open with these words")
    again.see("Compare these digits")
    again.press("They are the same")
    again.type("New passphrase of your key", NEW)
    again.type("The passphrase once more", NEW)
    again.press("Keep the key")
    again.until(lambda: again.is_open() and again.shown() == 1, "the picture")
    again.open_row(0)
    again.until(lambda: not again.picture_on_stage().isNull(), "the picture on the stage")
    again.close()


def test_another_key_is_made_at_the_window(run_glassine: Callable[[], Driver], tmp_path: Path) -> None:
    glassine = run_glassine()
    glassine.create_vault(PASSPHRASE)
    glassine.add(photographs(tmp_path / "photos", 2))
    glassine.until(lambda: glassine.stored() == 2 and not glassine.busy(), "two stored pictures")
    names = {glassine.name_of(row) for row in range(2)}
    glassine.go("Keys")
    glassine.window.open_vault.keys_page.change_action.trigger()  # an entry of the menu "More"
    glassine.see("Change your key?")
    glassine.type("Passphrase of the new key", NEW)
    glassine.type("The passphrase once more", NEW)
    glassine.press("Change the key")
    glassine.see("2 pictures are encrypted for your new key.")
    assert not glassine.reads("Change your key?")
    glassine.press("Make the recovery kit")
    glassine.see("The kit is 24 words on paper")
    glassine.press("Cancel")
    glassine.until(lambda: glassine.is_open() and not glassine.listing(), "the vault")
    glassine.close()

    glassine = run_glassine()
    glassine.open_vault(PASSPHRASE)  # of the former key
    glassine.wait_for_answer()
    assert not glassine.is_open()
    glassine.open_vault(NEW)
    glassine.until(lambda: glassine.is_open() and glassine.shown() == 2, "both pictures")
    assert {glassine.name_of(row) for row in range(2)} == names
    glassine.open_row(0)
    glassine.until(lambda: not glassine.picture_on_stage().isNull(), "the picture on the stage")
    glassine.close()
