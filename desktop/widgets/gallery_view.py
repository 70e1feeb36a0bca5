"""The gallery's item view: date sections of square tiles, quick at 100,000 pictures, open to screen readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QScrollBar, QStyle, QStyleOptionViewItem, QWidget

from desktop.viewmodels.picture_model import PictureModel
from desktop.viewmodels.thumbnails import Thumbnails
from desktop.widgets.gallery_painting import paint_band, paint_headings
from desktop.widgets.gallery_pointer import PointerSelection
from desktop.widgets.grid_layout import MARGIN, NARROW_FACTOR, NARROW_MARGIN, Box, GridLayout, Move, as_runs
from desktop.widgets.icons import Icons
from desktop.widgets.page_parts import is_narrow
from desktop.widgets.theme import Theme
from desktop.widgets.tile_delegate import TileDelegate

Index = QModelIndex | QPersistentModelIndex
_Action = QAbstractItemView.CursorAction
_Flag = QItemSelectionModel.SelectionFlag

TILE_SIZES: Final = (120, 168, 240)

_KEYS: Final = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
"""Reasons why the keyboard comes by a key."""

_SIDEWAYS: Final = {
    Qt.Key.Key_Left: _Action.MoveLeft,
    Qt.Key.Key_Right: _Action.MoveRight,
    Qt.Key.Key_Up: _Action.MoveUp,
    Qt.Key.Key_Down: _Action.MoveDown,
    Qt.Key.Key_Home: _Action.MoveHome,
    Qt.Key.Key_End: _Action.MoveEnd,
    Qt.Key.Key_PageUp: _Action.MovePageUp,
    Qt.Key.Key_PageDown: _Action.MovePageDown,
}


class _ScrollBar(QScrollBar):
    """Keeps its room, so that the columns stay, but is not seen while there is nothing to scroll."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it only if it is of use."""
        if self.maximum() > self.minimum():
            super().paintEvent(event)


