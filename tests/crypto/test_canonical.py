"""Canonical JSON: one text per value, everything else is refused as damaged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.crypto import canonical
from desktop.errors import Damaged

GOOD = '{"a":1,"b":{"c":"Zz09+/="}}'

HOSTILE = {
    "empty": "",
    "not json": "picture",
    "array": "[]",
    "string": '"a"',
    "number": "1",
    "array inside": '{"a":[]}',
    "white space": '{"a": 1}',
    "white space after": GOOD + "\n",
    "second value": GOOD + GOOD,
    "reserialised in another order": '{"b":{"c":"Zz09+/="},"a":1}',
    "dup_key": '{"a":1,"a":1}',
    "dup_key inside": '{"a":{"b":1,"b":2}}',
    "float": '{"a":1.0}',
    "exponent": '{"a":1e3}',
    "nan": '{"a":NaN}',
    "infinity": '{"a":-Infinity}',
    "bool": '{"a":true}',
    "null": '{"a":null}',
    "negative": '{"a":-1}',
    "minus zero": '{"a":-0}',
    "leading zero": '{"a":01}',
    "2^53": '{"a":9007199254740992}',
    "bigint": '{"a":' + "9" * 5000 + "}",
    "surrogate": '{"a":"\\ud800"}',
    "escape": '{"a":"\\u0041"}',
    "escaped solidus": '{"a":"\\/"}',
    "odd character": '{"a":"-"}',
    "odd member": '{"a b":1}',
    "non-ASCII": '{"a":"ä"}',
    "byte order mark": "\ufeff" + GOOD,
    "deep": '{"a":{"a":{"a":{"a":{"a":{}}}}}}',
    "very deep": '{"a":' * 5000 + "{}" + "}" * 5000,
    "very deep arrays": "[" * 30000,
    "33KiB": '{"a":"' + "A" * 33 * 1024 + '"}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_other_texts_are_damaged(text: str) -> None:
    with pytest.raises(Damaged):
        canonical.parse(text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_other_encodings_are_damaged(encoding: str) -> None:
    with pytest.raises(Damaged):
        canonical.parse(GOOD.encode(encoding))


def test_the_canonical_text_is_read() -> None:
    assert canonical.parse(GOOD) == {"a": 1, "b": {"c": "Zz09+/="}}
    assert canonical.parse(GOOD.encode()) == canonical.parse(GOOD)
    assert canonical.parse('{"a":9007199254740991}') == {"a": (1 << 53) - 1}
    assert canonical.parse('{"a":{"a":{"a":{"a":{}}}}}')


def test_the_limit_is_on_the_text() -> None:
    longest = '{"a":"' + "A" * (32768 - 8) + '"}'
    assert len(longest) == 32768
    assert canonical.parse(longest)
    with pytest.raises(Damaged):
        canonical.parse(longest.replace("A", "AA", 1))


STRINGS = st.text("ABCXYZabcxyz0189+/=", max_size=12)
VALUES = st.recursive(
    st.integers(0, (1 << 53) - 1) | STRINGS, lambda inner: st.dictionaries(STRINGS, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(STRINGS, VALUES, max_size=5))
def test_round_trip(value: canonical.Object) -> None:
    text = canonical.encode(value)
    if text.count(b"{") <= 5:  # no deeper than allowed
        assert canonical.parse(text) == value


@given(st.text(max_size=60) | st.text('{}[]":,0123456789.-+eEabtrufalsn\\ ', max_size=60))
def test_any_text_is_canonical_or_damaged(text: str) -> None:
    try:
        value = canonical.parse(text)
    except Damaged:
        return
    assert canonical.encode(value).decode() == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_canonical_or_damaged(value: object) -> None:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    try:
        assert canonical.parse(text) == value
    except Damaged:
        return
    assert isinstance(value, dict)


@pytest.mark.parametrize("text", ["QUI", "QUI=QUI=", "QUJ=", "QUI=\n", " QUI=", "QUI-", "=", "QQ", "QR=="])
def test_b64_alias(text: str) -> None:
    with pytest.raises(Damaged):
        canonical.get_base64({"x": text}, "x")


@pytest.mark.parametrize(
    "text", ["AB" * 16, "ab" * 15, "ab" * 17, "a b" * 10 + "ab", "0x" + "ab" * 15, "ab" * 15 + "a\n", "٠" * 32]
)
def test_hex_space(text: str) -> None:
    with pytest.raises(Damaged):
        canonical.get_hex({"x": text}, "x", 16)


@pytest.mark.parametrize("value", [True, "1", None, {}, 0, 11])
def test_integers_are_no_booleans_and_in_range(value: object) -> None:
    with pytest.raises(Damaged):
        canonical.get_integer({"x": value}, "x", 1, 10)


def test_errors_never_quote_the_text() -> None:
    with pytest.raises(Damaged) as caught:
        canonical.parse('{"secret": "hunter2"}')
    assert "hunter2" not in caught.value.details + caught.value.message
