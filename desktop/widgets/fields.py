"""Fields with a label above, helper or error below, and an eye for passwords."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from desktop.widgets.buttons import is_enter
from desktop.widgets.icons import Icons
from desktop.widgets.labels import IconLabel, Label


class ErrorLine(QWidget):
    """One sentence in danger, with its icon; hidden while there is nothing to say."""

    def __init__(self, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = Label("", "danger-caption", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(IconLabel(icons, "error", "danger", 16), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)
        self.hide()

    @property
    def text(self) -> str:
        """What is said."""
        return self._words.text()

    def set_text(self, sentence: str) -> None:
        """Say something, or nothing."""
        self._words.setText(sentence)
        self.setVisible(bool(sentence))


class Field(QWidget):
    """A line of input.

    Signals:
        changed(str): the text, at each keystroke; an error shown is taken away.
        submitted(): Enter was pressed.
    """

    changed = Signal(str)
    submitted = Signal()

    def __init__(
        self,
        icons: Icons,
        label: str,
        *,
        helper: str = "",
        password: bool = False,
        large: bool = False,
        placeholder: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icons, self._helper_text = icons, helper
        self.label = Label(label, "strong")
        self.edit = QLineEdit()
        self.edit.setProperty("large", large)
        self.edit.setPlaceholderText(placeholder)
        self.edit.setAccessibleName(label)
        self.label.setBuddy(self.edit)
        self.helper = Label(helper, "caption", wrap=True)
        self._error = ErrorLine(icons, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.label, self.edit, self.helper, self._error):
            layout.addWidget(widget)
        self.helper.setVisible(bool(helper))  # only now: without a parent it would open as a window
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(self._on_text)
        self.edit.returnPressed.connect(self.submitted)
        if password:
            self._add_eye()

    @property
    def text(self) -> str:
        """What was typed."""
        return self.edit.text()

    @property
    def error(self) -> str:
        """The error shown, or an empty text."""
        return self._error.text

    def set_text(self, text: str) -> None:
        """Fill in a text."""
        self.edit.setText(text)

    def clear(self) -> None:
        """Forget what was typed; a password that was shown is hidden again."""
        self.edit.clear()
        if hasattr(self, "_eye"):
            self.edit.setEchoMode(QLineEdit.EchoMode.Password)
            self._dress_eye()

    def set_helper(self, helper: str) -> None:
        """Change the sentence below."""
        self._helper_text = helper
        self.helper.setText(helper)
        self.helper.setVisible(bool(helper) and not self.error)

    def set_error(self, sentence: str) -> None:
        """Show one sentence in danger below the field; an empty one takes it away."""
        if sentence == self.error:
            return
        self._error.set_text(sentence)
        self.helper.setVisible(bool(self._helper_text) and not sentence)
        self.edit.setProperty("error", bool(sentence))
        self.edit.setAccessibleDescription(sentence or self._helper_text)
        self.edit.style().unpolish(self.edit)
        self.edit.style().polish(self.edit)

    def repeats(self, first: Field) -> None:
        """Say that this field repeats another: what is wrong with it may be put right in either."""
        first.changed.connect(lambda _: self.set_error(""))

    def set_busy(self, busy: bool) -> None:
        """Keep the text but take no input."""
        self.edit.setReadOnly(busy)

    def _on_text(self, text: str) -> None:
        self.set_error("")
        self.changed.emit(text)

    def _add_eye(self) -> None:
        self.edit.setEchoMode(QLineEdit.EchoMode.Password)
        self.edit.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, True)
        self.edit.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
        self._eye = QAction(self)
        self._eye.triggered.connect(self._toggle_eye)
        self.edit.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)
        for button in self._eye_buttons():
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the cursor in the field
            button.setProperty("ring_radius", 4)
            button.installEventFilter(self)
        self._icons.changed.connect(self._dress_eye)
        self._dress_eye()

    def _eye_buttons(self) -> list[QWidget]:
        widgets = [thing for thing in self._eye.associatedObjects() if isinstance(thing, QWidget)]
        return [widget for widget in widgets if widget is not self.edit]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Enter press the eye; the line of input around it would take it for its own."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and is_enter(event):
            self._eye.trigger()
            return True
        return super().eventFilter(watched, event)

    def _toggle_eye(self) -> None:
        hidden = self.edit.echoMode() == QLineEdit.EchoMode.Password
        self.edit.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        self._dress_eye()

    def _dress_eye(self) -> None:
        hidden = self.edit.echoMode() == QLineEdit.EchoMode.Password
        words = self.tr("Show what is typed") if hidden else self.tr("Hide what is typed")
        self._eye.setIcon(self._icons.icon("eye" if hidden else "eye-off", "text2", 18))
        self._eye.setText(words)
        self._eye.setToolTip(words)
        for button in self._eye_buttons():
            button.setAccessibleName(words)