class GalleryView(QListView):
    """Shows a :class:`PictureModel`.

    The positions of all items are computed from the sections (one bisect an item), so neither first paint nor
    scrolling depends on their number. Keyboard and pointer choose as a file manager's icons do.

    Signals:
        open_requested(str picture_id): Enter or a double click.
        selection_changed(): other rows are chosen.
        delete_requested(): Delete was pressed.
        menu_requested(QPoint global_position): the context menu was asked for.
        tile_size_changed(int): by Ctrl + and −.
    """

    open_requested = Signal(str)
    selection_changed = Signal()
    delete_requested = Signal()
    menu_requested = Signal(QPoint)
    tile_size_changed = Signal(int)

    def __init__(
        self, theme: Theme, icons: Icons, model: PictureModel, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._pictures, self._thumbnails = theme, model, thumbnails
        self.tile_size = TILE_SIZES[1]
        self.heading_words = "%1"
        self._narrow = False
        self.grid = GridLayout((), 1, self.tile_size)
        self._grid_is_old = True
        self._direction = 1
        self._kept: tuple[list[str], str, str, int] | None = None
        self._given = ""
        self.tiles = TileDelegate(theme, icons, thumbnails, self)
        self._pointer = PointerSelection(self)
        self._wants = QTimer(self)
        self._wants.setSingleShot(True)
        self._wants.setInterval(0)
        self._wants.timeout.connect(self._want_thumbnails)
        # everything is set before the model, because each of these makes QListView lay out again
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionRectVisible(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollBar(_ScrollBar())
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.setAcceptDrops(False)
        self.setItemDelegate(self.tiles)
        self.setAccessibleName(self.tr("Pictures"))
        # painted whole, so that scrolling moves what is there instead of painting it again
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        model.modelAboutToBeReset.connect(self._keep_place)
        self.setModel(model)
        model.modelReset.connect(self._find_place)
        model.sections_changed.connect(self._sections_changed)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.verticalScrollBar().valueChanged.connect(self._on_scroll)
        theme.changed.connect(self.viewport().update)

    # -- geometry, in place of QListView's own ---------------------------------------------------------------------

    def set_tile_size(self, side: int) -> None:
        """Aim at tiles of this side; columns are stretched so that they fill the width."""
        if side != self.tile_size:
            self.tile_size = side
            self._relayout()

    def doItemsLayout(self) -> None:
        """Lay out from the sections; QListView's item by item layout is left out."""
        self._grid_is_old = True
        QAbstractItemView.doItemsLayout(self)
        self._wants.start()

    def _layout(self) -> GridLayout:
        if self._grid_is_old:
            target = int(self.tile_size * NARROW_FACTOR) if self._narrow else self.tile_size
            margin = NARROW_MARGIN if self._narrow else MARGIN
            self.grid = GridLayout(self._pictures.sections(), self.viewport().width(), target, margin)
            self._grid_is_old = False
        return self.grid

    def updateGeometries(self) -> None:
        """Set the scroll bar's range."""
        grid, bar = self._layout(), self.verticalScrollBar()
        page = self.viewport().height()
        bar.setPageStep(page)
        bar.setSingleStep(max(16, grid.row_pitch // 3))
        bar.setRange(0, max(0, grid.height - page))
        QAbstractItemView.updateGeometries(self)

    def visualRect(self, index: Index) -> QRect:
        """Where an item is in the viewport."""
        if not index.isValid() or index.row() >= self._layout().count:
            return QRect()
        return self._on_screen(self.grid.box(index.row()))

    def indexAt(self, point: QPoint) -> QModelIndex:
        """The item at a point of the viewport."""
        x = point.x() if not self.isRightToLeft() else self.viewport().width() - 1 - point.x()
        row = self._layout().row_at(x, point.y() + self.verticalOffset())
        return self._pictures.index(row) if row >= 0 else QModelIndex()

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """What must be painted again when this selection changes: only what is on the screen."""
        region = QRegion()
        seen = self.visible_rows()
        for part in selection.toList():
            for row in range(max(part.top(), seen.start), min(part.bottom() + 1, seen.stop)):
                region += self._on_screen(self.grid.box(row)).adjusted(-6, -6, 6, 6)
        return region

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Scroll as little as needed; the heading comes along with the first line of a section."""
        if not index.isValid() or index.row() >= self._layout().count:
            return
        box, bar, page = self.grid.box(index.row()), self.verticalScrollBar(), self.viewport().height()
        above = 48 if index.row() < self.grid.columns or self._is_first_line(index.row()) else 8
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(box.y + box.height // 2 - page // 2)
        elif hint == QAbstractItemView.ScrollHint.PositionAtTop or box.y - above < bar.value():
            bar.setValue(box.y - above)
        elif box.y + box.height + 8 > bar.value() + page:
            bar.setValue(box.y + box.height + 8 - page)

    def horizontalOffset(self) -> int:
        """Never scrolled sideways."""
        return 0

    def verticalOffset(self) -> int:
        """How far it is scrolled down."""
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        """No item is hidden."""
        return False

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Move what is painted; only the part that came into view is painted anew."""
        self._pointer.scrolled(dy)
        self.viewport().scroll(0, dy)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what is at the top there when the columns change; a narrow window has smaller margins and tiles."""
        narrow = is_narrow(self)
        if narrow != self._narrow or event.oldSize().width() != event.size().width():
            self._narrow = narrow
            self._relayout()
        else:
            self.updateGeometries()
            self._wants.start()

    def changeEvent(self, event: QEvent) -> None:
        """Measure again when the reading direction changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange and is_narrow(self) != self._narrow:
            self._narrow = not self._narrow
            self._relayout()

    def visible_rows(self) -> range:
        """The rows any part of which can be seen."""
        top = self.verticalOffset()
        return self._layout().rows_between(top, top + self.viewport().height())

    def _on_screen(self, box: Box) -> QRect:
        rect = QRect(box.x, box.y - self.verticalOffset(), box.width, box.height)
        return QStyle.visualRect(self.layoutDirection(), self.viewport().rect(), rect)

    def _is_first_line(self, row: int) -> bool:
        return self.grid.row_at(self.grid.margin, self.grid.box(row).y - self.grid.row_pitch) < 0

    def _relayout(self) -> None:
        anchor = self._anchor()
        self._grid_is_old = True
        self.updateGeometries()
        self._return_to(anchor)
        self.viewport().update()
        self._wants.start()

    def _sections_changed(self) -> None:
        self._grid_is_old = True

    def _anchor(self) -> tuple[str, int]:
        """The picture at the top of the screen and how far its tile is below the edge."""
        rows = self.grid.rows_between(self.verticalOffset(), self.verticalOffset() + self.viewport().height())
        if not rows or rows.start >= self._pictures.rowCount() or self.verticalOffset() == 0:
            return "", 0
        return self._pictures.picture(rows.start).id, self.grid.box(rows.start).y - self.verticalOffset()

    def _return_to(self, anchor: tuple[str, int]) -> None:
        row = self._pictures.row_of(anchor[0]) if anchor[0] else -1
        if row >= 0:
            self.verticalScrollBar().setValue(self._layout().box(row).y - anchor[1])

    # -- a reset keeps selection, cursor and place -----------------------------------------------------------------

    def _keep_place(self) -> None:
        chosen = [self._pictures.picture(row).id for part in self.selected_rows() for row in part]
        current = self.currentIndex().row()
        current_id = self._pictures.picture(current).id if 0 <= current < self._pictures.rowCount() else ""
        if current_id == self._given and not chosen and self.verticalOffset() == 0:
            current_id = ""  # nobody has gone there: the cursor stays at the top, whatever comes to stand there
        self._kept = (chosen, current_id, *self._anchor())

    def _find_place(self) -> None:
        self._grid_is_old = True
        self.updateGeometries()
        if self._kept is None:
            return
        (chosen, current_id, anchor_id, anchor_y), self._kept = self._kept, None
        rows = sorted(row for row in map(self._pictures.row_of, chosen) if row >= 0)
        if rows:
            self.choose(as_runs(rows), _Flag.Select)
        current = self._pictures.row_of(current_id) if current_id else -1
        if current >= 0:
            self.selectionModel().setCurrentIndex(self._pictures.index(current), _Flag.NoUpdate)
        elif self.hasFocus():
            self._give_current()
        self._return_to((anchor_id, anchor_y))
        self._pointer.forget()
        self._on_selection()
        self._wants.start()

    # -- selection -------------------------------------------------------------------------------------------------

    def selected_rows(self) -> list[range]:
        """The chosen rows as runs, without making an index for each."""
        selection = self.selectionModel().selection()
        return sorted(
            (range(part.top(), part.bottom() + 1) for part in selection.toList()), key=lambda part: part.start
        )

    def choose(self, runs: Iterable[range], command: _Flag) -> None:
        """Apply a selection command to runs of rows."""
        selection = QItemSelection()
        for run in runs:
            if len(run):
                selection.append(
                    QItemSelectionRange(self._pictures.index(run.start), self._pictures.index(run.stop - 1))
                )
        self.selectionModel().select(selection, command)

    def setSelection(self, rect: QRect, command: _Flag) -> None:
        """Choose what a rectangle of the viewport touches."""
        if self.isRightToLeft():
            rect = QStyle.visualRect(self.layoutDirection(), self.viewport().rect(), rect)
        rect = rect.normalized()
        grid = self._layout()
        self.choose(grid.rows_in(rect.x(), rect.y() + self.verticalOffset(), rect.width(), rect.height()), command)

    def selectAll(self) -> None:
        """Choose everything that is shown."""
        self.choose([range(self._pictures.rowCount())], _Flag.ClearAndSelect)

    def _on_selection(self) -> None:
        any_chosen = self.selectionModel().hasSelection()
        if any_chosen != self.tiles.selecting:
            self.tiles.selecting = any_chosen
            self.viewport().update()
        self.selection_changed.emit()

    # -- keyboard --------------------------------------------------------------------------------------------------

    def moveCursor(self, action: _Action, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Where the cursor goes, by what is seen."""
        row = self.currentIndex().row()
        grid = self._layout()
        if row < 0:
            return self._pictures.index(0) if grid.count else QModelIndex()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        page = max(1, self.viewport().height() // grid.row_pitch - 1)
        mirrored = self.isRightToLeft()
        moves = {
            _Action.MoveLeft: (Move.NEXT if mirrored else Move.PREVIOUS, 1),
            _Action.MoveRight: (Move.PREVIOUS if mirrored else Move.NEXT, 1),
            _Action.MovePrevious: (Move.PREVIOUS, 1),
            _Action.MoveNext: (Move.NEXT, 1),
            _Action.MoveUp: (Move.UP, 1),
            _Action.MoveDown: (Move.DOWN, 1),
            _Action.MovePageUp: (Move.UP, page),
            _Action.MovePageDown: (Move.DOWN, page),
            _Action.MoveHome: (Move.FIRST if control else Move.ROW_START, 1),
            _Action.MoveEnd: (Move.LAST if control else Move.ROW_END, 1),
        }
        move, lines = moves[action]
        return self._pictures.index(grid.move(row, move, lines))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, choose, open, delete, and change the size of the tiles."""
        self._given = ""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if key in _SIDEWAYS:
            self._move_cursor(_SIDEWAYS[key], modifiers)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
        elif key == Qt.Key.Key_Space:
            self._toggle_current()
        elif key == Qt.Key.Key_A and control:
            self.selectAll()
        elif key == Qt.Key.Key_Delete:
            self.delete_requested.emit()
        elif control and key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.step_tile_size(-1 if key == Qt.Key.Key_Minus else 1)
        elif key == Qt.Key.Key_Menu:
            self._menu_at_current()
        else:
            event.ignore()
            return
        event.accept()

    def step_tile_size(self, step: int) -> None:
        """Make the tiles larger or smaller by one step."""
        nearest = min(range(len(TILE_SIZES)), key=lambda place: abs(TILE_SIZES[place] - self.tile_size))
        side = TILE_SIZES[min(max(nearest + step, 0), len(TILE_SIZES) - 1)]
        if side != self.tile_size:
            self.set_tile_size(side)
            self.tile_size_changed.emit(side)

    def keyboardSearch(self, search: str) -> None:
        """Typing does not jump: it would read 100,000 names on each key. There is a search field."""

    def _move_cursor(self, action: _Action, modifiers: Qt.KeyboardModifier) -> None:
        target = self.moveCursor(action, modifiers)
        if not target.isValid():
            return
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._pointer.extend_to(target.row())
        else:
            self._pointer.anchor_at(target.row())
        self.selectionModel().setCurrentIndex(target, _Flag.NoUpdate)
        self.scrollTo(target)
        self.viewport().update()

    def go_to(self, picture_id: str) -> None:
        """Put the cursor on a picture and bring it into sight, without choosing it."""
        row = self._pictures.row_of(picture_id)
        if row >= 0 and row != self.currentIndex().row():
            self._given = ""
            self._pointer.anchor_at(row)
            self.selectionModel().setCurrentIndex(self._pictures.index(row), _Flag.NoUpdate)
            self.scrollTo(self._pictures.index(row))

    def _toggle_current(self) -> None:
        current = self.currentIndex()
        if current.isValid():
            self._pointer.anchor_at(current.row())
            self.selectionModel().select(current, _Flag.Toggle)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.open_requested.emit(self._pictures.picture(index.row()).id)

    def _menu_at_current(self) -> None:
        current = self.currentIndex()
        if current.isValid():
            self.menu_requested.emit(self.viewport().mapToGlobal(self.visualRect(current).center()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of what is under the pointer, which becomes chosen if it is not."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self._menu_at_current()
            return
        index = self.indexAt(self.viewport().mapFromGlobal(event.globalPos()))
        if index.isValid():
            if not self.selectionModel().isSelected(index):
                self._pointer.anchor_at(index.row())
                self.selectionModel().setCurrentIndex(index, _Flag.ClearAndSelect)
            self.menu_requested.emit(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Have a current tile in sight as soon as the keyboard comes here."""
        super().focusInEvent(event)
        self.tiles.ring = event.reason() != Qt.FocusReason.MouseFocusReason
        current = self.currentIndex()
        if not current.isValid():
            self._give_current()
        elif event.reason() in _KEYS and current.row() not in self.visible_rows():
            self.scrollTo(current)
        self.viewport().update()

    def _give_current(self) -> None:
        """Put the cursor on the first tile in sight."""
        row = self.visible_rows().start
        if row < self._pictures.rowCount():
            self._given = self._pictures.picture(row).id
            self.selectionModel().setCurrentIndex(self._pictures.index(row), _Flag.NoUpdate)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.viewport().update()

    # -- pointer: see PointerSelection -----------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        """Let the pointer choose; everything else is QListView's."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self._given = ""
        if self._pointer.handles(event):
            return True
        return super().viewportEvent(event)

    def show_ring(self, shown: bool) -> None:
        """Show the keyboard's ring, or not any more because the pointer is used."""
        if shown != self.tiles.ring:
            self.tiles.ring = shown
            self.viewport().update()

    # -- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what is exposed: headings, tiles, rubber band."""
        painter = QPainter(self.viewport())
        exposed, region, offset = event.rect(), event.region(), self.verticalOffset()
        painter.setLayoutDirection(self.layoutDirection())
        painter.fillRect(exposed, self._theme.tokens.canvas)
        grid = self._layout()
        top, bottom = exposed.top() + offset - 6, exposed.bottom() + 1 + offset + 6
        paint_headings(painter, self._theme, grid, (top, bottom), self._on_screen, self.heading_words)
        rows = grid.rows_between(top, bottom)
        option = QStyleOptionViewItem()
        option.initFrom(self)
        option.widget = self
        current = self.currentIndex().row() if self.hasFocus() else -1
        selection, state = self.selectionModel(), QStyle.StateFlag
        plain = state.State_Enabled
        for row in rows:
            rect = self._on_screen(grid.box(row))
            if not region.intersects(rect.adjusted(-6, -6, 6, 6)):
                continue
            index = self._pictures.index(row)
            option.rect = rect
            flags = plain
            if self.tiles.selecting and selection.isSelected(index):
                flags |= state.State_Selected
            if row == current:
                flags |= state.State_HasFocus
            if row == self._pointer.hovered:
                flags |= state.State_MouseOver
            option.state = flags
            self.tiles.paint(painter, option, index)
        paint_band(painter, self._theme, self._pointer.band())

    # -- thumbnails ------------------------------------------------------------------------------------------------

    def _on_scroll(self, value: int) -> None:
        self._want_thumbnails()

    _last_top = 0

    def _want_thumbnails(self) -> None:
        """Say what is seen, then what the scrolling is heading for."""
        grid, top, page = self._layout(), self.verticalOffset(), self.viewport().height()
        if top != self._last_top:
            self._direction = 1 if top > self._last_top else -1
            self._last_top = top
        visible = grid.rows_between(top, top + page)
        if self._direction > 0:
            ahead = range(visible.stop, max(visible.stop, grid.rows_between(top + page, top + 2 * page).stop))
        else:
            before = grid.rows_between(max(0, top - page), max(0, top)).start
            ahead = range(visible.start - 1, min(before, visible.start) - 1, -1)
        side = round(grid.side * self.devicePixelRatioF())
        count = self._pictures.rowCount()
        self._thumbnails.want(
            [self._pictures.picture(row).id for row in visible if row < count],
            [self._pictures.picture(row).id for row in ahead if row < count],
            side,
        )
