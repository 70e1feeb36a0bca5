"""Collects the strings of the desktop program and compiles the translations.

``python scripts/translations.py`` updates ``resources/translations/*.ts`` from the sources and writes the ``.qm``
files that the program loads. English is a translation too, but only of the strings with a number in them: they have a
form for one and a form for many. The exit code is 1 when a string has no translation yet; it is then listed.

Qt's ``lupdate`` finds the strings, but takes ``translate(…, n)`` in Python for a text without a number; every text with
``%n`` is therefore marked here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as Xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "translations"
FORMS = {"en": 2}
"""Plural forms of the languages, as Qt counts them."""

Key = tuple[str, str]


def tool(name: str) -> str:
    """The path of a PySide6 tool beside this interpreter, or on the search path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise SystemExit(f"{name} is missing; it comes with PySide6-Essentials")
    return found


def strings_of_the_sources() -> list[Key]:
    """Every context and text, in the order of the contexts."""
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "desktop").rglob("*.py"))
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.ts"
        command = [tool("pyside6-lupdate"), "-locations", "none", "-silent", *sources, "-ts", str(found)]
        subprocess.run(command, cwd=ROOT, check=True)
        return list(read(found))


def read(ts: Path) -> dict[Key, list[str]]:
    """The translations of a file, each with all its forms; none where it has none."""
    known: dict[Key, list[str]] = {}
    for context in Xml.parse(ts).iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            forms: list[str] = []
            if translation is not None and translation.get("type") != "unfinished":
                numerus = [form.text or "" for form in translation.iter("numerusform")]
                forms = numerus or [translation.text or ""]
            known[context.findtext("name") or "", message.findtext("source") or ""] = forms
    return known


def write(ts: Path, language: str, keys: list[Key], known: dict[Key, list[str]]) -> list[str]:
    """Write a file with these strings and return those that are not translated."""
    missing = []
    root = Xml.Element("TS", version="2.1", language=language, sourcelanguage="en")
    contexts: dict[str, Xml.Element] = {}
    for context, source in keys:
        if context not in contexts:
            contexts[context] = Xml.SubElement(root, "context")
            Xml.SubElement(contexts[context], "name").text = context
        plural, forms = "%n" in source, known.get((context, source), [])
        message = Xml.SubElement(contexts[context], "message", {"numerus": "yes"} if plural else {})
        Xml.SubElement(message, "source").text = source
        translation = Xml.SubElement(message, "translation", {} if forms else {"type": "unfinished"})
        if plural:
            for number in range(FORMS[language]):
                Xml.SubElement(translation, "numerusform").text = forms[number] if forms else ""
        elif forms:
            translation.text = forms[0]
        if not forms:
            missing.append(f"{ts.name}, {context}: {source}")
    Xml.indent(root, "    ")
    text = Xml.tostring(root, encoding="unicode")
    ts.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{text}\n', encoding="utf-8")
    return missing


def main() -> int:
    """Update, compile, and list what is missing."""
    keys, missing = strings_of_the_sources(), []
    for ts in sorted(FOLDER.glob("glassine_*.ts")):
        language = ts.stem.removeprefix("glassine_")
        wanted = [key for key in keys if "%n" in key[1]] if language == "en" else keys
        missing += write(ts, language, wanted, read(ts))
        subprocess.run([tool("pyside6-lrelease"), "-silent", str(ts), "-qm", str(ts.with_suffix(".qm"))], check=True)
    for line in missing:
        print(f"not translated: {line}")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
