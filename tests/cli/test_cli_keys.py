"""`glassine keys …`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from desktop.crypto import key_file, key_formats
from desktop.crypto.words import fingerprint_words

FOREIGN = Path(__file__).parents[1] / "crypto" / "foreign_keys"


@pytest.fixture
def new_passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "new-passphrase"
    path.write_text("another one\r\n")
    return path


def test_new_writes_a_key_file_that_opens(glassine, keys, tmp_path) -> None:
    result = glassine("keys", "new", "k.key", "--bits", 2048, "--passphrase-file", keys.passphrase)
    assert result.code == 0
    opened = key_file.open_with_passphrase((tmp_path / "k.key").read_bytes(), "correct horse battery")
    assert opened.public.bits == 2048
    assert key_formats.fingerprint_groups(opened.fingerprint) in result.out
    assert stat.S_IMODE((tmp_path / "k.key").stat().st_mode) == 0o600


def test_new_never_overwrites(glassine, keys, tmp_path) -> None:
    (tmp_path / "k.key").write_bytes(b"mine")
    assert glassine("keys", "new", "k.key", "--passphrase-file", keys.passphrase).code == 1
    assert (tmp_path / "k.key").read_bytes() == b"mine"


@pytest.mark.parametrize("bits", ["2047", "8193", "x", "-1", "", "٣٠٧٢", "1" * 5000])
def test_new_takes_sizes_in_range_only(glassine, keys, tmp_path, bits) -> None:
    assert glassine("keys", "new", "k.key", f"--bits={bits}", "--passphrase-file", keys.passphrase).code == 2
    assert list(tmp_path.iterdir()) == []


def test_new_wants_an_existing_folder(glassine, keys) -> None:
    assert glassine("keys", "new", "no/k.key", "--passphrase-file", keys.passphrase).code == 2


@pytest.mark.parametrize(
    ("content", "code"), [(b"", 2), (b"\n", 2), (b"\xff\xfe", 5), (b"x" * 20000, 2), (b"x" * 5000, 5), (None, 1)]
)
def test_unusable_passphrase_files_are_named(glassine, tmp_path, content, code) -> None:
    if content is not None:
        (tmp_path / "pw").write_bytes(content)
    assert glassine("keys", "new", "k.key", "--passphrase-file", "pw").code == code
    assert not (tmp_path / "k.key").exists()


def test_show_prints_the_fingerprint(glassine, keys) -> None:
    result = glassine("keys", "show", keys.mine)
    assert (result.code, result.err) == (0, "")
    assert result.out == key_formats.fingerprint_groups(keys.private.fingerprint) + "\n"
    record = json.loads(glassine("keys", "show", keys.mine, "--json").out)
    assert record == {
        "file": str(keys.mine),
        "fingerprint": keys.private.fingerprint,
        "bits": 2048,
        "words": " ".join(fingerprint_words(keys.private.fingerprint)),
        "opens_with": ["pass"],
        "proven": False,
    }
    assert glassine("keys", "show", keys.mine, "--words").out == f"{record['words']}\n"
    proven = glassine("keys", "show", keys.mine, "--json", "--passphrase-file", keys.passphrase)
    assert json.loads(proven.out)["proven"] is True


def test_show_with_a_passphrase_notices_a_swapped_public_key(glassine, keys, tmp_path) -> None:
    document = json.loads(keys.mine.read_bytes())
    document["pub"] = json.loads(keys.theirs.read_bytes())["pub"]
    (tmp_path / "k").write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    assert glassine("keys", "show", "k", "--passphrase-file", keys.passphrase).code == 3


def test_export_public(glassine, keys, tmp_path) -> None:
    result = glassine("keys", "export", keys.mine, "--public")
    assert (result.code, result.out) == (0, keys.private.public.pem)
    assert glassine("keys", "export", keys.mine, "--public", "--out", "p.pem").code == 0
    assert (tmp_path / "p.pem").read_text() == keys.private.public.pem
    assert glassine("keys", "export", keys.mine, "--public", "--out", "p.pem").code == 1


@pytest.mark.parametrize("kind", ["pkcs8", "openssh"])
def test_export_private_is_encrypted(glassine, keys, tmp_path, new_passphrase, kind) -> None:
    result = glassine(
        "keys", "export", keys.mine, "--format", kind, "--out", "k.pem",
        "--passphrase-file", keys.passphrase, "--new-passphrase-file", new_passphrase,
    )  # fmt: skip
    assert (result.code, result.out, result.err) == (0, "", "")
    imported = key_formats.import_private((tmp_path / "k.pem").read_bytes(), "another one")
    assert imported.key.fingerprint == keys.private.fingerprint
    assert stat.S_IMODE((tmp_path / "k.pem").stat().st_mode) == 0o600


def test_export_without_protection_is_said(glassine, keys, tmp_path) -> None:
    command = ("keys", "export", keys.mine, "--format", "pkcs1", "--out", "k.pem")
    result = glassine(*command, "--unencrypted", "--passphrase-file", keys.passphrase)
    assert result.code == 0
    assert "without protection" in result.err
    imported = key_formats.import_private((tmp_path / "k.pem").read_bytes())
    assert imported.key.fingerprint == keys.private.fingerprint


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--public", "--format", "pkcs8"),
        ("--public", "--unencrypted"),
        ("--format", "pkcs8"),
        ("--format", "pkcs1", "--out", "k.pem"),
        ("--format", "jwk", "--out", "k.pem"),
        ("--format", "pkcs8", "--out", "no/k.pem"),
        ("--format", "pkcs8", "--out", "k.pem", "--unencrypted", "--new-passphrase-file", "x"),
    ],
)
def test_export_refuses_what_makes_no_sense(glassine, keys, tmp_path, options) -> None:
    assert glassine("keys", "export", keys.mine, "--passphrase-file", keys.passphrase, *options).code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["pkcs8-plain.pem", "pkcs8-scrypt.pem", "pkcs1-aes256.pem", "openssh-bcrypt.pem"])
def test_import_makes_a_key_file(glassine, tmp_path, new_passphrase, name) -> None:
    (tmp_path / "pw").write_text("passphrase")
    result = glassine(
        "keys", "import", FOREIGN / name, "--out", "k.key",
        "--passphrase-file", "pw", "--new-passphrase-file", new_passphrase,
    )  # fmt: skip
    assert result.code == 0
    assert "Glassine only" in result.err
    opened = key_file.open_with_passphrase((tmp_path / "k.key").read_bytes(), "another one")
    assert opened.fingerprint.startswith("7ea45529")


@pytest.mark.parametrize(
    ("name", "code"),
    [("ec.pem", 5), ("ed25519-openssh.pem", 5), ("public.pem", 5), ("README.md", 5), ("openssh-bcrypt.pem", 3)],
)
def test_import_names_what_it_cannot_use(glassine, keys, tmp_path, new_passphrase, name, code) -> None:
    result = glassine(
        "keys", "import", FOREIGN / name, "--out", "k.key",
        "--passphrase-file", keys.passphrase, "--new-passphrase-file", new_passphrase,
    )  # fmt: skip
    assert result.code == code
    assert not (tmp_path / "k.key").exists()


def test_passphrase_is_changed(glassine, keys, tmp_path, new_passphrase) -> None:
    (tmp_path / "k").write_bytes(keys.mine.read_bytes())
    command = ("keys", "passphrase", "k", "--new-passphrase-file", new_passphrase, "--passphrase-file")
    assert glassine(*command, keys.passphrase.with_name("wrong")).code == 3
    assert (tmp_path / "k").read_bytes() == keys.mine.read_bytes()
    assert glassine(*command, keys.passphrase).code == 0
    opened = key_file.open_with_passphrase((tmp_path / "k").read_bytes(), "another one")
    assert opened.fingerprint == keys.private.fingerprint
    assert glassine(*command, keys.passphrase).code == 3


@pytest.mark.parametrize("command", ["show", "export", "passphrase"])
@pytest.mark.parametrize(("content", "code"), [(b"", 5), (b"{}", 4), (b"\0\1\2", 5), (b"x" * 70000, 5), (None, 1)])
def test_broken_key_files_are_named(glassine, keys, tmp_path, command, content, code) -> None:
    if content is not None:
        (tmp_path / "k").write_bytes(content)
    options = {"export": ("--public",), "show": (), "passphrase": ("--passphrase-file", str(keys.passphrase))}
    if command == "passphrase" and code == 5 and len(content) < 70000:
        code = 4  # only a key file has a passphrase to change
    assert glassine("keys", command, "k", *options[command]).code == code


def test_asking_on_the_terminal(glassine, tmp_path, monkeypatch) -> None:
    answers: list[str] = []
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr("desktop.cli_console._has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", ask)
    for given in (["one", "two"], [""], [], ["one"]):
        answers[:] = given
        assert glassine("keys", "new", "k.key", "--bits", 2048).code == 2
        assert not (tmp_path / "k.key").exists()
    answers[:] = ["one", "one"]
    assert glassine("keys", "new", "k.key", "--bits", 2048).code == 0
    prompts.clear()
    answers[:] = ["wrong"]
    assert glassine("keys", "export", "k.key", "--format", "pkcs8", "--out", "x.pem", "--unencrypted").code == 3
    assert prompts == ["Passphrase of k.key: "]
    assert not (tmp_path / "x.pem").exists()
