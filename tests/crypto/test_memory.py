"""A large picture is sealed and opened as a stream: memory does not depend on its size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from desktop.crypto import PrivateKey

SIZE = 100_000_000
ALLOWED = 64 << 20

SCRIPT = """
import sys
from pathlib import Path
from desktop.crypto import PrivateKey, open_carrier, read_envelope, seal

def status(field):
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith(field + ":")) * 1024

folder = Path(sys.argv[1])
key = PrivateKey.from_pkcs8((folder / "key").read_bytes(), authenticated=True)
idle = status("VmRSS")
sealed = seal(folder / "source", folder / "noise.png", key, name="large.tif", media_type="image/tiff",
              width=1, height=1, taken="", thumbnail=b"")
after_seal = status("VmHWM")
opened = read_envelope(sealed.envelope, owner=key.public).open(key)
with (folder / "noise.png").open("rb") as file:
    opened.open_payload(file, folder / "again")
open_carrier(folder / "noise.png", key, folder)
print(idle, after_seal, status("VmHWM"))
"""


def test_100_mb_take_at_most_64_mb_above_idle(tmp_path: Path, owner: PrivateKey) -> None:
    block = os.urandom(1 << 20)
    with (tmp_path / "source").open("wb") as file:
        for _ in range(SIZE // len(block)):
            file.write(block)
        file.write(block[: SIZE % len(block)])
    (tmp_path / "key").write_bytes(owner.to_pkcs8())
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    idle, after_seal, peak = map(int, answer.stdout.split())
    print(f"idle {idle >> 20} MiB, seal +{(after_seal - idle) / 1e6:.1f} MB, open +{(peak - idle) / 1e6:.1f} MB")
    assert peak - idle <= ALLOWED
    source = (tmp_path / "source").read_bytes()
    for name in ("again", "large.tif", "noise.png"):
        path = tmp_path / name
        if name != "noise.png":
            assert path.read_bytes() == source
        path.unlink()
    (tmp_path / "source").unlink()
