"""How a view says what it takes and answers: the decorator :func:`operation`, next to the view.

Only plain values are kept here, for ``backend/api/openapi.py`` to make a document of when somebody asks for it. What
every route of a realm may refuse with (no credentials, a full disk …) is added there and not repeated at each view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Schema = Mapping[str, Any]
View = TypeVar("View", bound=Callable[..., object])

JSON = "application/json"
OCTETS = "application/octet-stream"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

ATTRIBUTE = "operation"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer.

    Attributes:
        schema: Of its body; None: it has none.
        kinds: Content types that the body may have.
        headers: Names of the headers that matter, see ``openapi_parts.HEADERS``.
        text: What it means, when that is not plain.
    """

    schema: Schema | None = None
    kinds: tuple[str, ...] = (JSON,)
    headers: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries.

    Attributes:
        schema: Of the form, the JSON object, or the text.
        kinds: Content types that are read, each with the same members.
        example: One that works; for binary parts it has no value.
        required: Whether there must be a body.
    """

    schema: Schema
    kinds: tuple[str, ...] = (FORM, JSON, MULTIPART)
    example: Any = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """What one view takes and answers.

    Attributes:
        answers: Good answers by status.
        refused: What it refuses besides what its realm does: the texts by status.
        body: What the request carries; None: nothing.
        parameters: Names of query parameters and headers, see ``openapi_parts.PARAMETERS``.
        note: What the docstring does not say, for those who call it.
        security: The name of a way to sign in that only this view knows; empty: that of its realm.
    """

    answers: Mapping[int, Answer]
    refused: Mapping[int, str] = field(default_factory=dict)
    body: Body | None = None
    parameters: tuple[str, ...] = ()
    note: str = ""
    security: str = ""


NOTHING = Answer()
"""An answer without a body."""

EMPTY_TEXT = Answer({"type": "string", "enum": [""]}, text='There is nothing to say: the body is `""`.')


def operation(
    answers: Mapping[int, Answer],
    refused: Mapping[int, str] | None = None,
    *,
    body: Body | None = None,
    parameters: tuple[str, ...] = (),
    note: str = "",
    security: str = "",
) -> Callable[[View], View]:
    """Describe a view; see :class:`Operation`. The docstring's first line becomes the summary."""

    def describe(view: View) -> View:
        setattr(view, ATTRIBUTE, Operation(answers, refused or {}, body, parameters, note, security))
        return view

    return describe


def named(name: str) -> Schema:
    """The schema of a name, see ``backend/api/schemas.py``."""
    return {"$ref": f"#/components/schemas/{name}"}


def one(name: str, *headers: str) -> Answer:
    """One object as JSON."""
    return Answer(named(name), headers=headers)


def many(name: str, *headers: str) -> Answer:
    """A list of objects as JSON."""
    return Answer({"type": "array", "items": named(name)}, headers=headers)


def plain(example: str) -> Answer:
    """A text."""
    return Answer({"type": "string", "example": example}, ("text/plain",))


def binary(kind: str, *headers: str) -> Answer:
    """Bytes."""
    return Answer({"type": "string", "format": "binary"}, (kind,), headers)


def members(*optional: str, **properties: Schema) -> Schema:
    """The schema of an object whose members are required but for the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def fields(*optional: str, example: Mapping[str, str], **properties: Schema) -> Body:
    """A form or a JSON object with these fields, required but for the ``optional`` ones."""
    schema = members(*optional, **properties)
    return Body(schema, example=dict(example), required="required" in schema)
