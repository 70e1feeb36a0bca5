"""Settings of the backend: one frozen dataclass, read once, each knob declared once with its default and its help.

A setting ``name`` is read from the environment variable ``GLASSINE_NAME``. Secrets are not settings: they are made by
the storage at first use. Must not import Flask.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "GLASSINE_"


class ConfigError(ValueError):
    """A setting has a value that cannot be used. The text names the setting and what to write instead."""


def _knob(default: Any, help_text: str, *, low: int | None = None, high: int | None = None) -> Any:
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a server; see ``docs/api.md`` for the list as people read it."""

    data: Path | None = _knob(None, "Folder in which accounts and pictures are kept.")
    host: str = _knob("127.0.0.1", "Address to listen on; 0.0.0.0 or :: for every network card.")
    port: int = _knob(5000, "Port to listen on; 0 takes a free one and prints it.", low=0, high=65535)
    max_upload_bytes: int = _knob(
        1 << 30, "Largest request body in bytes; anything above is refused unread.", low=1 << 16, high=1 << 40
    )
    token_seconds: int = _knob(
        12 * 3600, "How long a sign-in lasts, in seconds, unless it is revoked earlier.", low=1, high=10 * 366 * 86400
    )
    registration: bool = _knob(True, "Whether anybody who reaches the server may register.")
    argon2_memory_kib: int = _knob(
        65536, "Memory for one password check (argon2id), in KiB. Existing passwords are re-hashed at the next sign-in.",
        low=8192, high=1 << 22,
    )
    argon2_passes: int = _knob(3, "Passes of one password check (argon2id).", low=1, high=64)
    threads: int = _knob(8, "Requests that are worked on at the same time.", low=1, high=256)
    connections: int = _knob(500, "Connections that are open at the same time; more wait.", low=8, high=100_000)
    idle_seconds: int = _knob(120, "After this many seconds without a byte a connection is closed.", low=1, high=86400)
    drain_seconds: int = _knob(
        60, "How long a stopping server waits for running requests to finish, in seconds.", low=0, high=86400
    )

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            ConfigError: Naming the setting.
        """
        for knob in fields(self):
            low, high = knob.metadata["low"], knob.metadata["high"]
            value = getattr(self, knob.name)
            if low is not None and not low <= value <= high:
                raise ConfigError(f"{variable(knob.name)} must be from {low} to {high}, not {value}")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Config:
        """Read the settings, with ``given`` ones winning over the environment.

        Raises:
            ConfigError: When a value cannot be read or is out of range.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for knob in fields(cls):
            text = environ.get(variable(knob.name))
            if knob.name in given:
                values[knob.name] = given[knob.name]
            elif text is not None and text.strip():
                values[knob.name] = _parse(knob, text.strip())
        return cls(**values)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def _parse(knob: Field[Any], text: str) -> Any:
    kind = type(knob.default)
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
        if text.lower() not in words:
            raise ConfigError(f"{variable(knob.name)} must be true or false, not {text!r}")
        return words[text.lower()]
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f"{variable(knob.name)} must be a whole number, not {text!r}") from None
    return text if kind is str else Path(text)
