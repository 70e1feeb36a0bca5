"""The composition root of the backend: builds the Flask application and everything it needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from flask import Flask, request

from backend import health, observer
from backend.api import register_api
from backend.auth import prepare
from backend.auth.bearer import BearerScheme
from backend.auth.signing import signing_key
from backend.backup_marker import check_finished
from backend.config import Config, ConfigError
from backend.services import Services
from backend.services.accounts import Accounts
from backend.services.documents import Documents
from backend.services.files import Files
from backend.services.housekeeping import Housekeeping
from backend.services.permissions import Permissions
from backend.services.pictures import Pictures
from backend.services.sessions import Sessions
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.storage.protocol import Storage


ONE_PROCESS = "another process uses it; a folder takes one (one worker), several need MongoDB"


@dataclass(frozen=True, slots=True)
class Backend:
    """What an application is made of; found at ``app.extensions["glassine"]``."""

    config: Config
    storage: Storage
    services: Services

    def close(self) -> None:
        """Close the storage."""
        self.services.housekeeping.stop()
        self.services.accounts.close()
        self.storage.close()


def build_app(config: Config | None, storage: Storage | None) -> Flask:
    """Build the application; see :func:`backend.create_app`."""
    if config is None and storage is None:
        return _build_from_settings()
    config = Config.from_environment() if config is None else config
    if storage is not None:
        return _build(config, storage)
    from backend.storage.opening import open_configured

    storage = open_configured(config, wait=True)
    try:
        return _build(config, storage)
    except BaseException:
        storage.close()
        raise


def _build_from_settings() -> Flask:
    """Build the application of a worker of some WSGI server."""
    from backend.log_format import start_log
    from backend.storage.opening import place

    try:
        config = Config.from_environment()
    except ConfigError as error:
        _give_up(error, str(error))
    start_log(config.log_format)
    try:
        return build_app(config, None)
    except ConfigError as error:
        _give_up(error, str(error))
    except StorageError as error:
        reason = ONE_PROCESS if error.reason == "in-use" else str(error)
        _give_up(error, f"cannot use {place(config)}: {reason}")


def _give_up(error: Exception, message: str) -> NoReturn:
    # gunicorn prints the text of its own error and stops; of any other it logs a traceback for each worker
    gunicorn = sys.modules.get("gunicorn.errors")
    if gunicorn is not None:
        raise gunicorn.AppImportError(f"glassine: {message}") from error
    raise error


def _build(config: Config, storage: Storage) -> Flask:
    app = Flask("backend", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=config.max_upload_bytes,
        PROVIDE_AUTOMATIC_OPTIONS=False,  # a preflight request is no way around the gate
        PROPAGATE_EXCEPTIONS=False,
        TRAP_HTTP_EXCEPTIONS=False,
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]

    figures = None
    if config.metrics_token is not None:
        from backend.metrics import Metrics

        figures = app.extensions["glassine.metrics"] = Metrics()
    observer.install(app, figures, trust_ids=config.trusted_proxies > 0)
    if config.trusted_proxies:
        from werkzeug.middleware.proxy_fix import ProxyFix

        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]

    accounts = Accounts(storage, config, lambda sign_in: BearerScheme.issue(app, sign_in))
    pictures = Pictures(storage, config)
    services = Services(
        accounts,
        pictures,
        Permissions(storage, pictures.quota),
        Sessions(storage, config, signing_key(config, storage, "session")),
        Files(storage, config, accounts, signing_key(config, storage, "file-server")),
        Documents(storage),
        Housekeeping(storage, pictures),
    )
    app.extensions["glassine"] = Backend(config, storage, services)
    _refuse_unfinished(app, storage)
    app.before_request(services.housekeeping.run_if_due)
    prepare(app, config, storage, services)
    register_api(app, config, signing_key(config, storage, "csrf"))
    app.register_blueprint(health.blueprint)
    return app


def _refuse_unfinished(app: Flask, storage: Storage) -> None:
    """Raise StorageError where a restore was begun and not finished. A database that does not answer yet is asked with
    each request until it has; meanwhile nothing but its watchers' addresses is served."""
    try:
        check_finished(storage)
    except StorageError as error:
        if error.reason != "unreachable":
            raise
    else:
        return
    unknown = True

    def ask() -> None:
        nonlocal unknown
        if unknown and request.blueprint != health.blueprint.name:
            check_finished(storage)
            unknown = False

    app.before_request(ask)
