"""Recovery kits: 24 words, and the key file they open."""

from __future__ import annotations

import os
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from desktop.client.kit_page import kit_page
from desktop.crypto import canonical, key_file, kit
from desktop.crypto.key_slots import LEAST_COST
from desktop.crypto.keys import PrivateKey
from desktop.crypto.kit import Typed
from desktop.errors import KeyFileDamaged, KitWordsWrong, WrongKey
from tests.crypto.forge import flipped

ROOT = bytes(range(32))


@pytest.fixture
def protected(owner: PrivateKey) -> bytes:
    return key_file.create(owner, "passphrase", _cost=LEAST_COST)


def test_the_words_are_those_of_bip_39() -> None:
    # the test vectors of BIP-39
    assert kit.words_of(bytes(32)) == ("abandon",) * 23 + ("art",)
    assert kit.words_of(b"\xff" * 32) == ("zoo",) * 23 + ("vote",)
    assert kit.read_words([*("legal winner thank year wave sausage worth useful " * 3).split()[:23], "title"]) == (
        b"\x7f" * 32
    )
    assert len(kit.word_list()) == 2048


@given(st.binary(min_size=32, max_size=32))
def test_words_give_the_bytes_back(root: bytes) -> None:
    words = kit.words_of(root)
    assert len(words) == 24
    assert kit.read_words(words) == root
    assert kit.read_words([f" {word[: kit.PREFIX].upper()} " for word in words]) == root
    assert kit.compare_words(root, words) == (True,) * 24


def test_kits_are_random() -> None:
    assert len({kit.new_root() for _ in range(10)}) == 10
    assert len(kit.new_root()) == 32
    with pytest.raises(ValueError, match="32 bytes"):
        kit.words_of(bytes(16))


@pytest.mark.parametrize(
    ("typed", "state", "word"),
    [
        ("", Typed.EMPTY, ""),
        ("  ", Typed.EMPTY, ""),
        ("a", Typed.PREFIX, ""),
        ("aban", Typed.PREFIX, "abandon"),
        ("Abandon ", Typed.WORD, "abandon"),
        ("add", Typed.WORD, "add"),
        ("ad", Typed.PREFIX, ""),
        ("ａｂａｎｄｏｎ", Typed.WORD, "abandon"),
        ("abandonn", Typed.UNKNOWN, ""),
        ("xylophone", Typed.UNKNOWN, ""),
        ("1", Typed.UNKNOWN, ""),
        ("x" * 10_000, Typed.UNKNOWN, ""),
    ],
)
def test_the_verdict_while_typing(typed: str, state: Typed, word: str) -> None:
    verdict = kit.judge_word(typed)
    assert (verdict.state, verdict.word) == (state, word)


def test_suggestions() -> None:
    assert kit.judge_word("ab").suggestions == ("abandon", "ability", "able", "about", "above", "absent")
    assert "abandon" in kit.judge_word("abandn").suggestions
    assert kit.judge_word("qqqq").suggestions == ()


def test_a_wrong_word_is_named() -> None:
    words = list(kit.words_of(ROOT))
    words[4], words[9] = "abandn", "zzz"
    with pytest.raises(KitWordsWrong, match=r"Word 5, “abandn”.*“abandon”") as caught:
        kit.read_words(words)
    assert caught.value.positions == (5, 10)


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=5))
def test_short_and_long_verdicts_agree(typed: str) -> None:
    verdict = kit.judge_word(typed)
    assert kit.compare_words(ROOT, [typed])[0] is (verdict.word == kit.words_of(ROOT)[0])
    assert (verdict.word in kit.word_list()) is bool(verdict.word)
    with pytest.raises(KitWordsWrong) as caught:
        kit.read_words([typed])
    assert caught.value.positions == (() if verdict.word else (1,))


def test_an_open_prefix_is_not_enough() -> None:
    words = list(kit.words_of(ROOT))
    words[0] = words[0][:1]
    with pytest.raises(KitWordsWrong) as caught:
        kit.read_words(words)
    assert caught.value.positions == (1,)


def test_words_that_do_not_belong_together() -> None:
    words = list(kit.words_of(ROOT))
    swapped = [words[1], words[0], *words[2:]]
    for wrong in (swapped, [*words[:23], "zoo"], words[:23], [*words, "zoo"], words[:12], [], ["qqq"] * 800):
        with pytest.raises(KitWordsWrong) as caught:
            kit.read_words(wrong)
        assert caught.value.positions == ()


def test_a_shorter_mnemonic_is_no_kit() -> None:
    for size in (16, 20, 24, 28):
        words = Mnemonic("english").to_mnemonic(bytes(range(size))).split()
        with pytest.raises(KitWordsWrong):
            kit.read_words(words)


