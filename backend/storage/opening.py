"""Opens the storage that the settings name. Must not import Flask; an engine is imported when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.config import Config, ConfigError
from backend.config_sources import without_credentials

if TYPE_CHECKING:
    from backend.storage.protocol import Storage


def open_configured(config: Config, *, wait: bool = False) -> Storage:
    """Open the storage of a server; ``wait``: also a database that does not answer yet, see ``open_mongo``.

    Raises:
        ConfigError: The settings name none.
        StorageError: It cannot be used.
    """
    if config.mongodb is not None:
        from backend.storage.mongo import open_mongo

        return open_mongo(config.mongodb, wait=wait)
    if config.data is None:
        raise ConfigError("say where to keep the pictures: set GLASSINE_DATA or GLASSINE_MONGODB")
    from backend.storage.embedded import open_storage

    return open_storage(config.data)


def place(config: Config) -> str:
    """What the settings name, in words that may be shown and logged."""
    return without_credentials(config.mongodb) if config.mongodb is not None else str(config.data)
