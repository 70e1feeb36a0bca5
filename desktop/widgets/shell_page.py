"""The open vault: sidebar, the pages, and the side panel. Decides what a window of this width has room for."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QAbstractAnimation, QEasingCurve, QEvent, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.widgets.banner_area import BannerArea
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Hairline
from desktop.widgets.page_parts import SidePanel
from desktop.widgets.regions import step_control, step_region
from desktop.widgets.sidebar import Sidebar

RAIL_BELOW: Final = 880
"""Window width less the open panel, below which the sidebar is a rail."""

PANEL_ALONE_BELOW: Final = 880
"""Window width below which the panel takes the place of the content."""


class ShellPage(QWidget):
    """What is seen while a vault is open.

    ``pages`` are named as the rows of the sidebar; ``panel`` is a :class:`SidePanel` for the transfers. A page may
    have ``header`` and ``banner_slot`` (a layout below the header, where banners go).

    Signals:
        page_changed(str)
        panel_toggled(bool): the transfers panel was opened or closed.
        lock_requested(), sign_out_requested()
    """

    page_changed = Signal(str)
    panel_toggled = Signal(bool)
    lock_requested = Signal()
    sign_out_requested = Signal()

    def __init__(
        self, icons: Icons, pages: dict[str, QWidget], panel: SidePanel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = icons.theme
        self.pages = pages
        self.panel = panel
        self.page_name = ""
        self.panel_open = False
        self._back_to: QWidget | None = None
        self.sidebar = Sidebar(icons)
        self.banners = BannerArea(icons)
        self.banners.focus_lost.connect(self._focus_page)
        self.content = QStackedWidget()
        for page in dict.fromkeys(pages.values()):  # a page may stand for two places
            self.content.addWidget(page)
        self._panel_line = Hairline(Qt.Orientation.Vertical)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sidebar)
        layout.addWidget(Hairline(Qt.Orientation.Vertical))
        layout.addWidget(self.content, 1)
        layout.addWidget(self._panel_line)
        layout.addWidget(panel)
        self._layout = layout
        self._animation: QVariantAnimation | None = None

        self.sidebar.page_requested.connect(self._go_to_page)
        self.sidebar.sign_out_requested.connect(self.sign_out_requested)
        self.sidebar.transfers_requested.connect(self.set_panel_open)
        self.sidebar.lock_requested.connect(self.lock_requested)
        panel.close_requested.connect(lambda: self.set_panel_open(False))
        self.show_page("pictures")
        self._arrange()

    def show_page(self, name: str) -> None:
        """Go to a page; in a narrow window an open panel gives way."""
        page = self.pages[name]
        self.sidebar.set_page(name)
        self.content.setCurrentWidget(page)
        slot = getattr(page, "banner_slot", None)
        if isinstance(slot, QVBoxLayout):
            shown = not self.banners.isHidden()
            slot.addWidget(self.banners)
            self.banners.setVisible(shown)
        if self.panel_open and self._panel_alone():
            self.set_panel_open(False)
        if name != self.page_name:
            self.page_name = name
            self.page_changed.emit(name)

    def _go_to_page(self, name: str) -> None:
        """Go where the person wants; what was only for their information stays behind."""
        if name != self.page_name:
            self.banners.remove_kind("info")
        self.show_page(name)

    def set_panel_open(self, shown: bool) -> None:
        """Open or close the transfers panel."""
        self.sidebar.set_transfers_open(shown)
        if shown == self.panel_open:
            return
        self.panel_open = shown
        if shown:
            self._back_to = self.focusWidget()
        had_focus = self._holds_focus(self.panel)
        self._arrange()
        self._slide(shown)
        if shown and self._panel_alone():
            self.panel.setFocus(Qt.FocusReason.OtherFocusReason)
        elif not shown and had_focus:
            target = (
                self._back_to if self._back_to is not None and self._back_to.isVisible() else self.sidebar.transfers
            )
            target.setFocus(Qt.FocusReason.OtherFocusReason)
        self.panel_toggled.emit(shown)

    def regions(self) -> list[QWidget]:
        """The parts that F6 goes through, in the order of Tab."""
        page = self.content.currentWidget()
        header = getattr(page, "header", None)
        regions: list[QWidget] = [self.sidebar]
        if isinstance(header, QWidget):
            regions.append(header)
        regions += [self.banners, *([page] if page is not None else []), self.panel]
        return [region for region in regions if region.isVisible()]

    def step_region(self, *, backwards: bool = False) -> None:
        """Take the keyboard to the next part."""
        step_region(self.regions(), backwards=backwards)

    def focusNextPrevChild(self, next: bool) -> bool:
        """Let Tab go through the parts in their order; banners, for one, are made long after what stands below them."""
        stepped = step_control(self.regions(), backwards=not next, by_place=(self.banners, self.panel))
        return stepped or super().focusNextPrevChild(next)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the parts to the width."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Measure again once the page is in a window."""
        if event.type() == QEvent.Type.Show:
            self._arrange()
        return super().event(event)

    def _panel_alone(self) -> bool:
        return self.width() < PANEL_ALONE_BELOW

    def _arrange(self) -> None:
        alone = self._panel_alone()
        beside = self.panel_open and not alone
        room = self.width() - (SidePanel.WIDTH if beside else 0)
        rail = room < RAIL_BELOW
        if rail != self.sidebar.rail:
            self.sidebar.set_rail(rail)
        self.panel.set_in_place_of_content(alone)
        self.panel.setVisible(self.panel_open)
        self._panel_line.setVisible(beside)
        self.content.setVisible(not (self.panel_open and alone))
        self._layout.setStretchFactor(self.panel, 1 if alone else 0)

    def _slide(self, shown: bool) -> None:
        """Let the panel grow to its width."""
        duration = self._theme.duration(160)
        if not shown or self._panel_alone() or not duration or not self.isVisible():
            return
        self.panel.setFixedWidth(1)
        animation = QVariantAnimation(self)
        animation.setStartValue(1)
        animation.setEndValue(SidePanel.WIDTH)
        animation.setDuration(duration)
        animation.setEasingCurve(QEasingCurve.Type.OutCubic)
        animation.valueChanged.connect(self._on_slide)
        animation.finished.connect(self._arrange)
        self._animation = animation
        animation.start(QAbstractAnimation.DeletionPolicy.DeleteWhenStopped)

    def _on_slide(self, width: int) -> None:
        if self.panel_open and not self._panel_alone():
            self.panel.setFixedWidth(max(1, int(width)))

    def _focus_page(self) -> None:
        page = self.content.currentWidget()
        if page is not None:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _holds_focus(self, widget: QWidget) -> bool:
        focused = self.window().focusWidget()
        return focused is not None and (focused is widget or widget.isAncestorOf(focused))