def test_proving_says_which_words_are_right() -> None:
    words = list(kit.words_of(ROOT))
    words[6] = "zoo"
    assert kit.compare_words(ROOT, words) == (True,) * 6 + (False,) + (True,) * 17
    assert kit.compare_words(ROOT, words[:3]) == (True,) * 3 + (False,) * 21
    assert kit.compare_words(ROOT, [*words, *words])[23] is True


def test_pasted_text() -> None:
    words = kit.words_of(ROOT)
    printed = "\n".join(f"{number}. {word.capitalize()}" for number, word in enumerate(words, 1))
    assert kit.split_words(printed) == words


# -- the key file -------------------------------------------------------------------------------------------------


def test_a_kit_opens_the_servers_copy_and_nothing_else_does(owner: PrivateKey, protected: bytes) -> None:
    assert not kit.has_kit(protected)
    with pytest.raises(WrongKey):
        kit.server_copy(protected)
    with pytest.raises(WrongKey):
        kit.add_kit(protected, "another", ROOT)
    both = kit.add_kit(protected, "passphrase", ROOT)
    assert kit.has_kit(both)
    assert key_file.open_with_passphrase(both, "passphrase").fingerprint == owner.fingerprint
    copy = kit.server_copy(both)
    assert key_file.slot_kinds(copy) == (key_file.SlotKind.KIT,)
    words = kit.words_of(ROOT)
    for data in (both, copy):
        opened = kit.open_with_kit(data, kit.read_words(words), printed=owner.fingerprint)
        assert opened.fingerprint == owner.fingerprint
        assert kit.open_with_kit(data, ROOT).fingerprint == owner.fingerprint
        with pytest.raises(WrongKey):
            kit.open_with_kit(data, os.urandom(32))
    with pytest.raises(WrongKey):
        key_file.open_with_passphrase(copy, "passphrase")
    with pytest.raises(WrongKey):
        kit.open_with_kit(protected, ROOT)


def test_keyfile_swap_on_restore(owner: PrivateKey, friend: PrivateKey, protected: bytes) -> None:
    mine = kit.server_copy(kit.add_kit(protected, "passphrase", ROOT))
    other = key_file.create(friend, "x", _cost=LEAST_COST)
    theirs = kit.server_copy(kit.add_kit(other, "x", os.urandom(32)))
    with pytest.raises(WrongKey):
        kit.open_with_kit(theirs, ROOT)
    # even one that this kit opens: it is not the key that the paper names
    same_kit = kit.server_copy(kit.add_kit(other, "x", ROOT))
    with pytest.raises(WrongKey):
        kit.open_with_kit(same_kit, ROOT, printed=owner.fingerprint)
    pub = [canonical.encode_base64(key_file.read_public(data).spki).encode() for data in (mine, theirs)]
    spliced = theirs.replace(pub[1], pub[0])
    assert key_file.read_public(spliced).fingerprint == owner.fingerprint
    with pytest.raises(WrongKey):
        kit.open_with_kit(spliced, ROOT, printed=owner.fingerprint)
    assert kit.open_with_kit(mine, ROOT, printed=owner.fingerprint).fingerprint == owner.fingerprint


def test_flip_bytes_of_the_servers_copy(protected: bytes) -> None:
    copy = kit.server_copy(kit.add_kit(protected, "passphrase", ROOT))
    for at in range(0, len(copy), 7):
        with pytest.raises((KeyFileDamaged, WrongKey)):
            kit.open_with_kit(flipped(copy, at), ROOT)


def test_the_page_says_everything_and_no_fingerprint_words(owner: PrivateKey) -> None:
    from desktop.crypto import words

    page = kit_page(
        kit.words_of(ROOT),
        owner.fingerprint,
        key_name="Home",
        created=date(2026, 3, 14),
        address="https://pictures.example.org",
        user_name="robin",
    )
    assert page.words[0] == (1, kit.words_of(ROOT)[0])
    assert len(page.words) == 24
    assert words.read_comparison(" ".join(page.groups)) == page.fingerprint == owner.fingerprint
    here = kit_page(page_words := [word for _, word in page.words], page.fingerprint, key_name="", created=page.created)
    assert len(page_words) == 24
    # a vault on this computer has no address to sign in at
    told = [" ".join(one.instructions) for one in (page, here)]
    assert ["address above" in text for text in told] == [True, False]
    assert ["vault's folder" in text for text in told] == [False, True]
    printed = " ".join([page.title, *page.instructions, *page.groups])
    assert not set(words.fingerprint_words(owner.fingerprint)) & set(printed.split())
