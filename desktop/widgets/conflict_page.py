"""Two versions of one picture side by side. Nothing is chosen for the person."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.models import Picture
from desktop.viewmodels.conflict import Version, Versions
from desktop.viewmodels.wording import moment_text, short_text, size_text
from desktop.widgets.banner_area import BannerArea
from desktop.widgets.buttons import Button, default_button, ghost_button
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, Label
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.notices import Notice, error_notice
from desktop.widgets.page_parts import HEADER_HEIGHT
from desktop.widgets.theme import Space, Theme

STACKED_BELOW: Final = 640


class _Sheet(QWidget):
    """One version, fitted."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._image: QImage | None = None
        self.setMinimumSize(120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    def show_image(self, image: QImage | None) -> None:
        """Show an image, or nothing."""
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it on the stage's ground, never enlarged."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.tokens.stage)
        if self._image is None:
            return
        room = self.rect().adjusted(Space.MEDIUM, Space.MEDIUM, -Space.MEDIUM, -Space.MEDIUM)
        size = self._image.size()
        if size.width() > room.width() or size.height() > room.height():
            size = size.scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(self.rect().center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)


class _Side(QWidget):
    """A version with its author, its time, and the button that keeps it."""

    def __init__(self, theme: Theme, keep: str) -> None:
        super().__init__()
        self.sheet = _Sheet(theme)
        self.author, self.facts = ElidedLabel("", "strong"), Label("", "caption", wrap=True)
        self.keep: Button = default_button(keep)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.author)
        words.addWidget(self.facts)
        foot = QHBoxLayout()
        foot.setSpacing(Space.MEDIUM)
        foot.addLayout(words, 1)
        foot.addWidget(self.keep)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.SMALL)
        layout.addWidget(self.sheet, 1)
        layout.addLayout(foot)

    def show_version(self, author: str, version: Version | None) -> None:
        """Show a version, or that it is on its way."""
        self.author.setText(author)
        self.sheet.show_image(version.image if version is not None else None)
        self.sheet.setAccessibleName(author)
        facts = (
            [_when(version.when), size_text(version.size) if version.size else "", version.problem] if version else []
        )
        self.facts.setText(" · ".join(fact for fact in facts if fact))


class ConflictPage(QWidget):
    """Mine and theirs.

    Signals:
        closed()
        chosen(Picture, str): mine, theirs or both.
    """

    closed = Signal()
    chosen = Signal(object, str)

    def __init__(self, theme: Theme, icons: Icons) -> None:
        super().__init__()
        self._icons = icons
        self._picture: Picture | None = None
        self.back = ghost_button(icons, "chevron-left", self.tr("Back to the gallery"))
        self.back.clicked.connect(self.closed)
        self._name, self._caption = ElidedLabel("", "strong"), Label(self.tr("Two versions"), "caption")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._name)
        words.addWidget(self._caption)
        words.addStretch(1)
        self.header = QWidget()
        self.header.setFixedHeight(HEADER_HEIGHT)
        head = QHBoxLayout(self.header)
        head.setContentsMargins(Space.MEDIUM, 0, Space.LARGE, 0)
        head.addWidget(self.back)
        head.addLayout(words, 1)
        self.both = default_button(self.tr("Keep both"))
        head.addWidget(self.both)
        self.banners = BannerArea(icons)
        self.bar = ProgressBar4(theme)
        self.bar.setAccessibleName(self.tr("Working"))
        self.mine, self.theirs = _Side(theme, self.tr("Keep mine")), _Side(theme, self.tr("Keep theirs"))
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._sides.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, Space.LARGE)
        self._sides.setSpacing(Space.LARGE)
        self._sides.addWidget(self.mine, 1)
        self._sides.addWidget(self.theirs, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(Hairline())
        layout.addWidget(self.banners)
        layout.addLayout(self._sides, 1)
        layout.addWidget(self.bar)
        for button, choice in ((self.mine.keep, "mine"), (self.theirs.keep, "theirs"), (self.both, "both")):
            button.clicked.connect(lambda _=False, choice=choice: self._choose(choice))
        self.set_busy(False)

    @property
    def picture(self) -> Picture | None:
        """Which picture it is about."""
        return self._picture

    def show_picture(self, picture: Picture | None) -> None:
        """Name the picture; its versions follow."""
        self._picture = picture
        self._name.setText(picture.name if picture is not None else "")
        self.banners.clear()
        self.mine.show_version(self.tr("Your version"), None)
        self.theirs.show_version(self._their_words(picture), None)
        if picture is not None:
            who = picture.owner_name or self.tr("Somebody else")
            title = self.tr("%1 replaced this picture while you did").replace("%1", who)
            self.banners.show_notice(
                Notice("conflict", "warn", title, self.tr("Both versions are kept."), icon="copy", closable=False)
            )

    def show_versions(self, versions: Versions) -> None:
        """Show both."""
        if self._picture is not None and versions.picture.id == self._picture.id:
            self.mine.show_version(self.tr("Your version"), versions.mine)
            self.theirs.show_version(self._their_words(versions.picture), versions.theirs)

    def show_error(self, error: GlassineError) -> None:
        """Say what did not work; both versions are still kept."""
        self.banners.show_notice(error_notice(error, "conflict-failed"))

    def set_busy(self, busy: bool) -> None:
        """One thing at a time."""
        self.bar.setVisible(busy)
        self.bar.set_progress(0, 0)
        for button in (self.mine.keep, self.theirs.keep, self.both):
            button.setEnabled(not busy)

    def setFocus(self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason) -> None:
        """Begin with the way back: nothing is chosen by a stray Enter."""
        self.back.setFocus(reason)

    def event(self, event: QEvent) -> bool:
        """Take Escape before the window's shortcuts do."""
        over = event if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) else None
        if over is not None and over.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave with Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stand one above the other where there is no room beside."""
        super().resizeEvent(event)
        stacked = self.width() < STACKED_BELOW
        directions = QBoxLayout.Direction
        self._sides.setDirection(directions.TopToBottom if stacked else directions.LeftToRight)

    def _their_words(self, picture: Picture | None) -> str:
        if picture is None:
            return ""
        if picture.owner_name:
            return self.tr("%1’s version, stored now").replace("%1", picture.owner_name)
        return self.tr("The other version, stored now")

    def _choose(self, choice: str) -> None:
        """Choose; ask first where that throws one of the two away."""
        picture = self._picture
        if picture is None:
            return
        if choice == "both":
            self.chosen.emit(picture, choice)
            return
        owner = short_text(picture.owner_name, 24)
        if choice == "mine":
            title = self.tr("Keep your version only?")
            text = self.tr("It takes the place of the other one, which cannot be brought back.")
        else:
            title = self.tr("Keep %1’s version only?") if owner else self.tr("Keep the other version only?")
            text = self.tr("Your version is thrown away and cannot be brought back.")
        question = ConfirmDialog(
            self._icons,
            self,
            title=title.replace("%1", owner),
            text=f"{text} {self.tr('Keep both loses neither.')}",
            confirm=self.mine.keep.text() if choice == "mine" else self.theirs.keep.text(),
            safe=self.tr("Cancel"),
            icon="copy",
            danger=True,
        )
        question.accepted.connect(lambda: self.chosen.emit(picture, choice))
        question.open()


def _when(when: datetime | None) -> str:
    return moment_text(when.astimezone().replace(tzinfo=None)) if when is not None else ""
