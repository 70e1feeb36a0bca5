"""Glassine's backend: services over a storage, answering HTTP through WSGI. Knows nothing of the desktop program.

Importing this package is cheap: Flask is loaded only when an application is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassine_version import __version__

if TYPE_CHECKING:
    from flask import Flask

    from backend.config import Config
    from backend.storage.protocol import Storage

__all__ = ["__version__", "create_app"]


def create_app(config: Config | None = None, storage: Storage | None = None) -> Flask:
    """Build the WSGI application.

    Args:
        config: The settings; None reads them from the environment.
        storage: Where everything is kept; None opens the one that the settings name. Whoever opened it closes
            it: for None that is ``app.extensions["glassine"].close()``.

    Raises:
        ConfigError: A setting cannot be used, or none says where to keep things.
        StorageError: The folder or the database cannot be used. A database that does not answer is waited for: the
            application says 503 until it does.
    """
    from backend.app import build_app

    return build_app(config, storage)
