"""Dialogs: the base with its scrim, and the confirmation whose safe button comes first."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeySequence, QPainter, QPaintEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.widgets.buttons import Button
from desktop.widgets.focus_ring import FocusRing
from desktop.widgets.icons import Icons
from desktop.widgets.labels import IconLabel, Label
from desktop.widgets.theme import Space, Theme


class Scrim(QWidget):
    """Darkens a window while a dialog is open over it."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(window.rect())
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Cover the window at any size."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the veil."""
        QPainter(self).fillRect(self.rect(), self._theme.tokens.scrim)


class _Body(QScrollArea):
    """The middle of a dialog: as high as its content wants to be, lower with a scroll bar if it must."""

    MIN_HEIGHT: Final = 120

    def __init__(self, width: int) -> None:
        super().__init__()
        self._inner_width = width
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.content = QWidget()
        self.content.setProperty("plain", True)
        self.setWidget(self.content)
        self.viewport().setAutoFillBackground(False)
        self.content.setAutoFillBackground(False)

    def needed(self) -> int:
        """The height at which nothing is scrolled."""
        layout = self.content.layout()
        if layout is None:
            return 0
        if layout.hasHeightForWidth():
            return layout.totalHeightForWidth(self._inner_width)
        return layout.totalSizeHint().height()

    def sizeHint(self) -> QSize:
        """All of the content."""
        return QSize(self._inner_width, self.needed())

    def minimumSizeHint(self) -> QSize:
        """Some of it."""
        return QSize(self._inner_width, min(self.MIN_HEIGHT, self.needed()))


class Dialog(QDialog):
    """A window-modal dialog: title, a body that scrolls when the screen is low, and the platform's button order.

    Subclasses fill ``body`` and add buttons with ``add_button``. Open it with ``open()`` and connect to ``accepted``;
    it deletes itself when it is closed.
    """

    CONFIRM: Final = 440
    PREFLIGHT: Final = 520
    WIDE: Final = 600

    def __init__(self, icons: Icons, parent: QWidget, title: str, width: int = CONFIRM, *, sentence: str = "") -> None:
        super().__init__(parent.window())
        self.icons, self.theme = icons, icons.theme
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._scrim: Scrim | None = None
        self._width = width

        words = QVBoxLayout()
        words.setSpacing(Space.TIGHT)
        self._head = QHBoxLayout()
        self._head.setSpacing(Space.LARGE)
        self._head.addLayout(words, 1)
        self.heading = Label(title, "lead" if width == self.CONFIRM else "heading", wrap=True)
        self.sentence = Label(sentence, "secondary", wrap=True)
        words.addWidget(self.heading)
        words.addWidget(self.sentence)

        self._scroll = _Body(width - 2 * Space.PAGE)
        self.body = QVBoxLayout(self._scroll.content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(Space.MEDIUM)

        self.buttons = QDialogButtonBox()
        self._foot = QHBoxLayout()
        self._foot.setSpacing(Space.SMALL)
        self._foot.addWidget(self.buttons, 1)

        outer = QVBoxLayout(self)
        outer.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        outer.setSpacing(Space.LARGE)
        outer.addLayout(self._head)
        outer.addWidget(self._scroll, 1)
        outer.addLayout(self._foot)
        self.sentence.setVisible(bool(sentence))  # only now: without a parent it would open as a window
        self._outer = outer
        FocusRing(self, self.theme)
        # the window's own shortcut does not reach through a dialog, and locking must always be at hand
        QShortcut(QKeySequence("Ctrl+L"), self).activated.connect(self._lock)

    def _lock(self) -> None:
        owner = self.parentWidget()
        while isinstance(owner, Dialog):  # one dialog may ask over another
            owner = owner.parentWidget()
        lock = getattr(owner, "lock", None)
        if callable(lock):
            lock()

    def add_button(self, button: Button, role: QDialogButtonBox.ButtonRole, *, default: bool = False) -> Button:
        """Add a button where the platform wants that role; the default one gets Enter and the first focus."""
        self.buttons.addButton(button, role)
        button.setAutoDefault(default)
        button.setDefault(default)
        if default:
            button.setFocus(Qt.FocusReason.OtherFocusReason)
        if role == QDialogButtonBox.ButtonRole.RejectRole:
            button.clicked.connect(self.reject)
        return button

    def add_foot_widget(self, widget: QWidget) -> None:
        """Put a control at the start of the button row."""
        self._foot.insertWidget(0, widget)

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the size to the words and darken the window behind."""
        parent = self.parentWidget()
        if parent is not None and self._scrim is None:
            self._scrim = Scrim(parent, self.theme)
            self._scrim.show()
            self._scrim.raise_()
        self.fit()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Give the window its light back."""
        super().hideEvent(event)
        if self._scrim is not None:
            self._scrim.hide()
            self._scrim.deleteLater()
            self._scrim = None

    def reveal(self, widget: QWidget) -> None:
        """Make room for what has just come up in the body and scroll to it where the screen is too low."""
        widget.show()  # a new child is shown only later, and what is hidden is not measured
        self.fit()
        self._outer.activate()
        self.body.activate()
        self._scroll.ensureWidgetVisible(widget)

    def refit(self) -> None:
        """Fit to another content: now, and once more when the labels have the height that belongs to their width."""
        self.body.invalidate()
        self.fit()
        self._outer.activate()
        self.body.activate()
        self.fit()
        QTimer.singleShot(0, self, self.fit)

    def fit(self) -> None:
        """Take the width of the design, or what the button row's words need, and the height of the content."""
        for widget in self.findChildren(QWidget):
            widget.ensurePolished()
        self._foot.invalidate()
        width = max(self._width, self._foot.sizeHint().width() + 2 * Space.PAGE)
        self.setFixedWidth(width)
        self._scroll.setVisible(self.body.count() > 0)
        self._scroll.updateGeometry()
        self._outer.invalidate()
        needed = self._outer.totalHeightForWidth(width)
        if needed < 0:
            needed = self._outer.totalSizeHint().height()
        self.resize(width, min(needed, self.screen().availableGeometry().height() - 80))


class ConfirmDialog(Dialog):
    """A question with the thing and the number in it. Enter and the first focus are on the safe button."""

    def __init__(
        self,
        icons: Icons,
        parent: QWidget,
        *,
        title: str,
        text: str,
        confirm: str,
        safe: str,
        icon: str = "",
        danger: bool = False,
        safe_is_primary: bool = False,
    ) -> None:
        """Make the question; ``danger`` fills the confirming button, ``safe_is_primary`` the safe one."""
        super().__init__(icons, parent, title)
        self.sentence.setText(text)
        self.sentence.setVisible(bool(text))
        if icon:
            self._put_icon(icon, "danger" if danger else "text2")
        self.safe = self.add_button(
            Button(safe, kind="primary" if safe_is_primary else "default"),
            QDialogButtonBox.ButtonRole.RejectRole,
            default=True,
        )
        self.safe.setProperty("ring", "always")  # shows from the beginning what Enter would press
        kind = "danger" if danger else ("default" if safe_is_primary else "primary")
        self.confirm = self.add_button(Button(confirm, kind=kind), QDialogButtonBox.ButtonRole.AcceptRole)
        self.confirm.clicked.connect(self.accept)

    def _put_icon(self, name: str, token: str) -> None:
        self._head.insertWidget(0, IconLabel(self.icons, name, token, 24), 0, Qt.AlignmentFlag.AlignTop)
