"""What documents promise about the tree holds: links lead somewhere, every decision is listed."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "desktop" / "crypto" / "FORMAT.md",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    missing = [link for link in links if link and "://" not in link and not (document.parent / link).exists()]
    assert not missing


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z-]+)`", document.read_text(encoding="utf-8")))
        assert named <= targets, f"{document.name} names {named - targets}"


def test_make_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) - {"help"}
    assert set(re.findall(r'@echo "make ([a-z-]+) ', text)) == targets
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony and set(phony[1].split()) == targets | {"help"}


def test_the_certificate_that_the_documents_make_is_trusted(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    (made,) = re.findall(r"```\n(openssl req -x509 .+?)```", text, re.DOTALL)
    subprocess.run(["sh", "-e", "-c", made], cwd=tmp_path, check=True, capture_output=True)
    checks = ("-x509_strict", "-purpose", "sslserver", "-verify_hostname", "pictures.home")
    verified = subprocess.run(
        ["openssl", "verify", *checks, "-CAfile", "authority.pem", "fullchain.pem"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert verified.stdout == "fullchain.pem: OK\n", verified.stderr
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")


def test_names_of_sections_in_links_exist() -> None:
    """As GitHub and others make them of headings: lower case, blanks as dashes, no other signs."""
    for document in DOCUMENTS:
        for path, name in re.findall(r"\]\(([^)\s:#]*)#([^)\s]+)\)", document.read_text(encoding="utf-8")):
            text = (document.parent / path if path else document).read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert name in slugs, f"{document.name} points to {path}#{name}"
