"""The places of a kit's 24 words, and the field they are typed into."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPlainTextEdit

from desktop.viewmodels.recovery_kit import WORDS, Mark, Verdict
from desktop.widgets.fields import ErrorLine
from desktop.widgets.icons import Icons
from desktop.widgets.labels import IconLabel, Label
from desktop.widgets.theme import Space

COLUMNS: Final = 4
TEXT_HEIGHT: Final = 64
_MARKS: Final = {Mark.RIGHT: ("check", "ok"), Mark.WRONG: ("close", "danger")}


class WordsGrid(QFrame):
    """The 24 places of a kit, numbered down the columns."""

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self.setProperty("well", True)
        grid = QGridLayout(self)
        grid.setContentsMargins(Space.MEDIUM, Space.MEDIUM, Space.MEDIUM, Space.MEDIUM)
        grid.setVerticalSpacing(Space.SMALL)
        rows = WORDS // COLUMNS
        self._words: list[Label] = []
        self._marks: list[IconLabel] = []
        for at in range(WORDS):
            number = Label(str(at + 1), "caption")
            number.setMinimumWidth(18)
            number.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            word, mark = Label("· · ·", "secondary"), IconLabel(icons, "check", "ok", 16)
            keeps = mark.sizePolicy()
            keeps.setRetainSizeWhenHidden(True)
            mark.setSizePolicy(keeps)
            mark.hide()
            cell = QHBoxLayout()
            cell.setSpacing(Space.SMALL - 2)
            for widget in (number, word, mark):
                cell.addWidget(widget)
            cell.addStretch(1)
            grid.addLayout(cell, at % rows, at // rows)
            self._words.append(word)
            self._marks.append(mark)
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)

    def show_words(self, words: tuple[str, ...]) -> None:
        """Show a new kit's words."""
        self.show_verdict(Verdict(words, (Mark.TYPING,) * len(words), "", wrong=False, complete=True))

    def show_verdict(self, verdict: Verdict) -> None:
        """Show what was typed, each word with what is said of it."""
        typed = (*verdict.words, *("",) * (WORDS - len(verdict.words)))
        for word, mark, text, state in zip(self._words, self._marks, typed, verdict.marks, strict=True):
            word.setText(text[:12] or "· · ·")
            word.set_role({Mark.WRONG: "danger-strong"}.get(state, "strong") if text else "secondary")
            icon = _MARKS.get(state)
            if icon is not None and text:
                mark.set_icon(*icon)
            mark.setVisible(icon is not None and bool(text))
        self.setAccessibleName(" ".join(f"{at} {text}" for at, text in enumerate(typed, 1) if text))

    def clear(self) -> None:
        """Show nothing."""
        self.show_verdict(Verdict((), (Mark.EMPTY,) * WORDS, "", wrong=False, complete=False))


class WordsField(QPlainTextEdit):
    """Where the words are typed; Tab leaves it, and Enter is a space."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.setAccessibleName(label)
        self.setTabChangesFocus(True)
        self.setFixedHeight(TEXT_HEIGHT)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for the space between two words."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.insertPlainText(" ")
        else:
            super().keyPressEvent(event)


def say_verdict(verdict: Verdict, line: Label, mistake: ErrorLine) -> bool:
    """Say what is right so far, or what is wrong; return whether that takes another height than before."""
    before = line.isHidden(), bool(line.text()), len(mistake.text)
    mistake.set_text(verdict.sentence if verdict.wrong else "")
    line.setText("" if verdict.wrong else verdict.sentence)
    line.setVisible(not verdict.wrong)
    return before != (line.isHidden(), bool(line.text()), len(mistake.text))
