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
    mongodb: str | None = field(
        default=None,
        repr=False,  # may hold a password
        metadata=_about("MongoDB to keep everything in instead: mongodb://user:password@host/database?options."),
    )
    secret_key: str | None = field(
        default=None,
        repr=False,
        metadata=_about(
            "Secret that signs tokens and cookies, at least 32 characters, the same for every worker. Required with "
            "MongoDB; with a folder it is made at first start and kept there."
        ),
    )
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
    refresh_seconds: int = field(
        default=30 * 86400,
        metadata=_about("How long a sign-in can be renewed without the password, in seconds.", 60, 10 * 366 * 86400),
    )
    session_seconds: int = field(
        default=0, metadata=_about("How long a session cookie is good, in seconds; 0: until signed out.", 0, 1 << 31)
    )
    session_cookie: str = field(default="_my_session_id", metadata=_about("Name of the session cookie."))
    auth_schemes: str = field(
        default="bearer,basic,session",
        metadata=_about("Ways to sign in that are accepted, separated by commas: bearer, basic, session."),
    )
    api_dialect: str = field(
        default="",
        metadata=_about("Empty, or 2022-01: speak the earlier dialect of the API instead of the current one."),
    )
    registration: bool = field(
        default=True, metadata=_about("Whether anybody who reaches the server may register: true or false.")
    )
    login_attempts: int = field(
        default=10,
        metadata=_about("Failed sign-ins per minute for one name from one address; 0: no limit.", 0, 1_000_000),
    )
    login_attempts_address: int = field(
        default=100,
        metadata=_about("Failed sign-ins per minute from one address; 0: no limit.", 0, 1_000_000),
    )
    registrations: int = field(
        default=20, metadata=_about("New accounts per hour from one address; 0: no limit.", 0, 1_000_000)
    )
    bin_days: int = field(
        default=30, metadata=_about("How long deleted pictures stay in the bin, in days; 0: no bin.", 0, 36500)
    )
    quota_bytes: int = field(
        default=0,
        metadata=_about(
            "What one account may store, in bytes, unless the account has its own; 0: no limit.", 0, 1 << 60
        ),
    )
    trusted_proxies: int = field(
        default=0,
        metadata=_about("How many proxies before this server to believe about address and scheme.", 0, 10),
    )
    tls_certificate: Path | None = field(
        default=None, metadata=_about("PEM file of the certificate chain, to speak TLS (glassine serve only).")
    )
    tls_key: Path | None = field(default=None, metadata=_about("PEM file of the certificate's private key."))
    cors_origins: str = field(
        default="", metadata=_about("Web sites whose pages may call the API, separated by commas; empty: none.")
    )
    metrics_token: str | None = field(
        default=None,
        repr=False,
        metadata=_about("Bearer token that opens /metrics; without one there are no metrics."),
    )
    log_format: str = field(default="text", metadata=_about("text or json: how the log is written."))
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
    return Path(text) if "Path" in str(knob.type) else text
