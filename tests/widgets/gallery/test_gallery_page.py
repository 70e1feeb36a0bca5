"""The gallery page: what it shows when, selection bar, search, saving copies, deleting."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from desktop import errors
from desktop.models import PictureState, PlaceKind
from desktop.viewmodels.gallery import GalleryViewModel
from desktop.viewmodels.transfers import TransfersViewModel
from desktop.viewmodels.viewer import ViewerViewModel
from desktop.widgets.batch_notices import FailuresDialog
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.gallery_page import GalleryPage
from desktop.widgets.gallery_view import TILE_SIZES
from desktop.widgets.notices import Notice

SELECT = QItemSelectionModel.SelectionFlag.Select


@pytest.fixture
def page(qtbot: Any, theme: Any, icons: Any, runner: Any) -> GalleryPage:
    made = GalleryPage(theme, icons, GalleryViewModel(runner))
    made._gallery.setParent(made)
    qtbot.addWidget(made)
    made.resize(1063, 700)
    made.show()
    return made


@pytest.fixture
def filled(page: GalleryPage, runner: Any, vault: Any, pictures: Any) -> GalleryPage:
    vault.put(*(pictures(number) for number in range(10)))
    page._gallery.start(vault)
    runner.run_pending()
    return page


def texts(widget: Any) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def notice(page: GalleryPage) -> Any:
    return page.banners.notices[0]


def test_an_empty_vault_invites(page: GalleryPage, runner: Any, vault: Any, qtbot: Any) -> None:
    page._gallery.start(vault)
    runner.run_pending()
    assert page.content.first_run.isVisible()
    assert not page.header.add_button.isVisible()
    assert "Drop pictures here" in texts(page)
    with qtbot.waitSignal(page.add_files_requested):
        page.content.first_run.add_files.click()
    with qtbot.waitSignal(page.add_folder_requested):
        page.content.first_run.add_folder.click()


def test_the_first_picture_takes_the_place_of_the_invitation(
    page: GalleryPage, runner: Any, vault: Any, pictures: Any
) -> None:
    page._gallery.start(vault)
    runner.run_pending()
    page._gallery.insert(pictures(1))
    assert page.view.isVisible()
    assert page.header.add_button.isVisible()
    page._gallery.remove([pictures(1).id])
    assert page.content.first_run.isVisible()


def test_nothing_flashes_while_loading(page: GalleryPage, runner: Any, vault: Any, qtbot: Any) -> None:
    page._gallery.start(vault)
    assert not page.content.first_run.isVisible()
    assert "Opening your pictures" not in texts(page)
    with qtbot.waitSignal(page.content.waited):
        pass
    assert "Opening your pictures" in texts(page)


def test_a_failed_list_offers_to_try_again(page: GalleryPage, runner: Any, vault: Any, pictures: Any) -> None:
    vault.put(pictures(1))
    vault.trouble["list"] = errors.ServerSilent(details="refused")
    page._gallery.start(vault)
    runner.run_pending()
    assert notice(page).title == "The server did not answer (N-204)"
    assert "refused" in notice(page).details
    vault.trouble.clear()
    notice(page).on_action()
    runner.run_pending()
    assert page.banners.notices == []
    assert page.view.isVisible()


def test_refused_pictures_raise_a_banner_that_shows_them(
    page: GalleryPage, runner: Any, vault: Any, pictures: Any, refused: Any
) -> None:
    vault.put(*(pictures(number) for number in range(200)), refused)
    page._gallery.start(vault)
    runner.run_pending()
    assert notice(page).kind == "danger"
    assert "V-112" in notice(page).text
    notice(page).on_action()
    current = page._gallery.model.picture(page.view.currentIndex().row())
    assert current.state is PictureState.REFUSED
    assert page.view.viewport().rect().contains(page.view.visualRect(page.view.currentIndex()))


def test_choosing_swaps_the_header_and_back(filled: GalleryPage) -> None:
    filled.view.choose([range(2), range(5, 6)], SELECT)
    assert filled.header.selection_bar.isVisible()
    assert "3 selected" in texts(filled.header.selection_bar)
    assert "3 kB" in texts(filled.header.selection_bar)
    assert filled.selection.clear()
    assert not filled.header.selection_bar.isVisible()
    assert not filled.selection.clear()


def test_what_was_searched_for_is_not_kept_when_the_vault_is_left(filled: GalleryPage, runner: Any) -> None:
    filled.header.search.setText("surprise party")
    QTest.keyClick(filled.header.search, Qt.Key.Key_Return)
    runner.run_pending()
    assert "surprise party" in " ".join(label.text() for label in filled.findChildren(QLabel))
    filled._gallery.stop()
    assert "surprise party" not in " ".join(label.text() for label in filled.findChildren(QLabel))


def test_a_filter_ends_with_the_vault(filled: GalleryPage, runner: Any, vault: Any) -> None:
    filled.set_filter("unprotected")
    runner.run_pending()
    assert filled.filter_bar.isVisible()
    filled._gallery.stop()
    filled._gallery.start(vault)
    runner.run_pending()
    assert filled._gallery.model.rowCount() == 10
    assert not filled.filter_bar.isVisible()
    assert filled.filter_bar.chosen == ""


def test_searching_and_clearing(filled: GalleryPage, runner: Any, qtbot: Any) -> None:
    filled.focus_search()
    QTest.keyClicks(filled.header.search, "picture 7")
    QTest.keyClick(filled.header.search, Qt.Key.Key_Return)
    runner.run_pending()
    assert filled._gallery.model.rowCount() == 1
    filled.header.search.setText("no such thing")
    with qtbot.waitSignal(filled.header._soon.timeout):
        pass
    runner.run_pending()
    assert "Nothing matches “no such thing”" in texts(filled)
    filled.clear_search()
    assert filled._gallery.model.rowCount() == 10
    assert filled.header.search.text() == ""


def test_copies_are_saved_and_the_folder_remembered(
    filled: GalleryPage, runner: Any, tmp_path: Path, qtbot: Any
) -> None:
    filled.view.choose([range(3)], SELECT)
    with qtbot.waitSignal(filled.export_folder_changed) as changed:
        filled.export_pictures(filled.selection.pictures, tmp_path)
    assert changed.args == [str(tmp_path)]
    assert filled.batch.bar.isVisible()
    assert not filled.header.selection_bar.export.isEnabled()
    runner.run_pending()
    assert not filled.batch.bar.isVisible()
    assert filled.header.selection_bar.export.isEnabled()
    assert len(list(tmp_path.iterdir())) == 3
    assert notice(filled).kind == "info"
    assert str(tmp_path) in notice(filled).text


def test_failed_copies_are_listed_with_reason(
    filled: GalleryPage, runner: Any, vault: Any, tmp_path: Path, qtbot: Any
) -> None:
    vault.trouble[filled._gallery.model.picture(4).id] = errors.Damaged()
    filled.export_pictures(filled._gallery.all_pictures(), tmp_path)
    runner.run_pending()
    assert notice(filled).kind == "danger"
    notice(filled).on_action()
    [dialog] = filled.window().findChildren(FailuresDialog)
    assert "Picture 4.jpg" in texts(dialog)
    assert "This picture is damaged (F-120)" in texts(dialog)
    dialog.reject()


def test_stopping_a_batch_says_what_was_done(filled: GalleryPage, runner: Any, tmp_path: Path) -> None:
    filled.export_pictures(filled._gallery.all_pictures(), tmp_path)
    filled.batch.bar.stop.click()
    runner.run_pending()
    assert notice(filled).title == "Stopped"
    assert notice(filled).text == f"0 of 10 are in {tmp_path}, not encrypted there."
    assert list(tmp_path.iterdir()) == []


def after(vault: Any, count: int, happens: Callable[[], Any]) -> None:
    """Let something happen while the vault saves or deletes the picture of this number."""
    numbers = itertools.count(1)

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            if next(numbers) == count:
                happens()
            return method(*arguments)

        return called

    vault.export, vault.delete = watched(vault.export), watched(vault.delete)


def test_stopping_in_between_says_how_many_are_where(
    filled: GalleryPage, runner: Any, vault: Any, tmp_path: Path
) -> None:
    after(vault, 4, filled._gallery.cancel_batch)
    filled.export_pictures(filled._gallery.all_pictures(), tmp_path)
    runner.run_pending()
    assert notice(filled).text == f"4 of 10 are in {tmp_path}, not encrypted there."
    assert len(list(tmp_path.iterdir())) == 4
    after(vault, 3, filled._gallery.cancel_batch)
    filled._gallery.delete(filled._gallery.all_pictures())
    runner.run_pending()
    assert notice(filled).text == "3 of 10 are deleted. The others are still there."
    assert filled._gallery.count == 7


def test_what_locking_stopped_is_said_after_unlocking(
    filled: GalleryPage, runner: Any, vault: Any, tmp_path: Path
) -> None:
    gallery = filled._gallery
    after(vault, 4, gallery.stop)
    filled.export_pictures(gallery.all_pictures(), tmp_path)
    runner.run_pending()
    assert filled.banners.notices == []
    gallery.start(vault)
    runner.run_pending()
    assert notice(filled).title == "Saving copies was stopped by locking"
    assert notice(filled).text == f"4 of 10 are in {tmp_path}, not encrypted there."
    assert len(list(tmp_path.iterdir())) == 4


def test_what_locking_stopped_is_said_once_and_only_for_the_same_vault(
    filled: GalleryPage, runner: Any, vault: Any, tmp_path: Path
) -> None:
    gallery = filled._gallery
    filled.export_pictures(gallery.all_pictures(), tmp_path)
    gallery.stop()
    other = replace(vault, place=replace(vault.place, user_name="somebody else"))
    gallery.start(other)
    assert filled.banners.notices == []
    gallery.start(vault)
    assert filled.banners.notices == []


def test_copies_that_got_a_new_name_are_counted(filled: GalleryPage, runner: Any, tmp_path: Path) -> None:
    pictures = filled._gallery.all_pictures()
    for picture in pictures[:3]:
        (tmp_path / picture.name).write_bytes(b"not this one")
    filled.export_pictures(pictures, tmp_path)
    runner.run_pending()
    assert notice(filled).title == "Saved 10 copies"
    assert "3 got a new name, because theirs was taken" in notice(filled).text
    assert (tmp_path / "Picture 0 (2).jpg").exists()


def test_a_failed_deletion_says_why(filled: GalleryPage, runner: Any, vault: Any) -> None:
    pictures = filled._gallery.all_pictures()
    vault.trouble = {picture.id: errors.NotAllowed() for picture in pictures[4:6]}
    filled._gallery.delete(pictures[4:6])
    runner.run_pending()
    assert notice(filled).title == "2 pictures could not be deleted"
    assert notice(filled).text == "You may not do that with this picture. (N-103)"
    notice(filled).on_action()
    [dialog] = filled.window().findChildren(FailuresDialog)
    assert dialog.sentence.text() == "Nothing was deleted."
    dialog.reject()
    filled._gallery.delete(pictures[3:8])
    runner.run_pending()
    assert notice(filled).text == "You may not do that with this picture. (N-103) 3 others are deleted."


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        (PlaceKind.THIS_COMPUTER, 1, "It leaves this vault. Its file is removed after 30 days."),
        (PlaceKind.THIS_COMPUTER, 2, "They leave this vault. Their files are removed after 30 days."),
        (PlaceKind.SERVER, 1, "The server removes its file at once, or keeps it for some time in its bin."),
        (PlaceKind.SERVER, 2, "The server removes their files at once, or keeps them for some time in its bin."),
    ],
)
def test_the_question_says_what_deleting_does_here(
    filled: GalleryPage, vault: Any, kind: PlaceKind, count: int, words: str
) -> None:
    vault.place = replace(vault.place, kind=kind)
    filled.ask_to_delete(filled._gallery.all_pictures()[:count])
    [question] = filled.window().findChildren(ConfirmDialog)
    assert words in texts(question)
    question.reject()


def test_delete_takes_the_tile_the_keyboard_is_at(filled: GalleryPage, runner: Any, vault: Any) -> None:
    filled.view.setFocus()
    QTest.keyClick(filled.view, Qt.Key.Key_Right)
    meant = filled._gallery.model.picture(filled.view.currentIndex().row())
    assert not filled.selection.pictures
    QTest.keyClick(filled.view, Qt.Key.Key_Delete)
    [question] = filled.window().findChildren(ConfirmDialog)
    question.confirm.click()
    runner.run_pending()
    assert len(vault.pictures) == 9
    assert meant.id not in vault.pictures


def test_the_keyboard_comes_back_to_the_picture_that_was_left(filled: GalleryPage, runner: Any, vault: Any) -> None:
    viewer = ViewerViewModel(runner, filled)
    viewer.follow(filled._gallery)
    viewer.start(vault)
    filled.resize(700, 300)
    viewer.open(filled._gallery.model.picture(0).id)
    viewer.last()
    runner.run_pending()
    viewer.close()
    assert filled.view.currentIndex().row() == 9
    assert 9 in filled.view.visible_rows()
    assert not filled.selection.pictures


def test_files_that_could_not_be_added_are_said_in_a_banner(
    page: GalleryPage, runner: Any, vault: Any, tmp_path: Path
) -> None:
    transfers = TransfersViewModel(runner, page)
    page._gallery.follow(transfers)
    for part in (page._gallery, transfers):
        part.start(vault)
    for name in ("cut.jpg", "notes.docx", "good.jpg"):
        (tmp_path / name).write_bytes(b"x")
    vault.trouble["cut.jpg"] = errors.Unsupported()
    transfers.add([tmp_path])
    runner.run_pending()
    transfers.news.tell()
    assert notice(page).title == "2 files were not added"
    assert page._gallery.count == 1


def test_a_silent_server_is_said_while_browsing_and_taken_back(filled: GalleryPage) -> None:
    thumbnails = filled._gallery.thumbnails
    thumbnails.slow.emit()
    assert notice(filled).title == "The server has not answered yet"
    thumbnails.failed.emit(errors.ServerSilent())
    assert notice(filled).title == "The server did not answer (N-204)"
    thumbnails.slow.emit()
    thumbnails.failed.emit(errors.ServerSilent())
    assert [shown.title for shown in filled.banners.notices] == ["The server did not answer (N-204)"]
    thumbnails.answered.emit()
    assert filled.banners.notices == []


def test_only_the_tile_sizes_have_a_mark_before_them(filled: GalleryPage) -> None:
    filled.header.more.menu().aboutToShow.emit()
    entries = {action.text(): action for action in filled.header.more.menu().actions()}
    assert entries["Select all"].icon().isNull()


def test_the_menu_can_be_opened_again_after_its_entries_were_let_go(filled: GalleryPage, qtbot: Any) -> None:
    for side, name in zip(TILE_SIZES, ("Small tiles", "Medium tiles", "Large tiles"), strict=True):
        menu = filled.header.more.menu()
        menu.popup(filled.mapToGlobal(filled.rect().center()))
        marked = [action.text() for action in menu.actions() if action.isChecked()]
        assert len(marked) == 1
        menu.hide()
        menu.parentWidget()  # as whoever looks at a hidden menu does
        with qtbot.waitSignal(filled.tile_size_changed) as told:
            next(action for action in menu.actions() if action.text() == name).trigger()
        assert told.args == [side]
        menu.popup(filled.mapToGlobal(filled.rect().center()))
        assert [action.text() for action in menu.actions() if action.isChecked()] == [name]
        menu.hide()


def test_deleting_asks_with_the_safe_button_first(filled: GalleryPage, runner: Any, vault: Any) -> None:
    filled.view.choose([range(3)], SELECT)
    filled.ask_to_delete(filled.selection.pictures)
    [question] = filled.window().findChildren(ConfirmDialog)
    assert question.windowTitle().startswith("Delete 3 pictures?")
    assert question.safe.isDefault()
    QTest.keyClick(question, Qt.Key.Key_Return)
    runner.run_pending()
    assert len(vault.pictures) == 10
    filled.ask_to_delete(filled.selection.pictures)
    question = next(dialog for dialog in filled.window().findChildren(ConfirmDialog) if dialog.isVisible())
    question.confirm.click()
    runner.run_pending()
    assert len(vault.pictures) == 7
    assert filled._gallery.count == 7
    assert not filled.header.selection_bar.isVisible()


def test_a_narrow_window_has_four_columns(filled: GalleryPage) -> None:
    filled.setFocus()  # as the window does; a search field that is typed into stays
    filled.resize(664, 480)
    assert filled.view.grid.columns == 4
    assert not filled.header.search.isVisible()
    filled.resize(1063, 700)
    assert filled.view.grid.columns == 5
    assert filled.header.search.isVisible()


def test_locking_leaves_nothing(filled: GalleryPage, runner: Any) -> None:
    filled.view.choose([range(3)], SELECT)
    filled._gallery.stop()
    assert filled._gallery.model.rowCount() == 0
    assert not filled.view.isVisible()
    assert not filled.header.selection_bar.isVisible()
    assert filled.banners.notices == []


def test_controls_have_names(filled: GalleryPage) -> None:
    from PySide6.QtGui import QAccessible
    from PySide6.QtWidgets import QAbstractButton, QLineEdit

    filled.view.choose([range(1)], SELECT)
    for control in filled.findChildren(QAbstractButton) + filled.findChildren(QLineEdit):
        interface = QAccessible.queryAccessibleInterface(control)
        assert interface.text(QAccessible.Text.Name), control


def test_open_banners_are_not_squeezed_by_what_is_not_seen(filled: GalleryPage, qtbot: Any) -> None:
    filled.window().resize(720, 480)
    for number in range(5):
        filled.banners.show_notice(Notice(str(number), "warn", "Trouble", "A sentence of two lines, not one. " * 4))
    filled.banners.more.click()
    area = filled.banners
    qtbot.waitUntil(lambda: area._others.height() > 100)
    qtbot.waitUntil(lambda: area.height() >= area.heightForWidth(area.width()))
    assert filled.view.height() > 150
