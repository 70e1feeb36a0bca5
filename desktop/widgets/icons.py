"""Icons: black line drawings, tinted with a token and tinted again when the theme changes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from desktop.widgets.theme import RESOURCES, Theme

MIRRORED: Final = frozenset({"chevron-left", "chevron-right", "sign-out", "undo"})
"""Icons that point along the reading direction; all others look the same right to left."""

ROW_SIZE: Final = 20
BUTTON_SIZE: Final = 18
BUTTON_GAP: Final = 4
"""Added to the 4 that Qt leaves between an icon and its text."""


class Icons(QObject):
    """Makes icons in the colours of the theme.

    Signals:
        changed(): the theme is different; whoever keeps a pixmap asks for it again.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._cache: dict[tuple[str, str, int, float, float, bool, bool], QPixmap] = {}
        theme.changed.connect(self._forget)

    def icon(
        self,
        name: str,
        token: str = "text2",
        size: int = ROW_SIZE,
        *,
        mirrored: bool | None = None,
        gap: int = 0,
        filled: bool = False,
    ) -> QIcon:
        """An icon in a token's colour, with a disabled version.

        ``mirrored`` is the reading direction (None: the application's); ``gap`` adds empty space after the drawing.
        """
        icon = QIcon()
        for mode, colour in (
            (QIcon.Mode.Normal, getattr(self.theme.tokens, token)),
            (QIcon.Mode.Disabled, self.theme.tokens.text_off),
        ):
            pixmap = self.pixmap(name, colour, size, mirrored=mirrored, filled=filled)
            icon.addPixmap(_padded(pixmap, gap, _is_mirrored(mirrored)) if gap else pixmap, mode)
        return icon

    def pixmap(
        self,
        name: str,
        colour: QColor | str,
        size: int = ROW_SIZE,
        dpr: float = 0.0,
        *,
        stroke: float = 1.5,
        mirrored: bool | None = None,
        filled: bool = False,
    ) -> QPixmap:
        """The drawing in one colour (a QColor or a token's name); ``dpr`` 0 means that of the sharpest screen."""
        tint = getattr(self.theme.tokens, colour) if isinstance(colour, str) else colour
        scale = dpr or _application_dpr()
        flip = name in MIRRORED and _is_mirrored(mirrored)
        key = (name, tint.name(QColor.NameFormat.HexArgb), size, scale, stroke, flip, filled)
        if key not in self._cache:
            self._cache[key] = _draw(*key)
        return self._cache[key]

    def dress(
        self, button: QAbstractButton, name: str, token: str = "text2", size: int = ROW_SIZE, gap: int = 0
    ) -> None:
        """Give a button its icon for the present theme; callers repeat it on ``changed``."""
        button.setIcon(self.icon(name, token, size, gap=gap))
        button.setIconSize(QSize(size + gap, size))

    def _forget(self) -> None:
        self._cache.clear()
        self.changed.emit()


def available() -> list[str]:
    """The names of all icons."""
    return sorted(path.stem for path in (RESOURCES / "icons").glob("*.svg"))


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def _application_dpr() -> float:
    app = QGuiApplication.instance()
    return app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0


def _is_mirrored(mirrored: bool | None) -> bool:
    if mirrored is None:
        return QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
    return mirrored


def _draw(name: str, argb: str, size: int, dpr: float, stroke: float, *looks: bool) -> QPixmap:
    flip, filled = looks
    colour = QColor(argb)
    source = _source(name).replace('stroke="#000"', f'stroke="{colour.name()}"')
    source = source.replace('stroke-width="1.5"', f'stroke-width="{stroke}"')
    if filled:
        source = source.replace('fill="none"', f'fill="{colour.name()}"')
    pixmap = QPixmap(round(size * dpr), round(size * dpr))
    pixmap.setDevicePixelRatio(dpr)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setOpacity(colour.alphaF())
    if flip:
        painter.translate(size, 0)
        painter.scale(-1, 1)
    QSvgRenderer(source.encode()).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def _padded(pixmap: QPixmap, gap: int, mirrored: bool) -> QPixmap:
    """The drawing with empty space on the side where the text stands."""
    dpr = pixmap.devicePixelRatio()
    padded = QPixmap(pixmap.width() + round(gap * dpr), pixmap.height())
    padded.setDevicePixelRatio(dpr)
    padded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(padded)
    painter.drawPixmap(gap if mirrored else 0, 0, pixmap)
    painter.end()
    return padded
