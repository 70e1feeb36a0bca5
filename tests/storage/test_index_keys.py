"""Encoded values sort as the values do, and ranges leave nothing out."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
import pytest
from bson import ObjectId
from hypothesis import given

from backend.storage.index_keys import after, decode_id, encode, range_of

NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False))
TEXTS = st.text(st.characters(codec="utf-8"))
DATES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))
OBJECT_IDS = st.binary(min_size=12, max_size=12).map(ObjectId)
PAIRS = st.one_of(
    *(st.tuples(kind, kind) for kind in (NUMBERS, TEXTS, DATES, OBJECT_IDS, st.binary(), st.booleans(), st.none()))
)


@given(PAIRS)
def test_encodings_sort_as_values(pair):
    one, two = pair
    if isinstance(one, datetime):
        one, two = (d.replace(microsecond=d.microsecond // 1000 * 1000) for d in pair)
    if one is None or one == two:
        assert encode(one) == encode(two)
    else:
        assert (encode(one) < encode(two)) == (one < two)


@given(PAIRS, st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq"]))
def test_a_range_holds_every_value_that_fits(pair, operator):
    value, operand = pair
    fits = {
        "$gt": lambda: value > operand,
        "$gte": lambda: value >= operand,
        "$lt": lambda: value < operand,
        "$lte": lambda: value <= operand,
        "$eq": lambda: value == operand,
    }[operator]
    low, high = range_of({operator: operand})
    if operand is not None and fits():
        assert low <= encode(value) < high


@given(TEXTS, TEXTS, TEXTS)
def test_a_range_of_texts_is_exact(value, low_text, high_text):
    low, high = range_of({"$gt": low_text, "$lte": high_text})
    assert (low <= encode(value) < high) == (low_text < value <= high_text)


def test_types_do_not_mix_in_a_range():
    low, high = range_of({"$gte": ""})
    for other in (None, 5, ObjectId(), b"x", True, datetime(2020, 1, 1)):
        assert not low <= encode(other) < high
    low, high = range_of({"$lt": 5, "$gt": "a"})
    assert low >= high


def test_operators_that_give_no_range_give_none():
    assert range_of({"$ne": 5}) is None
    assert range_of({"$gt": [1]}) is None
    assert range_of({}) is None


def test_an_id_comes_back_and_a_text_and_an_object_id_differ():
    text = "0123456789abcdef01234567"
    assert decode_id(encode(text)) == text
    assert decode_id(encode(ObjectId(text))) == ObjectId(text)
    assert encode(text) != encode(ObjectId(text))


def test_equal_values_have_one_encoding():
    assert encode(0.0) == encode(-0.0) == encode(0)
    noon = datetime(2024, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert encode(noon) == encode(datetime(2024, 1, 1, 10)) == encode(datetime(2024, 1, 1, 10, tzinfo=UTC))
    assert encode(struct.unpack(">d", b"\x7f\xf0" + bytes(6))[0]) > encode(2**62)


@pytest.mark.parametrize("value", [{}, {"a": 1}, [], object()])
def test_other_types_are_not_indexed(value):
    assert encode(value) is None


def test_nothing_lies_between_a_key_and_the_one_after():
    assert b"a" < after(b"a") <= b"a\x00" < b"a\x00\x00" < b"a\x01"
