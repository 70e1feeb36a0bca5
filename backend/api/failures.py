"""Every failure becomes one JSON line, ``{"message": "…"}``; what happened inside goes to the log."""

from __future__ import annotations

import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.http import quote_etag

from backend import errors
from backend.api.responses import json_response
from backend.storage.protocol import StorageError

logger = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Answer errors in the one shape."""
    app.register_error_handler(errors.BackendError, _refused)
    app.register_error_handler(StorageError, _storage)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: errors.BackendError) -> Response:
    response = json_response({"message": error.message}, error.status)
    if isinstance(error, errors.TooManyAttempts):
        response.headers["Retry-After"] = str(error.seconds)
    if isinstance(error, errors.PreconditionFailed) and error.etag:
        response.headers["ETag"] = quote_etag(error.etag)
    return response


def _storage(error: StorageError) -> Response:
    logger.error("Storage (%s) at %s %s: %s", error.reason, request.method, _route(), error)
    status, message = errors.STORAGE_ANSWERS.get(error.reason, errors.STORAGE_ANSWERS["other"])
    return json_response({"message": message}, status)


def _http(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        return _refused(errors.TooLarge())
    if isinstance(error, NotFound):
        return _refused(errors.NotFound())
    response = json_response({"message": error.name}, error.code or 500)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    logger.error("Failed at %s %s", request.method, _route(), exc_info=error)
    return _refused(errors.BackendError())


def _route() -> str:
    return request.url_rule.rule if request.url_rule is not None else "-"  # the path itself holds names
