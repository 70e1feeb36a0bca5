"""``glassine serve``: the backend as a server of its own.

Exit codes as everywhere in Glassine: 0 stopped in order, 1 could not start or failed, 2 usage, 4 damaged storage.
"""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from backend.commands import COMMANDS, run_command
from backend.config import Config, ConfigError, variable
from backend.config_sources import has_password, unknown_variables
from backend.log_format import start_log
from backend.notify import managed, notify
from backend.storage.opening import open_configured, place
from backend.storage.protocol import StorageError

PROGRAM = "glassine serve"
MONGODB = "--mongodb"

logger = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code; must run in the main thread.

    A command line that begins with another command of the server runs that.
    """
    if argv and argv[0] in COMMANDS:
        return run_command(argv)
    try:
        given = _arguments(argv)
        _hide_password(argv, given.get("mongodb"))
        config = Config.from_environment(**given)
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except ConfigError as error:
        return _fail(str(error), 2)
    if config.data is None and config.mongodb is None:
        wanted = "--data DIR or --mongodb URI (or set GLASSINE_DATA or GLASSINE_MONGODB)"
        return _fail(f"say where to keep the pictures: {wanted}", 2)
    try:
        return _serve(config)
    except KeyboardInterrupt:  # before it was ready; afterwards the signal is handled
        return _fail("interrupted", 1)


def _serve(config: Config) -> int:
    with _noting_hangups(config) as hangups:
        return _start_and_serve(config, hangups)


def _start_and_serve(config: Config, hangups: list[int]) -> int:
    from backend import create_app
    from backend.server import Server, listen
    from backend.tls import TlsError, load

    start_log(config.log_format)
    for name in unknown_variables():
        logger.warning("%s is not a setting and is ignored", name)
    where = place(config)
    try:
        if config.tls_certificate is not None and config.tls_key is not None:
            load((config.tls_certificate, config.tls_key))  # before anything is touched
        listening = listen(config.host, config.port)
    except TlsError as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(f"cannot listen on {config.host} port {config.port}: {error.strerror or error}", 1)
    with listening:
        try:
            storage = open_configured(config)
        except StorageError as error:
            return _fail(f"cannot use {where}: {error}", 4 if error.reason == "damaged" else 1)
        try:
            with _temporary_files_in(None if config.data is None else config.data / "receiving"):
                app = create_app(config, storage)
                server = Server(app, config, listening)
                if _is_in_the_clear(config):
                    logger.warning("There is no TLS: whoever is on the way can read passwords and take over accounts")
                with _stopping(server, config, hangups):
                    print(f"Glassine serves {where} on {server.address}", flush=True)
                    notify("READY=1")
                    server.run()
                    app.extensions["glassine"].close()
        except StorageError as error:
            return _fail(f"cannot use {where}: {error}", 4 if error.reason == "damaged" else 1)
        except OSError as error:
            return _fail(f"cannot use {where}: {error.strerror or error}", 1)
        finally:
            storage.close()
    return 0


def _is_in_the_clear(config: Config) -> bool:
    """Whether other computers are to reach the server without TLS, its own or that of a proxy."""
    if config.tls_certificate is not None or config.trusted_proxies:
        return False
    try:
        return not ipaddress.ip_address(config.host).is_loopback
    except ValueError:
        return config.host != "localhost"


def _hide_password(argv: Sequence[str], mongodb: str | None) -> None:
    """Start this program anew with the address in the environment: everybody may see the arguments of a process."""
    started_as = sys.orig_argv[: len(sys.orig_argv) - len(argv)]
    if (
        mongodb is None
        or not has_password(mongodb)
        or os.name != "posix"
        or sys.orig_argv[len(started_as) :] != [*argv]
    ):
        return
    rest = list(argv)
    for at in reversed(range(len(rest))):
        if rest[at] == MONGODB:
            del rest[at : at + 2]
        elif rest[at].startswith(f"{MONGODB}="):
            del rest[at]
    if MONGODB not in " ".join(rest) and mongodb not in rest:
        os.environ[variable("mongodb")] = mongodb
        os.execv(sys.executable, [*started_as, *rest])  # noqa: S606 - the very command that was given


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise ConfigError(f"{message} (see {self.prog} --help)")


def _arguments(argv: Sequence[str]) -> dict[str, Any]:
    parser = _Parser(
        prog=PROGRAM,
        description="Serve pictures over HTTP or HTTPS from a folder or a MongoDB. The settings that have no option "
        "are environment variables or stand in the file of --config; README.md lists them.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", dest="file", help="TOML file with settings")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder in which everything is kept; made if missing")
    parser.add_argument(
        MONGODB,
        metavar="URI",
        help="MongoDB to keep everything in; better set GLASSINE_MONGODB, because others may see the arguments of a "
        "program. One with a password is moved there at once, but was to be seen for a moment",
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=_number("port"), help="port to listen on; 0 takes a free one (default 5000)")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE", help="certificate chain (PEM), to speak HTTPS")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key of the certificate (PEM)")
    parser.add_argument(
        "--max-upload-mb",
        type=_number("max_upload_bytes", unit=1 << 20),
        metavar="N",
        dest="max_upload_bytes",
        help="largest upload in MiB (default 1024)",
    )
    return {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}


def _number(setting: str, *, unit: int = 1) -> Callable[[str], int]:
    """Read an option in the range of its setting, so that a refusal names the option; ``unit`` is what 1 stands for."""
    about = next(knob.metadata for knob in fields(Config) if knob.name == setting)
    low, high = -(-about["low"] // unit), about["high"] // unit

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text[:20]) <= high):
            raise argparse.ArgumentTypeError(f"must be a whole number from {low} to {high}, not {text!r}")
        return int(text) * unit

    return read


@contextmanager
def _temporary_files_in(folder: Path | None) -> Iterator[None]:
    """Put large requests on the disk that keeps the pictures: the usual place is often memory, and small."""
    if folder is None:
        yield
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def _noting_hangups(config: Config) -> Iterator[list[int]]:
    """Note each SIGHUP while the server starts, so that reloading too early does not end it."""
    hangups: list[int] = []
    if not _reloads(config):
        yield hangups
        return
    before = signal.signal(signal.SIGHUP, lambda number, _: hangups.append(number))
    try:
        yield hangups
    finally:
        signal.signal(signal.SIGHUP, before)


def _reloads(config: Config) -> bool:
    """Whether SIGHUP means reloading; otherwise it is the terminal that was closed, and ends the server."""
    return hasattr(signal, "SIGHUP") and (config.tls_certificate is not None or managed() or not _has_terminal())


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


@contextmanager
def _stopping(server: Any, config: Config, hangups: list[int]) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the server in order, and SIGHUP load a certificate anew; at once when there were
    ``hangups`` before."""

    def stop(*_: object) -> None:
        notify("STOPPING=1")
        server.stop()

    handlers: dict[int, Callable[..., None]] = {signal.SIGTERM: stop, signal.SIGINT: stop}
    if _reloads(config):
        handlers[signal.SIGHUP] = lambda *_: server.reload_certificates()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        if hangups:
            server.reload_certificates()
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(message: str, code: int) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
