"""Buttons in the kinds of the visual design."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from desktop.widgets.icons import BUTTON_GAP, BUTTON_SIZE, ROW_SIZE, Icons

_ICON_TOKENS = {"primary": "on_accent", "danger": "on_accent", "danger-quiet": "danger", "link": "accent_text"}


def is_enter(event: QKeyEvent) -> bool:
    """Whether Enter was pressed, which presses a button just as Space does; Qt knows only the latter."""
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat()


class Button(QPushButton):
    """A button with text and maybe an icon.

    ``kind`` is default, primary (one per view), link, danger (filled; only in the confirmation that deletes or
    revokes) or danger-quiet. Sizes: 32 high, ``large`` 40, ``row`` 26.
    """

    def __init__(
        self,
        text: str,
        icons: Icons | None = None,
        icon: str = "",
        *,
        kind: str = "default",
        large: bool = False,
        row: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._icons, self._icon, self._kind = icons, icon, kind
        self.setProperty("kind", kind)
        self.setProperty("large", large)
        self.setProperty("row", row)
        self.setAutoDefault(False)
        if kind == "link":
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        if icons is not None and icon:
            icons.changed.connect(self._dress)
            self._dress()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if is_enter(event):
            self.click()
        else:
            super().keyPressEvent(event)

    def set_icon(self, name: str) -> None:
        """Show another icon."""
        self._icon = name
        self._dress()

    def _dress(self) -> None:
        if self._icons is not None and self._icon:
            token = _ICON_TOKENS.get(self._kind, "text")
            self._icons.dress(self, self._icon, token, BUTTON_SIZE, BUTTON_GAP)


class GhostButton(QToolButton):
    """A button without border that shows an icon, and its words as tooltip and accessible name.

    ``text`` is both; with ``labelled`` it stands beside the icon. ``row`` makes it 26 high.
    """

    def __init__(
        self,
        icons: Icons,
        icon: str,
        text: str,
        *,
        labelled: bool = False,
        row: bool = False,
        token: str = "text2",
        size: int = ROW_SIZE,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icons, self._icon, self._token, self._size = icons, icon, token, size
        self.setProperty("kind", "ghost")
        self.setProperty("row", row)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_text(text)
        self.set_labelled(labelled)
        icons.changed.connect(self._dress)
        self.toggled.connect(self._dress)
        self._dress()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too; a button with a menu opens it."""
        if not is_enter(event):
            super().keyPressEvent(event)
        elif self.menu() is not None and self.popupMode() == QToolButton.ToolButtonPopupMode.InstantPopup:
            self.showMenu()
        else:
            self.click()

    def set_text(self, text: str) -> None:
        """Change the words."""
        self.setText(text)
        self.setToolTip(text)
        self.setAccessibleName(text)

    def set_labelled(self, labelled: bool) -> None:
        """Show the words beside the icon, or only as tooltip."""
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(style.ToolButtonTextBesideIcon if labelled else style.ToolButtonIconOnly)
        self.setProperty("wide", labelled)
        self.style().unpolish(self)
        self.style().polish(self)

    def set_icon(self, name: str, token: str = "") -> None:
        """Show another icon, maybe in another colour."""
        self._icon, self._token = name, token or self._token
        self._dress()

    def _dress(self) -> None:
        self._icons.dress(self, self._icon, "on_accent_soft" if self.isChecked() else self._token, self._size)


def primary_button(text: str, icons: Icons | None = None, icon: str = "", *, large: bool = False) -> Button:
    """The one button that does what the view is for."""
    return Button(text, icons, icon, kind="primary", large=large)


def default_button(text: str, icons: Icons | None = None, icon: str = "", *, row: bool = False) -> Button:
    """A button with a border."""
    return Button(text, icons, icon, row=row)


def link_button(text: str, icons: Icons | None = None, icon: str = "") -> Button:
    """Words that do something, without a border."""
    return Button(text, icons, icon, kind="link")


def danger_button(text: str) -> Button:
    """The last step of a deletion or revocation, only inside its confirmation."""
    return Button(text, kind="danger")


def danger_quiet_button(text: str, *, row: bool = False) -> Button:
    """A step that danger calls for, not itself dangerous."""
    return Button(text, kind="danger-quiet", row=row)


def ghost_button(icons: Icons, icon: str, tooltip: str, *, row: bool = False) -> GhostButton:
    """An icon-only button; ``tooltip`` is also what screen readers say."""
    return GhostButton(icons, icon, tooltip, row=row)
