"""Addresses for those who watch a server: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING, cast

from flask import Blueprint, Response, current_app, request

from backend import errors
from backend.api.operation import one, operation, plain
from backend.api.responses import config, json_response
from backend.backup_marker import check_finished
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.app import Backend
    from backend.metrics import Metrics

logger = logging.getLogger(__name__)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@operation({200: one("Status")})
def alive() -> Response:
    """Whether the process answers; storage is not asked, so that nobody restarts a server for its database."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
@operation({200: one("Status")}, {503: "The storage's error"})
def ready() -> Response:
    """Whether requests can be served right now."""
    try:
        storage = cast("Backend", current_app.extensions["glassine"]).storage
        storage.check()
        check_finished(storage)
    except StorageError as error:
        logger.error("Not ready: storage (%s): %s", error.reason, error)
        _, message = errors.STORAGE_ANSWERS.get(error.reason, errors.STORAGE_ANSWERS["other"])
        return json_response({"message": message}, 503)
    return json_response({"status": "ok"})


@blueprint.get("/metrics")
@operation({200: plain("glassine_requests_total 1.0")}, {404: "Not found"}, security="metrics")
def metrics() -> Response:
    """Figures for Prometheus, for those with the token; for everybody else there is no such address."""
    token = config().metrics_token
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if token is None or kind != "Bearer" or not hmac.compare_digest(given.encode("utf-8"), token.encode("utf-8")):
        raise errors.NotFound
    figures: Metrics = current_app.extensions["glassine.metrics"]
    text, content_type = figures.page()
    return Response(text, content_type=content_type)
