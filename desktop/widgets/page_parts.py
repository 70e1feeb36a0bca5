"""What pages are made of: the header, the side panel, and what an empty place says."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from desktop.widgets.buttons import GhostButton, ghost_button
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label
from desktop.widgets.search_field import SearchField
from desktop.widgets.theme import Space

HEADER_HEIGHT: Final = 60
NARROW_BELOW: Final = 880


def is_narrow(page: QWidget) -> bool:
    """Whether the window, less the open panel behind the page, is narrower than 880."""
    window = page.window()
    before = page.mapTo(window, QPoint(0, 0)).x()
    if page.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        before = window.width() - before - page.width()
    return page.width() + before < NARROW_BELOW


def page_margin(page: QWidget) -> int:
    """Space at the sides of a page: 24, or 16 in a narrow window."""
    return Space.LARGE if is_narrow(page) else Space.PAGE


class PageHeader(QWidget):
    """60 high on every page, hairline below: title, count, then search and actions at the end.

    While pictures are selected its content is swapped for ``set_selection_bar``'s widget; its height stays. When
    its content is narrower than 640, the search becomes an icon that opens the field across the header.

    Signals:
        search_changed(str): what is searched for; empty when the search was left.
        compact_changed(bool): whether there is less than 640 of room; labels turn to icons.
    """

    search_changed = Signal(str)
    compact_changed = Signal(bool)

    COMPACT_BELOW: Final = 640

    def __init__(self, icons: Icons, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self.setFixedHeight(HEADER_HEIGHT + 1)
        self.compact = False
        self.search: SearchField | None = None
        self._search_button: GhostButton | None = None
        self._selection: QWidget | None = None
        self._actions: list[QWidget] = []
        self._search_shown = True

        self._plain = QWidget()
        row = QHBoxLayout(self._plain)
        row.setContentsMargins(Space.PAGE, 0, Space.LARGE, 0)
        row.setSpacing(Space.SMALL)
        self._title = ElidedLabel(title, "heading", mode=Qt.TextElideMode.ElideRight)
        self._count = Label("", "secondary")
        row.addWidget(self._title, 0)
        row.addWidget(self._count)
        row.addStretch(1)
        self._row = row

        stacked = QWidget()
        self._stack = QStackedLayout(stacked)
        self._stack.addWidget(self._plain)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(stacked, 1)
        layout.addWidget(Hairline())

    def set_title(self, title: str) -> None:
        """Change the title."""
        self._title.setText(title)

    def set_count(self, count: str) -> None:
        """Say how many there are, already formatted; empty hides it."""
        self._count.setText(count)
        self._count.setVisible(bool(count) and not self.compact)
        self._measure()

    def add_action(self, widget: QWidget) -> None:
        """Add a control at the end."""
        self._actions.append(widget)
        self._row.addWidget(widget)

    def add_search(self, placeholder: str) -> SearchField:
        """Add the search field, before any action added later."""
        self.search = SearchField(self._icons, placeholder)
        self.search.textChanged.connect(self.search_changed)
        self.search.cancelled.connect(self.close_search)
        self._search_button = ghost_button(self._icons, "search", placeholder)
        self._search_button.clicked.connect(self.open_search)
        self._back = ghost_button(self._icons, "chevron-left", self.tr("Leave search"))
        self._back.clicked.connect(self._leave_search)
        self._wide = QWidget()
        self._wide_row = QHBoxLayout(self._wide)
        self._wide_row.setContentsMargins(Space.LARGE, 0, Space.LARGE, 0)
        self._wide_row.addWidget(self._back)
        self._stack.addWidget(self._wide)
        self._row.addWidget(self._search_button)
        self._row.addWidget(self.search)
        self._arrange_search()
        return self.search

    def open_search(self) -> None:
        """Put the cursor into the search field, opening it first if it is an icon."""
        if self.search is None:
            return
        if self.compact:
            self.search.setMinimumWidth(0)
            self.search.setMaximumWidth(16777215)
            self._wide_row.addWidget(self.search, 1)
            self.search.show()
            self._stack.setCurrentWidget(self._wide)
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def close_search(self) -> None:
        """Bring the title back where the search field lies across the header."""
        if self.search is not None and self._stack.currentWidget() is self._wide:
            self._arrange_search()
            self._stack.setCurrentWidget(self._plain)
            if self._search_button is not None:
                self._search_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_search_shown(self, shown: bool) -> None:
        """Offer the search, or not where there is nothing to search in."""
        if shown != self._search_shown:
            self._search_shown = shown
            self._arrange_search()

    def set_selection_bar(self, widget: QWidget) -> None:
        """Set what stands here while something is selected."""
        self._selection = widget
        self._stack.addWidget(widget)

    def show_selection(self, shown: bool) -> None:
        """Swap the content for the selection bar, or back."""
        if shown and self._selection is not None:
            self.close_search()
            self._stack.setCurrentWidget(self._selection)
        elif self._stack.currentWidget() is self._selection:
            self._stack.setCurrentWidget(self._plain)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Notice when labels must turn to icons."""
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        margin = page_margin(self)
        self._row.setContentsMargins(margin, 0, Space.LARGE, 0)
        compact = self.width() - margin - Space.LARGE < max(self.COMPACT_BELOW, self._needed_width())
        if compact != self.compact:
            self.compact = compact
            self._count.setVisible(bool(self._count.text()) and not compact)
            if self.search is not None and not (compact and self.search.hasFocus()):
                self._arrange_search()
                if self._stack.currentWidget() is self._wide:
                    self._stack.setCurrentWidget(self._plain)
            self.compact_changed.emit(compact)

    def _needed_width(self) -> int:
        """The width at which nothing is cut: the title must not give way to the search field."""
        shown = [self._title.sizeHint().width(), self._count.sizeHint().width() if self._count.text() else 0]
        # not itemAt(): its wrappers outlive the layout's items and are then taken for whatever is at their address
        shown += [widget.sizeHint().width() for widget in self._actions if not widget.isHidden()]
        if self.search is not None and self._search_shown:
            shown.append(SearchField.WIDTH + Space.SMALL)
        parts = [width for width in shown if width]
        return sum(parts) + Space.SMALL * len(parts)

    def _leave_search(self) -> None:
        if self.search is not None:
            self.search.clear()
        self.close_search()

    def _arrange_search(self) -> None:
        if self.search is None or self._search_button is None:
            return
        self.search.setFixedWidth(SearchField.WIDTH)
        self._row.insertWidget(self._row.indexOf(self._search_button) + 1, self.search)
        self.search.setVisible(self._search_shown and not self.compact)
        self._search_button.setVisible(self._search_shown and self.compact)


