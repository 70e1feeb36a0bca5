"""The parts of the transfers panel: section headings and rows."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop.viewmodels.transfer import Outcome, Stage, Transfer
from desktop.viewmodels.transfer_work import SourceGone
from desktop.viewmodels.wording import number_text
from desktop.widgets.buttons import ghost_button, link_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, IconLabel, Label, plain
from desktop.widgets.marks import ProgressBar4
from desktop.widgets.theme import Radius, Space

ICONS: Final = {
    Outcome.IN_PROGRESS: ("transfers", "text2"),
    Outcome.FAILED: ("error", "danger"),
    Outcome.WAITING: ("waiting", "text2"),
    Outcome.ALREADY_THERE: ("pictures", "text2"),
    Outcome.UNSUPPORTED: ("info", "text2"),
    Outcome.TOO_LARGE: ("info", "text2"),
    Outcome.DONE: ("check", "ok"),
}


class Thumb(QWidget):
    """A small picture, or an icon where there is none. Decoration."""

    SIDE: Final = 40

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._icons, self._image, self._icon = icons, QImage(), "pictures"
        self.setFixedSize(self.SIDE, self.SIDE)
        icons.changed.connect(self.update)

    def set_image(self, image: QImage | None, icon: str) -> None:
        """Show an image, or else an icon."""
        self._image, self._icon = image if image is not None else QImage(), icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it with rounded corners."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._image.isNull():
            pixmap = self._icons.pixmap(self._icon, "text2", 20, self.devicePixelRatioF())
            painter.drawPixmap((self.width() - 20) // 2, (self.height() - 20) // 2, pixmap)
            return
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), Radius.CHECK, Radius.CHECK)
        painter.setClipPath(path)
        painter.drawImage(self.rect(), self._image)


class TransferRow(QWidget):
    """One file: thumbnail, name, what it is at or why not, and what can be done.

    Signals:
        cancel_requested(int), retry_requested(int): with the number of the file.
        show_requested(str): the picture that is already there.
    """

    cancel_requested = Signal(int)
    retry_requested = Signal(int)
    show_requested = Signal(str)

    HEIGHT: Final = 50

    def __init__(self, icons: Icons, transfer: Transfer) -> None:
        super().__init__()
        self.number = transfer.number
        self._picture_id = transfer.picture_id
        self._thumb = Thumb(icons)
        self._name = ElidedLabel(transfer.name)
        self._reason = Label("", "caption", wrap=True)
        self._reason.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._bar = ProgressBar4(icons.theme)
        self.retry = ghost_button(icons, "retry", self.tr("Try again"), row=True)
        self.remove = ghost_button(icons, "close", self.tr("Cancel"), row=True)
        self.show_it = link_button(self.tr("Show"))
        self.retry.clicked.connect(lambda: self.retry_requested.emit(self.number))
        self.remove.clicked.connect(lambda: self.cancel_requested.emit(self.number))
        self.show_it.clicked.connect(lambda: self.show_requested.emit(self._picture_id))
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._name)
        words.addWidget(self._reason)
        words.addSpacing(Space.HAIR)
        words.addWidget(self._bar)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.LARGE, 3, Space.MEDIUM, 3)
        row.setSpacing(10)
        row.addWidget(self._thumb)
        row.addLayout(words, 1)
        for control in (self.show_it, self.retry, self.remove):
            row.addWidget(control)
        self.setMinimumHeight(self.HEIGHT)

    def show_transfer(self, transfer: Transfer, same_as: str, twin: QImage | None = None) -> None:
        """Say how it stands; ``same_as`` and ``twin`` are name and image of the picture that is already there."""
        outcome = transfer.outcome
        self._picture_id = transfer.picture_id
        broken = outcome in (Outcome.UNSUPPORTED, Outcome.TOO_LARGE)
        self._thumb.set_image(transfer.thumbnail or twin, "kit" if broken else "pictures")
        self._name.setText(transfer.name)
        words = self._words(transfer, same_as)
        self._reason.setText(words)
        self._reason.set_role("danger-caption" if outcome is Outcome.FAILED else "caption")
        self._reason.setVisible(bool(words))
        details = transfer.error.message if transfer.error is not None else ""
        self.setToolTip(plain(details))
        at_work = outcome is Outcome.IN_PROGRESS
        self._bar.setVisible(at_work)
        if at_work:
            share = transfer.sent if transfer.stage is Stage.SENDING else transfer.encrypted
            self._bar.set_progress(round(share * 1000), 1000)
        self.retry.setVisible(outcome is Outcome.FAILED)
        self.show_it.setVisible(outcome is Outcome.ALREADY_THERE and bool(same_as))
        self.remove.setVisible(outcome in (Outcome.IN_PROGRESS, Outcome.WAITING, Outcome.FAILED))
        removing = self.tr("Take off the list") if outcome is Outcome.FAILED else self.tr("Cancel")
        self.remove.set_text(removing)
        self.setAccessibleName(", ".join(part for part in (transfer.name, words, details) if part))
        for button, what in ((self.remove, removing), (self.retry, self.tr("Try again"))):
            button.setAccessibleName(f"{what}: {transfer.name}")
        self.show_it.setAccessibleName(self.tr("Show %1").replace("%1", same_as))

    def _words(self, transfer: Transfer, same_as: str) -> str:
        words, error = "", transfer.error
        if transfer.outcome is Outcome.IN_PROGRESS:
            words = self._at_work(transfer)
        elif transfer.outcome is Outcome.ALREADY_THERE and same_as:
            words = self.tr("Same picture as “%1”").replace("%1", same_as)
        elif transfer.outcome is Outcome.WAITING and transfer.staged is not None:
            words = self.tr("Encrypted, not sent yet")
        elif isinstance(error, SourceGone):
            words = self.tr("No longer in “%1” (%2)").replace("%2", error.code).replace("%1", error.folder.name)
        elif error is not None and transfer.outcome is Outcome.FAILED:
            words = f"{error.title} ({error.code})"
        elif error is not None:
            words = error.message
        return words

    def _at_work(self, transfer: Transfer) -> str:
        if transfer.slow:
            return self.tr("No sign of life")
        if transfer.stage is Stage.SENDING:
            return self.tr("Sending · %1 %").replace("%1", str(round(transfer.sent * 100)))
        return self.tr("Encrypting")


class _Fold(QToolButton):
    """Opens and closes a section; looks like a heading."""

    def __init__(self, icons: Icons, title: str) -> None:
        super().__init__()
        self._icons = icons
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(24, 24)
        self.setAccessibleName(title)
        self.toggled.connect(self.update)
        icons.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Its fixed size."""
        return QSize(24, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the chevron."""
        painter = QPainter(self)
        if self.underMouse():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._icons.theme.tokens.hover)
            painter.drawRoundedRect(QRectF(self.rect()), Radius.CHECK, Radius.CHECK)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        name = "chevron-down" if self.isChecked() else "chevron-right"
        pixmap = self._icons.pixmap(name, "text2", 14, self.devicePixelRatioF(), mirrored=mirrored)
        painter.drawPixmap(5, 5, pixmap)


class SectionHeading(QWidget):
    """Chevron, icon, title, count, maybe one action.

    Signals:
        folded(bool): whether the section is open.
        action_requested()
    """

    folded = Signal(bool)
    action_requested = Signal()

    def __init__(self, icons: Icons, outcome: Outcome, title: str, action: str) -> None:
        super().__init__()
        self._title = title
        name, token = ICONS[outcome]
        self.fold = _Fold(icons, title)
        self._count = Label("", "secondary")
        self.action = link_button(action)
        self.action.clicked.connect(self.action_requested)
        self.fold.toggled.connect(self.folded)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.MEDIUM - 2, Space.HAIR, Space.MEDIUM, Space.HAIR)
        row.setSpacing(Space.SMALL)
        row.addWidget(self.fold)
        row.addWidget(IconLabel(icons, name, token, 16))
        row.addWidget(Label(title, "strong"))
        row.addWidget(self._count)
        row.addStretch(1)
        row.addWidget(self.action)
        self.action.setVisible(bool(action))  # only now: without a parent it would open as a window

    def set_count(self, count: int) -> None:
        """Say how many there are."""
        self._count.setText(number_text(count))
        self.fold.setAccessibleName(f"{self._title}, {number_text(count)}")

    def mousePressEvent(self, event: object) -> None:
        """The whole heading folds."""
        self.fold.toggle()
