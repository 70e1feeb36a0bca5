"""What all tests share."""

from __future__ import annotations

import os

from tests.mongodb import mongo_databases, mongo_uri, mongodb  # noqa: F401 (fixtures)

# no display is needed, and none is opened where there is one
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
