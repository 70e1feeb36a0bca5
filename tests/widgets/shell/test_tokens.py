"""The colours hold the contrast that the visual design promises, in both schemes."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from desktop.widgets.tokens import AVATARS, DARK, LIGHT, Tokens, blend, contrast

GROUND = ("canvas", "surface", "sunken")
TEXT_GROUND = (*GROUND, "stage", "accent_soft", "ok_soft", "warn_soft", "danger_soft")

# front, every background it may lie on, lowest ratio light and dark
PROMISED = [
    ("line_strong", GROUND, 3.3, 3.8),
    ("text", TEXT_GROUND, 12.8, 10.1),
    ("text2", TEXT_GROUND, 5.6, 5.6),
    ("accent", GROUND, 6.0, 3.1),
    ("on_accent", ("accent", "accent_hover", "accent_press"), 7.0, 4.5),
    ("accent_text", GROUND, 6.7, 8.4),
    ("on_accent_soft", ("accent_soft",), 8.6, 9.0),
    ("bar", ("track",), 4.8, 5.3),
    ("focus", (*GROUND, "stage"), 3.9, 6.5),
    ("ok", (*GROUND, "ok_soft"), 6.1, 7.2),
    ("warn", (*GROUND, "warn_soft"), 6.1, 7.6),
    ("warn_line", (*GROUND, "warn_soft"), 3.1, 3.7),
    ("danger", (*GROUND, "danger_soft"), 5.8, 7.2),
    ("danger_line", (*GROUND, "danger_soft"), 3.2, 3.2),
    ("on_accent", ("danger_fill", "danger_hover", "danger_press"), 6.5, 4.5),
    ("on_tooltip", ("tooltip",), 14.5, 14.6),
    ("tooltip_link", ("tooltip",), 8.1, 6.7),
]


@pytest.mark.parametrize(("front", "backs", "light", "dark"), PROMISED)
def test_every_promised_contrast_holds(front: str, backs: tuple[str, ...], light: float, dark: float) -> None:
    for tokens, promised in ((LIGHT, light), (DARK, dark)):
        lowest = min(contrast(getattr(tokens, front), getattr(tokens, back)) for back in backs)
        assert lowest >= promised - 0.05, f"{front}: {lowest:.2f}, promised {promised}"


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast(QColor("#000000"), QColor("#FFFFFF")) == pytest.approx(21.0)
    assert contrast(QColor("#777777"), QColor("#FFFFFF")) == pytest.approx(4.48, abs=0.01)


def test_white_initials_are_readable_on_every_disc() -> None:
    assert min(contrast(QColor("#FFFFFF"), QColor(colour)) for colour in AVATARS) >= 5.9


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_text_stays_readable_under_the_pointer(tokens: Tokens) -> None:
    for back in ("canvas", "surface", "sunken"):
        for tint in (tokens.hover, tokens.press):
            assert contrast(tokens.text, blend(tint, getattr(tokens, back))) >= 7
            assert contrast(tokens.text2, blend(tint, getattr(tokens, back))) >= 4.5


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_high_contrast_has_no_soft_fills_and_strong_lines(tokens: Tokens) -> None:
    strong = tokens.high_contrast()
    assert strong.text2 == tokens.text
    assert strong.line == tokens.line_strong
    for name in ("accent_soft", "ok_soft", "warn_soft", "danger_soft"):
        assert getattr(strong, name) == tokens.surface
    assert contrast(strong.on_accent_soft, strong.accent_soft) >= 12
