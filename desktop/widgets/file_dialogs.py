"""The system's file dialogs, without blocking the caller: each calls back with what was chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def open_files(parent: QWidget, title: str, chosen: Callable[[list[Path]], None], name_filter: str = "") -> None:
    """Ask for files that exist."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    if name_filter:
        dialog.setNameFilter(name_filter)
    dialog.filesSelected.connect(lambda names: chosen([Path(name) for name in names]))
    dialog.open()


def open_file(parent: QWidget, title: str, chosen: Callable[[Path], None]) -> None:
    """Ask for one file that exists."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.open()


def save_file(parent: QWidget, title: str, suggestion: str, chosen: Callable[[Path], None]) -> None:
    """Ask for a file to write. Nothing is ever overwritten, so the dialog does not offer to."""
    dialog = _dialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.selectFile(suggestion)
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.open()


def choose_folder(parent: QWidget, title: str, start: Path, chosen: Callable[[Path], None]) -> None:
    """Ask for a folder."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setDirectory(str(start))
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.open()


def _dialog(parent: QWidget, title: str) -> QFileDialog:
    dialog = QFileDialog(parent.window(), title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog
