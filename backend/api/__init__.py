"""The HTTP API ``/api/v1``: blueprints parse and answer, services decide."""

from __future__ import annotations

from flask import Flask

from backend.api import accounts, downloads, failures, gate, permissions, pictures, server

PREFIX = "/api/v1"


def register_api(app: Flask) -> None:
    """Add every route, the gate before them and the one error shape behind them."""
    gate.install(app)
    failures.install(app)
    for module in (server, accounts, pictures, downloads, permissions):
        app.register_blueprint(module.blueprint, url_prefix=PREFIX)
