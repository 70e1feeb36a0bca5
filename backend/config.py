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

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class ConfigError(ValueError):
    """A setting has a value that cannot be used. The text names the setting and what to write instead."""


def _about(help_text: str, low: int | None = None, high: int | None = None) -> dict[str, Any]:
    return {"help": help_text, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a server; ``docs/api.md`` has the list as people read it."""

    data: Path | None = field(default=None, metadata=_about("Folder in which accounts and pictures are kept."))
    host: str = field(
        default="127.0.0.1", metadata=_about("Address to listen on; 0.0.0.0 or :: for every network card.")
    )
    port: int = field(default=5000, metadata=_about("Port to listen on; 0 takes a free one and prints it.", 0, 65535))
    max_upload_bytes: int = field(
        default=1 << 30,
        metadata=_about("Largest request body in bytes; anything above is refused unread.", 1 << 16, 1 << 40),
    )
    token_seconds: int = field(
        default=12 * 3600,
        metadata=_about("How long a sign-in lasts, in seconds, unless it is revoked earlier.", 1, 10 * 366 * 86400),
    )
    registration: bool = field(
        default=True, metadata=_about("Whether anybody who reaches the server may register: true or false.")
    )
    argon2_memory_kib: int = field(
        default=65536,
        metadata=_about(
            "Memory for one password check (argon2id), in KiB. Passwords are re-hashed at the next sign-in.",
            8192,
            1 << 22,
        ),
    )
    argon2_passes: int = field(default=3, metadata=_about("Passes of one password check (argon2id).", 1, 64))
    threads: int = field(default=8, metadata=_about("Requests that are worked on at the same time.", 1, 256))
    connections: int = field(
        default=500, metadata=_about("Connections that are open at the same time; more wait.", 8, 100_000)
    )
    idle_seconds: int = field(
        default=120, metadata=_about("After this many seconds without a byte a connection is closed.", 1, 86400)
    )
    drain_seconds: int = field(
        default=60,
        metadata=_about("How long a stopping server waits for running requests to finish, in seconds.", 0, 86400),
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
    if knob.type == "bool":
        if text.lower() not in _WORDS:
            raise ConfigError(f"{variable(knob.name)} must be true or false, not {text!r}")
        return _WORDS[text.lower()]
    if knob.type == "int":
        try:
            return int(text)
        except ValueError:
            raise ConfigError(f"{variable(knob.name)} must be a whole number, not {text!r}") from None
    return text if knob.type == "str" else Path(text)
