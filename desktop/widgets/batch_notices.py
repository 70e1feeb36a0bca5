"""What is said when copies were saved or pictures moved, restored or deleted, and the list of what failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QHBoxLayout, QVBoxLayout, QWidget

from desktop.viewmodels.batches import BatchOutcome, Interrupted
from desktop.viewmodels.wording import number_text
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
        undone = failed + left or outcome.total - done
        text = translate("Batches", "%1 %n pictures are not done.", None, undone).replace("%1", error.message)
        return _failed_notice(outcome, f"{error.title} ({error.code})", text, show_failures)
    if failed:
        title = _failed_title(outcome.kind, failed)
        return _failed_notice(outcome, title, _reasons(outcome), show_failures)
    if outcome.cancelled:
        return Notice(
            "batch",
            "info",
            translate("Batches", "Stopped"),
            _how_far(outcome.kind, done, outcome.total, outcome.folder),
            action=translate("Batches", "Open the folder") if saved and done else "",
            on_action=_opener(outcome.folder, open_folder),
        )
    return _saved_notice(outcome, open_folder) if saved else None


def interrupted_notice(interrupted: Interrupted, open_folder: Callable[[Path], None]) -> Notice:
    """What is said after unlocking about a batch that locking had stopped."""
    saved = interrupted.kind == "export"
    return Notice(
        "batch",
        "warn",
        _locked_title(interrupted.kind),
        _how_far(interrupted.kind, interrupted.done, interrupted.total, interrupted.folder),
        action=translate("Batches", "Open the folder") if saved and interrupted.done else "",
        on_action=_opener(interrupted.folder, open_folder),
    )


def _saved_notice(outcome: BatchOutcome, open_folder: Callable[[Path], None]) -> Notice:
    done, renamed = len(outcome.done), outcome.renamed
    if renamed:
        text = translate("Batches", "In %1, not encrypted. %n got a new name, because theirs was taken.", None, renamed)
    elif done == 1:
        text = translate("Batches", "In %1. It is not encrypted there.")
    else:
        text = translate("Batches", "In %1. They are not encrypted there.")
    return Notice(
        "batch",
        "info",
        translate("Batches", "Saved %n copies", None, done),
        text.replace("%1", str(outcome.folder)),
        icon="check",
        action=translate("Batches", "Open the folder"),
        on_action=_opener(outcome.folder, open_folder),
    )


def _how_far(kind: str, done: int, total: int, folder: Path | None) -> str:
    if kind == "export":
        text = translate("Batches", "%1 of %2 are in %3, not encrypted there.").replace("%3", str(folder))
    elif kind == "bin":
        text = translate("Batches", "%1 of %2 are in the bin. The others are where they were.")
    elif kind == "restore":
        text = translate("Batches", "%1 of %2 are restored. The others are still in the bin.")
    else:
        text = translate("Batches", "%1 of %2 are deleted. The others are still there.")
    return text.replace("%1", number_text(done)).replace("%2", number_text(total))


def _reasons(outcome: BatchOutcome) -> str:
    """Why pictures failed, if it is the same for all, and that the others did not."""
    by_code = {error.code: error for _, error in outcome.failures}
    if len(by_code) == 1:
        [error] = by_code.values()
        reason = f"{error.message} ({error.code})"
    else:
        reason = translate("Batches", "There are several reasons.")
    done = len(outcome.done)
    if not done:
        return reason
    if outcome.kind == "export":
        words = translate("Batches", "%1 %n others are saved.", None, done)
    elif outcome.kind == "bin":
        words = translate("Batches", "%1 %n others are in the bin.", None, done)
    elif outcome.kind == "restore":
        words = translate("Batches", "%1 %n others are restored.", None, done)
    else:
        words = translate("Batches", "%1 %n others are deleted.", None, done)
    return words.replace("%1", reason)


def _opener(folder: Path | None, open_folder: Callable[[Path], None]) -> Callable[[], None] | None:
    return None if folder is None else lambda: open_folder(folder)


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
        super().__init__(icons, parent, _not_done_title(outcome.kind, failed), self.PREFLIGHT, sentence=_rest(outcome))
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


def _rest(outcome: BatchOutcome) -> str:
    """What became of the pictures that are not listed."""
    if outcome.kind == "export":
        if outcome.done:
            return translate("Batches", "The others are saved. Nothing was overwritten.")
        return translate("Batches", "Nothing was overwritten.")
    if outcome.kind == "bin":
        moved = translate("Batches", "The others are in the bin.")
        return moved if outcome.done else translate("Batches", "Nothing was moved.")
    if outcome.kind == "restore":
        back = translate("Batches", "The others are restored.")
        return back if outcome.done else translate("Batches", "Nothing was restored.")
    if outcome.done:
        return translate("Batches", "The others are deleted.")
    return translate("Batches", "Nothing was deleted.")


def _failed_title(kind: str, count: int) -> str:
    if kind == "export":
        return translate("Batches", "%n copies could not be saved", None, count)
    if kind == "bin":
        return translate("Batches", "%n pictures could not be moved to the bin", None, count)
    if kind == "restore":
        return translate("Batches", "%n pictures could not be restored", None, count)
    return translate("Batches", "%n pictures could not be deleted", None, count)


def _not_done_title(kind: str, count: int) -> str:
    if kind == "export":
        return translate("Batches", "%n copies were not saved", None, count)
    if kind == "bin":
        return translate("Batches", "%n pictures were not moved to the bin", None, count)
    if kind == "restore":
        return translate("Batches", "%n pictures were not restored", None, count)
    return translate("Batches", "%n pictures were not deleted", None, count)


def _locked_title(kind: str) -> str:
    if kind == "export":
        return translate("Batches", "Saving copies was stopped by locking")
    if kind == "bin":
        return translate("Batches", "Moving to the bin was stopped by locking")
    if kind == "restore":
        return translate("Batches", "Restoring was stopped by locking")
    return translate("Batches", "Deleting was stopped by locking")


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
