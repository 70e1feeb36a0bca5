"""What the program says without being asked: banners and toasts. Never modal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPropertyAnimation, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QFrame, QGraphicsOpacityEffect, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.widgets.buttons import Button, GhostButton, default_button, ghost_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import IconLabel, Label
from desktop.widgets.theme import Space

GRAVITY: Final = {"info": 0, "warn": 1, "danger": 2}
_ICONS: Final = {"info": ("info", "on_accent_soft"), "warn": ("warning", "warn"), "danger": ("error", "danger")}


@dataclass(frozen=True)
class Notice:
    """What a banner says.

    Attributes:
        key: Names the trouble; a second notice of the same key replaces the first.
        kind: info, warn or danger.
        title: A few words, no full stop.
        text: One sentence.
        icon: Name of an icon; empty for that of the kind.
        action: Label of the one button, or empty.
        on_action: Called when it is pressed.
        closable: Whether it can be closed.
        details: Text that can be copied for a report, or empty.
    """

    key: str
    kind: str
    title: str
    text: str
    icon: str = ""
    action: str = ""
    on_action: Callable[[], None] | None = None
    closable: bool = True
    details: str = ""


class Banner(QFrame):
    """One notice, in its colours.

    Signals:
        closed(): its cross was pressed.
        action_requested(): its button was pressed.
    """

    closed = Signal()
    action_requested = Signal()

    def __init__(self, icons: Icons, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self.setProperty("banner", notice.kind)
        name, token = _ICONS[notice.kind]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.MEDIUM + 1, Space.SMALL - 1, Space.SMALL, Space.SMALL - 1)
        layout.setSpacing(Space.MEDIUM)
        layout.addWidget(IconLabel(icons, notice.icon or name, token))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(Label(notice.title, "strong", wrap=True))
        if notice.text:
            words.addWidget(Label(notice.text, "secondary", wrap=True))
        layout.addLayout(words, 1)
        self.trailing = QHBoxLayout()
        self.trailing.setSpacing(Space.SMALL)
        layout.addLayout(self.trailing)
        if notice.action:
            button = default_button(notice.action)
            button.clicked.connect(self.action_requested)
            self.trailing.addWidget(button)
        if notice.details:
            self.trailing.addWidget(copy_details_button(icons, notice.details))
        if notice.closable:
            close = ghost_button(icons, "close", self.tr("Close"))
            close.clicked.connect(self.closed)
            self.trailing.addWidget(close)
        self.setMinimumHeight(52)
        self.setAccessibleName(f"{notice.title}. {notice.text}")

    def announce(self) -> None:
        """Have it read out."""
        _announce(self, self.accessibleName())


class BannerArea(QWidget):
    """Shows the gravest of the notices; "1 more" opens the rest.

    The margins belong to the area, so that an empty one takes no space.
    """

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self._notices: dict[str, Notice] = {}
        self._open = False
        self._banners: list[Banner] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, 0)
        self._layout.setSpacing(Space.SMALL)
        self.hide()

    @property
    def notices(self) -> list[Notice]:
        """All notices, the gravest first."""
        return sorted(self._notices.values(), key=lambda notice: -GRAVITY[notice.kind])

    def show_notice(self, notice: Notice) -> None:
        """Add a notice, or replace the one of the same key."""
        self._notices.pop(notice.key, None)
        self._notices[notice.key] = notice
        self._rebuild(announce=True)

    def remove(self, key: str) -> None:
        """Take a notice away, if it is there."""
        if self._notices.pop(key, None) is not None:
            self._rebuild()

    def remove_kind(self, kind: str) -> None:
        """Take all notices of a kind away."""
        for key in [notice.key for notice in self.notices if notice.kind == kind]:
            self.remove(key)

    def clear(self) -> None:
        """Take all away."""
        self._notices.clear()
        self._rebuild()

    def _toggle(self) -> None:
        self._open = not self._open
        self._rebuild()

    def _rebuild(self, *, announce: bool = False) -> None:
        for old in self._banners:
            self._layout.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._banners = []
        notices = self.notices
        shown = notices if self._open else notices[:1]
        for notice in shown:
            banner = Banner(self._icons, notice)
            banner.closed.connect(lambda key=notice.key: self.remove(key))
            if notice.on_action is not None:
                banner.action_requested.connect(notice.on_action)
            if notice is notices[0] and len(notices) > 1:
                rest = len(notices) - 1
                more = Button(self.tr("Show less") if self._open else self.tr("%n more", "", rest), kind="link")
                more.clicked.connect(self._toggle)
                banner.trailing.insertWidget(0, more)
            self._layout.addWidget(banner)
            banner.show()  # the layout would show it one turn of the event loop later, with nothing to read until then
            self._banners.append(banner)
            if announce and notice is notices[0]:
                banner.announce()
        self.setVisible(bool(notices))


class Toast(QFrame):
    """A message with Undo at the bottom of ``parent``, for 8 s, longer while hovered or focused.

    Signals:
        undone(): Undo was pressed. gone(): it went away in any way.
    """

    undone = Signal()
    gone = Signal()

    LIFETIME_MS: Final = 8000
    _EDGE: Final = 20

    def __init__(self, icons: Icons, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = icons.theme
        self.setProperty("toast", True)
        self._message = Label()
        self._undo = Button(self.tr("Undo"), kind="toast-link")
        self._undo.clicked.connect(self._on_undo)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.SMALL, Space.MEDIUM, Space.SMALL)
        layout.setSpacing(Space.LARGE)
        layout.addWidget(self._message)
        layout.addWidget(self._undo)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.LIFETIME_MS)
        self._timer.timeout.connect(self._on_timeout)
        parent.installEventFilter(self)
        self._undo.installEventFilter(self)
        self.hide()

    def show_message(self, message: str) -> None:
        """Show a message; it replaces the one before."""
        self._message.setText(message)
        self.adjustSize()
        self._place()
        self.show()
        self.raise_()
        self._fade_in()
        self._timer.start()
        _announce(self, message)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in place while the parent changes size, and stay while Undo has the focus."""
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self._place()
        elif watched is self._undo and event.type() == QEvent.Type.FocusIn:
            self._timer.stop()
        elif watched is self._undo and event.type() == QEvent.Type.FocusOut and self.isVisible():
            self._timer.start()
        return False

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer is here."""
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go away later."""
        if self.isVisible() and not self._undo.hasFocus():
            self._timer.start()

    def dismiss(self) -> None:
        """Go away now."""
        self._timer.stop()
        if self.isVisible():
            self.hide()
            self.gone.emit()

    def _on_undo(self) -> None:
        self.undone.emit()
        self.dismiss()

    def _on_timeout(self) -> None:
        self.dismiss()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            size = self.sizeHint()
            self.setGeometry(
                (parent.width() - size.width()) // 2,
                parent.height() - size.height() - self._EDGE,
                size.width(),
                size.height(),
            )

    def _fade_in(self) -> None:
        duration = self._theme.duration(120)
        if not duration:
            return
        effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(effect)
        self._animation = QPropertyAnimation(effect, b"opacity", self)
        self._animation.setDuration(duration)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.finished.connect(lambda: self.setGraphicsEffect(None))  # type: ignore[arg-type]
        self._animation.start()


