"""The backend in this process: one per folder, one account, errors in the desktop's words."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from backend.storage.protocol import StorageError
from desktop import embedded, errors
from desktop.client.multipart import Multipart, Part
from desktop.client.transport import EMBEDDED_URL, Transport
from desktop.crypto.keys import PrivateKey
from tests import sample_pictures
from tests.client.conftest import Somewhere

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("full", errors.StorageFull),
        ("read-only", errors.StorageReadOnly),
        ("in-use", errors.VaultInUse),
        ("damaged", errors.VaultUnreadable),
        ("other", errors.VaultUnreadable),
    ],
)
def test_storage_errors(reason: str, error: type[errors.GlassineError]) -> None:
    converted = embedded.converted(StorageError(reason, "what happened"))
    assert type(converted) is error
    assert converted.details == "what happened"


def test_one_account_that_no_password_opens(tmp_path: Path, key: PrivateKey, other_key: PrivateKey) -> None:
    backend = embedded.start(tmp_path / "backend")
    user_id = backend.account("me", key.public.pem)
    assert backend.account("me", other_key.public.pem) == user_id
    with pytest.raises(errors.VaultUnreadable):
        backend.replace_key("0" * 24, other_key.public.pem)
    way = Transport(EMBEDDED_URL, backend.app)
    for password in ("", "x"):
        with way.send("POST", "/api/v1/auth/login", form={"username": "me", "password": password}) as answer:
            assert answer.status == 422
    with way.send("GET", f"/api/v1/users/{user_id}", token=backend.token(user_id)) as answer:
        assert answer.json(10_000)["public_key"] == key.public.pem
    with way.send("GET", f"/api/v1/users/{user_id}") as answer:
        assert answer.status == 422
    way.close()
    backend.close()
    backend.close()


def test_a_folder_of_a_server_is_not_taken_over(tmp_path: Path, key: PrivateKey) -> None:
    backend = embedded.start(tmp_path / "backend")
    backend.app.extensions["glassine"].services.accounts.register("me", "a password", key.public.pem)
    with pytest.raises(errors.VaultUnreadable, match="server"):
        backend.account("me", key.public.pem)
    backend.close()


def test_another_process_is_kept_out(here: Somewhere) -> None:
    """A second program, not just a second window of this one."""
    code = (
        "import sys; from pathlib import Path; from desktop import embedded, errors\n"
        "try: embedded.start(Path(sys.argv[1]))\n"
        "except errors.VaultInUse: print('in use')\n"
    )
    command = [sys.executable, "-c", code, str(here.store)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("in use\n", "")
    here.add(sample_pictures.png())


def test_a_broken_database_is_said_plainly(here: Somewhere) -> None:
    here.add(sample_pictures.png())
    here.session.close()
    records = here.store / "records.sqlite3"
    whole = records.read_bytes()
    records.write_bytes(b"this is no database" * 500)
    with pytest.raises(errors.VaultUnreadable):
        here.sign_in()
    records.write_bytes(whole)
    here.session = here.sign_in()
    assert len(here.vault.list_pictures()) == 1


def test_the_client_starts_without_heavy_imports() -> None:
    """What the window imports before its first paint must stay cheap."""
    code = (
        "import sys, desktop.client.session, desktop.client.vault, desktop.config\n"
        "import desktop.image_formats, desktop.embedded\n"
        "heavy = {'requests', 'flask', 'PIL', 'numpy', 'mongita', 'pymongo', 'backend', 'PySide6', 'blake3'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"


def test_an_upload_and_a_download_are_never_whole_in_memory(tmp_path: Path) -> None:
    size = 40 << 20
    source = tmp_path / "carrier.png"
    with source.open("wb") as file:
        file.truncate(size)

    def echo(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "image/png")])
        return iter(lambda: environ["wsgi.input"].read(1 << 16), b"")

    way = Transport(EMBEDDED_URL, echo)
    body = Multipart([Part("imageFile", source, "p.png")])
    read = 0
    tracemalloc.start()
    try:
        with way.send("POST", "/", body=body) as answer:
            stream = answer.stream()
            while piece := stream.read(1 << 18):
                read += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        way.close()
    assert read == len(body) > size
    assert peak < 4 << 20


def test_serving_is_the_backends_own_program(capfd: pytest.CaptureFixture[str]) -> None:
    assert embedded.serve(["--no-such-option"]) == 2
    assert "glassine serve" in capfd.readouterr().err
