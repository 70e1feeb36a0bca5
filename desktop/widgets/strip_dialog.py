"""Before and after: what a picture's file tells, and what a copy without metadata tells."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialogButtonBox, QGridLayout, QHBoxLayout, QWidget

from desktop.errors import GlassineError
from desktop.models import Picture
from desktop.viewmodels.strip import BeforeAndAfter, StripViewModel
from desktop.viewmodels.wording import size_text
from desktop.widgets.buttons import Button
from desktop.widgets.dialogs import Dialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import ElidedLabel, Hairline, IconLabel, Label
from desktop.widgets.notices import ErrorBox, error_words
from desktop.widgets.theme import Space

ROW_HEIGHT = 30


class StripDialog(Dialog):
    """Shows one picture at a time; a combo chooses another."""

    def __init__(self, icons: Icons, parent: QWidget, model: StripViewModel, pictures: Sequence[Picture]) -> None:
        super().__init__(icons, parent, "", self.WIDE)
        self._model, self._pictures = model, list(pictures)
        self.heading.setText(self.tr("Before and after"))
        self.setWindowTitle(self.heading.text())
        self.sentence.setText(self.tr("Your own picture stays whole. Others get a copy that tells only what it shows."))
        self.sentence.show()
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("Picture"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(20)
        for picture in self._pictures:
            self.choice.addItem(picture.name)
        self.choice.setVisible(len(self._pictures) > 1)
        self.choice.currentIndexChanged.connect(self._look)
        self.body.addWidget(self.choice)
        self._shown: QWidget = Label(self.tr("Looking into the picture…"), "secondary")
        self.body.addWidget(self._shown)
        self.add_button(Button(self.tr("Close")), QDialogButtonBox.ButtonRole.RejectRole, default=True)
        model.looked.connect(self._on_looked)
        model.failed.connect(self._on_failed)
        self.finished.connect(model.cancel)
        self._look(0)

    def _look(self, at: int) -> None:
        if 0 <= at < len(self._pictures):
            self._model.look(self._pictures[at])

    def _show(self, widget: QWidget) -> None:
        self._shown.hide()
        self._shown.deleteLater()
        self._shown = widget
        self.body.addWidget(widget)
        self.reveal(widget)

    def _on_failed(self, picture: Picture, error: GlassineError) -> None:
        title, text, details = error_words(error)
        self._show(ErrorBox(self.icons, title, text, details=details))

    def _on_looked(self, result: BeforeAndAfter) -> None:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(Space.MEDIUM)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for column, words in ((1, self.tr("Your picture")), (2, self.tr("The shared copy"))):
            heading = Label(words, "strong")
            heading.setMinimumHeight(ROW_HEIGHT)
            grid.addWidget(heading, 0, column)
        rows: list[tuple[str, str, str]] = [(self.tr("Name"), result.picture.name, result.new_name)]
        rows += [(told.name, told.value, told.value if told.kept else "") for told in result.told]
        rows.append((self.tr("Size"), size_text(result.size), size_text(result.new_size)))
        for number, (name, before, after) in enumerate(rows):
            line = 2 * number + 1
            grid.addWidget(Hairline(), line, 0, 1, 3)
            caption = ElidedLabel(name, "caption")
            caption.setMinimumHeight(ROW_HEIGHT)
            grid.addWidget(caption, line + 1, 0)
            grid.addWidget(ElidedLabel(before), line + 1, 1)
            grid.addWidget(ElidedLabel(after) if after else self._removed(), line + 1, 2)
        if result.encoded_anew:
            note = Label(self.tr("The pixels are the same; they are written as PNG."), "caption", wrap=True)
            grid.addWidget(note, 2 * len(rows) + 1, 0, 1, 3)
        self._show(table)

    def _removed(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(IconLabel(self.icons, "remove-details", "text2", 16), 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(Label(self.tr("removed"), "caption"), 1)
        return holder
