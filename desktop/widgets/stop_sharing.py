"""The confirmation before pictures are taken back from somebody, with honest words about copies."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QCheckBox, QWidget

from desktop.viewmodels.share import WITHOUT_KEY, ShareRow
from desktop.viewmodels.wording import short_text
from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.icons import Icons
from desktop.widgets.labels import Label

translate = QCoreApplication.translate


class StopSharingDialog(ConfirmDialog):
    """Asks; ``reseal`` says whether the pictures are to be encrypted again.

    For somebody who may replace them they always are: otherwise a revision signed by the old key would still fit.
    """

    def __init__(self, icons: Icons, parent: QWidget, row: ShareRow, count: int) -> None:
        name, one = short_text(row.person.name, 24), count == 1
        never = row.waiting or row.person.state in WITHOUT_KEY
        if never:
            text = translate("StopSharing", "%1 has not opened anything of it yet.")
        elif one:
            text = translate(
                "StopSharing", "The server stops handing it to %1. What %1 has already saved cannot be taken back."
            )
        else:
            text = translate(
                "StopSharing", "The server stops handing them to %1. What %1 has already saved cannot be taken back."
            )
        super().__init__(
            icons,
            parent,
            title=translate("StopSharing", "Stop sharing %n pictures with %1?", None, count).replace("%1", name),
            text=text.replace("%1", name),
            confirm=translate("StopSharing", "Stop sharing"),
            safe=translate("StopSharing", "Cancel"),
            icon="people",
            danger=True,
        )
        self._never = never
        self._forced = row.had == "write"
        again = self.tr("Also encrypt them again, under new keys")
        self.box = QCheckBox(self.tr("Also encrypt it again, under a new key") if one else again)
        self.box.setChecked(True)
        self.box.setEnabled(not self._forced)
        why = (
            self.tr("Always done for somebody who could replace them.")
            if self._forced
            else self.tr("Otherwise %1’s key still fits later versions.").replace("%1", name)
        )
        helper = Label(why, "caption", wrap=True)
        self.box.setAccessibleDescription(why)
        if not never:
            self.body.addWidget(self.box)
            self.body.addWidget(helper)

    @property
    def reseal(self) -> bool:
        """Whether they are to be encrypted again."""
        return not self._never and (self._forced or self.box.isChecked())


def unverified_question(icons: Icons, parent: QWidget, names: list[str]) -> ConfirmDialog:
    """Asked once before something is shared with people whose words were never compared; comparing is the default."""
    title = translate("Share", "Share with %1 before comparing words?").replace(
        "%1", ", ".join(short_text(name, 24) for name in names)
    )
    text = translate("Share", "If the server handed out a false key, somebody else can open these pictures.")
    return ConfirmDialog(
        icons,
        parent,
        title=title,
        text=text,
        confirm=translate("Share", "Share"),
        safe=translate("Share", "Compare words"),
        icon="shield-question",
        safe_is_primary=True,
    )
