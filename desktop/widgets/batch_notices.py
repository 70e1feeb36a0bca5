"""What is said when copies were saved or pictures deleted, and the list of what failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.viewmodels.batches import BatchOutcome
from desktop.widgets.buttons import Button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, IconLabel, Label
from desktop.widgets.notices import Notice
from desktop.widgets.theme import Space

translate = QCoreApplication.translate

LISTED = 200
"""Failures listed in the dialog; the details that can be copied hold all."""


def batch_notice(
    outcome: BatchOutcome, show_failures: Callable[[BatchOutcome], None], open_folder: Callable[[Path], None]
) -> Notice | None:
    """The notice for the end of a batch; None when there is nothing to say (all deleted: the pictures are gone)."""
    saved = outcome.kind == "export"
    failed, left, done = len(outcome.failures), len(outcome.left), len(outcome.done)
    if outcome.stopped_by is not None:
        error = outcome.stopped_by
        undone = failed + left
        text = translate("Batches", "%1 %n pictures are not done.", None, undone).replace("%1", error.message)
        return _failed_notice(outcome, f"{error.title} ({error.code})", text, show_failures)
    if failed:
        title = (
            translate("Batches", "%n copies could not be saved", None, failed)
            if saved
            else translate("Batches", "%n pictures could not be deleted", None, failed)
        )
        text = translate("Batches", "%n others are done.", None, done)
        return _failed_notice(outcome, title, text, show_failures)
    if outcome.cancelled:
        text = translate("Batches", "%n pictures were done before.", None, done)
        return Notice("batch", "info", translate("Batches", "Stopped"), text)
    if not saved:
        return None
    folder = outcome.folder
    return Notice(
        "batch",
        "info",
        translate("Batches", "Saved %n copies", None, done),
        translate("Batches", "In %1. They are not encrypted there.").replace("%1", str(folder)),
        icon="check",
        action=translate("Batches", "Open the folder"),
        on_action=(lambda: open_folder(folder)) if folder is not None else None,
    )


def open_folder(folder: Path) -> None:
    """Show a folder in the file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _failed_notice(
    outcome: BatchOutcome, title: str, text: str, show_failures: Callable[[BatchOutcome], None]
) -> Notice:
    listed = bool(outcome.failures or outcome.left)
    return Notice(
        "batch",
        "danger",
        title,
        text,
        action=translate("Batches", "Show them") if listed else "",
        on_action=(lambda: show_failures(outcome)) if listed else None,
        details=failure_details(outcome),
    )


def failure_details(outcome: BatchOutcome) -> str:
    """All failures as text, for the clipboard. It holds picture names: the person decides where it goes."""
    lines = [f"{error.code} {picture.name}: {error.message}" for picture, error in outcome.failures]
    lines += [f"---- {picture.name}" for picture in outcome.left]
    if outcome.stopped_by is not None:
        lines.insert(0, f"{outcome.stopped_by.code} {outcome.stopped_by.title} {outcome.stopped_by.details}".strip())
    return "\n".join(lines)


class FailuresDialog(Dialog):
    """Which pictures it did not work for, each with its reason."""

    def __init__(self, icons: Icons, parent: QWidget, outcome: BatchOutcome) -> None:
        failed = len(outcome.failures) + len(outcome.left)
        title = (
            translate("Batches", "%n copies were not saved", None, failed)
            if outcome.kind == "export"
            else translate("Batches", "%n pictures were not deleted", None, failed)
        )
        sentence = translate("Batches", "The others are done. Nothing was overwritten.")
        super().__init__(icons, parent, title, self.PREFLIGHT, sentence=sentence)
        reasons = [(picture.name, f"{error.title} ({error.code})") for picture, error in outcome.failures]
        reasons += [(picture.name, translate("Batches", "Not tried")) for picture in outcome.left]
        for name, reason in reasons[:LISTED]:
            self.body.addWidget(_row(icons, name, reason))
        more = len(reasons) - LISTED
        if more > 0:
            self.body.addWidget(Label(translate("Batches", "and %n more", None, more), "caption"))
        copy = Button(translate("Batches", "Copy details"), icons, "copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(failure_details(outcome)))
        self.add_foot_widget(copy)
        close = Button(translate("Batches", "Close"))
        self.add_button(close, QDialogButtonBox.ButtonRole.RejectRole, default=True)


def _row(icons: Icons, name: str, reason: str) -> QWidget:
    widget = QWidget()
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(Space.MEDIUM)
    row.addWidget(IconLabel(icons, "error", "danger"), 0, Qt.AlignmentFlag.AlignTop)
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(ElidedLabel(name))
    words.addWidget(Label(reason, "caption", wrap=True))
    row.addLayout(words, 1)
    return widget
