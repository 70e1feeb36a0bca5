"""The rules for names and for what the server reads in an envelope, without a server."""

from __future__ import annotations

import itertools
import json
import string
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import Invalid
from backend.services.envelope import index_envelope
from backend.services.names import NAME_LIMIT, candidates, picture_stem
from tests.backend.samples import canonical, header, sealed

NOW = datetime(2022, 1, 12, 16, 28, 9)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("bicycle.png", "bicycle"),
        ("my pic.png", "my pic"),
        (" two  blanks .png", " two  blanks "),
        ("a.b.c.png", "a.b.c"),
        (".hidden.png", ".hidden"),
        ("x.png.png", "x.png"),
        ("../../etc/passwd.png", "passwd"),
        ("C:\\fakepath\\cat.PnG", "cat"),
        ("CON.png", "CON"),
        ("\u00e4\u4e2d\U0001f6b2.png", "\u00e4\u4e2d\U0001f6b2"),
        ("%2e%2e.png", "%2e%2e"),
        ("'; DROP TABLE--.png", "'; DROP TABLE--"),
        ("$where.png", "$where"),
        ("n" * 251 + ".png", "n" * 251),
    ],
)
def test_names_are_data(name: str, stem: str) -> None:
    assert picture_stem(name) == stem


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jpg", "PNG images only!"),
        ("png", "PNG images only!"),
        (".png", "PNG images only!"),
        ("dir.png/", "PNG images only!"),
        ("", "PNG images only!"),
        ("...png", "File name is not allowed"),
        ("..png", "File name is not allowed"),
        ("  .png", "File name is not allowed"),
        ("a\x00b.png", "File name is not allowed"),
        ("a\r\nX: y.png", "File name is not allowed"),
        ("a\x7fb.png", "File name is not allowed"),
        ("gpj.\u202egnp.png", "File name is not allowed"),
        ("a\u2028b.png", "File name is not allowed"),
        ("a\ud800b.png", "File name is not allowed"),
        ("a\uffffb.png", "File name is not allowed"),
        ("n" * 252 + ".png", "File name is too long"),
        ("\u00e4" * 126 + ".png", "File name is too long"),
        ("n" * 5000 + ".png", "File name is too long"),
    ],
)
def test_names_that_deceive_or_cannot_be_addressed(name: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        picture_stem(name)
    assert refused.value.message == message


def test_candidates() -> None:
    assert list(itertools.islice(candidates("bicycle", NOW), 4)) == [
        "bicycle.png", "bicycle_20220112162809.png", "bicycle_20220112162809_2.png", "bicycle_20220112162809_3.png",
    ]  # fmt: skip
    assert next(candidates("download-all", NOW)) == "download-all_20220112162809.png"


@given(st.text(min_size=1, max_size=300))
def test_every_accepted_name_can_be_stored_and_has_candidates_that_fit(text: str) -> None:
    try:
        stem = picture_stem(text + ".png")
    except Invalid:
        return
    assert "/" not in stem
    assert "\\" not in stem
    tried = list(itertools.islice(candidates(stem, NOW), 20))
    assert len(set(tried)) == 20
    assert all(len(name.encode()) <= NAME_LIMIT and name.endswith(".png") for name in tried)


# -- envelopes --


def test_an_envelope_is_indexed() -> None:
    sent = sealed()
    index = index_envelope(sent.envelope)
    assert (index.picture_id, index.header_hash) == (sent.picture_id, sent.header_hash)


def edited(change: Any) -> str:
    value = header("ab" * 16)
    change(value)
    return canonical(value)


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


GOOD = canonical(header("ab" * 16))
BAD = {
    "empty": "",
    "no JSON": "hello",
    "another kind": "[]",
    "a text": '"x"',
    "a number": "1",
    "an empty object": "{}",
    "blanks": GOOD.replace(":", ": ", 1),
    "a line end": GOOD + "\n",
    "more behind": GOOD + "{}",
    "another order": json.dumps(dict(reversed(json.loads(GOOD).items())), separators=(",", ":")),
    "a key twice": GOOD[:-1] + ',"sig":"AA=="}',
    "a fraction": edited(lambda v: v["body"].update(rev=1.0)),
    "not a number": edited(lambda v: v["body"].update(rev=float("nan"))),
    "a truth": edited(lambda v: v["body"].update(rev=True)),
    "nothing": edited(lambda v: v["body"].update(rev=None)),
    "a list": edited(lambda v: v["body"].update(rev=[1])),
    "a negative number": edited(lambda v: v["body"].update(rev=-1)),
    "minus nought": GOOD.replace('"rev":1', '"rev":-0'),
    "a leading nought": GOOD.replace('"rev":1', '"rev":01'),
    "a huge number": edited(lambda v: v["body"].update(rev=2**53)),
    "an exponent": GOOD.replace('"rev":1', '"rev":1e0'),
    "a letter that is not signed": edited(lambda v: v["body"].update(meta="\u00e4")),
    "a sign that is not signed": edited(lambda v: v["body"].update(meta="a b")),
    "an escape": GOOD.replace('"t":"header"', '"t":"\\u0068eader"'),
    "no ASCII": GOOD.replace('"meta":"', '"meta":"\u00e4'),
    "half a character": edited(lambda v: v["body"].update(meta="\ud800")),
    "too deep": nested(6),
    "far too deep": nested(5000),
    "no body": edited(lambda v: v.pop("body")),
    "no signature": edited(lambda v: v.pop("sig")),
    "no deed": edited(lambda v: v["body"].pop("deed")),
    "a deed without body": edited(lambda v: v["body"]["deed"].pop("body")),
    "no picture": edited(lambda v: v["body"]["deed"]["body"].pop("pic")),
    "a short picture id": edited(lambda v: v["body"]["deed"]["body"].update(pic="ab")),
    "an upper-case picture id": edited(lambda v: v["body"]["deed"]["body"].update(pic="AB" * 16)),
    "a number as picture id": edited(lambda v: v["body"]["deed"]["body"].update(pic=5)),
    "another type": edited(lambda v: v["body"].update(t="gone")),
    "another type of deed": edited(lambda v: v["body"]["deed"]["body"].update(t="grant")),
    "no author": edited(lambda v: v["body"].pop("author")),
    "33 KiB": edited(lambda v: v["body"].update(meta="A" * 32768)),
}


@pytest.mark.parametrize("envelope", BAD.values(), ids=BAD.keys())
def test_what_is_no_envelope_is_refused(envelope: str) -> None:
    assert envelope != GOOD
    with pytest.raises(Invalid):
        index_envelope(envelope)


@given(st.text(alphabet=string.printable, max_size=200), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_no_text_makes_it_fail_otherwise(text: str, place: int, cut: int) -> None:
    for mangled in (text, GOOD[:place] + text + GOOD[place + cut :]):
        try:
            index = index_envelope(mangled)
        except Invalid:
            continue
        assert canonical(json.loads(mangled)) == mangled
        assert index.picture_id in mangled
