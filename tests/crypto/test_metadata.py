"""Metadata and the rule for file names."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.crypto.canonical import encode
from desktop.crypto.metadata import FALLBACK_NAME, Metadata, safe_name
from desktop.errors import Damaged

GOOD = Metadata("sea.jpg", "image/jpeg", 12_345, "ab" * 32, 4000, 3000, "2024-02-29T23:59:59")


def padded(text: bytes) -> bytes:
    return text.ljust(-(-len(text) // 256) * 256)


def fields(**changes: object) -> bytes:
    return padded(encode(GOOD.__dict__ | changes))


def test_round_trip() -> None:
    data = GOOD.encode()
    assert len(data) == 256
    assert Metadata.parse(data) == GOOD
    assert Metadata.parse(replace(GOOD, taken="", w=0, h=0, size=0).encode()).taken == ""


@given(st.text(max_size=300))
def test_any_name_makes_a_round_trip_once_it_is_safe(name: str) -> None:
    metadata = replace(GOOD, name=safe_name(name))
    data = metadata.encode()
    assert len(data) % 256 == 0
    assert len(data) <= 4096
    assert Metadata.parse(data) == metadata


@given(st.text(max_size=300) | st.text("./\\ :*?con\0\u202e\u200c\u200d\ud800aux123", max_size=12))
def test_safe_names_are_safe(name: str) -> None:
    safe = safe_name(name)
    assert safe_name(safe) == safe
    assert 0 < len(safe.encode("utf-8")) <= 255
    assert not set(safe) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in safe if c not in "\u200c\u200d")
    assert safe == safe.strip().strip("\u200c\u200d")
    assert not safe.endswith(".")


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("sea.jpg", "sea.jpg"),
        ("Ünïcödé 海.jpg", "Ünïcödé 海.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..", FALLBACK_NAME),
        ("", FALLBACK_NAME),
        ("   ", FALLBACK_NAME),
        ("/", FALLBACK_NAME),
        ("C:\\Windows\\sea.jpg", "sea.jpg"),
        ("..\\sea.jpg", "sea.jpg"),
        ("sea\0.jpg", "sea.jpg"),
        ("sea\n.jpg", "sea.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("sea\u200b.jpg", "sea.jpg"),
        ("می\u200cخواهم.jpg", "می\u200cخواهم.jpg"),
        ("\U0001f469\u200d\U0001f33e.jpg", "\U0001f469\u200d\U0001f33e.jpg"),
        ("\u200dsea.jpg\u200c", "sea.jpg"),
        ("\u200c\u200d", FALLBACK_NAME),
        ("con\u200d", "_con"),
        ("CON", "_CON"),
        ("nul.jpg", "_nul.jpg"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("COM¹", "_COM¹"),
        ("console.jpg", "console.jpg"),
        ("sea.jpg.", "sea.jpg"),
        ("sea.jpg . .", "sea.jpg"),
        ("a:b", "a_b"),
        (".hidden.jpg", ".hidden.jpg"),
        ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
        ("海" * 100 + ".jpg", "海" * 83 + ".jpg"),
        ("x" * 5000, "x" * 255),
    ],
)
def test_hostile_name(hostile: str, safe: str) -> None:
    assert safe_name(hostile) == safe


def test_a_hostile_name_is_made_safe_on_reading() -> None:
    assert Metadata.parse(fields(name="../../.bashrc")).name == ".bashrc"


DAMAGED = {
    "no padding": encode(GOOD.__dict__),
    "one block too many": GOOD.encode() + b" " * 256,
    "padding of another kind": GOOD.encode()[:-1] + b"\0",
    "empty": b"",
    "spaces": b" " * 256,
    "5 KB": fields(name="x" * 5000),
    "extra member": fields(gps="here"),
    "missing member": padded(encode({k: v for k, v in GOOD.__dict__.items() if k != "taken"})),
    "name is a number": fields(name=1),
    "size is text": fields(size="1"),
    "negative size": fields(size=-1),
    "size above the limit": fields(size=750_000_001),
    "size is true": fields(size=True),
    "width": fields(w=1 << 31),
    "hash in capitals": fields(b3="AB" * 32),
    "hash too short": fields(b3="ab" * 31),
    "type without slash": fields(type="jpeg"),
    "type with a header": fields(type="image/jpeg\r\nX: y"),
    "type too long": fields(type="image/" + "x" * 100),
    "30th of February": fields(taken="2024-02-30T00:00:00"),
    "year 0": fields(taken="0000-01-01T00:00:00"),
    "zone": fields(taken="2024-02-29T23:59:59Z"),
    "week date": fields(taken="2024-W01-1T00:00:00"),
    "lone surrogate": padded(encode(GOOD.__dict__ | {"name": "\ud800"})),
    "not escaped": padded(encode(GOOD.__dict__ | {"name": "_"}).replace(b'"_"', '"é"'.encode())),
    "escaped for nothing": padded(encode(GOOD.__dict__ | {"name": "_"}).replace(b'"_"', b'"\\u0041"')),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_other_metadata_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        Metadata.parse(data)


@pytest.mark.parametrize("change", [{"name": "a/b"}, {"type": "x"}, {"size": -1}, {"taken": "yesterday"}, {"b3": ""}])
def test_wrong_metadata_is_not_written(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="metadata"):
        replace(GOOD, **change).encode()  # type: ignore[arg-type]
