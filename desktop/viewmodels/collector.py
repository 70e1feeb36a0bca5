"""Python's cycle collector and the list of pictures. Must not import PySide6.

A hundred thousand pictures are several hundred thousand objects in no cycle at all. Each full pass of the collector
would walk over all of them with the interpreter held: 110 to 170 ms in which the window does not answer
(docs/adr/0073).
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_making = 0


@contextmanager
def many_lasting_objects() -> Iterator[None]:
    """Put the collector off while many objects are made, and leave them out of its later passes."""
    global _making  # noqa: PLW0603 - the collector is one for the whole process
    with _lock:
        _making += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _making -= 1
            if not _making:
                gc.freeze()
                gc.enable()


def let_go() -> None:
    """Let the collector see everything again; called when the pictures are dropped."""
    gc.unfreeze()
