"""Inputs near a good one, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

INTERESTING = [
    b"",
    b"\0",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b'"',
    b",",
    b"-1",
    b"1e9",
    b"null",
    b"9" * 20,
    b"A" * 70,
    b"\\u0000",
]


@st.composite
def near(draw: st.DrawFn, data: bytes) -> bytes:
    """A good input, cut, repeated and overwritten in a few places."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.sampled_from([at, at + 1, at + 8, len(data)]) | st.integers(at, len(data)))
        piece = draw(st.binary(max_size=4) | st.sampled_from(INTERESTING) | st.just(data[:at][-40:]))
        data = data[:at] + piece + data[end:]
    return data
