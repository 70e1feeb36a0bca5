"""All attacks: importing this module fills ``ATTACKS``."""

from __future__ import annotations

from tests.malicious_server import (  # noqa: F401 (each declares its attacks)
    apart,
    ciphertext,
    clocks,
    dealings,
    grants,
    injecting,
    key_files,
    keys_of_people,
    names,
    shapes,
    states,
    wire,
)
from tests.malicious_server.playing import ATTACKS, FAMILIES

__all__ = ["ATTACKS", "FAMILIES", "SECOND_HALF"]

SECOND_HALF = {"older states", "answers of any shape", "injecting files", "clocks"}
"""Families that are tested in a module of their own, so that two processes can play."""
