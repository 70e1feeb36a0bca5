"""What the program says without being asked, where it concerns something that is looked at. Never modal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.widgets.buttons import GhostButton, default_button, ghost_button
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

    @property
    def spoken(self) -> str:
        """What a screen reader says."""
        return f"{self.title}. {self.text}".strip()

    def looks_like(self, other: Notice) -> bool:
        """Whether both look the same; what their buttons do is another matter."""
        return replace(self, on_action=None) == replace(other, on_action=None)


class Banner(QFrame):
    """One notice, in its colours; its button calls what the notice says at the time.

    Attributes:
        trailing: Its controls.

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
            button.clicked.connect(self._on_action)
            self.trailing.addWidget(button)
        if notice.details:
            self.trailing.addWidget(copy_details_button(icons, notice.details))
        if notice.closable:
            close = ghost_button(icons, "close", self.tr("Close"))
            close.clicked.connect(self.closed)
            self.trailing.addWidget(close)
        self.setMinimumHeight(52)
        self.setAccessibleName(notice.spoken)

    def first_control(self) -> QWidget | None:
        """The first of its controls that the keyboard can go to."""
        controls = [control for control in self.findChildren(QAbstractButton) if control.isVisibleTo(self)]
        return min(controls, key=self.trailing.indexOf, default=None)

    def announce(self) -> None:
        """Have it read out."""
        announce(self, self.notice.spoken)

    def _on_action(self) -> None:
        if self.notice.on_action is not None:
            self.notice.on_action()
        self.action_requested.emit()


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


def announce(widget: QWidget, message: str) -> None:
    """Have a screen reader say something when it has finished what it says."""
    if QAccessible.isActive():
        event = QAccessibleAnnouncementEvent(widget, message)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)
