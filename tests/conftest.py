"""What all tests share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from desktop import collector
from tests.mongodb import mongo_databases, mongo_uri, mongodb  # noqa: F401 (fixtures)

# no display is needed, and none is opened where there is one
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What belongs to Qt dies in the main thread also when a test has threads, and with the test that made it."""
    if "qapp" not in getattr(item, "fixturenames", ()):
        return (yield)
    collector.hold()
    try:
        return (yield)
    finally:
        from PySide6.QtCore import QCoreApplication, QEvent

        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
        gc.freeze()  # what is left lasts, and need not be walked over again
        collector.release()
