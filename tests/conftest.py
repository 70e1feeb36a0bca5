"""What all tests share."""

from __future__ import annotations

import os

# no display is needed, and none is opened where there is one
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
