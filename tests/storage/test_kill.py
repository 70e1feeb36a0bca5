"""kill -9 at random moments; ``python -m benchmarks.kill_storage --rounds 100`` is the long run."""

from __future__ import annotations

import os
import random

from benchmarks import kill_storage


def test_nothing_acknowledged_is_lost_by_kill_9():
    rounds = int(os.environ.get("GLASSINE_KILL_ROUNDS", "8"))
    seed = random.SystemRandom().randrange(10**9)
    assert kill_storage.run(rounds, seed, quiet=True) == [], f"python -m benchmarks.kill_storage --seed {seed}"


def test_the_check_notices_what_is_lost_damaged_or_left_over(tmp_path, make):
    """The check of the kill test can fail: each kind of harm is found."""
    from backend.storage.embedded import open_storage

    def picture(storage, name):
        data = kill_storage.content(name)
        content, thumbnail = make.blob(storage, data), make.blob(storage, name.encode())
        made = make.picture(storage, kill_storage.OWNER, name, content_blob=content, thumbnail_blob=thumbnail)
        storage.add_picture(made)
        return made

    folder = tmp_path / "storage"
    storage = open_storage(folder)
    pictures = [picture(storage, name) for name in ("0-a", "0-b", "0-c")]
    storage.close()
    expected = kill_storage.Expected()
    for made in pictures:
        expected.hear(["added", made.name, made.id])
    assert kill_storage.check(folder, expected) == []

    expected.hear(["added", "0-d", "f" * 24])
    assert "0-d was acknowledged and is lost" in kill_storage.check(folder, expected)
    expected.hear(["shared", "0-a"])
    assert "the permission on 0-a is lost" in kill_storage.check(folder, expected)
    expected.shared.clear()
    expected.hear(["revised", "0-a", "1" * 64])
    assert "a revision of 0-a is lost" in kill_storage.check(folder, expected)
    expected.revised.clear()
    expected.hear(["removed", "0-b"])
    assert "0-b is there but was removed or never stored" in kill_storage.check(folder, expected)

    blob = folder / "blobs" / pictures[0].thumbnail_blob[:2] / pictures[0].thumbnail_blob
    blob.write_bytes(b"other")
    assert kill_storage.check(folder, expected) == ["a blob of 0-a is damaged"]
    blob.unlink()
    assert kill_storage.check(folder, expected) == ["0-a is listed without its blob"]
    blob.write_bytes(b"0-a")
    (folder / "blobs" / "00" / ("00" * 16)).write_bytes(b"orphan")
    assert kill_storage.check(folder, expected) == ["1 blobs without a record were not collected"]
    (folder / "records.sqlite3").write_bytes(b"noise" * 1000)
    assert kill_storage.check(folder, expected)[0].startswith("does not open: damaged")
