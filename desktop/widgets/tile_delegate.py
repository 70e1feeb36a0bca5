"""How one tile of the gallery is painted."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QLinearGradient, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.errors import AuthorUnknown
from desktop.models import Picture, PictureState, Scheme
from desktop.viewmodels.picture_model import WAITING, Role
from desktop.viewmodels.thumbnails import Thumbnails
from desktop.widgets.icons import Icons
from desktop.widgets.theme import Radius, Theme

Index = QModelIndex | QPersistentModelIndex

INSET: Final = 7
RING: Final = 3
BADGE: Final = 22
EDGE: Final = 6
SMALL: Final = 112
"""Below this side only the pale discs and waiting remain."""

DARK_DISC: Final = QColor(0x14, 0x14, 0x14, round(0.65 * 255))
PALE_DISC: Final = QColor("#FBEDCB")
ON_PALE: Final = QColor("#6B4400")
CIRCLE: Final = QColor(0, 0, 0, round(0.47 * 255))
VEIL: Final = QColor(0, 0, 0, round(0.27 * 255))
GROOVE: Final = QColor(255, 255, 255, 96)
WHITE: Final = QColor(Qt.GlobalColor.white)

_State = QStyle.StateFlag


class TileDelegate(QStyledItemDelegate):
    """Paints tiles in all their states.

    Attributes:
        selecting: Whether anything is chosen; then every tile shows its circle.
        ring: Whether the current tile shows the keyboard's ring.
    """

    def __init__(self, theme: Theme, icons: Icons, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icons, self._thumbnails = theme, icons, thumbnails
        self.selecting = False
        self.ring = True
        self._corners: QPixmap | None = None
        self._corners_dpr = 0.0
        theme.changed.connect(self._forget)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """The view decides."""
        return option.rect.size()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one tile."""
        picture: Picture = index.data(Role.PICTURE)
        rect, state, direction = option.rect, option.state, option.direction
        chosen = bool(state & _State.State_Selected)
        inner = rect.adjusted(INSET, INSET, -INSET, -INSET) if chosen else rect
        if chosen:
            self._paint_mat(painter, rect)
        if picture.state is not PictureState.READY:
            self._paint_problem(painter, inner, picture, rounded=not chosen)
        else:
            self._paint_picture(painter, rect, inner, picture, chosen=chosen)
            sending = index.data(Role.SENDING)
            if sending is not None and sending != WAITING:
                self._paint_sending(painter, inner, sending, direction)
            self._paint_badges(painter, inner, picture, direction, waiting=sending == WAITING)
        hovered = bool(state & _State.State_MouseOver)
        if chosen or hovered or self.selecting:
            self._paint_circle(painter, rect, direction, chosen=chosen, faded=hovered and not self.selecting)
        if state & _State.State_HasFocus and self.ring:
            self._paint_ring(painter, rect)

    # -- what is inside --------------------------------------------------------------------------------------------

    def _paint_picture(self, painter: QPainter, rect: QRect, inner: QRect, picture: Picture, *, chosen: bool) -> None:
        image = self._thumbnails.image(picture.id)
        if image is None:
            missing = self._thumbnails.is_missing(picture.id)
            tokens = self._theme.tokens
            self._fill(painter, inner, tokens.sunken if missing else tokens.skeleton, rounded=not chosen)
            if missing:
                self._centre_icon(painter, inner, "pictures", tokens.text2, 24)
            return
        dpr = painter.device().devicePixelRatioF()
        if image.width() == round(rect.width() * dpr):
            source = _within(rect, inner, dpr)
            painter.drawImage(inner, image, source)
        else:  # made for another size; the right one is on its way
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(inner, image)
        if not chosen:
            self._round_off(painter, rect, dpr)

    def _paint_problem(self, painter: QPainter, inner: QRect, picture: Picture, *, rounded: bool) -> None:
        tokens = self._theme.tokens
        fill, token, icon, side, bold = tokens.sunken, tokens.text2, "error", 24, QFont.Weight.Normal
        match picture.state:
            case PictureState.REFUSED:
                fill, token, icon, side = tokens.danger_soft, tokens.danger, "shield-alert", 32
                bold = QFont.Weight.DemiBold
                words = self.tr("Not what you stored")
                if picture.owner_name:
                    words = self.tr("Not what %1 stored").replace("%1", picture.owner_name)
            case PictureState.MISSING:
                icon, words = "help", self.tr("Missing on the server")
            case PictureState.UNDECODED:
                icon, words = "noise", picture.owner_name or self.tr("Closed until you accept")
            case _ if picture.problem_code == AuthorUnknown.code:
                icon, words = "help", self.tr("Changed by somebody you do not know")
            case _:
                words = self.tr("Cannot be opened")
        self._fill(painter, inner, fill, rounded=rounded)
        text_font = self._theme.font("caption")
        text_font.setWeight(bold)
        metrics = QFontMetrics(text_font)
        wrap = int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap)
        room = inner.adjusted(8, 0, -8, 0)
        bounds = metrics.boundingRect(QRect(0, 0, room.width(), 1000), wrap, words)
        if side + 8 + bounds.height() > inner.height() - 8:  # no room for words; they are spoken and in the tool tip
            self._centre_icon(painter, inner, icon, token, side)
            return
        top = inner.top() + (inner.height() - side - 8 - bounds.height()) // 2
        self._centre_icon(painter, QRect(inner.left(), top, inner.width(), side), icon, token, side)
        painter.setFont(text_font)
        painter.setPen(token)
        painter.drawText(QRect(room.left(), top + side + 8, room.width(), bounds.height() + 4), wrap, words)

    def _paint_sending(self, painter: QPainter, inner: QRect, share: float, direction: Qt.LayoutDirection) -> None:
        self._fill(painter, inner, VEIL, rounded=True)
        groove = QRect(inner.left() + 8, inner.bottom() - 11, inner.width() - 16, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(GROOVE)
        painter.drawRoundedRect(QRectF(groove), 2, 2)
        if share > 0:
            done = QRect(groove.topLeft(), QSize(max(4, round(groove.width() * min(1.0, share))), 4))
            painter.setBrush(WHITE)
            painter.drawRoundedRect(QRectF(QStyle.visualRect(direction, groove, done)), 2, 2)

    def _paint_badges(
        self, painter: QPainter, inner: QRect, picture: Picture, direction: Qt.LayoutDirection, *, waiting: bool
    ) -> None:
        badges: list[tuple[str, QColor, QColor]] = []
        if picture.scheme is Scheme.CLASSIC:
            badges.append(("warning", PALE_DISC, ON_PALE))
        elif picture.conflict:
            badges.append(("copy", PALE_DISC, ON_PALE))
        elif picture.unverified:
            badges.append(("shield-question", PALE_DISC, ON_PALE))
        if picture.shared_with and min(inner.width(), inner.height()) >= SMALL:
            badges.append(("people", DARK_DISC, WHITE))
        if waiting or picture.waiting_for:
            badges.append(("waiting", DARK_DISC, WHITE))
        for place, (icon, disc, colour) in enumerate(badges):
            spot = QRect(inner.left() + EDGE + place * (BADGE + 4), inner.bottom() + 1 - EDGE - BADGE, BADGE, BADGE)
            spot = QStyle.visualRect(direction, inner, spot)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(disc)
            painter.drawEllipse(spot)
            self._centre_icon(painter, spot, icon, colour, 14, stroke=1.8)

    # -- what lies on top ------------------------------------------------------------------------------------------

    def _paint_mat(self, painter: QPainter, rect: QRect) -> None:
        tokens = self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(tokens.accent_soft)
        painter.setPen(QPen(tokens.accent_text if self._theme.is_dark else tokens.accent, RING))
        half = RING / 2
        painter.drawRoundedRect(QRectF(rect).adjusted(half, half, -half, -half), Radius.CONTROL, Radius.CONTROL)

    def _paint_circle(
        self, painter: QPainter, rect: QRect, direction: Qt.LayoutDirection, *, chosen: bool, faded: bool
    ) -> None:
        if faded:
            fade = QRect(rect.left(), rect.top(), rect.width(), min(56, rect.height()))
            gradient = QLinearGradient(fade.topLeft(), fade.bottomLeft())
            gradient.setColorAt(0, QColor(0, 0, 0, 110))
            gradient.setColorAt(1, QColor(0, 0, 0, 0))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillPath(_rounded_top(QRectF(fade), Radius.CONTROL), gradient)
        spot = QRect(rect.right() + 1 - EDGE - BADGE, rect.top() + EDGE, BADGE, BADGE)
        spot = QStyle.visualRect(direction, rect, spot)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(self._theme.tokens.accent if chosen else CIRCLE)
        painter.setPen(QPen(WHITE, 2))
        painter.drawEllipse(QRectF(spot).adjusted(0, 0, 0, 0))
        if chosen:
            self._centre_icon(painter, spot, "check", WHITE, 14, stroke=2.4)

    def _paint_ring(self, painter: QPainter, rect: QRect) -> None:
        width = self._theme.ring_width
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.tokens.focus, width))
        out = 3 - width / 2
        painter.drawRoundedRect(QRectF(rect).adjusted(-out, -out, out, out), Radius.CONTROL + 2, Radius.CONTROL + 2)

    # -- small tools -----------------------------------------------------------------------------------------------

    def _fill(self, painter: QPainter, rect: QRect, colour: QColor, *, rounded: bool) -> None:
        if not rounded:
            painter.fillRect(rect, colour)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(rect), Radius.CONTROL, Radius.CONTROL)

    def _centre_icon(
        self, painter: QPainter, rect: QRect, name: str, colour: QColor, side: int, *, stroke: float = 1.5
    ) -> None:
        dpr = painter.device().devicePixelRatioF()
        pixmap = self._icons.pixmap(name, colour, side, dpr, stroke=stroke)
        painter.drawPixmap(rect.x() + (rect.width() - side) // 2, rect.y() + (rect.height() - side) // 2, pixmap)

    def _round_off(self, painter: QPainter, rect: QRect, dpr: float) -> None:
        """Cover the corners with the canvas: much quicker than clipping each picture."""
        if self._corners is None or self._corners_dpr != dpr:
            self._corners, self._corners_dpr = _corner_mask(self._theme.tokens.canvas, Radius.CONTROL, dpr), dpr
        radius, corners = int(Radius.CONTROL), self._corners
        pixels = round(radius * dpr)
        for x, across in ((rect.left(), 0), (rect.right() + 1 - radius, 1)):
            for y, down in ((rect.top(), 0), (rect.bottom() + 1 - radius, 1)):
                source = QRect(across * pixels, down * pixels, pixels, pixels)
                painter.drawPixmap(QRect(x, y, radius, radius), corners, source)

    def _forget(self) -> None:
        self._corners = None


def _within(rect: QRect, inner: QRect, dpr: float) -> QRect:
    """The part of the image that ``inner`` shows: a chosen picture is cut, not scaled, so it does not jump."""
    offset = QPoint(inner.left() - rect.left(), inner.top() - rect.top())
    return QRect(
        round(offset.x() * dpr), round(offset.y() * dpr), round(inner.width() * dpr), round(inner.height() * dpr)
    )


def _corner_mask(colour: QColor, radius: int, dpr: float) -> QPixmap:
    side = 2 * round(radius * dpr)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(colour)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawEllipse(QRectF(0, 0, side, side))
    painter.end()
    return QPixmap.fromImage(image)


def _rounded_top(rect: QRectF, radius: float) -> QPainterPath:
    path = QPainterPath()
    path.moveTo(rect.bottomLeft())
    path.lineTo(rect.left(), rect.top() + radius)
    path.quadTo(rect.topLeft(), rect.topLeft() + QPoint(round(radius), 0))
    path.lineTo(rect.right() - radius, rect.top())
    path.quadTo(rect.topRight(), rect.topRight() + QPoint(0, round(radius)))
    path.lineTo(rect.bottomRight())
    path.closeSubpath()
    return path
