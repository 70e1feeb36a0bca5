"""The sheet of keys: whatever the viewer and the gallery take is on it."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QWidget

from desktop.widgets.shortcut_sheet import ShortcutSheet, shortcut_groups


def keys_of(group: str) -> set[str]:
    return {key for title, keys in shortcut_groups() if title == group for names, _ in keys for key in names.split("|")}


@pytest.mark.parametrize("group", ["Everywhere", "Gallery", "Viewer"])
def test_every_key_has_a_name(qapp: Any, group: str) -> None:
    assert keys_of(group)
    assert all(QKeySequence(key).toString() for key in keys_of(group))


def test_all_keys_are_on_it(qapp: Any) -> None:
    viewer = {"I", "Del", "+", "-", "F11", "Space", "PgUp", "PgDown", "Ctrl+S", "Left", "Right", "Home", "End", "Esc"}
    assert viewer <= keys_of("Viewer")
    assert {"Menu", "Return", "Space", "Del", "Ctrl+A"} <= keys_of("Gallery")


def test_it_is_not_called_like_the_page_with_keys(qtbot: Any, icons: Any) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    sheet = ShortcutSheet(icons, parent)
    assert "Keyboard shortcuts" in [label.text() for label in sheet.findChildren(QLabel)]
