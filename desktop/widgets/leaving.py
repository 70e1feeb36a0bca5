"""What is said before, and while, work is interrupted: quitting, signing out, locking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from desktop.widgets.open_vault import WorkInHand

translate = QCoreApplication.translate  # numbers in plain variables: lupdate passes over translate(…, a.b)


def leaving_title(work: WorkInHand, *, quitting: bool) -> str:
    """The question, about what weighs most."""
    waiting = work.waiting
    if waiting and quitting:
        return translate("Leaving", "Quit while %n pictures are waiting?", None, waiting)
    if waiting:
        return translate("Leaving", "Sign out while %n pictures are waiting?", None, waiting)
    match work.batch:
        case "export":
            quit_words = translate("Leaving", "Quit while copies are being saved?")
            sign_out_words = translate("Leaving", "Sign out while copies are being saved?")
        case "bin":
            quit_words = translate("Leaving", "Quit while pictures are being moved to the bin?")
            sign_out_words = translate("Leaving", "Sign out while pictures are being moved to the bin?")
        case "restore":
            quit_words = translate("Leaving", "Quit while pictures are being restored?")
            sign_out_words = translate("Leaving", "Sign out while pictures are being restored?")
        case "give-back":
            quit_words = translate("Leaving", "Quit while pictures are being given back?")
            sign_out_words = translate("Leaving", "Sign out while pictures are being given back?")
        case _:
            quit_words = translate("Leaving", "Quit while pictures are being deleted?")
            sign_out_words = translate("Leaving", "Sign out while pictures are being deleted?")
    return quit_words if quitting else sign_out_words


def leaving_text(work: WorkInHand, *, quitting: bool) -> str:
    """What becomes of each part of the work; nothing is promised of what is not here."""
    sentences, kept = [], work.encrypted
    if kept and quitting:
        words = translate(
            "Leaving", "%n are kept here, encrypted, and go on when Glassine is opened again.", None, kept
        )
        sentences.append(words)
    elif kept:
        words = translate("Leaving", "%n are kept here, encrypted, and go on when you sign in again.", None, kept)
        sentences.append(words)
    if work.untouched:
        sentences.append(untouched_words(work.untouched))
    match work.batch:
        case "":
            pass
        case "export":
            sentences.append(translate("Leaving", "Copies saved so far stay where they are. The rest are not saved."))
        case "bin":
            sentences.append(
                translate("Leaving", "What is in the bin by now stays there. The rest stay where they are.")
            )
        case "restore":
            sentences.append(translate("Leaving", "What is restored so far stays restored. The rest stay in the bin."))
        case "give-back":
            sentences.append(translate("Leaving", "What is given back so far is. The rest stay with you."))
        case _:
            sentences.append(translate("Leaving", "What is deleted so far stays deleted. The rest stay in the vault."))
    return " ".join(sentences)


def locked_text(work: WorkInHand | None, going_on: int, *, sent_meanwhile: bool) -> str:
    """What the lock says of the work: what goes on without a key, and what waits."""
    sentences = []
    kept = work.encrypted if work is not None else 0
    if going_on:
        sentences.append(translate("Leaving", "%n transfers go on while locked. They need no key.", None, going_on))
    elif kept and not sent_meanwhile:
        words = translate("Leaving", "%n pictures wait here, encrypted, and go on when you unlock.", None, kept)
        sentences.append(words)
    if work is not None and work.untouched:
        sentences.append(untouched_words(work.untouched))
    return " ".join(sentences)


def untouched_words(count: int) -> str:
    """What is said of pictures of which there is nothing here yet."""
    return translate(
        "Leaving",
        "%n are not encrypted yet and are only where they came from. Leave them there; they go on too.",
        None,
        count,
    )
