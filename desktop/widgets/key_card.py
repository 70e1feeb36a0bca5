"""The key card: a sleeve seen from the front, with what identifies a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.viewmodels.wording import day_text
from desktop.widgets.buttons import link_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, IconLabel, Label
from desktop.widgets.marks import Chip
from desktop.widgets.qr_code import QrCode
from desktop.widgets.theme import Radius, Space

if TYPE_CHECKING:
    from desktop.client.key_store import KeyEntry

NOTCH_WIDTH: Final = 68
NOTCH_DEPTH: Final = 17
WORDS: Final = 12
COLUMNS: Final = 4


class KeyCard(QWidget):
    """Name, kind, date, and what others compare: words, all 16 groups of digits with Copy, and a code for a camera."""

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._theme = icons.theme
        self._groups: tuple[str, ...] = ()
        self._name = ElidedLabel("", "lead")
        self._kind = Label("", "caption")
        self._chip = Chip(icons, "your-key", self.tr("Your key"))
        self._fingerprint = Label("")
        self._fingerprint.setAccessibleName(self.tr("Digits of your key"))
        self.copy = link_button(self.tr("Copy"), icons, "copy")
        self.copy.setAccessibleName(self.tr("Copy the digits"))
        self.copy.clicked.connect(self._copy)
        self.code = QrCode()
        self.code.hide()
        self.show_code = link_button(self.tr("Show the code"))
        self.show_code.clicked.connect(self.toggle_code)
        words = QVBoxLayout()
        words.setSpacing(Space.TIGHT)
        words.addWidget(self._name)
        words.addWidget(self._kind)
        head = QHBoxLayout()
        head.setSpacing(Space.SMALL)
        head.addWidget(IconLabel(icons, "key", "text"))
        head.addSpacing(Space.TIGHT)
        head.addLayout(words, 1)
        head.addWidget(self._chip)
        self._well = self._make_well()
        foot = QHBoxLayout()
        foot.setSpacing(Space.LARGE)
        foot.addWidget(self._fingerprint, 1)
        foot.addWidget(self.copy)
        foot.addWidget(self.show_code)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, NOTCH_DEPTH + Space.MEDIUM, Space.PAGE, Space.LARGE + 2)
        layout.setSpacing(Space.TIGHT)
        layout.addLayout(head)
        layout.addSpacing(Space.MEDIUM)
        layout.addWidget(Label(self.tr("Fingerprint words, for others to compare"), "group"))
        layout.addWidget(self._well)
        layout.addSpacing(Space.TIGHT)
        layout.addLayout(foot)
        layout.addWidget(self.code)
        self._theme.changed.connect(self._dress)
        self._dress()

    def _make_well(self) -> QFrame:
        well = QFrame()
        well.setProperty("well", True)
        grid = QGridLayout(well)
        grid.setContentsMargins(Space.MEDIUM, Space.SMALL, Space.MEDIUM, Space.SMALL)
        grid.setVerticalSpacing(Space.TIGHT)
        self._words: list[Label] = []
        for at in range(WORDS):
            number, word = Label(str(at + 1), "caption"), Label("", "strong")
            number.setMinimumWidth(16)
            number.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            cell = QHBoxLayout()
            cell.setSpacing(Space.SMALL)
            cell.addWidget(number)
            cell.addWidget(word, 1)
            grid.addLayout(cell, at // COLUMNS, at % COLUMNS)
            self._words.append(word)
        return well

    def show_key(self, entry: KeyEntry) -> None:
        """Show a key, in the same words and digits that others are shown of it."""
        self._name.setText(entry.name)
        self._kind.setText(kind_text(entry))
        from desktop.crypto.words import fingerprint_groups, fingerprint_words, qr_text

        self._groups = groups = fingerprint_groups(entry.fingerprint)
        self.code.show_text(qr_text(entry.fingerprint), self.tr("Code of your key, for a camera"))
        words = fingerprint_words(entry.fingerprint)
        for label, word in zip(self._words, words, strict=True):
            label.setText(word)
        self._well.setAccessibleName(" ".join(f"{at} {word}" for at, word in enumerate(words, 1)))
        self._fingerprint.setText("\n".join(" ".join(groups[start : start + 4]) for start in range(0, 16, 4)))

    def toggle_code(self) -> None:
        """Show the code for a camera, or not."""
        self.code.setVisible(self.code.isHidden())
        self.show_code.setText(self.tr("Show the code") if self.code.isHidden() else self.tr("Hide the code"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(" ".join(self._groups))

    def _dress(self) -> None:
        self._fingerprint.setFont(self._theme.mono())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw paper with a thumb notch and two seams."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        sheet, notch = QPainterPath(), QPainterPath()
        sheet.addRoundedRect(rect, Radius.CARD, Radius.CARD)
        notch.addEllipse(QPointF(rect.center().x(), rect.top() - 4), NOTCH_WIDTH / 2, NOTCH_DEPTH + 4)
        painter.setBrush(tokens.surface)
        painter.setPen(QPen(tokens.line_strong, 1))
        painter.drawPath(sheet.subtracted(notch))
        painter.setPen(QPen(tokens.line, 1))
        for x in (rect.left() + 8, rect.right() - 8):
            painter.drawLine(QPointF(x, rect.top() + 10), QPointF(x, rect.bottom() - 10))


def kind_text(entry: KeyEntry) -> str:
    """Such as "RSA 3072 · made on 2 March 2026"."""
    template = QGuiApplication.translate("Keys", "RSA %1 · made on %2")
    local = entry.created.astimezone()
    return template.replace("%1", str(entry.public.bits)).replace("%2", day_text(local))
