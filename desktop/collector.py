"""When and where Python's cycle collector runs in the window. Must not import PySide6.

Left alone it runs in whichever thread happens to allocate. A QObject that is part of a cycle would then die in a
worker: its timers stay known to the GUI thread, which crashes at their next tick. While somebody holds it, it runs only
where :func:`collect_due` is called (docs/adr/0067).

A hundred thousand pictures are several hundred thousand objects in no cycle at all. Each full pass would walk over all
of them with the interpreter held: 110 to 170 ms in which the window does not answer. They are left out
(docs/adr/0073).
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_holders = 0
_making = 0
_let_go = False


def hold() -> None:
    """Let the collector run only in :func:`collect_due`, until as many have called :func:`release`."""
    global _holders  # noqa: PLW0603 - the collector is one for the whole process
    with _lock:
        _holders += 1
        gc.disable()


def release() -> None:
    """Take one :func:`hold` back."""
    global _holders  # noqa: PLW0603
    with _lock:
        _holders -= 1
        if not _holders:
            gc.enable()


def collect_due() -> None:
    """Do the pass that Python would have done by now, if any; to be called in the GUI thread, now and then."""
    global _let_go  # noqa: PLW0603
    if _making:
        return
    if _let_go:
        _let_go = False
        gc.collect()
        return
    due = [count > threshold for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    for generation in (2, 1, 0):
        if due[generation]:
            gc.collect(generation)
            return


@contextmanager
def many_lasting_objects() -> Iterator[None]:
    """Put the collector off while many objects are made, and leave them out of its later passes."""
    global _making  # noqa: PLW0603
    hold()
    with _lock:
        _making += 1
    try:
        yield
    finally:
        with _lock:
            _making -= 1
            if not _making:
                gc.freeze()
        release()


def let_go() -> None:
    """Let the collector see everything again, and soon; called when the pictures are dropped.

    Whatever belonged to what was left and is part of a cycle would else stay, and be left out with the next pictures.
    """
    global _let_go  # noqa: PLW0603
    gc.unfreeze()
    _let_go = True
