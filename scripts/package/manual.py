"""The manual page, made of ``docs/command-line.md``: the little Markdown that is used there, and nothing more."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_SPAN = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")


def manual(markdown: str, version: str, date: int) -> str:
    """Return the page as roff."""
    day = datetime.fromtimestamp(date, UTC).date().isoformat()
    out = [
        f'.TH GLASSINE 1 "{day}" "Glassine {version}" "User Commands"',
        ".SH NAME",
        "glassine \\- private pictures, encrypted on this computer",
        ".SH DESCRIPTION",
    ]
    for block in re.split(r"\n{2,}", markdown.strip()):
        out += _block(block.strip("\n"))
    return "\n".join(out) + "\n"


def _block(block: str) -> list[str]:
    lines = block.splitlines()
    heading = re.match(r"(#+) (.*)", lines[0])
    if heading:
        level, words = len(heading[1]), heading[2].replace("`", "")
        title = {1: [], 2: [f".SH {_plain(words).upper()}"], 3: [f'.SS "{_plain(words)}"']}[level]
        rest = "\n".join(lines[1:]).strip("\n")
        return title + (_block(rest) if rest else [])
    if lines[0].startswith("    "):
        return [".PP", ".nf", ".RS 4", *(_guarded(_plain(line[4:])) for line in lines), ".RE", ".fi"]
    if lines[0].startswith("|"):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return [line for row in rows[2:] for line in (".TP", _spans(row[0]), _guarded(_spans(row[1])))]
    if lines[0].startswith("- "):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return [line for item in items for line in _item(" ".join(item.split()))]
    return [".PP", _guarded(_spans(" ".join(lines)))]


def _item(text: str) -> list[str]:
    option = re.match(r"(`-[^`]*`(?: \([^)]*\))?):? (.*)", text)
    if option:
        return [".TP", _spans(option[1]), _guarded(_spans(option[2]))]
    return [".IP \\(bu 3", _guarded(_spans(text))]


def _spans(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    return _SPAN.sub(lambda match: f"\\fB{match[1] or match[2]}\\fR", _plain(text))


def _plain(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


def _guarded(line: str) -> str:
    """Keep a line from being taken for a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line
