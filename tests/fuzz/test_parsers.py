"""A short run of every parser on bytes near good ones and on any bytes: named errors only."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.errors import GlassineError
from tests.fuzz.parsers import PARSERS, seeds

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


@pytest.mark.parametrize("name", PARSERS)
def test_good_inputs_are_read(name: str) -> None:
    result = PARSERS[name](seeds()[name])
    assert result or name == "carrier stream"


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_only_named_errors(name: str, data: st.DataObject) -> None:
    untrusted = data.draw(near(seeds()[name]) | st.binary(max_size=300))
    try:
        PARSERS[name](untrusted)
    except GlassineError as error:
        assert error.code
        assert error.message


def test_every_parser_has_a_seed() -> None:
    assert seeds().keys() == PARSERS.keys()
