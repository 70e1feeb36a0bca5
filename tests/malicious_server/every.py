"""All attacks: importing this module fills ``ATTACKS``."""

from __future__ import annotations

from tests.malicious_server import ciphertext, injecting, names, states
from tests.malicious_server.playing import ATTACKS, FAMILIES

__all__ = ["ATTACKS", "FAMILIES", "ciphertext", "injecting", "names", "states"]
