"""The one rule for passphrases, in one place. Must not import widgets."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication

MIN_LENGTH: Final = 8


def length_rule() -> str:
    """The rule as a sentence, for those who are about to choose."""
    return QCoreApplication.translate("Passphrase", "At least %n characters.", "", MIN_LENGTH)


def not_the_same() -> str:
    """What is said of two secrets that should be one."""
    return QCoreApplication.translate("Passphrase", "The two are not the same.")


def too_short(secret: str) -> str:
    """What is said of a new secret, passphrase or password, that is guessed too easily; empty for a longer one."""
    if len(secret) >= MIN_LENGTH:
        return ""
    return QCoreApplication.translate("Passphrase", "Take at least %n characters.", "", MIN_LENGTH)


def passphrase_problem(passphrase: str, repeated: str, *, password: str | None = None) -> tuple[str, str]:
    """Say what is wrong with a new passphrase: the field (``passphrase`` or ``repeat``) and a sentence.

    Both are empty when nothing is. There is one plain rule and no meter: meters are wrong about what they measure.
    ``password`` is that of the account, which the server sees and which must therefore be another.
    """
    translate = QCoreApplication.translate
    if short := too_short(passphrase):
        return "passphrase", short
    if password is not None and passphrase == password:
        return "passphrase", translate(
            "Passphrase",
            "Choose a passphrase that is not your sign-in password. The server must never see it.",
        )
    if passphrase != repeated:
        return "repeat", not_the_same()
    return "", ""
