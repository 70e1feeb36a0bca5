"""Reading the small things of a request: form fields, JSON members, query parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from flask import request

from backend.errors import Invalid, Malformed, UnsupportedContentType
from backend.services.accounts import check_id

PAGE_LIMIT = 1000
NAMES_LIMIT = 100

_TAG = re.compile(r'"([0-9a-f-]{1,128})"')


def read_fields(*names: str) -> tuple[str, ...]:
    """The named fields of a form or of a JSON object; a missing one is empty.

    Raises:
        Malformed: The body is not what its content type says.
        UnsupportedContentType: It is neither a form nor JSON.
        Invalid: A JSON member is not a text, or a form's field not UTF-8.
    """
    members = _members()
    return tuple(_text(name, members.get(name, "")) for name in names)


def optional_fields(*names: str) -> tuple[str | None, ...]:
    """As :func:`read_fields`, but a missing one and JSON's ``null`` are None."""
    members = _members()
    return tuple(None if members.get(name) is None else _text(name, members[name]) for name in names)


def _text(name: str, value: object) -> str:
    # JSON can spell halves of characters; in forms what could not be read is U+FFFD, the same for different passwords
    if not isinstance(value, str) or any("\ud800" <= one <= "\udfff" or one == "\ufffd" for one in value):
        raise Invalid(f"{name} must be a text")
    return value


def _members() -> Mapping[str, Any]:
    kind = request.mimetype
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        form = request.form
        if request.content_length and not form and not request.files:
            raise Malformed  # werkzeug answers an unreadable form with an empty one
        return form
    body = request.get_data(cache=False)
    if kind == "application/json":
        return _json_object(body)
    if body.strip():
        raise UnsupportedContentType("Send form fields or JSON")
    return {}


def _json_object(body: bytes) -> dict[str, Any]:
    def refuse(*_: object) -> NoReturn:
        raise Malformed("The body is not valid JSON")

    try:
        value = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError):
        refuse()
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object")
    return value


def page_parameters(check: Callable[[str], str] = check_id) -> tuple[int | None, str]:
    """``limit`` (None: everything) and ``after`` (empty: from the start), which ``check`` returns as it is stored.

    Raises:
        Invalid: They are out of range.
    """
    text, after = request.args.get("limit"), request.args.get("after", "")
    if text is None:
        if after:
            raise Invalid("after needs limit")
        return None, ""
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= PAGE_LIMIT):
        raise Invalid(f"limit must be a number from 1 to {PAGE_LIMIT}")
    return int(text), check(after) if after else ""


def names_parameter(parameter: str = "names") -> list[str]:
    """``names`` (or ``ids``), separated by commas.

    Raises:
        Invalid: There is none, or there are too many.
    """
    names = [name for name in request.args.get(parameter, "").split(",") if name]
    if not 1 <= len(names) <= NAMES_LIMIT:
        raise Invalid(f"{parameter} must hold 1 to {NAMES_LIMIT} {parameter} separated by commas")
    return names


def if_match() -> str | None:
    """The one tag that ``If-Match`` holds; None when there is none.

    Raises:
        Invalid: It holds something else.
    """
    text = request.headers.get("If-Match")
    if text is None:
        return None
    tag = _TAG.fullmatch(text.strip())
    if tag is None:
        raise Invalid("If-Match must hold one tag in quotes")
    return tag[1]
