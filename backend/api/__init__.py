"""The HTTP API ``/api/v1``: blueprints parse and answer, services decide."""

from __future__ import annotations

from flask import Flask

from backend.api import (
    accounts,
    bin,
    cors,
    documents,
    downloads,
    failures,
    gate,
    permissions,
    pictures,
    revisions,
    server,
    swagger,
)
from backend.compat import csrf, earlier_api, file_server, session_api, token_api
from backend.config import Config, listed

PREFIX = "/api/v1"
EARLIER = "2022-01"


def register_api(app: Flask, config: Config, csrf_key: bytes) -> None:
    """Add every route, the gate before them and the shapes of errors behind them."""
    cors.install(app, frozenset(listed(config.cors_origins)))
    gate.install(app, config)
    texts: dict[str, failures.ErrorText] = {
        "token_api": token_api.error_text,
        "session_api": session_api.error_text,
        "accounts.delete": session_api.shared_error_text,
    }
    app.register_blueprint(server.blueprint, url_prefix=PREFIX)
    app.register_blueprint(swagger.blueprint, url_prefix=PREFIX)
    if config.api_dialect == EARLIER:
        texts |= {"": earlier_api.error_text, "file_server": failures.plain_error_text}
        csrf.install(app, csrf_key)
        app.register_blueprint(earlier_api.blueprint)
        app.add_url_rule(PREFIX + "/users/<user_id>", "session_api.delete", session_api.delete, methods=["DELETE"])
    else:
        for module in (accounts, pictures, downloads, permissions, revisions, bin, documents):
            app.register_blueprint(module.blueprint, url_prefix=PREFIX)
    app.register_blueprint(session_api.blueprint, url_prefix=PREFIX)
    app.register_blueprint(token_api.blueprint)
    app.register_blueprint(file_server.blueprint)
    failures.install(app, texts)
