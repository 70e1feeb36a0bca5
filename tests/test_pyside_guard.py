"""The pinned PySide6 keeps the reference counts of ``None`` and ``True``.

PySide6 6.12.0 on Python 3.10 and 3.11 loses one reference to ``None`` with each Python override of a virtual that
returns ``None``, and one to ``True`` with each Python-side emit; the process aborts after a while. Should the pin be
loosened, this test says so before the window of a person does.
"""

from __future__ import annotations

import gc
import re
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

ROUNDS = 500
SLACK = 50
"""References that come and go for other reasons; a loss would be ten times as many."""


class Widget(QWidget):
    def changeEvent(self, event: QEvent) -> None:
        """Return None, as most overrides do."""
        super().changeEvent(event)


class Sender(QObject):
    happened = Signal(bool)
    nothing = Signal()


def test_overrides_that_return_none_keep_it(qapp: QApplication, qtbot: Any) -> None:
    widget = Widget()
    qtbot.addWidget(widget)
    event = QEvent(QEvent.Type.EnabledChange)
    gc.collect()
    before = sys.getrefcount(None)
    for _ in range(ROUNDS):
        QApplication.sendEvent(widget, event)
    gc.collect()
    assert abs(sys.getrefcount(None) - before) < SLACK


def test_emits_keep_true_and_none(qapp: QApplication) -> None:
    sender, heard = Sender(), []
    sender.happened.connect(heard.append)
    sender.nothing.connect(lambda: None)
    gc.collect()
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(ROUNDS):
        sender.happened.emit(True)
        sender.nothing.emit()
    assert len(heard) == ROUNDS
    heard.clear()
    gc.collect()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert all(abs(now - then) < SLACK for now, then in zip(after, before, strict=True))


def test_no_wrappers_of_layout_items_are_made() -> None:
    """A wrapper made by ``itemAt`` or ``takeAt`` lives on with its layout when Qt has deleted the item.

    A widget that later gets the same address is then taken for the item: ``'QWidgetItem' object has no attribute …``.
    """
    sources = sorted((Path(__file__).resolve().parents[1] / "desktop").rglob("*.py"))
    found = [path.name for path in sources if re.search(r"\.(itemAt|takeAt)\([^)]", path.read_text(encoding="utf-8"))]
    assert found == []
