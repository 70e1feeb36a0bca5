"""Choosing tiles with the pointer: click, Ctrl, Shift, the circle on a tile, and the rubber band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QHoverEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from desktop.widgets.gallery_view import GalleryView

_Flag = QItemSelectionModel.SelectionFlag

AUTOSCROLL_MS: Final = 30
CIRCLE_REACH: Final = 34
"""The selection circle answers within this square at the top trailing corner of a tile."""


class PointerSelection:
    """The pointer's side of a :class:`GalleryView`; it owns the anchor from which Shift extends."""

    def __init__(self, view: GalleryView) -> None:
        self._view = view
        self.hovered = -1
        self._anchor = QPersistentModelIndex()
        self._origin: QPoint | None = None  # of the rubber band, in the coordinates of the whole content
        self._corner = QPoint()
        self._banding = False
        self._band_base: list[range] = []
        self._timer = QTimer(view)
        self._timer.setInterval(AUTOSCROLL_MS)
        self._timer.timeout.connect(self._autoscroll)

    # -- what the view asks ----------------------------------------------------------------------------------------

    def handles(self, event: QEvent) -> bool:
        """Act on a pointer event of the viewport; False for all others."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            return self._press(event)
        if kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            self._move(event)
            return True
        if kind == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            self._end_band()
            return True
        if kind == QEvent.Type.MouseButtonDblClick and isinstance(event, QMouseEvent):
            return self._double_click(event)
        if kind in (QEvent.Type.HoverMove, QEvent.Type.HoverEnter) and isinstance(event, QHoverEvent):
            self._hover(event.position().toPoint())
        elif kind in (QEvent.Type.HoverLeave, QEvent.Type.Leave):
            self._set_hovered(-1)
        return False

    def band(self) -> QRect | None:
        """The rubber band in the viewport, or None."""
        if not self._banding or self._origin is None:
            return None
        offset = QPoint(0, self._view.verticalOffset())
        return QRect(self._origin - offset, self._corner - offset).normalized()

    def anchor_at(self, row: int) -> None:
        """Extend from this row the next time Shift is held."""
        self._anchor = QPersistentModelIndex(self._view.model().index(row, 0))

    def extend_to(self, row: int) -> None:
        """Choose everything from the anchor to a row, nothing else."""
        if not self._anchor.isValid():
            self.anchor_at(max(0, self._view.currentIndex().row()))
        first, last = sorted((self._anchor.row(), row))
        self._view.choose([range(first, last + 1)], _Flag.ClearAndSelect)

    def forget(self) -> None:
        """The rows are others now."""
        self.hovered = -1
        if not self._anchor.isValid():
            self._anchor = QPersistentModelIndex()
        if self._banding:
            self._end_band()

    def scrolled(self, dy: int) -> None:
        """The content moved under a resting pointer."""
        if self.hovered >= 0 and not self._banding:
            self._set_hovered(-1)
        if self._banding:
            self._view.viewport().update()

    # -- events ----------------------------------------------------------------------------------------------------

    def _press(self, event: QMouseEvent) -> bool:
        view = self._view
        view.show_ring(False)
        point = event.position().toPoint()
        index = view.indexAt(point)
        modifiers = event.modifiers()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if event.button() != Qt.MouseButton.LeftButton:
            return event.button() == Qt.MouseButton.RightButton  # the context menu event follows
        if not index.isValid():
            self._begin_band(point, keep=control or shift)
            return True
        if shift:
            self.extend_to(index.row())
        elif control or self._on_circle(point, index):
            self.anchor_at(index.row())
            view.selectionModel().select(index, _Flag.Toggle)
        else:
            self.anchor_at(index.row())
            view.selectionModel().select(index, _Flag.ClearAndSelect)
        view.selectionModel().setCurrentIndex(index, _Flag.NoUpdate)
        view.viewport().update()
        return True

    def _double_click(self, event: QMouseEvent) -> bool:
        point = event.position().toPoint()
        index = self._view.indexAt(point)
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if not index.isValid() or event.modifiers() != Qt.KeyboardModifier.NoModifier or self._on_circle(point, index):
            return self._press(event)
        self._view.open_requested.emit(index.data(_picture_role()).id)
        return True

    def _move(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._origin is None or not event.buttons() & Qt.MouseButton.LeftButton:
            self._hover(point)
            return
        self._corner = point + QPoint(0, self._view.verticalOffset())
        if not self._banding:
            moved = (self._corner - self._origin).manhattanLength()
            if moved < QApplication.startDragDistance():
                return
            self._banding = True
            self._timer.start()
        self._choose_in_band()

    # -- the rubber band -------------------------------------------------------------------------------------------

    def _begin_band(self, point: QPoint, *, keep: bool) -> None:
        self._origin = self._corner = point + QPoint(0, self._view.verticalOffset())
        self._band_base = self._view.selected_rows() if keep else []
        if not keep:
            self._view.clearSelection()

    def _choose_in_band(self) -> None:
        band = self.band()
        if band is None:
            return
        self._view.setSelection(band, _Flag.ClearAndSelect)
        if self._band_base:
            self._view.choose(self._band_base, _Flag.Select)
        self._view.viewport().update()

    def _end_band(self) -> None:
        self._origin = None
        self._timer.stop()
        if self._banding:
            self._banding = False
            self._view.viewport().update()

    def _autoscroll(self) -> None:
        view = self._view
        height, y = view.viewport().height(), self._corner.y() - view.verticalOffset()
        beyond = y if y < 0 else max(0, y - height)
        if beyond:
            bar = view.verticalScrollBar()
            before = bar.value()
            bar.setValue(before + max(-60, min(60, beyond)))
            self._corner += QPoint(0, bar.value() - before)
            self._choose_in_band()

    # -- hovering --------------------------------------------------------------------------------------------------

    def _hover(self, point: QPoint) -> None:
        self._set_hovered(self._view.indexAt(point).row())

    def _set_hovered(self, row: int) -> None:
        if row == self.hovered:
            return
        model = self._view.model()
        for changed in (self.hovered, row):
            if 0 <= changed < model.rowCount():
                self._view.viewport().update(self._view.visualRect(model.index(changed, 0)))
        self.hovered = row

    def _on_circle(self, point: QPoint, index: QModelIndex) -> bool:
        rect = self._view.visualRect(index)
        trailing = point.x() - rect.left() if self._view.isRightToLeft() else rect.right() - point.x()
        return trailing < CIRCLE_REACH and point.y() - rect.top() < CIRCLE_REACH


def _picture_role() -> int:
    from desktop.viewmodels.picture_model import Role

    return Role.PICTURE