class SidePanel(QFrame):
    """The one panel at the end of the window: header with title and close, then ``body``.

    Subclasses fill ``body`` (a vertical layout) and may add buttons with ``add_action``.

    Signals:
        close_requested(): its cross, or the back arrow of a narrow window.
    """

    close_requested = Signal()

    WIDTH: Final = 364

    def __init__(self, icons: Icons, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        head = QWidget()
        head.setFixedHeight(HEADER_HEIGHT)
        self._head = QHBoxLayout(head)
        self._head.setContentsMargins(Space.LARGE, 0, Space.SMALL + 4, 0)
        self._head.setSpacing(Space.TIGHT)
        self._back = ghost_button(icons, "chevron-left", self.tr("Back"))
        self._back.clicked.connect(self.close_requested)
        self._back.hide()
        self._close = ghost_button(icons, "close", self.tr("Close"))
        self._close.clicked.connect(self.close_requested)
        self._head.addWidget(self._back)
        self.title = Label(title, "lead")
        self._head.addWidget(self.title)
        self._head.addStretch(1)
        self._head.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(Hairline())
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        layout.addLayout(self.body, 1)
        self.set_in_place_of_content(False)

    def add_action(self, widget: QWidget) -> None:
        """Add a control before the cross."""
        self._head.insertWidget(self._head.indexOf(self._close), widget)

    def set_in_place_of_content(self, alone: bool) -> None:
        """Be as wide as the content it stands for, with a back arrow; or a panel beside it, with a cross."""
        self._back.setVisible(alone)
        self._close.setVisible(not alone)
        if alone:
            self.setMinimumWidth(0)
            self.setMaximumWidth(16777215)
        else:
            self.setFixedWidth(self.WIDTH)


class EmptyState(QWidget):
    """What an empty place says: icon 32, heading, one sentence, maybe one control below."""

    def __init__(self, icons: Icons, icon: str, title: str, sentence: str = "", action: QWidget | None = None) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        self._title = Label(title, "heading", wrap=True)
        self._sentence = Label(sentence, "secondary", wrap=True)
        for label in (self._title, self._sentence):
            label.setAlignment(centre)
            label.setMaximumWidth(440)
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.PAGE, Space.PAGE, Space.PAGE, Space.PAGE)
        layout.setSpacing(Space.SMALL)
        layout.addStretch(1)
        layout.addWidget(IconLabel(icons, icon, "text2", 32), 0, centre)
        layout.addSpacing(Space.SMALL)
        for label in (self._title, self._sentence):
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(label, 1000)
            row.addStretch(1)
            layout.addLayout(row)
        self._sentence.setVisible(bool(sentence))
        if action is not None:
            layout.addSpacing(Space.SMALL)
            layout.addWidget(action, 0, centre)
        layout.addStretch(1)

    def set_words(self, title: str, sentence: str = "") -> None:
        """Say something else."""
        self._title.setText(title)
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
