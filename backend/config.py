"""Settings of the backend: one frozen dataclass, read once, each knob declared once with its default and its help.

How they are read from the environment and from a file is in ``backend/config_sources.py``. Secrets may be settings, but
none has a default, and none is ever part of a ``repr``, of a message or of the log. Must not import Flask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "GLASSINE_"
DIALECTS = ("", "2022-01")
SCHEMES = ("bearer", "basic", "session")
LOG_FORMATS = ("text", "json")
SECRET_KEY_CHARACTERS = 32
METRICS_TOKEN_CHARACTERS = 16

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_COOKIE_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")


class ConfigError(ValueError):
    """A setting has a value that cannot be used. The text names the setting and what to write instead."""


def _about(
    help_text: str,
    low: int | None = None,
    high: int | None = None,
    *,
    choices: tuple[str, ...] | None = None,
    several: bool = False,
) -> dict[str, Any]:
    """What is known of a knob; ``several``: a list, separated by commas."""
    return {"help": help_text, "low": low, "high": high, "choices": choices, "several": several}


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a server; ``README.md`` has the list as people read it."""

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
        metadata=_about(
            "Ways to sign in that are accepted, separated by commas: bearer, basic, session.",
            choices=SCHEMES,
            several=True,
        ),
    )
    api_dialect: str = field(
        default="",
        metadata=_about(
            "Empty, or 2022-01: speak the earlier dialect of the API instead of the current one.", choices=DIALECTS
        ),
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
        default=None, metadata=_about("PEM file of the certificate chain, to speak TLS.")
    )
    tls_key: Path | None = field(default=None, metadata=_about("PEM file of the certificate's private key."))
    cors_origins: str = field(
        default="",
        metadata=_about("Web sites whose pages may call the API, separated by commas; empty: none.", several=True),
    )
    metrics_token: str | None = field(
        default=None,
        repr=False,
        metadata=_about("Bearer token that opens /metrics, at least 16 characters; without one there are no metrics."),
    )
    log_format: str = field(
        default="text", metadata=_about("text or json: how the log is written.", choices=LOG_FORMATS)
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
        """Refuse values that cannot be used, alone or together.

        Raises:
            ConfigError: Naming the setting; never with the value of a secret.
        """
        for knob in fields(self):
            value = getattr(self, knob.name)
            _check_range(knob.name, value, knob.metadata)
            _check_choice(knob.name, value, knob.metadata)
        if self.data is not None and self.mongodb is not None:
            raise ConfigError("set either GLASSINE_DATA or GLASSINE_MONGODB, not both")
        if self.mongodb is not None and not self.mongodb.startswith(("mongodb://", "mongodb+srv://")):
            raise ConfigError("GLASSINE_MONGODB must begin with mongodb:// or mongodb+srv://")
        if self.mongodb is not None and self.secret_key is None:
            raise ConfigError("GLASSINE_SECRET_KEY is required with GLASSINE_MONGODB, the same for every worker")
        _check_length("secret_key", self.secret_key, SECRET_KEY_CHARACTERS)
        _check_length("metrics_token", self.metrics_token, METRICS_TOKEN_CHARACTERS)
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConfigError("set both GLASSINE_TLS_CERTIFICATE and GLASSINE_TLS_KEY, or neither")
        if not _COOKIE_NAME.fullmatch(self.session_cookie):
            raise ConfigError("GLASSINE_SESSION_COOKIE must be a cookie's name: letters, digits, - and _")
        if not self.host:
            raise ConfigError("GLASSINE_HOST must be an address")
        for origin in listed(self.cors_origins):
            if not _ORIGIN.fullmatch(origin):
                raise ConfigError(
                    f"GLASSINE_CORS_ORIGINS must hold origins such as https://pictures.example, not {origin!r}"
                )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Config:
        """Read the settings: ``given`` ones win over the environment, which wins over the file that it names.

        Args:
            environ: The environment; None takes that of the process.
            given: Settings by name; ``file`` names a settings file instead of ``GLASSINE_CONFIG``.

        Raises:
            ConfigError: When a value cannot be read or used.
        """
        from backend.config_sources import gather

        return cls(**gather(environ, **given))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def listed(value: str) -> list[str]:
    """The parts of a setting that is a list."""
    return [part for part in map(str.strip, value.split(",")) if part]


def _check_range(name: str, value: Any, about: Mapping[str, Any]) -> None:
    low, high = about["low"], about["high"]
    if low is not None and not low <= value <= high:
        raise ConfigError(f"{variable(name)} must be from {low} to {high}, not {value}")


def _check_choice(name: str, value: Any, about: Mapping[str, Any]) -> None:
    choices = about["choices"]
    if choices is None:
        return
    if about["several"]:
        parts = listed(value)
        if not parts or len(set(parts)) != len(parts) or not set(parts) <= set(choices):
            raise ConfigError(f"{variable(name)} must be one or several of {', '.join(choices)}, not {value!r}")
    elif value not in choices:
        words = " or ".join(choice or "empty" for choice in choices)
        raise ConfigError(f"{variable(name)} must be {words}, not {value!r}")


def _check_length(name: str, value: str | None, characters: int) -> None:
    if value is not None and len(value) < characters:
        raise ConfigError(f"{variable(name)} must have at least {characters} characters")
