"""Where settings come from: options, the environment, a TOML file; in this order the first that has one wins.

Must not import Flask.
"""

from __future__ import annotations

import os
import shlex
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from backend.config import PREFIX, Config, ConfigError, variable

FILE = "GLASSINE_CONFIG"
SECRETS = ("secret_key", "mongodb", "metrics_token")
"""Settings that are secrets; of ``mongodb`` only one with a password."""

_NOT_OF_THE_SERVER = frozenset({FILE, "GLASSINE_DEBUG", "GLASSINE_DATA_DIR"})
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def gather(environ: Mapping[str, str] | None = None, *, file: Path | None = None, **given: Any) -> dict[str, Any]:
    """Return the settings that are set, by name; see :meth:`Config.from_environment`.

    Raises:
        ConfigError: The file cannot be used, or a value cannot be read.
    """
    environ = os.environ if environ is None else environ
    named = environ.get(FILE, "").strip()
    if file is None and named:
        file = Path(named)
    values = {} if file is None else _read_file(file)
    for knob in fields(Config):
        text = environ.get(variable(knob.name), "").strip()
        if knob.name in given:
            values[knob.name] = given[knob.name]
        elif text:
            values[knob.name] = _parse(knob, text)
    return values


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Variables that look like settings and are none; not refused: container systems set some by themselves."""
    environ = os.environ if environ is None else environ
    known = {variable(knob.name) for knob in fields(Config)} | _NOT_OF_THE_SERVER
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known and "_TEST_" not in name)


def mongodb_parts(uri: str) -> tuple[str, str, str]:
    """Credentials (``user:password``), place (``hosts/database``) and options of a MongoDB address, as the driver sees
    them: a password may hold signs that end one in other addresses."""
    head, slash, tail = uri.partition("://")[2].partition("/")
    credentials, _, hosts = head.rpartition("@")
    place, _, options = f"{hosts}{slash}{tail}".partition("?")
    return credentials, place, options


def has_password(uri: str) -> bool:
    """Whether a MongoDB address holds a password, also where a sign in it is not escaped as it must be."""
    credentials, place, options = mongodb_parts(uri)
    return ":" in credentials or "@" in place + options


def without_credentials(uri: str) -> str:
    """A MongoDB address as it may be shown: without user, password and options."""
    _, place, options = mongodb_parts(uri)
    if "@" in place + options:  # the end of a password with a slash in it
        place = f"{place}?{options}".rpartition("@")[2].partition("?")[0]
    return f"{uri.partition('://')[0]}://{place}"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            read = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"cannot read the settings in {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"cannot read the settings in {path}: it is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"cannot read the settings in {path}: {error}") from None
    knobs = {knob.name: knob for knob in fields(Config)}
    unknown = sorted(set(read) - set(knobs))
    if unknown:
        raise ConfigError(f"{path} has settings that do not exist: {', '.join(unknown)}")
    secrets = [name for name in SECRETS if name in read and _is_secret(name, read[name])]
    if secrets and os.name == "posix" and mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError(
            f"{path} holds {', '.join(secrets)} and everybody on this computer can read it; "
            f"run: chmod o-rwx {shlex.quote(str(path))}"
        )
    return {name: _from_file(knobs[name], value, path) for name, value in read.items()}


def _is_secret(name: str, value: object) -> bool:
    return name != "mongodb" or (isinstance(value, str) and has_password(value))


def _from_file(knob: Field[Any], value: object, path: Path) -> Any:
    kind, wanted = str(knob.type), "a text in quotation marks"
    if kind in ("bool", "int"):
        wanted = "true or false" if kind == "bool" else "a whole number"
        if type(value).__name__ == kind:
            return value
    elif isinstance(value, str):
        return Path(value) if "Path" in kind else value
    elif knob.metadata["several"] and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    raise ConfigError(f"{knob.name} in {path} must be {wanted}")  # the value may be a secret


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
