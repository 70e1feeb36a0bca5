"""``glassine serve``: the backend as a server of its own.

Exit codes as everywhere in Glassine: 0 stopped in order, 1 could not start or failed, 2 usage, 4 damaged storage.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

from backend.config import Config, ConfigError
from backend.log_format import start_log
from backend.storage.protocol import StorageError

PROGRAM = "glassine serve"


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code; must run in the main thread."""
    try:
        given = _arguments(argv)
        config = Config.from_environment(**given)
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except ConfigError as error:
        return _fail(str(error), 2)
    if config.data is None:
        return _fail("say where to keep the pictures: --data DIR (or set GLASSINE_DATA)", 2)
    try:
        return _serve(config, config.data)
    except KeyboardInterrupt:  # before it was ready; afterwards the signal is handled
        return _fail("interrupted", 1)


def _serve(config: Config, data: Path) -> int:
    from backend import create_app
    from backend.server import Server, listen
    from backend.storage.embedded import open_storage

    start_log()
    try:
        listening = listen(config.host, config.port)
    except OSError as error:
        return _fail(f"cannot listen on {config.host} port {config.port}: {error.strerror or error}", 1)
    with listening:
        try:
            storage = open_storage(data)
        except StorageError as error:
            return _fail(f"cannot use {data}: {error}", 4 if error.reason == "damaged" else 1)
        try:
            with _temporary_files_in(data / "receiving"):
                server = Server(create_app(config, storage), config, listening)
                with _stopping(server):
                    print(f"Glassine serves {data} on {server.address}", flush=True)
                    server.run()
        except StorageError as error:
            return _fail(f"cannot use {data}: {error}", 4 if error.reason == "damaged" else 1)
        except OSError as error:
            return _fail(f"cannot use {data}: {error.strerror or error}", 1)
        finally:
            storage.close()
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise ConfigError(f"{message} (see {self.prog} --help)")


def _arguments(argv: Sequence[str]) -> dict[str, Any]:
    parser = _Parser(
        prog=PROGRAM,
        description="Serve pictures from a folder over HTTP. Other settings are environment variables, see docs/api.md",
    )
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=_number("port"), help="port to listen on; 0 takes a free one (default 5000)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder in which everything is kept; made if missing")
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
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Put large requests on the disk that keeps the pictures: the usual place is often memory, and small."""
    folder.mkdir(mode=0o700, exist_ok=True)
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def _stopping(server: Any) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the server in order."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda *_: server.stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(message: str, code: int) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
