"""The pre-flight sheet and the transfers panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from desktop import errors
from desktop.models import PlaceKind
from desktop.viewmodels.transfer import Outcome
from desktop.viewmodels.transfers import TransfersViewModel
from desktop.widgets.preflight_dialog import PreflightDialog
from desktop.widgets.transfer_rows import TransferRow
from desktop.widgets.transfers_panel import ROWS, TransfersPanel


@pytest.fixture
def transfers(qapp: Any, runner: Any, vault: Any) -> TransfersViewModel:
    made = TransfersViewModel(runner)
    made.start(vault)
    runner.run_pending()
    return made


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    return made


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[Path]]:
    def make(*names: str) -> list[Path]:
        for name in names:
            (tmp_path / name).write_bytes(b"x" * 1000)
        return [tmp_path / name for name in names]

    return make


@pytest.fixture
def panel(qtbot: Any, theme: Any, icons: Any, transfers: TransfersViewModel) -> TransfersPanel:
    made = TransfersPanel(theme, icons, transfers)
    qtbot.addWidget(made)
    made.resize(364, 700)
    made.show()
    return made


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def rows(panel: TransfersPanel) -> list[TransferRow]:
    return [row for row in panel.findChildren(TransferRow) if row.isVisible()]


def show_news(panel: TransfersPanel) -> None:
    panel._transfers.news._timer.stop()
    panel._transfers.news.tell()


# -- the sheet ---------------------------------------------------------------------------------------------------------


def test_the_sheet_counts_and_starts_nothing_by_itself(
    transfers: TransfersViewModel,
    theme: Any,
    icons: Any,
    runner: Any,
    vault: Any,
    window: QWidget,
    files: Any,
    qtbot: Any,
) -> None:
    paths = files("a.png", "b.png", "notes.docx")
    sheet = PreflightDialog(theme, icons, transfers, paths, window)
    sheet.open()
    assert not sheet.start.isEnabled()
    assert "Calculating…" in texts(sheet)
    runner.run_pending()
    with qtbot.waitSignal(sheet.started):
        assert "Add 2 pictures?" in texts(sheet)
        assert "2 kB" in texts(sheet)
        qtbot.waitUntil(lambda: any("notes.docx" in text for text in texts(sheet)))
        assert transfers.summary.total == 0
        assert sheet.start.isDefault()
        QTest.keyClick(sheet, Qt.Key.Key_Return)
    runner.run_pending()
    assert transfers.count(Outcome.DONE) == 2
    assert transfers.count(Outcome.UNSUPPORTED) == 1


def test_escape_adds_nothing(
    transfers: TransfersViewModel, theme: Any, icons: Any, runner: Any, window: QWidget, files: Any
) -> None:
    sheet = PreflightDialog(theme, icons, transfers, files("a.png"), window)
    sheet.open()
    runner.run_pending()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    runner.run_pending()
    assert transfers.summary.total == 0


def test_nothing_usable_cannot_be_started(
    transfers: TransfersViewModel, theme: Any, icons: Any, runner: Any, window: QWidget, files: Any
) -> None:
    sheet = PreflightDialog(theme, icons, transfers, files("notes.docx"), window)
    sheet.open()
    runner.run_pending()
    assert "Nothing here can be added" in texts(sheet)
    assert not sheet.start.isEnabled()
    sheet.reject()


def test_the_box_is_remembered_only_on_start(
    transfers: TransfersViewModel, theme: Any, icons: Any, runner: Any, window: QWidget, files: Any, qtbot: Any
) -> None:
    sheet = PreflightDialog(theme, icons, transfers, files("a.png"), window)
    sheet.open()
    runner.run_pending()
    sheet.skip.setChecked(True)
    with qtbot.waitSignal(sheet.skip_changed) as changed:
        sheet.start.click()
    assert changed.args == [True]


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        (PlaceKind.THIS_COMPUTER, 1, "It stays on this computer"),
        (PlaceKind.THIS_COMPUTER, 2, "They stay on this computer"),
        (PlaceKind.SERVER, 1, "It goes to pictures.example.org"),
        (PlaceKind.SERVER, 2, "They go to pictures.example.org"),
    ],
)
def test_the_sheet_says_where_they_go(
    transfers: TransfersViewModel,
    window: QWidget,
    theme: Any,
    icons: Any,
    runner: Any,
    vault: Any,
    files: Any,
    kind: PlaceKind,
    count: int,
    words: str,
) -> None:
    vault.place = replace(vault.place, kind=kind)
    dialog = PreflightDialog(theme, icons, transfers, files(*["a.png", "b.png"][:count]), window)
    runner.run_pending()
    assert words in [label.text() for label in dialog.findChildren(QLabel)]


# -- the panel ---------------------------------------------------------------------------------------------------------


def test_nothing_under_way(panel: TransfersPanel) -> None:
    assert "Nothing under way" in texts(panel)
    assert not panel.pause.isVisible()


def test_sections_stand_in_the_order_of_need(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, pictures: Any, files: Any
) -> None:
    vault.put(pictures(1))
    transfers.set_library(lambda picture_id: "Drop on steel", lambda picture_id: None)
    vault.upload_trouble["bad.png"] = errors.ServerFailed()
    transfers.add(files("a.png", "bad.png", "there.png", "notes.docx"))
    runner.run_pending()
    show_news(panel)
    headings = [text for text in texts(panel) if text in {"Failed", "Already there", "Unsupported", "Done"}]
    assert headings == ["Failed", "Already there", "Unsupported", "Done"]
    shown = {row._name.text(): row._reason.text() for row in rows(panel)}
    assert shown == {
        "bad.png": "The server failed (N-205)",
        "there.png": "Same picture as “Drop on steel”",
        "notes.docx": "This is not a picture.",
    }


def test_reasons_are_shown_whole(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    reason = "This JPEG file ends too early; it was not copied completely, or it is damaged."
    vault.trouble["cut.jpg"] = errors.Unsupported(reason)
    transfers.add(files("cut.jpg"))
    runner.run_pending()
    show_news(panel)
    [row] = rows(panel)
    assert row._reason.text() == reason
    width, line = row._reason.width(), row._reason.fontMetrics()
    assert line.horizontalAdvance(reason) > width
    assert row._reason.height() >= 2 * line.height()
    assert row.height() >= row._reason.geometry().bottom()


def test_nothing_below_jumps_while_files_come_and_go(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, files: Any
) -> None:
    transfers.pause()
    transfers.add(files(*(f"{number}.png" for number in range(9))))
    runner.run_pending()
    transfers.resume()
    heights, places = set(), set()
    for _ in range(12):
        show_news(panel)
        for _ in range(20):  # each layout tells the one above it with an event of its own
            QApplication.sendPostedEvents()
            QApplication.processEvents()
        section = panel._sections[Outcome.IN_PROGRESS]
        heights.add(section.height())
        places.add(panel.cancel_all.mapTo(panel, panel.cancel_all.rect().center()).y())
        runner._pending.pop(0).run()
    assert transfers.count(Outcome.DONE) > 1
    assert len(heights) == 1
    assert len(places) == 1


def test_a_silent_server_is_said_at_the_head_with_a_way_to_ask_now(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    vault.upload_trouble["a.png"] = errors.ServerSilent()
    transfers.add(files("a.png"))
    runner.run_pending()
    show_news(panel)
    assert "Waiting for the server" in texts(panel)
    assert any("(N-204)" in text for text in texts(panel))
    vault.upload_trouble.clear()
    panel.ask_now.click()
    show_news(panel)
    assert "Waiting for the server" in texts(panel)
    assert not panel.ask_now.isEnabled()
    runner.run_pending()
    assert transfers.count(Outcome.DONE) == 1


def test_a_file_that_is_gone_is_said_to_be(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, tmp_path: Path
) -> None:
    vault.trouble["a.png"] = errors.FileUnreadable()
    transfers.add([tmp_path / "a.png"])
    runner.run_pending()
    show_news(panel)
    [row] = rows(panel)
    assert row._reason.text() == f"No longer in “{tmp_path.name}” (F-104)"


def test_a_failed_row_can_be_tried_again_or_taken_off(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    for name in ("a.png", "b.png"):
        vault.upload_trouble[name] = errors.ServerFailed()
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    show_news(panel)
    vault.upload_trouble.clear()
    first, second = rows(panel)
    assert first.retry.accessibleName() == "Try again: a.png"
    first.retry.click()
    second.remove.click()
    runner.run_pending()
    show_news(panel)
    assert rows(panel) == []
    assert [picture.name for picture in vault.pictures.values()] == ["a.png"]
    assert vault.discarded == ["b.png"]


def test_show_asks_for_the_picture_that_is_there(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, pictures: Any, files: Any, qtbot: Any
) -> None:
    vault.put(pictures(1))
    transfers.set_library(lambda picture_id: "Drop on steel", lambda picture_id: None)
    transfers.add(files("there.png"))
    runner.run_pending()
    show_news(panel)
    with qtbot.waitSignal(panel.show_requested) as asked:
        rows(panel)[0].show_it.click()
    assert asked.args == [pictures(1).id]


def test_pausing_and_going_on(panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, files: Any) -> None:
    transfers.pause()
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    show_news(panel)
    assert "Paused" in texts(panel)
    assert panel.pause.accessibleName() == "Go on"
    panel.pause.click()
    runner.run_pending()
    show_news(panel)
    assert transfers.count(Outcome.DONE) == 2


def test_a_trouble_that_stops_all_is_said_at_the_head(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, vault: Any, files: Any
) -> None:
    vault.trouble["a.png"] = errors.StorageFull()
    transfers.add(files("a.png", "b.png"))
    runner.run_pending()
    show_news(panel)
    assert any("no space left" in text and "(S-101)" in text for text in texts(panel))


def test_many_rows_are_made_a_page_at_a_time(
    panel: TransfersPanel, transfers: TransfersViewModel, runner: Any, files: Any
) -> None:
    transfers.pause()
    transfers.add(files(*(f"{number:03}.png" for number in range(2 * ROWS + 10))))
    runner.run_pending()
    show_news(panel)
    section = panel._sections[Outcome.WAITING]
    assert rows(panel) == []
    section.heading.fold.click()
    assert len(rows(panel)) == ROWS
    section.more.click()
    section.more.click()
    assert len(rows(panel)) == 2 * ROWS + 10
    assert not section.more.isVisible()
    panel.cancel_all.click()
    runner.run_pending()
    show_news(panel)
    assert "Nothing under way" in texts(panel)
