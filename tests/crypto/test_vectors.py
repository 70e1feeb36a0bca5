"""The published test vectors: what FORMAT.md section 14 promises about each."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from desktop import errors
from desktop.crypto import Metadata, PrivateKey, PublicKey, open_carrier, read_envelope
from desktop.crypto.chunks import open_bytes, seal_bytes
from desktop.crypto.envelope import parse_grant
from desktop.crypto.grants import read_grant
from desktop.crypto.keys import LEDGER_INFO, QUEUE_INFO, VAULT_WRAP_INFO
from desktop.crypto.records import open_ledger, read_gone, read_succession

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "vectors"
FORMAT = (ROOT / "desktop" / "crypto" / "FORMAT.md").read_text(encoding="utf-8")

EXPECTED: dict[str, type[errors.GlassineError]] = {
    "damaged": errors.Damaged,
    "not-authentic": errors.NotAuthentic,
    "no-grant": errors.NoGrant,
    "wrong-picture": errors.WrongPicture,
    "wrong-key": errors.WrongKey,
    "unsupported": errors.Unsupported,
    "too-large": errors.TooLarge,
    "key-refused": errors.KeyRefused,
    "rolled-back": errors.RolledBack,
}

Case = dict[str, Any]


def load(name: str) -> list[Case]:
    cases: list[Case] = json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))
    return cases


def cases_of(name: str) -> Any:
    return pytest.mark.parametrize("case", load(name), ids=lambda case: case["comment"])


KEYS = {case["name"]: case for case in load("derived")}


def key(name: str) -> PrivateKey:
    return PrivateKey.from_pkcs8(base64.b64decode(KEYS[name]["pkcs8"]), authenticated=True)


def check(case: Case, action: Any) -> Any:
    """Run the action; return its result for ``success`` and check for exactly the named error otherwise."""
    if case["expect"] == "success":
        return action()
    with pytest.raises(errors.GlassineError) as caught:
        action()
    assert caught.type is EXPECTED[case["expect"]]
    return None


@cases_of("derived")
def test_derived(case: Case) -> None:
    private = check(case, lambda: PrivateKey.from_pkcs8(base64.b64decode(case["pkcs8"])))
    assert private.fingerprint == case["fingerprint"]
    assert private.vault_key(VAULT_WRAP_INFO).hex() == case["vault_wrap"]
    assert private.vault_key(LEDGER_INFO).hex() == case["ledger"]
    assert private.vault_key(QUEUE_INFO).hex() == case["queue"]


@cases_of("keys")
def test_keys(case: Case) -> None:
    public = check(case, lambda: PublicKey.from_pem(case["pem"]))
    if public:
        assert public.fingerprint == case["fingerprint"]


@cases_of("chunks")
def test_chunks(case: Case) -> None:
    secret, aad = bytes.fromhex(case["key"]), bytes.fromhex(case["aad"])
    if "zeros" in case:
        sealed, b3 = seal_bytes(secret, aad, bytes(case["zeros"]))
        assert b3 == case["b3"]
        assert open_bytes(secret, aad, sealed, case["zeros"], b3) == bytes(case["zeros"])
        return
    sealed = bytes.fromhex(case["ciphertext"])
    plain = check(case, lambda: open_bytes(secret, aad, sealed, case["size"], case["b3"]))
    if plain is not None:
        assert plain.hex() == case["plaintext"]
        assert seal_bytes(secret, aad, plain) == (sealed, case["b3"])


@cases_of("metadata")
def test_metadata(case: Case) -> None:
    metadata = check(case, lambda: Metadata.parse(case["text"].encode("utf-8")))
    if metadata:
        assert metadata.__dict__ == case["fields"]


@cases_of("envelopes")
def test_envelopes(case: Case) -> None:
    def act() -> Any:
        envelope = read_envelope(
            case["envelope"], owner=key(case["owner"]).public, author=key(case["author"]).public, picture_id=case["pic"]
        )
        grant = parse_grant(case["grant"]) if "grant" in case else None
        opened = envelope.open(key(case["key"]), grant)
        return envelope, opened, opened.open_thumbnail(base64.b64decode(case["thumb"]))

    result = check(case, act)
    if result:
        envelope, opened, thumbnail = result
        assert envelope.header_hash == case["header_hash"]
        assert opened.metadata.__dict__ == case["metadata"]
        assert thumbnail == base64.b64decode(case["thumbnail"])


@cases_of("grants")
def test_grants(case: Case) -> None:
    owner = key("owner").public
    envelope = read_envelope(case["envelope"], owner=owner)

    def act() -> Any:
        grant = read_grant(case["grant"], envelope, key(case["owner"]).public, key(case["to"]).fingerprint)
        return grant, envelope.open(key(case["key"]), grant)

    result = check(case, act)
    if result:
        grant, opened = result
        assert grant.role == case["role"]
        assert opened.metadata.__dict__ == case["metadata"]


@cases_of("records")
def test_records(case: Case) -> None:
    if case["kind"] == "gone":
        gone = check(case, lambda: read_gone(case["text"], owner=key(case["owner"]).public, picture_id=case["pic"]))
        assert gone is None or gone.previous == case["prev"]
    elif case["kind"] == "succession":
        pair = key(case["old"]).public, key(case["new"]).public
        link = check(case, lambda: read_succession(case["text"], old=pair[0], new=pair[1]))
        assert link is None or (link.old, link.new) == tuple(public.fingerprint for public in pair)
    else:
        sealed = base64.b64decode(case["text"])
        result = check(case, lambda: open_ledger(key(case["key"]), sealed, known_serial=case.get("known_serial", 0)))
        assert result is None or result == (case["serial"], case["document"].encode())


@cases_of("carriers")
def test_carriers(case: Case, tmp_path: Path) -> None:
    path, out = tmp_path / "noise.png", tmp_path / "out"
    path.write_bytes(base64.b64decode(case["file"]))
    out.mkdir()
    opened = check(case, lambda: open_carrier(path, key(case["key"]), out))
    if opened:
        assert opened.path.read_bytes() == base64.b64decode(case["plaintext"])
    else:
        assert list(out.iterdir()) == []


def test_every_file_is_described_and_every_expectation_is_named() -> None:
    files = sorted(path.name for path in FOLDER.glob("*.json"))
    # the classic scheme is no part of the format
    files = [name for name in files if not name.startswith("classic")]
    assert files == sorted(re.findall(r"^\| `(\w+\.json)` \|", FORMAT, re.MULTILINE))
    for name in files:
        cases = load(name.removesuffix(".json"))
        assert {case["expect"] for case in cases} <= {"success", *EXPECTED}
        assert len({case["comment"] for case in cases}) == len(cases)
    for label in EXPECTED:
        assert re.search(rf"^\|.*\*{label}\*.* \|", FORMAT, re.MULTILINE)
