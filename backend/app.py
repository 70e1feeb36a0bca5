"""The composition root of the backend: builds the Flask application and everything it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask

from backend.api import register_api
from backend.auth import SCHEMES
from backend.auth.bearer import BearerScheme
from backend.config import Config, ConfigError
from backend.services import Services
from backend.services.accounts import Accounts
from backend.services.permissions import Permissions
from backend.services.pictures import Pictures

if TYPE_CHECKING:
    from backend.storage.protocol import Storage


@dataclass(frozen=True, slots=True)
class Backend:
    """What an application is made of; found at ``app.extensions["glassine"]``."""

    config: Config
    storage: Storage
    services: Services

    def close(self) -> None:
        """Close the storage."""
        self.storage.close()


def build_app(config: Config | None, storage: Storage | None) -> Flask:
    """Build the application; see :func:`backend.create_app`."""
    config = Config.from_environment() if config is None else config
    if storage is None:
        from backend.storage.embedded import open_storage

        if config.data is None:
            raise ConfigError("GLASSINE_DATA must name the folder in which accounts and pictures are kept")
        storage = open_storage(config.data)

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

    accounts = Accounts(storage, config, lambda user_id: BearerScheme.issue(app, user_id))
    services = Services(accounts, Pictures(storage), Permissions(storage))
    app.extensions["glassine"] = Backend(config, storage, services)
    for scheme in SCHEMES:
        scheme.prepare(app, config, storage, services)
    register_api(app)
    return app
