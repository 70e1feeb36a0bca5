"""The storage engine of servers with several workers or machines: everything in one MongoDB database.

Collections::

    users           accounts
    pictures        records, each with its permissions and the list of its earlier revisions
    revisions       envelopes of earlier revisions; one that no picture lists is not there
    documents       what people's programs keep
    revoked_tokens  forgotten by the database itself after they expire
    sessions        likewise
    files           published files
    blobs.files     blobs, laid out as GridFS
    blobs.chunks
    installation    version of this layout, secrets

No change needs more than one document, so there are no transactions: a stand-alone server does as well as a replica
set. Writes are acknowledged by a majority and its journals. Must not import Flask; pymongo is imported when a storage
is opened, which every process does for itself: a client does not survive a fork.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from backend.config_sources import mongodb_parts
from backend.storage.protocol import StorageError

if TYPE_CHECKING:
    from backend.storage.mongo_storage import MongoStorage

logger = logging.getLogger(__name__)

DATABASE = "glassine"
"""The database when the address names none."""

_UNLESS_GIVEN: dict[str, Any] = {
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,  # a server that stands still does not hold a thread for good
    "waitQueueTimeoutMS": 30_000,
    "wTimeoutMS": 30_000,
}


def open_mongo(uri: str, *, wait: bool = False) -> MongoStorage:
    """Open the storage at ``mongodb://user:password@host/database?options``; indexes are made where they are missing.

    Timeouts are the ones of the address, where it has any.

    Args:
        uri: The address.
        wait: Whether a database that does not answer is no error: then everything but :meth:`~MongoStorage.close`
            raises ``unreachable`` until it does.

    Raises:
        StorageError: ``unreachable``, or ``other``: not an address, no rights, written by a newer version, …
    """
    from pymongo import MongoClient

    from backend.storage.mongo_failures import ADDRESS, raises_storage_error
    from backend.storage.mongo_storage import MongoStorage

    @raises_storage_error
    def opened() -> MongoStorage:
        try:
            client: MongoClient[dict[str, Any]] = MongoClient(uri, **_options(uri))
        except ValueError:  # its text, and the errors before it, may hold the password
            raise StorageError("other", ADDRESS.format("it is not written as one")) from None
        try:
            storage = MongoStorage(client, client.get_default_database(DATABASE).name)
            try:
                storage.get_ready()
            except StorageError as error:
                if not wait or error.reason != "unreachable":
                    raise
                logger.warning("%s It is asked again until it answers", error)
            return storage
        except BaseException:
            client.close()
            raise

    return opened()


def _options(uri: str) -> dict[str, Any]:
    given = {name.lower() for name, _ in parse_qsl(mongodb_parts(uri)[2], keep_blank_values=True)}
    options = {name: value for name, value in _UNLESS_GIVEN.items() if name.lower() not in given}
    fixed = {"appname": "glassine", "tz_aware": False, "w": "majority", "journal": True, "readPreference": "primary"}
    return {**options, **fixed, "retryWrites": True, "retryReads": True}
