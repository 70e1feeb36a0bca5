"""How a person is shown everywhere: disc, name, chip."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.models import Person, PersonState
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel
from desktop.widgets.marks import Avatar, Chip
from desktop.widgets.theme import Space

translate = QCoreApplication.translate

AVATAR = 36


def chip_words(person: Person, *, waiting: bool = False) -> tuple[str, str]:
    """Kind and words of the chip that says how far a person's key is known to be theirs."""
    match person.state:
        case PersonState.VERIFIED:
            return (
                ("plain", translate("People", "Waiting")) if waiting else ("verified", translate("People", "Verified"))
            )
        case PersonState.CHANGED if person.differs:
            return "key-changed", translate("People", "Words differ")
        case PersonState.CHANGED:
            return "key-changed", translate("People", "Key changed")
        case PersonState.UNVERIFIED:
            return "not-verified", translate("People", "Not verified")
        case PersonState.CLASSIC:
            return "unprotected", translate("People", "No key that protects")
        case _:
            return "plain", translate("People", "No key yet")


class PersonLabel(QWidget):
    """Disc, name with chip, and a caption below."""

    def __init__(
        self, icons: Icons, person: Person, caption: str = "", *, waiting: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        avatar = Avatar(icons.theme, AVATAR)
        avatar.set_person(person.user_id, person.name)
        self.name = ElidedLabel(person.name, "strong")
        kind, words = chip_words(person, waiting=waiting)
        icon = "waiting" if kind == "plain" else ""
        self.chip = Chip(icons, kind, words, icon=icon)
        self.caption = ElidedLabel(caption, "caption", mode=Qt.TextElideMode.ElideRight)
        top = QHBoxLayout()
        top.setSpacing(Space.SMALL)
        top.addWidget(self.name, 0)
        top.addWidget(self.chip)
        top.addStretch(1)
        words_column = QVBoxLayout()
        words_column.setSpacing(Space.HAIR)
        words_column.addLayout(top)
        self._below = QHBoxLayout()
        self._below.setSpacing(Space.MEDIUM)
        self._below.addWidget(self.caption)
        self._below.addStretch(1)
        words_column.addLayout(self._below)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(Space.MEDIUM)
        row.addWidget(avatar, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words_column, 1)
        self.caption.setVisible(bool(caption))

    def add_below(self, widget: QWidget) -> None:
        """Put a control beside the caption."""
        self._below.insertWidget(1, widget)
