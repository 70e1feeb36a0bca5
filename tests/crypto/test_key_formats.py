"""Keys of other programs: what they give, what they are refused as, and that exports come back the same."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from desktop.crypto import der, key_costs, key_file, key_formats
from desktop.crypto.classic_keys import ClassicPrivateKey
from desktop.crypto.key_formats import import_private
from desktop.crypto.key_slots import Cost
from desktop.crypto.keys import PrivateKey
from desktop.errors import (
    GlassineError,
    KeyFileDamaged,
    KeyRefused,
    NotAKey,
    PassphraseNeeded,
    TooLarge,
    WrongKey,
)

FOREIGN = Path(__file__).with_name("foreign_keys")
FINGERPRINT = "7ea45529f566ace600489e6f6bdf16d10287335d3dfd0470b7d39453247ec1f9"  # sha256sum of openssl's DER
PLAIN = {
    "pkcs8-plain.pem": "pkcs8",
    "pkcs1-plain.pem": "pkcs1",
    "pkcs1-plain.der": "pkcs1",
    "openssh-plain.pem": "openssh",
}
ENCRYPTED = {
    "pkcs8-pbkdf2.pem": "pkcs8",
    "pkcs8-pbkdf2.der": "pkcs8",
    "pkcs8-scrypt.pem": "pkcs8",
    "pkcs8-pbes1.pem": "pkcs8",
    "pkcs1-aes256.pem": "pkcs1",
    "openssh-bcrypt.pem": "openssh",
}


def foreign(name: str) -> bytes:
    return (FOREIGN / name).read_bytes()


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    imported = import_private(foreign("pkcs8-plain.pem")).key
    assert isinstance(imported, PrivateKey)
    return imported


def refusal(data: bytes, passphrase: str | None = None) -> GlassineError:
    with pytest.raises(GlassineError) as caught:
        import_private(data, passphrase)
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(("name", "kind"), [*PLAIN.items(), *ENCRYPTED.items()])
def test_vault_key_same_whatever_the_format(key: PrivateKey, name: str, kind: str) -> None:
    imported = import_private(foreign(name), "passphrase" if name in ENCRYPTED else None)
    assert isinstance(imported.key, PrivateKey)
    assert imported.format == kind
    assert imported.key.fingerprint == FINGERPRINT
    assert imported.key.vault_key(b"glassine/1 ledger\0") == key.vault_key(b"glassine/1 ledger\0")
    assert any("Glassine only" in warning for warning in imported.warnings)


def test_vault_key_same_with_swapped_primes(key: PrivateKey) -> None:
    numbers = key.to_cryptography().private_numbers()
    p, q, d = numbers.q, numbers.p, numbers.d
    swapped = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), numbers.public_numbers
    ).private_key()
    data = swapped.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    imported = import_private(data).key
    assert isinstance(imported, PrivateKey)
    assert imported.to_pkcs8() != key.to_pkcs8()
    assert imported.vault_key(b"x") == key.vault_key(b"x")


@pytest.mark.parametrize("name", ENCRYPTED)
def test_missing_and_wrong_passphrases_are_told_apart(name: str) -> None:
    assert type(refusal(foreign(name))) is PassphraseNeeded
    for wrong in ("Passphrase", "", "\udcff", "pässphrase"):
        assert type(refusal(foreign(name), wrong)) is WrongKey


@pytest.mark.parametrize("name", PLAIN)
def test_a_passphrase_that_is_not_needed_is_not_looked_at(name: str) -> None:
    assert import_private(foreign(name), "whatever").format == PLAIN[name]


@pytest.mark.parametrize(
    ("name", "passphrase", "says"),
    [
        ("ec.pem", None, "EC"),
        ("ec-pkcs8.pem", None, "EC"),
        ("ed25519-pkcs8.pem", None, "Ed25519"),
        ("ed25519-openssh.pem", None, "Ed25519"),
        ("public.pem", None, "public"),
    ],
)
def test_other_algorithms_and_public_keys_are_unsupported(name: str, passphrase: str | None, says: str) -> None:
    error = refusal(foreign(name), passphrase)
    assert type(error) is NotAKey
    assert says in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x00" * 100,
        b"PuTTY-User-Key-File-3: ssh-rsa\n",
        b"ssh-rsa AAAAB3NzaC1yc2E me@here",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----",
        b"-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----",
        foreign("pkcs8-plain.pem") + foreign("pkcs1-plain.pem"),
    ],
)
def test_other_files_are_unsupported(data: bytes) -> None:
    assert type(refusal(data)) is NotAKey


@pytest.mark.parametrize("name", [*PLAIN, "pkcs8-pbkdf2.der"])
def test_cut_off_keys_are_damaged(name: str) -> None:
    data = foreign(name)
    for size in (40, len(data) // 2, len(data) - 1 if name.endswith("der") else len(data) - 40):
        assert type(refusal(data[:size])) is KeyFileDamaged


@pytest.mark.parametrize("name", PLAIN)
def test_changed_keys_are_never_accepted_as_another_key(name: str) -> None:
    data = bytearray(foreign(name))
    for at in range(200, len(data) - 60, 97):
        damaged = bytearray(data)
        damaged[at] ^= 1
        try:
            imported = import_private(bytes(damaged)).key
        except GlassineError as error:
            assert isinstance(error, KeyFileDamaged | KeyRefused | NotAKey)
        else:
            # in OpenSSH's padding or in parts that are computed anew nothing that matters changed
            assert isinstance(imported, PrivateKey)
            assert imported.fingerprint == FINGERPRINT


def test_line_ends_and_what_stands_around_a_key_do_not_matter(key: PrivateKey) -> None:
    data = foreign("pkcs8-plain.pem")
    for variant in (
        data.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + data,
        b"\n\n  " + data + b"\n\n",
        b"Bag Attributes\n    friendlyName: x\n" + data,
        foreign("public.pem") + data,
    ):
        imported = import_private(variant).key
        assert isinstance(imported, PrivateKey)
        assert imported.fingerprint == FINGERPRINT


def test_weak_rsa_keys_are_refused() -> None:
    for bits, e in ((1024, 65537), (2048, 3)):
        weak = rsa.generate_private_key(e, bits).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        assert type(refusal(weak)) is KeyRefused


def test_classic_keys_stay_classic() -> None:
    imported = import_private(b"2831 27977\n")
    assert imported.key == ClassicPrivateKey(2831, 27977)
    assert imported.format == "classic"
    for text in (b"27977 9431", b"12", b"1 2 3", b"0 27977", b"5 " + b"9" * 300):
        assert type(refusal(text)) is KeyRefused


def test_our_own_key_file_is_imported_too(key: PrivateKey) -> None:
    data = key_file.create(key, "mine", _cost=Cost(19456, 2, 1))
    imported = import_private(data + b"\n", "mine")
    assert imported.format == "glassine"
    assert isinstance(imported.key, PrivateKey)
    assert imported.key.fingerprint == FINGERPRINT
    assert type(refusal(data)) is PassphraseNeeded
    assert type(refusal(data, "yours")) is WrongKey
    assert type(refusal(data[:-2])) is KeyFileDamaged


# -- work that a hostile file asks for --------------------------------------------------------------------------------


def test_costs_above_the_limits_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_formats, "_loaded", lambda *_: pytest.fail("the library was called"))
    monkeypatch.setattr(key_costs, "MAX_SCRYPT_MEMORY", 128 * 8 * 16383)
    assert type(refusal(foreign("pkcs8-scrypt.pem"), "passphrase")) is TooLarge
    monkeypatch.setattr(key_costs, "MAX_PBKDF2_ROUNDS", 2047)
    assert type(refusal(foreign("pkcs8-pbkdf2.pem"), "passphrase")) is TooLarge
    assert type(refusal(foreign("pkcs8-pbkdf2.der"), "passphrase")) is TooLarge
    assert type(refusal(foreign("pkcs8-pbes1.pem"), "passphrase")) is TooLarge
    monkeypatch.setattr(key_costs, "MAX_BCRYPT_ROUNDS", 15)
    assert type(refusal(foreign("openssh-bcrypt.pem"), "passphrase")) is TooLarge


def test_a_key_of_more_than_64_kib_is_too_large() -> None:
    assert type(refusal(b"-----BEGIN PRIVATE KEY-----" + b"A" * 65536)) is TooLarge


# -- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "passphrase"),
    [("pkcs8", None), ("pkcs8", "ünlock"), ("pkcs1", None), ("openssh", None), ("openssh", "ünlock")],
)
def test_exports_come_back_the_same(key: PrivateKey, kind: key_formats.ExportFormat, passphrase: str | None) -> None:
    data = key_formats.export_private(key, kind, passphrase)
    imported = import_private(data, passphrase)
    assert imported.format == kind
    assert isinstance(imported.key, PrivateKey)
    assert imported.key.to_pkcs8() == key.to_pkcs8()
    if passphrase is not None:
        assert type(refusal(data)) is PassphraseNeeded
        assert type(refusal(data, "unlock")) is WrongKey


def test_encrypted_pkcs8_is_what_the_library_reads_and_costs_enough(key: PrivateKey) -> None:
    data = key_formats.export_private(key, "pkcs8", "secret")
    loaded = serialization.load_pem_private_key(data, b"secret")
    assert isinstance(loaded, rsa.RSAPrivateKey)
    body = base64.b64decode(b"".join(data.splitlines()[1:-1]))
    assert der.encode_integer(600_000) in body
    assert len(re.findall(rb"(?m)^.{65,}$", data)) == 0


@pytest.mark.parametrize(("kind", "passphrase"), [("pkcs1", "x"), ("jwk", None), ("pkcs12", "x")])
def test_formats_that_cannot_protect_are_not_written(key: PrivateKey, kind: str, passphrase: str | None) -> None:
    with pytest.raises(NotAKey):
        key_formats.export_private(key, kind, passphrase)  # type: ignore[arg-type]


@pytest.mark.parametrize("passphrase", ["", "\udcff"])
def test_an_export_never_has_an_empty_passphrase(key: PrivateKey, passphrase: str) -> None:
    with pytest.raises(KeyRefused):
        key_formats.export_private(key, "pkcs8", passphrase)


def test_public_export_is_openssls(key: PrivateKey) -> None:
    assert key_formats.export_public(key).encode() == foreign("public.pem")
    assert key_formats.export_public(key.public) == key.public.pem


def test_fingerprints_are_sixteen_groups_of_four() -> None:
    groups = key_formats.fingerprint_groups(FINGERPRINT)
    assert groups.startswith("7ea4 5529 f566 ")
    assert [len(group) for group in groups.split(" ")] == [4] * 16
    for wrong in (FINGERPRINT[:32], FINGERPRINT.upper(), ""):
        with pytest.raises(ValueError, match="64"):
            key_formats.fingerprint_groups(wrong)
