"""What the sign-in and the lock page have in common: saying in place what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout

from desktop.errors import GlassineError
from desktop.widgets.fields import Field
from desktop.widgets.icons import Icons
from desktop.widgets.labels import StyledWidget
from desktop.widgets.scroll_page import ScrollPage

if TYPE_CHECKING:
    from desktop.widgets.notices import ErrorBox


class FormPage(StyledWidget):
    """A page with one form in a scroll area; errors stand at their field or above the button.

    Attributes:
        button: The primary button, in the form's layout.
    """

    _icons: Icons
    _scroll: ScrollPage
    _layout: QVBoxLayout
    _error: ErrorBox | None
    button: QPushButton

    def show_error_at(self, field: Field, sentence: str) -> None:
        """Say what is wrong with a field and take the cursor there."""
        field.set_error(sentence)
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        field.edit.selectAll()
        self._scroll.reveal(field)

    def show_error(self, error: GlassineError) -> None:
        """Say above the button what is no single field's fault."""
        from desktop.widgets.notices import error_words  # not needed before the first paint

        self.show_problem(*error_words(error))

    def show_problem(self, title: str, text: str, details: str) -> None:
        """Say what went wrong above the button."""
        from desktop.widgets.notices import ErrorBox

        self._clear_error()
        self._error = ErrorBox(self._icons, title, text, details=details)
        self._layout.insertWidget(self._layout.indexOf(self.button), self._error)
        self._scroll.reveal(self._error)
        self._error.announce()

    def _clear_error(self) -> None:
        if self._error is not None:
            self._error.hide()
            self._error.deleteLater()
            self._error = None
