"""Why a picture is not shown, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from desktop.models import Picture
from desktop.viewmodels.trust import explain
from desktop.viewmodels.wording import day_text
from desktop.widgets.buttons import Button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, IconLabel, Label

translate = QCoreApplication.translate


class ExplanationDialog(Dialog):
    """Names the picture, says what happened, what it means, and what to do.

    Signals:
        again_requested(): ask for it once more.
        forget_requested(Picture): give it up.
    """

    again_requested = Signal()
    forget_requested = Signal(object)

    def __init__(self, icons: Icons, parent: QWidget, picture: Picture, *, here: bool) -> None:
        explanation = explain(picture, here=here)
        super().__init__(icons, parent, explanation.title, self.PREFLIGHT)
        self._picture = picture
        self._head.insertWidget(0, IconLabel(icons, explanation.icon, "danger" if explanation.danger else "text2", 24))
        self.name = ElidedLabel(picture.name, "strong")
        self.body.addWidget(self.name)
        self.body.addWidget(Label(day_text(picture.when), "caption"))
        for words in (explanation.text, explanation.advice):
            if words:
                self.body.addWidget(Label(words, wrap=True))
        copy = Button(self.tr("Copy details"), icons, "copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(explanation.details))
        self.add_foot_widget(copy)
        role = QDialogButtonBox.ButtonRole
        if explanation.forget:
            self.forget = self.add_button(Button(self.tr("Give it up"), kind="danger-quiet"), role.DestructiveRole)
            self.forget.clicked.connect(self._on_forget)
        if explanation.again:
            self.again = self.add_button(Button(self.tr("Look again")), role.ActionRole)
            self.again.clicked.connect(self._on_again)
        self.add_button(Button(self.tr("Close")), role.RejectRole, default=True)

    def _on_again(self) -> None:
        self.again_requested.emit()
        self.accept()

    def _on_forget(self) -> None:
        self.forget_requested.emit(self._picture)
        self.accept()
