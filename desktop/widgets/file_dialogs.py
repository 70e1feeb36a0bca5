"""The system's file dialogs, without blocking the caller: each calls back with what was chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

PICTURES: Final = ("jpg", "jpeg", "png", "webp", "gif", "tif", "tiff", "bmp")
"""How names of pictures end, for the filter of a dialog only: what a file is, its content says."""


def open_pictures(parent: QWidget, title: str, start: Path, chosen: Callable[[list[Path]], None]) -> None:
    """Ask for files that exist, first of all pictures."""
    dialog = _dialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    patterns = " ".join(f"*.{form}" for ending in PICTURES for form in (ending, ending.upper()))
    pictures = QCoreApplication.translate("FileDialogs", "Pictures (%1)").replace("%1", patterns)
    dialog.setNameFilters([pictures, QCoreApplication.translate("FileDialogs", "All files (*)")])
    dialog.setOption(QFileDialog.Option.HideNameFilterDetails)
    dialog.setDirectory(str(start))
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


def pictures_folder() -> Path:
    """The person's folder for pictures, or their home."""
    places = QStandardPaths.standardLocations(QStandardPaths.StandardLocation.PicturesLocation)
    found = next((Path(place) for place in places if Path(place).is_dir()), None)
    return found or Path.home()


def _dialog(parent: QWidget, title: str) -> QFileDialog:
    dialog = QFileDialog(parent.window(), title, str(Path.home()))  # not the folder the program was started in
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog
