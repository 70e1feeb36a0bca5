"""The questions before pictures are deleted."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from desktop.widgets.dialogs import ConfirmDialog
from desktop.widgets.icons import Icons

translate = QCoreApplication.translate


def delete_question(icons: Icons, parent: QWidget, count: int, *, here: bool) -> ConfirmDialog:
    """The confirmation before pictures are deleted; ``here`` for a vault on this computer."""
    return ConfirmDialog(
        icons,
        parent,
        title=translate("Deleting", "Delete %n pictures?", None, count),
        text=_delete_words(here=here, one=count == 1),
        confirm=translate("Deleting", "Delete %n pictures", None, count),
        safe=translate("Deleting", "Cancel"),
        icon="bin",
        danger=True,
    )


def _delete_words(*, here: bool, one: bool) -> str:
    if here and one:
        return translate(
            "Deleting", "It leaves this vault. Its file is removed after 30 days. Copies saved elsewhere stay."
        )
    if here:
        return translate(
            "Deleting", "They leave this vault. Their files are removed after 30 days. Copies saved elsewhere stay."
        )
    if one:
        return translate(
            "Deleting",
            "It leaves this vault. The server removes its file at once, or keeps it for some time in its bin. "
            "Copies other people have saved stay with them.",
        )
    return translate(
        "Deleting",
        "They leave this vault. The server removes their files at once, or keeps them for some time in its bin. "
        "Copies other people have saved stay with them.",
    )


def purge_question(icons: Icons, parent: QWidget, count: int, *, here: bool) -> ConfirmDialog:
    """The confirmation before pictures are deleted for good; ``here`` for a vault on this computer."""
    return ConfirmDialog(
        icons,
        parent,
        title=translate("Deleting", "Delete %n pictures for good?", None, count),
        text=_purge_words(here=here, one=count == 1),
        confirm=translate("Deleting", "Delete for good"),
        safe=translate("Deleting", "Cancel"),
        icon="bin",
        danger=True,
    )


def _purge_words(*, here: bool, one: bool) -> str:
    if here and one:
        return translate("Deleting", "It leaves this vault and cannot be brought back. Copies saved elsewhere stay.")
    if here:
        return translate("Deleting", "They leave this vault and cannot be brought back. Copies saved elsewhere stay.")
    if one:
        return translate(
            "Deleting",
            "It leaves this vault and the server, and cannot be brought back. Copies other people have saved stay with "
            "them.",
        )
    return translate(
        "Deleting",
        "They leave this vault and the server, and cannot be brought back. Copies other people have saved stay with "
        "them.",
    )
