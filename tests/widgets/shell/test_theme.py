"""The theme follows the system, live, unless the person chose otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QLabel

from desktop.widgets.icons import MIRRORED, Icons, available
from desktop.widgets.sleeve import render, render_icon
from desktop.widgets.theme import RESOURCES, Theme
from desktop.widgets.tokens import DARK, LIGHT


def test_without_word_from_the_system_the_palette_decides(dressed: Any, qapp: Any) -> None:
    theme = dressed("system")
    assert theme.scheme == ("dark" if theme._system_window.lightnessF() < 0.5 else "light")
    theme._system_window = QColor("#101010")
    theme._refresh()
    assert theme.scheme == "dark"
    assert qapp.palette().color(QPalette.ColorRole.Window) == DARK.canvas


def test_the_choice_of_the_person_takes_effect_at_once(dressed: Any, qapp: Any, qtbot: Any) -> None:
    theme = dressed("light")
    assert qapp.palette().color(QPalette.ColorRole.Window) == LIGHT.canvas
    with qtbot.waitSignal(theme.changed):
        theme.set_preference("dark")
    assert theme.is_dark
    assert theme.tokens == DARK
    assert qapp.palette().color(QPalette.ColorRole.Window) == DARK.canvas
    assert DARK.surface.name() in qapp.styleSheet()


def test_nothing_is_emitted_when_nothing_changed(dressed: Any, qtbot: Any) -> None:
    theme = dressed("light")
    with qtbot.assertNotEmitted(theme.changed):
        theme._refresh()


def test_a_second_theme_starts_from_the_system_again(dressed: Any) -> None:
    first = dressed("dark").font("body")
    second = dressed("light").font("body")
    assert first.pointSizeF() == second.pointSizeF()


def test_every_placeholder_is_filled(dressed: Any) -> None:
    sheet = dressed("light").style_sheet()
    assert "@" not in sheet
    for path in re.findall(r'url\("([^"]+)"\)', sheet):
        assert Path(path).exists(), path


def test_the_type_scale(dressed: Any) -> None:
    theme = dressed()
    body = theme.font("body").pointSizeF()
    for role, factor in (("caption", 0.86), ("lead", 1.14), ("heading", 1.43), ("display", 1.86)):
        assert theme.font(role).pointSizeF() == pytest.approx(body * factor, rel=0.01)
    assert theme.font("lead").weight() == QFont.Weight.DemiBold
    assert theme.font("button").weight() == QFont.Weight.Medium


def test_labels_take_their_role_from_the_style_sheet(dressed: Any, qtbot: Any) -> None:
    from desktop.widgets.labels import Label

    theme = dressed()
    label = Label("Locked", "display")
    qtbot.addWidget(label)
    label.ensurePolished()
    assert label.font().pointSizeF() == pytest.approx(theme.font("display").pointSizeF(), rel=0.02)
    assert isinstance(label, QLabel)


def test_every_icon_is_one_of_the_family() -> None:
    names = available()
    assert len(names) == 55
    for name in names:
        source = (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")
        for part in (
            'viewBox="0 0 20 20"',
            'fill="none"',
            'stroke="#000"',
            'stroke-width="1.5"',
            'stroke-linecap="round"',
        ):
            assert part in source, f"{name} lacks {part}"
    assert set(names) >= MIRRORED


def test_icons_are_tinted_and_tinted_again(dressed: Any) -> None:
    theme = dressed("light")
    icons = Icons(theme)
    for name in available():
        image = icons.pixmap(name, "danger", 20, 1.0).toImage()
        strongest = max(
            (image.pixelColor(x, y) for x in range(20) for y in range(20)), key=lambda colour: colour.alpha()
        )
        assert strongest.alpha() > 100, f"{name} is empty"
        assert abs(strongest.red() - LIGHT.danger.red()) < 12, name
    before = icons.pixmap("lock", "text2").toImage()
    theme.set_preference("dark")
    assert icons.pixmap("lock", "text2").toImage() != before


def test_only_arrows_are_mirrored(dressed: Any) -> None:
    icons = Icons(dressed("light"))
    for name in available():
        plain = icons.pixmap(name, "text", 20, 1.0, mirrored=False).toImage()
        turned = icons.pixmap(name, "text", 20, 1.0, mirrored=True).toImage()
        assert (plain != turned) == (name in MIRRORED), name


def test_the_white_marks_have_the_colour_of_the_token() -> None:
    style = RESOURCES / "style"
    assert LIGHT.on_accent == DARK.on_accent == QColor("#FFFFFF")
    assert 'stroke="#FFFFFF"' in (style / "check-white.svg").read_text(encoding="utf-8")
    for scheme, tokens in (("light", LIGHT), ("dark", DARK)):
        source = (style / f"chevron-down-{scheme}.svg").read_text(encoding="utf-8")
        assert tokens.text2.name().upper() in source.upper()


@pytest.mark.parametrize("dpr", [1.0, 2.0])
def test_the_noise_is_whole_pixels_and_always_the_same(qapp: Any, dpr: float) -> None:
    first = render(QSize(260, 300), dpr, dark=False).toImage()
    assert first == render(QSize(260, 300), dpr, dark=False).toImage()
    side = round(4 * dpr)
    left, top = round(62 * dpr), round(160 * dpr)
    cells = 0
    for row in range(4):
        for column in range(8):
            x, y = left + column * side, top + row * side
            colours = {first.pixelColor(x + dx, y + dy).name() for dx in range(side) for dy in range(side)}
            cells += len(colours) == 1
    assert cells == 32


def test_the_application_icon_is_drawn_for_every_size(qapp: Any) -> None:
    for path in sorted((RESOURCES / "app").glob("glassine-*.png")):
        side = int(path.stem.split("-")[1])
        assert render_icon(side).size() == QSize(side, side)
        assert path.stat().st_size > 100


def test_themes_do_not_share_state(dressed: Any) -> None:
    light: Theme = dressed("light")
    dark: Theme = dressed("dark")
    assert light.tokens == LIGHT
    assert dark.tokens == DARK
