"""The sidebar: places, transfers, settings and the account; full, or a rail of icons in a narrow window."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QSizePolicy, QStyle, QVBoxLayout, QWidget

from desktop.widgets.buttons import GhostButton, is_enter
from desktop.widgets.icons import ROW_SIZE, Icons
from desktop.widgets.labels import ElidedLabel, Hairline, StyledWidget
from desktop.widgets.marks import Avatar, paint_bar
from desktop.widgets.theme import Radius, Space

FULL_WIDTH: Final = 216
RAIL_WIDTH: Final = 56

PLACES: Final = ("pictures", "shared-with-me", "shared-by-me", "bin")
"""The rows above the line."""


class SidebarRow(QAbstractButton):
    """One row: icon, words, count; maybe a second line with a bar.

    In the rail only the icon shows, the words become its tooltip and the bar a ring around the icon.
    """

    _ICON_X: Final = 10
    _TEXT_X: Final = 40

    def __init__(self, icons: Icons, icon: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons, self._theme, self._icon = icons, icons.theme, icon
        self._count, self._second, self._shorter, self._share = "", "", "", -1.0
        self._failed = self._rail = False
        self.setText(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        icons.changed.connect(self.update)
        self._name()

    def set_count(self, count: str) -> None:
        """Show a number at the end, already formatted."""
        self._count = count
        self._name()
        self.update()

    def set_second_line(self, text: str, share: float = -1.0, *, failed: bool = False, shorter: str = "") -> None:
        """Say more below the words.

        Args:
            text: What is said.
            share: 0 to 1 draws a bar.
            failed: Say it in danger.
            shorter: Said instead where there is no room for all of it.
        """
        self._second, self._shorter, self._share, self._failed = text, shorter, share, failed
        self._name()
        self.updateGeometry()
        self.update()

    def set_rail(self, rail: bool) -> None:
        """Show only the icon."""
        self._rail = rail
        self._name()
        self.updateGeometry()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if is_enter(event):
            self.click()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """34 high, 48 with a second line; more for larger fonts."""
        body = QFontMetrics(self._theme.font("strong")).height()
        if self._rail:
            return QSize(RAIL_WIDTH - 2 * Space.SMALL, 36)
        if self._second:
            caption = QFontMetrics(self._theme.font("caption")).height()
            return QSize(FULL_WIDTH - 2 * Space.SMALL, max(48, body + caption + 12))
        return QSize(FULL_WIDTH - 2 * Space.SMALL, max(34, body + 12))

    def minimumSizeHint(self) -> QSize:
        """Never lower than the words."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row, following the reading direction."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        if self._rail:
            self._paint_rail(painter)
        else:
            self._paint_full(painter)

    def _paint_ground(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        for shown, colour in (
            (self.isChecked(), tokens.accent_soft),
            (self.isDown(), tokens.press),
            (self.underMouse() and not self.isDown(), tokens.hover),
        ):
            if shown:
                painter.setBrush(colour)
                painter.drawRoundedRect(QRectF(self.rect()), Radius.CONTROL, Radius.CONTROL)

    def _paint_icon(self, painter: QPainter, spot: QRect) -> None:
        token = "on_accent_soft" if self.isChecked() else "text2"
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        painter.drawPixmap(spot.topLeft(), self._icons.pixmap(self._icon, token, ROW_SIZE, mirrored=mirrored))

    def _paint_rail(self, painter: QPainter) -> None:
        spot = QRect(0, 0, ROW_SIZE, ROW_SIZE)
        spot.moveCenter(self.rect().center())
        tokens = self._theme.tokens
        if self._share >= 0:
            ring = QRectF(0, 0, 30, 30)
            ring.moveCenter(QRectF(self.rect()).center())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(tokens.track, 2))
            painter.drawEllipse(ring)
            painter.setPen(QPen(tokens.bar, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawArc(ring, 90 * 16, -round(self._share * 360 * 16))
        self._paint_icon(painter, spot)
        if self._failed:
            badge = QRect(spot.right() - 5, spot.top() - 6, 14, 14)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.sunken)
            painter.drawEllipse(badge.adjusted(-1, -1, 1, 1))
            painter.drawPixmap(badge.topLeft(), self._icons.pixmap("error", "danger", 14, stroke=1.8))

    def _paint_full(self, painter: QPainter) -> None:
        tokens, chosen = self._theme.tokens, self.isChecked()
        two_lines = bool(self._second)
        text_font = self._theme.font("strong" if chosen else "body")
        line = QFontMetrics(text_font).height()
        caption_font = self._theme.font("caption")
        caption = QFontMetrics(caption_font).height()
        bar_room = 7 if self._share >= 0 else 0
        top = (self.height() - line - (caption + bar_room if two_lines else 0)) // 2
        icon_top = top + (line - ROW_SIZE) // 2 if two_lines else (self.height() - ROW_SIZE) // 2
        self._paint_icon(painter, self._visual(QRect(self._ICON_X, icon_top, ROW_SIZE, ROW_SIZE)))

        painter.setFont(caption_font)
        count_width = QFontMetrics(caption_font).horizontalAdvance(self._count)
        end = self.width() - self._ICON_X
        if self._count:
            self._text(
                painter, QRect(end - count_width, top, count_width, line), self._count, caption_font, tokens.text2
            )
        room = QRect(self._TEXT_X, top, end - self._TEXT_X - (count_width + Space.SMALL if self._count else 0), line)
        self._text(painter, room, self.text(), text_font, tokens.on_accent_soft if chosen else tokens.text)
        if not two_lines:
            return
        second = QRect(self._TEXT_X, top + line, end - self._TEXT_X, caption)
        colour = tokens.danger if self._failed else (tokens.on_accent_soft if chosen else tokens.text2)
        if self._failed:
            spot = self._visual(QRect(self._TEXT_X, second.top() + (caption - 14) // 2, 14, 14))
            painter.drawPixmap(spot.topLeft(), self._icons.pixmap("error", "danger", 14))
            second.setLeft(second.left() + 18)
        self._text(painter, second, self.second_line_for(second.width()), caption_font, colour)
        if self._share >= 0:
            bar = QRect(self._TEXT_X, second.bottom() + 4, end - self._TEXT_X, 3)
            paint_bar(painter, self._theme, self._visual(bar), self._share, self.layoutDirection())

    def second_line_for(self, width: int) -> str:
        """The second line as it fits into this width."""
        fits = QFontMetrics(self._theme.font("caption")).horizontalAdvance(self._second) <= width
        return self._second if fits or not self._shorter else self._shorter

    def _visual(self, rect: QRect) -> QRect:
        return QStyle.visualRect(self.layoutDirection(), self.rect(), rect)

    def _text(self, painter: QPainter, rect: QRect, text: str, font: QFont, colour: QColor) -> None:
        painter.setFont(font)
        painter.setPen(colour)
        elided = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        alignment = QStyle.visualAlignment(
            self.layoutDirection(), Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        )
        flags = int(alignment) | int(Qt.TextFlag.TextSingleLine)
        painter.drawText(self._visual(rect), flags, elided)

    def _name(self) -> None:
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(" ".join(part for part in (self._count, self._second) if part))
        parts = (self.text(), self._second) if self._rail else ()
        self.setToolTip("\n".join(part for part in parts if part))


class AccountButton(QAbstractButton):
    """Whose vault this is and where; opens the menu of the account. In the rail only the disc."""

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = icons.theme
        self._avatar = Avatar(icons.theme)
        self._name = ElidedLabel("", "strong", mode=Qt.TextElideMode.ElideRight)
        self._place = ElidedLabel("", "caption")
        self._words = QWidget()
        words = QVBoxLayout(self._words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        words.addWidget(self._name)
        words.addWidget(self._place)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.TIGHT, Space.HAIR, Space.TIGHT, Space.HAIR)
        row.setSpacing(Space.SMALL)
        row.addWidget(self._avatar)
        row.addWidget(self._words, 1)
        for part in (self._avatar, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_account(self, user_id: str, name: str, place: str) -> None:
        """Show whose vault it is."""
        self._avatar.set_person(user_id, name)
        self._name.setText(name)
        self._place.setText(place)
        self.setToolTip(f"{name}\n{place}")
        self.setAccessibleName(f"{name}, {place}")

    def set_rail(self, rail: bool) -> None:
        """Show only the disc."""
        self._words.setVisible(not rail)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if is_enter(event):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tint the ground under the mouse."""
        if not (self.isDown() or self.underMouse()):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.tokens.press if self.isDown() else self._theme.tokens.hover)
        painter.drawRoundedRect(QRectF(self.rect()), Radius.CONTROL, Radius.CONTROL)


class AccountRow(QWidget):
    """Whose vault this is, where it is, and the ways out: the lock, and a menu.

    Signals:
        lock_requested(), sign_out_requested()
    """

    lock_requested = Signal()
    sign_out_requested = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons = icons
        self.button = AccountButton(icons)
        self.button.clicked.connect(self.open_menu)
        self.lock = GhostButton(icons, "lock", self.tr("Lock"), row=True, size=18)
        self.lock.setToolTip(self.tr("Lock (Ctrl+L)"))
        self.lock.clicked.connect(self.lock_requested)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(Space.TIGHT)
        self._row.addWidget(self.button, 1)
        self._row.addWidget(self.lock)
        self.set_rail(False)

    def set_account(self, user_id: str, name: str, place: str) -> None:
        """Show whose vault it is."""
        self.button.set_account(user_id, name, place)

    def set_rail(self, rail: bool) -> None:
        """Show only the disc."""
        self.button.set_rail(rail)
        self.lock.setVisible(not rail)
        side = (RAIL_WIDTH - self.button.sizeHint().width()) // 2 if rail else Space.SMALL
        self._row.setContentsMargins(side, 0, side, 0)

    def open_menu(self) -> None:
        """Offer to lock and to sign out, above the row."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        lock = menu.addAction(self._icons.icon("lock", "text2", 18), self.tr("Lock"), self.lock_requested.emit)
        lock.setShortcut("Ctrl+L")
        menu.addAction(self._icons.icon("sign-out", "text2", 18), self.tr("Sign out"), self.sign_out_requested.emit)
        height = menu.sizeHint().height() + Space.TIGHT
        menu.popup(self.button.mapToGlobal(QPoint(0, -height)))


class Sidebar(StyledWidget):
    """Places, keys, transfers, settings, account.

    Signals:
        page_requested(str): pictures, shared-with-me, shared-by-me, bin, keys or settings.
        transfers_requested(bool): open or close the panel.
        lock_requested(), sign_out_requested()
    """

    page_requested = Signal(str)
    transfers_requested = Signal(bool)
    lock_requested = Signal()
    sign_out_requested = Signal()

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("sidebar", True)
        self.rail = False
        self._page, self._transfers_open = "pictures", False
        self.pages = {
            "pictures": SidebarRow(icons, "pictures", self.tr("All pictures")),
            "shared-with-me": SidebarRow(icons, "shared-in", self.tr("Shared with me")),
            "shared-by-me": SidebarRow(icons, "shared-out", self.tr("Shared by me")),
            "bin": SidebarRow(icons, "bin", self.tr("Bin")),
            "keys": SidebarRow(icons, "key", self.tr("Keys")),
            "settings": SidebarRow(icons, "settings", self.tr("Settings")),
        }
        self.transfers = SidebarRow(icons, "transfers", self.tr("Transfers"))
        self.rail_lock = SidebarRow(icons, "lock", self.tr("Lock"))
        self.rail_lock.setCheckable(False)
        self.account = AccountRow(icons)
        self._line = Hairline()

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, Space.MEDIUM, 0, Space.SMALL)
        layout.setSpacing(Space.HAIR)
        for name in PLACES:
            self._add(layout, self.pages[name])
        self._add(layout, self._line, inset=Space.SMALL + 10, above=13, below=13)
        self._add(layout, self.pages["keys"])
        self._add(layout, self.transfers)
        layout.addStretch(1)
        self._add(layout, self.pages["settings"])
        self._add(layout, self.rail_lock)
        layout.addSpacing(Space.TIGHT)
        layout.addWidget(self.account)
        layout.addSpacing(Space.TIGHT)

        for name, row in self.pages.items():
            row.clicked.connect(lambda _=False, name=name: self._on_page(name))
        self.transfers.clicked.connect(self.transfers_requested)
        self.rail_lock.clicked.connect(self.lock_requested)
        self.account.lock_requested.connect(self.lock_requested)
        self.account.sign_out_requested.connect(self.sign_out_requested)
        self.set_places(sharing=False, bin_there=False)
        self.set_rail(False)

    def set_page(self, name: str) -> None:
        """Mark where the person is."""
        self._page = name
        self._mark()

    def set_transfers_open(self, shown: bool) -> None:
        """Mark the panel as open, and nothing else meanwhile."""
        self._transfers_open = shown
        self._mark()

    def _mark(self) -> None:
        self.transfers.setChecked(self._transfers_open)
        for name, row in self.pages.items():
            row.setChecked(name == self._page and not self._transfers_open)

    def set_rail(self, rail: bool) -> None:
        """Show words and icons, or icons only."""
        self.rail = rail
        self.setFixedWidth(RAIL_WIDTH if rail else FULL_WIDTH)
        for row in self.rows():
            row.set_rail(rail)
        self.account.set_rail(rail)
        self.rail_lock.setVisible(rail)

    def rows(self) -> list[SidebarRow]:
        """All rows, from the top."""
        pages = self.pages
        places = [pages[name] for name in PLACES]
        return [*places, pages["keys"], self.transfers, pages["settings"], self.rail_lock]

    def set_places(self, *, sharing: bool, bin_there: bool) -> None:
        """Show the places that there are: nobody shares in a vault on this computer."""
        self.pages["shared-with-me"].setVisible(sharing)
        self.pages["shared-by-me"].setVisible(sharing)
        self.pages["bin"].setVisible(bin_there)

    def focus_first(self) -> None:
        """Put the keyboard on the chosen row."""
        row = self.transfers if self._transfers_open else self.pages[self._page]
        row.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go through the rows with the arrow keys too."""
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        rows = [row for row in self.rows() if row.isVisible()]
        focused = self.focusWidget()
        if step and isinstance(focused, SidebarRow) and focused in rows:
            rows[(rows.index(focused) + step) % len(rows)].setFocus(Qt.FocusReason.ShortcutFocusReason)
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Measure again when the fonts change."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            for row in self.rows():
                row.updateGeometry()

    def _on_page(self, name: str) -> None:
        self.set_page(name)
        self.page_requested.emit(name)

    @staticmethod
    def _add(layout: QVBoxLayout, widget: QWidget, *, inset: int = Space.SMALL, above: int = 0, below: int = 0) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(inset, above, inset, below)
        row.addWidget(widget)
        layout.addLayout(row)
