"""Fingerprints as words, digits and codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.crypto import kit, words
from desktop.errors import Unsupported

FP = "00112233445566778899aabbccddeeff" * 2
FINGERPRINTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_the_list_is_what_it_promises() -> None:
    listed = words.word_list()
    assert len(set(listed)) == len(listed) == 4096
    assert list(listed) == sorted(listed)
    assert all(word.isascii() and word.isalpha() and word.islower() and 4 <= len(word) <= 8 for word in listed)
    # a word of a kit is never a word of a fingerprint
    assert not set(listed) & set(kit.word_list())
    # no two sound or look alike by one letter
    seen: set[str] = set()
    for word in listed:
        patterns = {word[:at] + "_" + word[at + 1 :] for at in range(len(word))}
        assert not patterns & seen
        seen |= patterns


def test_words_and_digits_are_those_that_people_have_on_paper() -> None:
    assert words.fingerprint_words(FP) == tuple(WORDS.split())
    assert len(WORDS.split()) == 12
    assert words.fingerprint_words("0" * 64) == ("abacus",) * 12
    assert words.fingerprint_words("f" * 64) == ("zoom",) * 12
    assert words.fingerprint_groups("0" * 64) == ("00000",) * 16
    assert "".join(words.fingerprint_groups(FP)).lstrip("0") == str(int(FP, 16))


WORDS = "abdomen bankroll creature distinct gerbil hypnoses onlooker posted scroll spruce yippee abstain"


@given(FINGERPRINTS, st.integers(0, 143))
def test_each_of_144_bits_changes_the_words(fingerprint: str, bit: int) -> None:
    other = f"{int(fingerprint, 16) ^ 1 << 255 - bit:064x}"
    pairs = list(zip(words.fingerprint_words(fingerprint), words.fingerprint_words(other), strict=True))
    assert [at for at, pair in enumerate(pairs) if pair[0] != pair[1]] == [bit // 12]


@given(FINGERPRINTS)
def test_digits_and_codes_give_the_fingerprint_back(fingerprint: str) -> None:
    groups = words.fingerprint_groups(fingerprint)
    assert (len(groups), {len(group) for group in groups}) == (16, {5})
    for text in (
        " ".join(groups),
        "\n".join(groups),
        words.qr_text(fingerprint),
        fingerprint,
        fingerprint.upper(),
        f" {fingerprint[:32]} {fingerprint[32:]}\n",
    ):
        assert words.read_comparison(text) == fingerprint
    assert words.qr_text(fingerprint) == f"glassine:{fingerprint}"


@pytest.mark.parametrize(
    "text",
    ["", "glassine:", "glassine:" + FP[:-1], "other:" + FP, FP + "00", "9" * 80, "1" * 79, "é" * 64, "٣" * 80, FP * 50],
)
def test_anything_else_is_no_fingerprint(text: str) -> None:
    with pytest.raises(Unsupported):
        words.read_comparison(text)


@pytest.mark.parametrize("text", ["", FP.upper().replace("0", "A"), FP[:-1], "g" * 64])
def test_only_fingerprints_are_shown(text: str) -> None:
    for show in (words.fingerprint_words, words.fingerprint_groups, words.qr_text):
        with pytest.raises(ValueError, match="fingerprint"):
            show(text)
