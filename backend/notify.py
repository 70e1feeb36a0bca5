"""Tells a service manager how far the server is (sd_notify)."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def managed() -> bool:
    """Whether a service manager has started this process and waits for word."""
    return os.environ.get("NOTIFY_SOCKET", "").startswith(("/", "@"))


def notify(state: str) -> None:
    """Send a state such as ``READY=1`` to the socket in ``NOTIFY_SOCKET``, if there is one; failing is no error."""
    if not managed():
        return
    address = os.environ["NOTIFY_SOCKET"]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(state.encode("ascii"), address.replace("@", "\0", 1) if address[0] == "@" else address)
