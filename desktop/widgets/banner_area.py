"""Where banners stand below a header: one at most, the rest behind "1 more"."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.widgets.buttons import Button
from desktop.widgets.icons import Icons
from desktop.widgets.notices import GRAVITY, Banner, Notice, announce
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.theme import Space


class BannerArea(QWidget):
    """Shows the gravest of the notices, of equal ones the newest; "1 more" opens the others below it, Esc closes them.

    The margins belong to the area, so that an empty one takes no space. A banner that stays is not made anew, so that
    the keyboard keeps its place while others come and go.

    Signals:
        focus_lost(): the last banner went while the keyboard was in it.
    """

    focus_lost = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self._notices: dict[str, Notice] = {}
        self._banners: dict[str, Banner] = {}
        self._open = False
        self.more = Button(self.tr("Show less"), kind="link", parent=self)
        self.more.clicked.connect(self._toggle)
        self.more.hide()
        self._front = QVBoxLayout()
        self._others = _Others()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.LARGE, Space.MEDIUM, Space.LARGE, 0)
        layout.setSpacing(Space.SMALL)
        layout.addLayout(self._front)
        layout.addWidget(self._others)
        self.hide()

    @property
    def notices(self) -> list[Notice]:
        """All notices, the gravest first, and among those of one gravity the newest."""
        return sorted(self._notices.values(), key=lambda notice: GRAVITY[notice.kind])[::-1]

    @property
    def shown(self) -> list[Banner]:
        """The banners that can be seen, from the top down."""
        notices = self.notices if self._open else self.notices[:1]
        return [self._banners[notice.key] for notice in notices]

    def show_notice(self, notice: Notice) -> None:
        """Add a notice, or replace the one of the same key. It is read out even where a graver one hides it."""
        self._notices.pop(notice.key, None)
        self._notices[notice.key] = notice
        self._arrange()
        announce(self._banners.get(notice.key, self), notice.spoken)

    def remove(self, key: str) -> None:
        """Take a notice away, if it is there."""
        if self._notices.pop(key, None) is not None:
            self._arrange()

    def remove_kind(self, kind: str) -> None:
        """Take all notices of a kind away."""
        for key in [notice.key for notice in self.notices if notice.kind == kind]:
            self.remove(key)

    def clear(self) -> None:
        """Take all away."""
        self._notices.clear()
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Take Esc before the window's shortcuts do, while the others are open."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._closes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close the others."""
        if self._closes(event):
            self._toggle()
            self.more.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)

    def _closes(self, event: QKeyEvent) -> bool:
        return self._open and event.key() == Qt.Key.Key_Escape

    def _toggle(self) -> None:
        self._open = not self._open
        self._arrange()

    def _arrange(self) -> None:
        focused = QApplication.focusWidget()
        had_focus = focused is not None and self.isAncestorOf(focused)
        others = len(self._notices) - 1
        self._open = self._open and others > 0
        self._drop_banners({notice.key for notice in (self.notices if self._open else self.notices[:1])})
        for notice in self.notices if self._open else self.notices[:1]:
            self._banner_of(notice)
        shown = self.shown
        for place, banner in enumerate(shown):
            layout = self._others.rows if place else self._front
            if layout.indexOf(banner) != max(0, place - 1):
                layout.insertWidget(max(0, place - 1), banner)
            banner.show()  # the layout would show it one turn of the event loop later, with nothing to read until then
        if shown and shown[0].trailing.indexOf(self.more) < 0:
            shown[0].trailing.insertWidget(0, self.more)
        self.more.setVisible(others > 0)
        self.more.setText(self.tr("Show less") if self._open else self.tr("%n more", "", others))
        self.more.setAccessibleName(
            self.tr("Show only the first notice") if self._open else self.tr("Show %n more notices", "", others)
        )
        self._others.setVisible(self._open)
        self._others.fit()
        self.setVisible(bool(shown))
        if focused is not None and had_focus:
            self._return_focus(focused)

    def _drop_banners(self, wanted: set[str]) -> None:
        """Take banners away that are not to be seen, or say something else now."""
        for key, banner in list(self._banners.items()):
            if key in wanted and banner.notice.looks_like(self._notices[key]):
                banner.notice = self._notices[key]
                continue
            del self._banners[key]
            if banner.isAncestorOf(self.more):
                self.more.setParent(self)
            banner.hide()
            banner.deleteLater()

    def _banner_of(self, notice: Notice) -> Banner:
        if notice.key not in self._banners:
            banner = self._banners[notice.key] = Banner(self._icons, notice)
            banner.closed.connect(lambda: self.remove(notice.key))
        return self._banners[notice.key]

    def _return_focus(self, focused: QWidget) -> None:
        """Give the keyboard back to where it was, else to the first banner."""
        if not self._notices:
            self.focus_lost.emit()
            return
        stays = focused is self.more or any(banner.isAncestorOf(focused) for banner in self._banners.values())
        target = focused if stays and focused.isVisibleTo(self) else self.shown[0].first_control()
        if target is not None and not target.hasFocus():
            target.setFocus(Qt.FocusReason.OtherFocusReason)


class _Others(ScrollPage):
    """The other banners, as high as they are, but never more than a quarter of the window."""

    SHARE: Final = 0.25

    def __init__(self) -> None:
        super().__init__()
        self.rows = QVBoxLayout(self.content)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(Space.SMALL)
        self.content.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Measure again once the words have found their lines."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.content:
            self.fit()
        return super().eventFilter(watched, event)

    def fit(self) -> None:
        """Take the height that is needed."""
        wanted = self.rows.heightForWidth(self.width()) if self.rows.hasHeightForWidth() else -1
        wanted = max(wanted, self.rows.minimumSize().height())
        self.setFixedHeight(max(1, min(wanted, int(self.window().height() * self.SHARE))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Measure again: words wrap elsewhere."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()
