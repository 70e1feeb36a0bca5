"""Every failure becomes one JSON line, ``{"message": "…"}``; what happened inside goes to the log.

Routes that serve clients of other systems answer in the words of those, see ``backend/compat``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import cast

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.http import quote_etag

from backend import errors
from backend.storage.protocol import StorageError

logger = logging.getLogger(__name__)


ErrorText = Callable[[int, str], tuple[str, str]]
"""Makes body and content type of an error from status and message."""

_EXTENSION = "glassine.error_texts"


def plain_error_text(status: int, message: str) -> tuple[str, str]:
    """The one shape of errors."""
    return json.dumps({"message": message}, separators=(",", ":")), "application/json"


def install(app: Flask, texts: dict[str, ErrorText]) -> None:
    """Answer errors in the one shape, or the one of the endpoint, its blueprint, or the whole application (``""``)."""
    app.extensions[_EXTENSION] = {"": plain_error_text} | texts
    app.register_error_handler(errors.BackendError, _refused)
    app.register_error_handler(StorageError, _storage)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def error_text(app: Flask, endpoint: str, status: int, message: str) -> tuple[str, str]:
    """Body and content type of an error of an endpoint."""
    texts = cast("dict[str, ErrorText]", app.extensions[_EXTENSION])
    shape = texts.get(endpoint) or texts.get(endpoint.rpartition(".")[0]) or texts[""]
    return shape(status, message)


def _answer(status: int, message: str) -> Response:
    body, content_type = error_text(current_app, request.endpoint or "", status, message)
    return Response(body, status, content_type=content_type)


def _refused(error: errors.BackendError) -> Response:
    response = _answer(error.status, error.message)
    if isinstance(error, errors.TooManyAttempts):
        response.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, errors.PreconditionFailed) and error.etag:
        response.headers["ETag"] = quote_etag(error.etag)
    return response


def _storage(error: StorageError) -> Response:
    logger.error("Storage (%s) at %s %s: %s", error.reason, request.method, _route(), error)
    status, message = errors.STORAGE_ANSWERS.get(error.reason, errors.STORAGE_ANSWERS["other"])
    return _answer(status, message)


def _http(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        return _refused(errors.TooLarge())
    if isinstance(error, NotFound):
        return _refused(errors.NotFound())
    response = _answer(error.code or 500, error.name)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    logger.error("Failed at %s %s", request.method, _route(), exc_info=error)
    return _refused(errors.BackendError())


def _route() -> str:
    return request.url_rule.rule if request.url_rule is not None else "-"  # the path itself holds names