class ErrorBox(Banner):
    """A failure where it happened: title with code, one sentence, Try again, Copy details. Cannot be closed."""

    def __init__(
        self,
        icons: Icons,
        title: str,
        text: str,
        *,
        details: str = "",
        retry: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        action = QCoreApplication.translate("Banner", "Try again") if retry else ""
        notice = Notice("error", "danger", title, text, action=action, closable=False, details=details)
        super().__init__(icons, notice, parent)


def error_words(error: GlassineError) -> tuple[str, str, str]:
    """Title with code, sentences, and the details to copy; what the title says is not said twice."""
    text = error.message.removeprefix(f"{error.title}.").strip()
    details = f"{error.code} {error.title}\n{error.message}\n{error.details}".strip()
    return f"{error.title} ({error.code})", text, details


def error_notice(error: GlassineError, key: str = "") -> Notice:
    """The banner for an error."""
    title, text, details = error_words(error)
    return Notice(key or error.code, "danger", title, text, details=details)


def copy_details_button(icons: Icons, details: str) -> GhostButton:
    """A button that puts the details of a failure on the clipboard."""
    from PySide6.QtGui import QGuiApplication

    button = ghost_button(icons, "copy", QCoreApplication.translate("Banner", "Copy details"))
    button.clicked.connect(lambda: QGuiApplication.clipboard().setText(details))
    return button


def _announce(widget: QWidget, message: str) -> None:
    if QAccessible.isActive():
        event = QAccessibleAnnouncementEvent(widget, message)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)
