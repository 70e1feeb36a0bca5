"""The colours of the visual design, light and dark. Must not import anything of the project."""

from __future__ import annotations

from PySide6.QtGui import QColor


class Tokens:
    """One colour scheme. Every widget takes its colours from here, under these names.

    ``*_soft`` are fills behind text of the same name; ``tooltip_link`` is the link colour on ``tooltip``; ``hover``,
    ``press`` and ``scrim`` are translucent and lie over anything.
    """

    canvas: QColor
    surface: QColor
    sunken: QColor
    stage: QColor
    skeleton: QColor
    line: QColor
    line_strong: QColor
    text: QColor
    text2: QColor
    text_off: QColor
    accent: QColor
    accent_hover: QColor
    accent_press: QColor
    on_accent: QColor
    accent_text: QColor
    accent_soft: QColor
    on_accent_soft: QColor
    bar: QColor
    track: QColor
    focus: QColor
    ok: QColor
    ok_soft: QColor
    warn: QColor
    warn_soft: QColor
    warn_line: QColor
    danger: QColor
    danger_soft: QColor
    danger_line: QColor
    danger_fill: QColor
    danger_hover: QColor
    danger_press: QColor
    tooltip: QColor
    on_tooltip: QColor
    tooltip_link: QColor
    hover: QColor
    press: QColor
    scrim: QColor

    def __init__(self, **colours: QColor) -> None:
        # by hand, because a dataclass of this many fields costs two milliseconds of the start
        if colours.keys() != Tokens.__annotations__.keys():
            raise TypeError(f"not the tokens: {sorted(colours.keys() ^ Tokens.__annotations__.keys())}")
        self.__dict__.update(colours)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tokens) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(colour.rgba() for colour in vars(self).values()))

    def high_contrast(self) -> Tokens:
        """The same scheme for people who asked their system for more contrast."""
        soft = {name: self.surface for name in vars(self) if name.endswith("_soft")}
        changed = {"text2": self.text, "line": self.line_strong, "on_accent_soft": self.text}
        return Tokens(**(vars(self) | soft | changed))


def _colours(**names: str) -> Tokens:
    return Tokens(**{name: QColor(value) for name, value in names.items()})


LIGHT = _colours(
    canvas="#F7F6F3",
    surface="#FFFFFF",
    sunken="#EEECE7",
    stage="#E6E5E2",
    skeleton="#E6E3DC",
    line="#DDD9D1",
    line_strong="#878176",
    text="#23211D",
    text2="#5C584F",
    text_off="#98938A",
    accent="#35579B",
    accent_hover="#2B4985",
    accent_press="#223C70",
    on_accent="#FFFFFF",
    accent_text="#2F5090",
    accent_soft="#E1E8F6",
    on_accent_soft="#233D72",
    bar="#35579B",
    track="#D8D4CB",
    focus="#2C6BE0",
    ok="#226340",
    ok_soft="#E0F0E5",
    warn="#7A4E00",
    warn_soft="#FBEDCB",
    warn_line="#B27C12",
    danger="#AE231C",
    danger_soft="#FBE7E4",
    danger_line="#C9665E",
    danger_fill="#B3261E",
    danger_hover="#98201A",
    danger_press="#7F1A15",
    tooltip="#2B2925",
    on_tooltip="#FFFFFF",
    tooltip_link="#A9C2F7",
    hover="#0F000000",  # 6 %
    press="#1F000000",  # 12 %
    scrim="#6E181612",  # 43 %
)

DARK = _colours(
    canvas="#1B1B1D",
    surface="#262628",
    sunken="#151516",
    stage="#0E0E0F",
    skeleton="#2A2A2D",
    line="#38383B",
    line_strong="#7F7F86",
    text="#EDECE9",
    text2="#B4B1AB",
    text_off="#75736F",
    accent="#4C70BC",
    accent_hover="#5175BF",
    accent_press="#3F60A6",
    on_accent="#FFFFFF",
    accent_text="#A9C2F7",
    accent_soft="#2B3750",
    on_accent_soft="#D3E0FC",
    bar="#A9C2F7",
    track="#46464A",
    focus="#7FAAFF",
    ok="#86D0A2",
    ok_soft="#1F3528",
    warn="#EDBE57",
    warn_soft="#3A2F17",
    warn_line="#A98233",
    danger="#FF9D93",
    danger_soft="#3A2422",
    danger_line="#B0605A",
    danger_fill="#C8453B",
    danger_hover="#CE4940",
    danger_press="#AD342B",
    tooltip="#EDECE9",
    on_tooltip="#1B1B1D",
    tooltip_link="#2F5090",
    hover="#12FFFFFF",  # 7 %
    press="#21FFFFFF",  # 13 %
    scrim="#8C000000",  # 55 %
)

AVATARS = ("#7A5C3E", "#3F6B5C", "#5A5489", "#7B4A5E", "#44647F")
"""Avatar discs with white initials, the same in both schemes; chosen by user id."""


def contrast(front: QColor, back: QColor) -> float:
    """The WCAG 2 contrast ratio of two opaque colours."""
    lighter, darker = sorted((_luminance(front), _luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def blend(front: QColor, back: QColor) -> QColor:
    """The opaque colour seen where the translucent ``front`` lies over ``back``."""
    alpha = front.alphaF()
    pairs = zip(front.getRgb()[:3], back.getRgb()[:3], strict=True)  # type: ignore[index]
    return QColor(*(round(f * alpha + b * (1 - alpha)) for f, b in pairs))


def _luminance(colour: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())
