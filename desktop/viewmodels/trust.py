"""What a listing found, in words: banners, and explanations of single pictures. Must not import widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from desktop.errors import AuthorUnknown
from desktop.models import Picture, PictureState, Scheme, Trust
from desktop.viewmodels.wording import moment_text, short_text

if TYPE_CHECKING:
    from desktop.models import Person

translate = QCoreApplication.translate

MISSING: Final = "missing"
REFUSED: Final = "refused"
FILTERS: Final[dict[str, Callable[[Picture], bool]]] = {
    "shared": lambda picture: bool(picture.shared_with),
    "not-verified": lambda picture: picture.unverified,
    "unprotected": lambda picture: picture.scheme is Scheme.CLASSIC,
    "conflict": lambda picture: picture.conflict,
    MISSING: lambda picture: picture.state is PictureState.MISSING,
    REFUSED: lambda picture: picture.state is PictureState.REFUSED,
}
"""Filters of the gallery: name, and what it keeps."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble, as a banner says it.

    Attributes:
        key: Names it.
        kind: info, warn or danger.
        title: A few words.
        text: What it means for the pictures.
        action: What the button says; empty without one.
        pictures: Which pictures it is about.
        user_id: Whom it is about.
    """

    key: str
    kind: str
    title: str
    text: str
    action: str = ""
    pictures: tuple[str, ...] = ()
    user_id: str = ""


def findings(trust: Trust, *, here: bool) -> list[Finding]:
    """What a complete listing found, the gravest first; ``here`` for a vault on this computer."""
    found: list[Finding] = []
    older = (*trust.rolled_back, *trust.forked)
    if older:
        count = len(older)
        title = (
            translate("Trust", "This vault holds an older revision of %n pictures", None, count)
            if here
            else translate("Trust", "The server handed out an older revision of %n pictures", None, count)
        )
        code = "V-112" if trust.rolled_back else "V-113"
        text = translate("Trust", "It is not shown. Nothing of yours was overwritten. (%1)").replace("%1", code)
        found.append(Finding("older", "danger", title, text, translate("Trust", "Details"), older))
    if trust.injected:
        count = len(trust.injected)
        title = translate("Trust", "%n pictures among yours are not from you", None, count)
        text = translate("Trust", "They are not shown. Nothing of yours was overwritten. (V-122)")
        found.append(Finding("injected", "danger", title, text, translate("Trust", "Details"), trust.injected))
    if trust.resurrected:
        count = len(trust.resurrected)
        title = translate("Trust", "%n pictures are back that you deleted for good", None, count)
        text = translate("Trust", "They are not shown. Whoever keeps them has kept what was to be deleted. (V-121)")
        found.append(Finding("resurrected", "danger", title, text, translate("Trust", "Details"), trust.resurrected))
    if trust.scheme_changed:
        count = len(trust.scheme_changed)
        title = translate("Trust", "%n pictures are offered in another scheme", None, count)
        text = translate("Trust", "You stored them differently protected. They are not shown. (V-117)")
        found.append(Finding("scheme", "danger", title, text, translate("Trust", "Details"), trust.scheme_changed))
    if trust.missing:
        count = len(trust.missing)
        title = (
            translate("Trust", "%n pictures are missing from this vault", None, count)
            if here
            else translate("Trust", "%n pictures are missing on the server", None, count)
        )
        text = translate("Trust", "You did not delete them. (V-120)")
        found.append(Finding(MISSING, "danger", title, text, translate("Trust", "Show them"), trust.missing))
    if trust.ledger_problem:
        title = translate("Trust", "What your computers remember could not be exchanged")
        text = translate("Trust", "This computer goes by its own memory alone. (%1)").replace(
            "%1", trust.ledger_problem
        )
        found.append(Finding("ledger", "warn", title, text))
    if trust.new_device and not here:
        found.append(_new_device(trust))
    return found


def _new_device(trust: Trust) -> Finding:
    title = translate("Trust", "This computer has no memory of these pictures yet")
    if trust.ledger_time is None:
        text = translate(
            "Trust", "What the server offers now is taken as it is. Had it offered less, nobody could tell."
        )
    else:
        when = moment_text(trust.ledger_time.astimezone().replace(tzinfo=None))
        text = translate(
            "Trust",
            "The newest list the server offers is of %1. Had it offered an older one, nobody could tell.",
        ).replace("%1", when)
    return Finding("new-computer", "info", title, text)


def changed_findings(people: Sequence[Person]) -> list[Finding]:
    """Banners for people whose key has changed."""
    found = []
    for person in people:
        title, text = changed_words(person)
        found.append(
            Finding(
                f"key-changed-{person.user_id}",
                "danger",
                title,
                text,
                translate("Trust", "Compare words"),
                user_id=person.user_id,
            )
        )
    return found


def changed_words(person: Person) -> tuple[str, str]:
    """Title and sentences of a changed key, or of words that did not match: both explanations, and no way round."""
    name = short_text(person.name)
    if person.differs:
        title = translate("Trust", "The words of %1 did not match")
        text = translate(
            "Trust",
            "Either one of you misread a word, or the server handed out somebody else’s key. Nothing new is shared "
            "with %1 until the words match. What you shared earlier stays as it was.",
        )
        return title.replace("%1", name), text.replace("%1", name)
    if person.since is not None:
        day = moment_day(person)
        title = translate("Trust", "%1’s key is not the one you know since %2").replace("%2", day)
    else:
        title = translate("Trust", "%1’s key is not the one you know")
    text = translate(
        "Trust",
        "Either %1 made a new key, or somebody is trying to read what you share. Nothing new is shared with %1 until "
        "you have compared the words again. What you shared earlier stays as it was.",
    )
    return title.replace("%1", name), text.replace("%1", name)


def moment_day(person: Person) -> str:
    """The day a person's key was compared or first met."""
    from desktop.viewmodels.wording import day_text

    return day_text(person.since.astimezone()) if person.since is not None else ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said of a picture that is not shown.

    Attributes:
        title: What is the matter, with the code.
        text: What happened and what it means.
        advice: What to do.
        details: To be copied for a report.
        icon: Name of the icon.
        danger: Whether it is shown in danger.
        again: Whether asking again may help.
        forget: Whether the person may give the picture up.
    """

    title: str
    text: str
    advice: str
    details: str
    icon: str
    danger: bool = False
    again: bool = False
    forget: bool = False


_ADVICE: Final[dict[str, Any]] = {
    "V-112": QT_TRANSLATE_NOOP(
        "Trust",
        "Somebody gave the server an old backup, or it hides your newer version. Ask whoever runs it. If you still "
        "have the file, add it again.",
    ),
    "V-113": QT_TRANSLATE_NOOP(
        "Trust", "Two different versions carry the same number. Ask whoever runs the server what happened to it."
    ),
    "V-114": QT_TRANSLATE_NOOP(
        "Trust", "The steps between the version you know and this one are not there. Ask again later."
    ),
    "V-115": QT_TRANSLATE_NOOP(
        "Trust", "Another picture is in its place. Ask whoever runs the server what happened to it."
    ),
    "V-117": QT_TRANSLATE_NOOP(
        "Trust", "A sealed picture does not become a classic one by itself. Ask whoever runs the server."
    ),
    "V-118": QT_TRANSLATE_NOOP(
        "Trust", "Ask its owner to share it with you once more. If that does not help, ask whoever runs the server."
    ),
    AuthorUnknown.code: QT_TRANSLATE_NOOP(
        "Trust",
        "You let somebody change it. It is shown once that person is known here too: find them by name, as if to share "
        "something.",
    ),
    "V-121": QT_TRANSLATE_NOOP(
        "Trust", "You need do nothing: it stays deleted for you. Whoever runs the server has kept a copy."
    ),
    "V-122": QT_TRANSLATE_NOOP(
        "Trust", "You need do nothing: it is not from you, and nothing of yours was replaced by it."
    ),
}


def advice_for(code: str) -> str:
    """What to do about a refusal."""
    if code in _ADVICE:
        return translate("Trust", _ADVICE[code])
    return translate("Trust", "Ask whoever runs the server what happened to it. Your other pictures are not concerned.")


def _changed_by_somebody(picture: Picture, details: str) -> Explanation:
    """Explain a picture of somebody else: it may be honest, and changed by a person who is not known here."""
    title = translate("Trust", "Changed by somebody you do not know")
    words = translate(
        "Trust",
        "Ask %1 whether somebody else has replaced it. If so, it is shown once you know that person too, or once %1 "
        "has stored it again. If not, ask whoever runs the server.",
    )
    advice = words.replace("%1", short_text(picture.owner_name))
    return Explanation(f"{title} ({picture.problem_code})", picture.problem, advice, details, "help", again=True)


def explain(picture: Picture, *, here: bool) -> Explanation:
    """Explain why a picture is not shown."""
    code = picture.problem_code
    details = f"{code} {picture.stored_name}\n{picture.problem}".strip()
    if picture.state is PictureState.MISSING:
        title = translate("Trust", "Missing from this vault") if here else translate("Trust", "Missing on the server")
        advice = (
            translate("Trust", "Restore the vault’s folder from a backup, or give the picture up.")
            if here
            else translate(
                "Trust",
                "Ask whoever runs the server to restore it from a backup. If you have the file, add it again.",
            )
        )
        text = translate("Trust", "You did not delete it, neither here nor on your other computers.")
        return Explanation(f"{title} ({code or 'V-120'})", text, advice, details, "help", again=True, forget=True)
    if picture.state is PictureState.REFUSED:
        title = (
            translate("Trust", "Not what you stored")
            if not picture.owner_name
            else translate("Trust", "Not what %1 stored").replace("%1", picture.owner_name)
        )
        return Explanation(
            f"{title} ({code or 'V-110'})",
            picture.problem,
            advice_for(code),
            details,
            "shield-alert",
            danger=True,
            again=True,
        )
    if picture.owner_name and code == AuthorUnknown.code:
        return _changed_by_somebody(picture, details)
    title = translate("Trust", "Cannot be opened")
    advice = translate("Trust", "Fetch it again. If that does not help, the stored file is damaged; add it again.")
    return Explanation(f"{title} ({code})" if code else title, picture.problem, advice, details, "error", again=True)
