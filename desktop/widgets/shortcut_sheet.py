"""The sheet of keys that `?` opens."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialogButtonBox, QGridLayout, QWidget

from desktop.widgets.buttons import Button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label
from desktop.widgets.theme import Space


def shortcut_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every group with its keys (portable names, several separated by ``|``) and what they do."""
    return [
        (
            QCoreApplication.translate("Shortcuts", "Everywhere"),
            [
                ("Ctrl+O", QCoreApplication.translate("Shortcuts", "Add pictures")),
                ("Ctrl+F", QCoreApplication.translate("Shortcuts", "Search")),
                ("Ctrl+L", QCoreApplication.translate("Shortcuts", "Lock")),
                ("F6|Shift+F6", QCoreApplication.translate("Shortcuts", "Next part of the window, and back")),
                ("Esc", QCoreApplication.translate("Shortcuts", "Close the panel, then clear the selection")),
                ("?", QCoreApplication.translate("Shortcuts", "This sheet")),
            ],
        ),
        (
            QCoreApplication.translate("Shortcuts", "Gallery"),
            [
                ("Return", QCoreApplication.translate("Shortcuts", "Open the picture")),
                ("Ctrl+A", QCoreApplication.translate("Shortcuts", "Select all")),
                ("Space", QCoreApplication.translate("Shortcuts", "Select, or leave out")),
                ("Del", QCoreApplication.translate("Shortcuts", "To the bin; in the bin, delete for good")),
                ("Home|End", QCoreApplication.translate("Shortcuts", "Ends of the row; with Ctrl, of everything")),
                ("Menu", QCoreApplication.translate("Shortcuts", "What can be done with the picture")),
                ("Ctrl++|Ctrl+-", QCoreApplication.translate("Shortcuts", "Larger and smaller tiles")),
            ],
        ),
        (
            QCoreApplication.translate("Shortcuts", "Viewer"),
            [
                ("Left|Right", QCoreApplication.translate("Shortcuts", "Previous and next picture")),
                ("PgUp|PgDown", QCoreApplication.translate("Shortcuts", "Previous and next picture")),
                ("Space|Shift+Space", QCoreApplication.translate("Shortcuts", "Next and previous picture")),
                ("Home|End", QCoreApplication.translate("Shortcuts", "First and last picture")),
                ("1|2|3", QCoreApplication.translate("Shortcuts", "Fit, full size, double size")),
                ("+|-", QCoreApplication.translate("Shortcuts", "Larger and smaller")),
                (
                    "Shift+Left|Shift+Right",
                    QCoreApplication.translate("Shortcuts", "Move an enlarged picture, also up and down"),
                ),
                ("F11", QCoreApplication.translate("Shortcuts", "Full screen")),
                ("I", QCoreApplication.translate("Shortcuts", "What the server or the disk sees")),
                ("S", QCoreApplication.translate("Shortcuts", "The stored noise, or the picture again")),
                ("Ctrl+S", QCoreApplication.translate("Shortcuts", "Save a copy")),
                ("Del", QCoreApplication.translate("Shortcuts", "To the bin")),
                ("Esc", QCoreApplication.translate("Shortcuts", "Back to the gallery")),
            ],
        ),
    ]


class ShortcutSheet(Dialog):
    """All keys at a glance."""

    def __init__(self, icons: Icons, parent: QWidget) -> None:
        super().__init__(icons, parent, QCoreApplication.translate("Shortcuts", "Keyboard shortcuts"), self.PREFLIGHT)
        grid = QGridLayout()
        grid.setHorizontalSpacing(Space.PAGE)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        row = 0
        for title, keys in shortcut_groups():
            heading = Label(title, "group")
            heading.setContentsMargins(0, Space.SMALL if row else 0, 0, 0)
            grid.addWidget(heading, row, 0, 1, 2)
            row += 1
            for names, meaning in keys:
                shown = [
                    QKeySequence(name).toString(QKeySequence.SequenceFormat.NativeText) for name in names.split("|")
                ]
                grid.addWidget(Label("  ".join(shown), "strong"), row, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(Label(meaning, wrap=True), row, 1)
                row += 1
        self.body.addLayout(grid)
        close = Button(QCoreApplication.translate("Shortcuts", "Close"))
        self.add_button(close, QDialogButtonBox.ButtonRole.RejectRole, default=True)
