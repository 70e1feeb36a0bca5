"""Text in the roles of the type scale, and small layout pieces."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from desktop.widgets.icons import ROW_SIZE, Icons


def plain(text: str) -> str:
    """Return a tooltip that shows the text as it is: a file may be named so that Qt would take it for HTML."""
    if "<" not in text:
        return text
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    return f"<qt>{escaped}</qt>"


class Label(QLabel):
    """Plain text in a role: body, secondary, caption, danger-caption, group, strong, lead, heading or display."""

    def __init__(
        self, text: str = "", role: str = "body", *, wrap: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setWordWrap(wrap)
        if QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            # QLabel goes by the direction of the text, so a path or an English name would stand on the wrong side
            leading = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute
            self.setAlignment(leading | Qt.AlignmentFlag.AlignVCenter)

    def setText(self, text: str) -> None:
        """Show another text, with as much room as it needs."""
        super().setText(text)
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stay as high as the lines of the text."""
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        # layouts with alignment or a fixed width do not ask for the height that belongs to the width
        if self.wordWrap() and self.width() > 0:
            # not heightForWidth(): that never goes below the minimum set here before
            margins = self.contentsMargins()
            room = QRect(0, 0, self.width() - margins.left() - margins.right(), 1 << 16)
            lines = self.fontMetrics().boundingRect(room, int(Qt.TextFlag.TextWordWrap), self.text())
            needed = lines.height() + margins.top() + margins.bottom() if self.text() else 0
            if needed != self.minimumHeight():
                self.setMinimumHeight(needed)

    def set_role(self, role: str) -> None:
        """Change the role."""
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)


class ElidedLabel(Label):
    """A label that may be narrower than its text; shows the ends of the text and has the whole of it as tooltip."""

    def __init__(
        self,
        text: str = "",
        role: str = "body",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, role, parent=parent)
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Allow any width."""
        return QSize(self.fontMetrics().horizontalAdvance("…"), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        rect = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), self._mode, rect.width())
        tooltip = self.text() if text != self.text() else ""
        if self.toolTip() != plain(tooltip):
            self.setToolTip(plain(tooltip))
        from PySide6.QtWidgets import QStyle

        painter = QPainter(self)
        painter.setFont(self.font())
        alignment = QStyle.visualAlignment(self.layoutDirection(), self.alignment())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(rect, int(alignment) | int(Qt.TextFlag.TextSingleLine), text)


class IconLabel(QWidget):
    """A drawing that is not a button. Decoration for screen readers unless it is given an accessible name.

    It is drawn when it is first seen, so that hidden ones cost nothing.
    """

    def __init__(self, icons: Icons, name: str, token: str = "text2", size: int = ROW_SIZE) -> None:
        super().__init__()
        self._icons, self._name, self._token, self._size = icons, name, token, size
        self.setFixedSize(size, size)
        icons.changed.connect(self.update)

    def set_icon(self, name: str, token: str = "") -> None:
        """Show another drawing."""
        self._name, self._token = name, token or self._token
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        QPainter(self).drawPixmap(0, 0, self._icons.pixmap(self._name, self._token, self._size))


class Hairline(QFrame):
    """A line of one pixel between parts."""

    def __init__(self, orientation: Qt.Orientation = Qt.Orientation.Horizontal) -> None:
        super().__init__()
        self.setProperty("hairline", True)
        if orientation == Qt.Orientation.Horizontal:
            self.setFixedHeight(1)
        else:
            self.setFixedWidth(1)


class StyledWidget(QWidget):
    """A plain widget that honours the background of the style sheet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
