"""Texts that look like something else: names are shown letter by letter."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QTextDocumentFragment
from pytestqt.qtbot import QtBot

from desktop.widgets.labels import ElidedLabel, Label, plain


@pytest.mark.parametrize("name", ["<b>bold</b> & more.png", "<img src='file:///etc/passwd'>", "a<br>b\nc<d>", "a < b"])
def test_a_name_is_no_markup(qtbot: QtBot, name: str) -> None:
    label = ElidedLabel(name)
    qtbot.addWidget(label)
    label.resize(20, 20)
    label.grab()
    assert QTextDocumentFragment.fromHtml(label.toolTip()).toPlainText() == name
    assert "<img" not in label.toolTip()
    assert plain("a & b\nc") == "a & b\nc"


def test_labels_show_plain_text(qtbot: QtBot) -> None:
    label, marked = Label("<b>W</b>"), Label("W")
    qtbot.addWidget(label)
    qtbot.addWidget(marked)
    assert label.sizeHint().width() > 2 * marked.sizeHint().width()
