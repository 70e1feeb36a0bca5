"""The command line as a process of its own: what only the operating system can do to it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "main.py")]


def run(folder: Path, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    settings = {"capture_output": True, "stdin": subprocess.DEVNULL, "text": True, "timeout": 60, "cwd": folder}
    # a session of its own has no terminal to ask on
    return subprocess.run([*COMMAND, *map(str, arguments)], check=False, start_new_session=True, **(settings | options))


def one_line(text: str) -> None:
    assert text.startswith("glassine: ")
    assert text.count("\n") == 1


def test_no_traceback_and_no_window_system(tmp_path: Path, keys, photo: Path) -> None:
    (tmp_path / "text.png").write_text("text")
    code = (
        "import sys, main\n"
        f"code = main.main(['seal', 'text.png', 'holiday.png', *{list(keys.options)!r}])\n"
        "loaded = {'PySide6', 'flask', 'requests', 'numpy', 'keyring', 'backend'} & set(sys.modules)\n"
        "print(code, sorted(loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    one_line(done.stderr)
    assert done.stdout.splitlines()[-1] == "5 []"


def test_without_a_terminal_the_way_out_is_named(tmp_path: Path, keys, photo: Path) -> None:
    done = run(tmp_path, "seal", photo, "--key", keys.mine)
    assert done.returncode == 2
    one_line(done.stderr)
    assert "--passphrase-file" in done.stderr


def test_a_passphrase_comes_from_standard_input(tmp_path: Path, keys, photo: Path) -> None:
    options = {"stdin": None, "input": "correct horse battery\nmore\n"}
    done = run(tmp_path, "seal", photo, "--key", keys.mine, "--passphrase-file", "-", **options)
    assert done.returncode == 0


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, keys, photo: Path) -> None:
    """The kernel refuses to let any file grow: what a program sees of a full disk."""

    def no_growth() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))

    (tmp_path / "rsa_pub.txt").write_text("27977 9431")
    before = sorted(tmp_path.iterdir())
    for command in (("seal", photo, *keys.options), ("classic", "encrypt", photo, "--key", "rsa_pub.txt")):
        done = run(tmp_path, *command, preexec_fn=no_growth)
        assert done.returncode == 1
        assert "no space" in done.stderr
        assert "Traceback" not in done.stderr
        assert sorted(tmp_path.iterdir()) == before


def test_output_that_cannot_be_written_is_an_error(tmp_path: Path, keys) -> None:
    with Path("/dev/full").open("w") as full:
        done = run(tmp_path, "keys", "show", keys.mine, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    one_line(done.stderr)


def test_a_reader_that_went_away_is_no_drama(tmp_path: Path, keys) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(tmp_path, "keys", "show", keys.mine, capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_it_cleanly(tmp_path: Path, keys, photo: Path, number: int, code: int) -> None:
    """It waits for a passphrase that never comes."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [*COMMAND, "seal", str(photo), "--key", str(keys.mine), "--passphrase-file", str(fifo)]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # whoever runs the tests in the background may have it ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - only a system call
    ) as process:
        # opening succeeds when the other side has come so far; it then reads until we close
        writer = os.open(fifo, os.O_WRONLY)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=30)
        os.close(writer)
    assert process.returncode == code
    assert "Traceback" not in complaint
    assert complaint.count("\n") <= 1


def test_a_terminal_is_asked_without_echo(tmp_path: Path) -> None:
    import fcntl
    import termios

    master, slave = os.openpty()
    process = subprocess.Popen(
        [*COMMAND, "keys", "new", "k.key", "--bits", "2048"],
        cwd=tmp_path,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - only a system call
    )
    os.close(slave)
    seen = b""
    try:
        for prompt in (b"Passphrase for the new key file: ", b"The same once more: "):
            # getpass switches the echo off, drops what was typed before, and only then prompts
            while prompt not in seen:
                seen += os.read(master, 1024)
            os.write(master, b"typed secret\n")
        with contextlib.suppress(OSError):  # how a terminal ends that nobody has open
            while more := os.read(master, 1024):
                seen += more
        process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
        os.close(master)
    assert process.returncode == 0
    assert b"typed secret" not in seen
    from desktop.crypto import key_file

    key_file.open_with_passphrase((tmp_path / "k.key").read_bytes(), "typed secret")
