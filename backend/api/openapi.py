"""The OpenAPI document, made of the running application: its routes, their descriptions, its realms and error shapes.

``apispec`` is imported when the document is first asked for: most processes never are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

from backend import __version__
from backend.api.failures import error_text
from backend.api.gate import PUBLIC, realm_of
from backend.api.openapi_parts import (
    DESCRIPTION,
    HEADERS,
    MEANINGS,
    PARAMETERS,
    SIGN_IN,
    TAGS,
    VARIABLES,
    VERSION,
)
from backend.api.operation import ATTRIBUTE, FORM, JSON, Answer, Body, Operation, named
from backend.api.schemas import ERRORS, SCHEMAS
from backend.errors import BasicRequired

if TYPE_CHECKING:
    from apispec import APISpec
    from flask import Flask
    from werkzeug.routing import Rule

    from backend.config import Config

SAFE = frozenset({"GET"})
ERROR_HEADERS = {412: "ETag", 416: "Content-Range", 429: "Retry-After"}
_LOCK = Lock()
_EXTENSION = "glassine.openapi"


class Undescribed(LookupError):
    """A route has no description. The text names it."""


def document_text(app: Flask, config: Config) -> str:
    """Return the document as JSON; made once."""
    with _LOCK:
        text: str | None = app.extensions.get(_EXTENSION)
        if text is None:
            text = app.extensions[_EXTENSION] = json.dumps(document(app, config), separators=(",", ":"))
    return text


def document(app: Flask, config: Config) -> dict[str, Any]:
    """Make the document.

    Raises:
        Undescribed: A route has no :func:`~backend.api.operation.operation`.
    """
    from apispec import APISpec

    spec = APISpec(
        "Glassine",
        __version__,
        VERSION,
        info={"description": DESCRIPTION},
        servers=[{"url": "/"}],
        tags=_tags(app),
    )
    for name, schema in SCHEMAS.items():
        spec.components.schema(name, dict(schema))
    for name, way in SIGN_IN.items():
        spec.components.security_scheme(name, way | ({"name": config.session_cookie} if name == "session" else {}))
    _add_routes(spec, app)
    made: dict[str, Any] = spec.to_dict()
    return made


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route and each of its methods but those that Flask adds."""
    for rule in app.url_map.iter_rules():
        for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def _add_routes(spec: APISpec, app: Flask) -> None:
    paths: dict[str, dict[str, Any]] = {}
    used: Counter[str] = Counter()
    for rule, method in routes(app):
        view = app.view_functions[rule.endpoint]
        described = getattr(view, ATTRIBUTE, None)
        if not isinstance(described, Operation):
            raise Undescribed(f"{method} {rule.rule}")
        identifier = f"{rule.endpoint.replace('.', '_')}_{method.lower()}"
        used[identifier] += 1
        if used[identifier] > 1:
            identifier += f"_{used[identifier]}"
        path = re.sub("<(.+?)>", r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = {
            "operationId": identifier,
            "tags": [TAGS[_group(rule.endpoint)][0]],
            **_words(view.__doc__ or "", described.note),
            **_request(rule, method, described),
            "responses": _responses(app, rule, method, described),
            "security": _security(app, rule.endpoint, described),
        }
    for path, operations in paths.items():
        spec.path(path, operations=operations)


def _group(endpoint: str) -> str:
    return endpoint.rpartition(".")[0]


def _tags(app: Flask) -> list[dict[str, str]]:
    used = {_group(rule.endpoint) for rule in app.url_map.iter_rules()}
    texts: dict[str, str] = {}
    for group, (name, text) in TAGS.items():
        if group in used:
            texts[name] = texts.get(name) or text
    return [{"name": name, "description": text} for name, text in texts.items()]


def _words(docstring: str, note: str) -> dict[str, str]:
    summary = " ".join(docstring.split("\n\n", maxsplit=1)[0].split()).rstrip(".")
    return {"summary": summary} | ({"description": note} if note else {})


def _request(rule: Rule, method: str, described: Operation) -> dict[str, Any]:
    parameters = [_variable(rule.endpoint, name) for name in sorted(rule.arguments, key=rule.rule.index)]
    for name in described.parameters:
        parameters.append({"name": name.partition(" ")[0]} | PARAMETERS[name])
    found: dict[str, Any] = {"parameters": parameters} if parameters else {}
    # OpenAPI knows no bodies of GET; the note of such a view says that there is one
    if described.body is not None and method != "GET":
        found["requestBody"] = _body(described.body)
    return found


def _variable(endpoint: str, name: str) -> dict[str, Any]:
    return {"name": name} | (VARIABLES.get(f"{_group(endpoint)}.{name}") or VARIABLES[name])


def _body(body: Body) -> dict[str, Any]:
    example = {} if body.example is None else {"example": body.example}
    content = {kind: {"schema": body.schema, **example} for kind in body.kinds}
    return {"required": body.required, "content": content}


def _security(app: Flask, endpoint: str, described: Operation) -> list[dict[str, list[str]]]:
    if described.security:
        return [{described.security: []}]
    if endpoint in PUBLIC:
        return []
    ways = (scheme.name for scheme in realm_of(endpoint).accepted(app))
    return [{name: []} for name in ways if name in SIGN_IN]  # credentials in a form are part of the form


def _responses(app: Flask, rule: Rule, method: str, described: Operation) -> dict[str, Any]:
    found = {str(status): _answer(status, answer) for status, answer in described.answers.items()}
    refused = dict.fromkeys(_usual(app, rule, method, described), "") | dict(described.refused)
    for status in sorted(refused):
        error = _error(app, rule.endpoint, status, refused[status] or MEANINGS[status])
        if str(status) in found:  # an address that exists to refuse
            continue
        found[str(status)] = error
    return found


def _usual(app: Flask, rule: Rule, method: str, described: Operation) -> Iterator[int]:
    """What a route may refuse with because of what it is, whatever its view does."""
    yield from (500, 503)
    if method not in SAFE:
        yield 507
    if rule.arguments:
        yield 404
    if described.body is not None and method != "GET":
        yield from (400, 413)
        # a view that names 400 itself says it to everything that is wrong with a request
        if (JSON in described.body.kinds or FORM in described.body.kinds) and 400 not in described.refused:
            yield from (415, 422)
    if rule.endpoint in PUBLIC:
        return
    realm = realm_of(rule.endpoint)
    if realm.refusal is not None:
        yield realm.refusal.status
    else:
        yield from (401, 422)
    if any(scheme.name in {"basic", "form"} for scheme in realm.accepted(app)):
        yield 429


def _answer(status: int, answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.text or MEANINGS[status]}
    if answer.headers:
        found["headers"] = {name: HEADERS[name] for name in answer.headers}
    if answer.schema is not None:
        found["content"] = {kind: {"schema": answer.schema} for kind in answer.kinds}
    return found


def _error(app: Flask, endpoint: str, status: int, text: str) -> dict[str, Any]:
    """An error in the shape that the endpoint gives it."""
    body, kind = error_text(app, endpoint, status, "…")
    kind = kind.partition(";")[0]
    schema: Any = {"type": "string"}
    if kind == JSON:
        shape = set(json.loads(body))
        schema = next(named(name) for name in ERRORS if set(SCHEMAS[name]["properties"]) == shape)
    header = ERROR_HEADERS.get(status)
    if realm_of(endpoint).refusal is BasicRequired and status == BasicRequired.status:
        header = "WWW-Authenticate"
    found = {"description": text, "content": {kind: {"schema": schema}}}
    return found | ({"headers": {header: HEADERS[header]}} if header else {})
