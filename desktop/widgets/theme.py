"""The theme: tokens, fonts, palette and style sheet, switched live. Must not import view-models or the client."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from desktop.widgets.tokens import DARK, LIGHT, Tokens, blend

RESOURCES: Final = Path(__file__).resolve().parents[2] / "resources"

FALLBACK_FAMILIES: Final = ("Inter", "Adwaita Sans", "Cantarell", "Noto Sans")
"""Taken, first installed first, only when the desktop names no font and would fall back to DejaVu Sans."""

UNNAMED_POINT_SIZE: Final = 10.5
"""Base size when the desktop names no font: Qt's own 9 points are nobody's choice."""


class Space(IntEnum):
    """Distances in device-independent pixels."""

    HAIR = 2
    TIGHT = 4
    SMALL = 8
    MEDIUM = 12
    LARGE = 16
    PAGE = 24
    WIDE = 32
    HUGE = 48


class Radius(IntEnum):
    """Corner radii in device-independent pixels."""

    CHECK = 4
    CONTROL = 6
    BANNER = 8
    CARD = 10
    CHIP = 11
    FRAME = 14


class Theme(QObject):
    """What everything looks like just now.

    Signals:
        changed(): tokens or fonts are different; the palette and style sheet are already in place.
    """

    changed = Signal()

    ROLES: Final = {
        "caption": (0.86, QFont.Weight.Normal),
        "body": (1.0, QFont.Weight.Normal),
        "strong": (1.0, QFont.Weight.DemiBold),
        "button": (1.0, QFont.Weight.Medium),
        "primary": (1.0, QFont.Weight.DemiBold),
        "chip": (0.86, QFont.Weight.Medium),
        "lead": (1.14, QFont.Weight.DemiBold),
        "heading": (1.43, QFont.Weight.DemiBold),
        "display": (1.86, QFont.Weight.DemiBold),
    }

    def __init__(self, preference: str = "system", parent: QObject | None = None) -> None:
        """Make a theme; ``preference`` is ``system``, ``light`` or ``dark``."""
        super().__init__(parent)
        self._app: QApplication | None = None
        self._preference = preference
        self._hints = QGuiApplication.styleHints()
        self._accessibility = self._hints.accessibility()
        # the empty palette uncovers that of the system, which ours replaces later
        QGuiApplication.setPalette(QPalette())
        self._system_window = QGuiApplication.palette().color(QPalette.ColorRole.Window)
        self._base_font, self._base_size = _base_font(QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont))
        self.tokens: Tokens = LIGHT
        self._resolve()

    @property
    def scheme(self) -> str:
        """``light`` or ``dark``."""
        return "dark" if self._dark else "light"

    @property
    def is_dark(self) -> bool:
        """Whether the dark column of the tokens is in use."""
        return self._dark

    @property
    def high_contrast(self) -> bool:
        """Whether the person asked the system for more contrast."""
        return bool(self._accessibility.contrastPreference() == Qt.ContrastPreference.HighContrast)

    @property
    def ring_width(self) -> int:
        """Width of the keyboard focus ring."""
        return 3 if self.high_contrast else 2

    @property
    def preference(self) -> str:
        """``system``, ``light`` or ``dark``."""
        return self._preference

    def set_preference(self, preference: str) -> None:
        """Follow the system, or stay light or dark; takes effect at once."""
        if preference != self._preference:
            self._preference = preference
            self._refresh()

    def apply(self, app: QApplication) -> None:
        """Dress the application and keep following the system."""
        self._app = app
        if not app.property("style_given"):
            app.setStyle("Fusion")
        self._hints.colorSchemeChanged.connect(self._refresh)
        self._accessibility.contrastPreferenceChanged.connect(self._refresh)
        self._dress(app)

    def font(self, role: str = "body") -> QFont:
        """The font of a role: caption, body, strong, button, primary, chip, lead, heading or display."""
        factor, weight = self.ROLES[role]
        font = QFont(self._base_font)
        font.setPointSizeF(self._base_size * factor)
        font.setWeight(weight)
        return font

    def mono(self) -> QFont:
        """The system's fixed font at caption size, for stored names and fingerprint groups."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self._base_size * self.ROLES["caption"][0])
        return font

    def duration(self, milliseconds: int) -> int:
        """How long a movement lasts; 0 when the person wants none."""
        if self._app is None:
            return 0
        from PySide6.QtWidgets import QStyle

        wanted = self._app.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration)
        return milliseconds if wanted > 0 else 0

    def _refresh(self) -> None:
        before = self.tokens
        self._resolve()
        if self._app is not None and self.tokens != before:
            self._dress(self._app)
        if self.tokens != before:
            self.changed.emit()

    def _resolve(self) -> None:
        if self._preference in ("light", "dark"):
            self._dark = self._preference == "dark"
        else:
            scheme = self._hints.colorScheme()
            if scheme == Qt.ColorScheme.Unknown:
                self._dark = self._system_window.lightnessF() < 0.5
            else:
                self._dark = scheme == Qt.ColorScheme.Dark
        tokens = DARK if self._dark else LIGHT
        self.tokens = tokens.high_contrast() if self.high_contrast else tokens

    def _dress(self, app: QApplication) -> None:
        app.setFont(self.font())
        app.setPalette(self._palette())
        app.setStyleSheet(self.style_sheet())

    def style_sheet(self) -> str:
        """The style sheet template with every ``@name`` filled in."""
        values = {name: _css(colour) for name, colour in vars(self.tokens).items()}
        values |= {f"{role}_size": f"{self._base_size * factor:.2f}pt" for role, (factor, _) in self.ROLES.items()}
        # opaque, so that a hovered button looks the same on every surface
        values["button_hover"] = _css(blend(self.tokens.hover, self.tokens.surface))
        values["button_press"] = _css(blend(self.tokens.press, self.tokens.surface))
        values["scroll"] = _css(blend(QColor(127, 127, 127, 110), self.tokens.canvas))
        values["style"] = (RESOURCES / "style").as_posix()
        values["scheme"] = self.scheme
        template = (RESOURCES / "style" / "glassine.qss").read_text(encoding="utf-8")
        return re.sub(r"@([a-z][a-z0-9_]*)", lambda match: values[match.group(1)], template)

    def _palette(self) -> QPalette:
        t, palette, role = self.tokens, QPalette(), QPalette.ColorRole
        for name, colour in (
            (role.Window, t.canvas),
            (role.WindowText, t.text),
            (role.Base, t.surface),
            (role.AlternateBase, t.canvas),
            (role.Text, t.text),
            (role.PlaceholderText, t.text2),
            (role.Button, t.surface),
            (role.ButtonText, t.text),
            (role.BrightText, t.on_accent),
            (role.ToolTipBase, t.tooltip),
            (role.ToolTipText, t.on_tooltip),
            (role.Highlight, t.accent),
            (role.HighlightedText, t.on_accent),
            (role.Accent, t.accent),
            (role.Link, t.accent_text),
            (role.LinkVisited, t.accent_text),
            (role.Light, t.surface),
            (role.Midlight, t.line),
            (role.Mid, t.line_strong),
            (role.Dark, t.line_strong),
            (role.Shadow, t.text),
        ):
            palette.setColor(name, colour)
        for name in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
            palette.setColor(QPalette.ColorGroup.Disabled, name, t.text_off)
        return palette


def _css(colour: QColor) -> str:
    if colour.alpha() == 255:
        return colour.name()
    return f"rgba({colour.red()}, {colour.green()}, {colour.blue()}, {colour.alpha()})"


def _base_font(system: QFont) -> tuple[QFont, float]:
    """The font everything is derived from, and its size in points."""
    size = system.pointSizeF() if system.pointSizeF() > 0 else system.pixelSize() * 0.75
    unnamed = system.family() in ("Sans Serif", "sans-serif", "Sans", "DejaVu Sans", "")
    if not unnamed or QFontInfo(system).family() != "DejaVu Sans":
        return system, size
    if system.family() != "DejaVu Sans":
        size = max(size, UNNAMED_POINT_SIZE)
        installed = set(QFontDatabase.families())
        for family in FALLBACK_FAMILIES:
            if family in installed:
                return QFont(family), size
    return QFont("DejaVu Sans"), size * 0.93
