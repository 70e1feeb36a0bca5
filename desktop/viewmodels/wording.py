"""Dates, sizes and times in words, in the person's language. Must not import widgets."""

from __future__ import annotations

from datetime import date, datetime

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale, QTime

from desktop.viewmodels.picture_list import Section

translate = QCoreApplication.translate

_LEFT_TO_RIGHT, _BY_ITSELF, _END = "\u2066", "\u2068", "\u2069"
"""Marks that keep numbers in their order in words that are read from right to left."""


def _qdate(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)


def day_text(moment: datetime) -> str:
    """Such as "14 March 2026"."""
    return QLocale().toString(_qdate(moment.date()), translate("wording", "d MMMM yyyy"))


def moment_text(moment: datetime) -> str:
    """Such as "Saturday, 14 March 2026, 11:08"."""
    when = QDateTime(_qdate(moment.date()), QTime(moment.hour, moment.minute))
    return QLocale().toString(when, translate("wording", "dddd, d MMMM yyyy, HH:mm"))


def short_day_text(moment: datetime) -> str:
    """Such as "14 Mar 2026", for narrow columns."""
    return QLocale().toString(_qdate(moment.date()), translate("wording", "d MMM yyyy"))


def short_moment_text(moment: datetime) -> str:
    """Such as "14 Mar, 16:42", for narrow columns."""
    when = QDateTime(_qdate(moment.date()), QTime(moment.hour, moment.minute))
    return QLocale().toString(when, translate("wording", "d MMM, HH:mm"))


def section_text(section: Section, today: date) -> str:
    """A date heading: the year is left out when it is the present one and the heading is a day."""
    day = _qdate(section.first_day)
    if section.whole_month:
        return QLocale().toString(day, translate("wording", "MMMM yyyy"))
    if section.first_day.year == today.year:
        return QLocale().toString(day, translate("wording", "dddd, d MMMM"))
    return QLocale().toString(day, translate("wording", "dddd, d MMMM yyyy"))


def search_text(day: date) -> str:
    """Everything a date may be searched by, folded: weekday, day, month by name and number, year."""
    locale, qday = QLocale(), _qdate(day)
    words = (locale.toString(qday, "dddd d MMMM yyyy MMM"), day.isoformat())
    return " ".join(words).casefold()


def dimensions_text(width: int, height: int) -> str:
    """Such as "4000 × 2500"; width first in every reading direction."""
    return f"{_LEFT_TO_RIGHT}{width} × {height}{_END}"


def place_text(north: float, east: float) -> str:
    """Such as "57.64 N, 18.29 E"; two digits are about a kilometre."""
    words = translate("wording", "%1 N, %2 E")
    if north < 0:
        words = translate("wording", "%1 S, %2 E") if east >= 0 else translate("wording", "%1 S, %2 W")
    elif east < 0:
        words = translate("wording", "%1 N, %2 W")
    for mark, degrees in (("%1", north), ("%2", east)):
        words = words.replace(mark, QLocale().toString(abs(degrees), "f", 2))
    return f"{_BY_ITSELF}{words}{_END}"


def number_text(number: int) -> str:
    """A number with the language's separators."""
    return QLocale().toString(number)


def size_text(size: int) -> str:
    """Such as "18.4 MB"; whole numbers from 100 on and for bytes."""
    for limit, digits in ((100 * 1000, 0), (100_000_000, 1), (1_000_000_000, 0)):
        if size < limit:
            return QLocale().formattedDataSize(size, digits, QLocale.DataSizeFormat.DataSizeSIFormat)
    return QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def time_left_text(seconds: float) -> str:
    """Such as "About 2 minutes left"."""
    if seconds < 50:
        return translate("wording", "Less than a minute left")
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return translate("wording", "About %n minutes left", None, minutes)
    hours = round(minutes / 60)
    return translate("wording", "About %n hours left", None, hours)


def short_time_left_text(seconds: float) -> str:
    """Such as "2 min left", for narrow places."""
    if seconds < 50:
        return translate("wording", "under 1 min")
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return translate("wording", "%n min left", None, minutes)
    hours = round(minutes / 60)
    return translate("wording", "%n h left", None, hours)


def rough_time_text(seconds: float) -> str:
    """Such as "About 3 min"."""
    if seconds < 50:
        return translate("wording", "Under 1 min")
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return translate("wording", "About %n min", None, minutes)
    hours = round(minutes / 60)
    return translate("wording", "About %n h", None, hours)


def short_text(text: str, longest: int = 40) -> str:
    """Return a text with its middle left out if it has more than so many characters: nothing breaks a long name."""
    kept = longest // 2 - 2
    return text if len(text) <= longest else f"{text[:kept]}…{text[-kept:]}"
