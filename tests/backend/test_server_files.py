"""The files in resources/server: well-formed, and they name settings and options that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from backend.config import Config, variable
from backend.config_sources import FILE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "resources" / "server"
VARIABLES = {variable(knob.name) for knob in fields(Config)} | {FILE}


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


SERVICE_FILES = sorted(path for path in FOLDER.iterdir() if path.is_file())


@pytest.mark.parametrize("path", SERVICE_FILES, ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    assert set(re.findall(r"GLASSINE_[A-Z_]+", path.read_text(encoding="utf-8"))) <= VARIABLES


def test_the_sample_of_settings_can_be_used(tmp_path: Path) -> None:
    assert Config.from_environment({}, file=FOLDER / "glassine.toml") == Config()
    # with every line that is commented out, but for those that exclude others
    everything = re.sub(r"^#(?=[a-z])", "", text("glassine.toml"), flags=re.MULTILINE)
    file = tmp_path / "glassine.toml"
    file.write_text(everything, encoding="utf-8")
    file.chmod(0o600)
    assert len(tomllib.loads(everything)) == 8
    assert Config.from_environment({}, file=file).tls_key == Path("/etc/glassine/key.pem")


def test_the_service(tmp_path: Path) -> None:
    unit = text("glassine.service")
    assert "ExecStart=/usr/bin/glassine serve\n" in unit
    stop = re.search(r"TimeoutStopSec=(\d+)", unit)
    assert stop and int(stop[1]) > Config().drain_seconds
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    file = tmp_path / "glassine.service"
    file.write_text(unit.replace("/usr/bin/glassine", sys.executable), encoding="utf-8")
    checked = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_compose() -> None:
    compose = yaml.safe_load(text("compose.yaml"))
    services = compose["services"]
    assert set(services) == {"mongo", "mongo-setup", "glassine"}
    used = {secret for service in services.values() for secret in service["secrets"]}
    assert used == set(compose["secrets"])
    mounted = {f"/run/secrets/{name}" for name in used}
    assert set(re.findall(r"/run/secrets/[\w.-]+", text("compose.yaml"))) <= mounted
    read = set(re.findall(r'read\("([\w-]+)"\)', text("mongo-setup.js")))
    assert read == set(services["mongo-setup"]["secrets"])
    glassine = services["glassine"]
    assert (FOLDER / glassine["build"]["context"] / glassine["build"]["dockerfile"]).samefile(FOLDER / "Containerfile")
    assert glassine["ports"] == ["127.0.0.1:5000:5000"]  # nothing without TLS is open to the world
    assert "ports" not in services["mongo"]
    for service in services.values():  # secrets come from files, never from here
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN|MONGODB|CONFIG", name):
                assert value.startswith("/run/secrets/"), name


def test_the_container_copies_what_exists() -> None:
    container = text("Containerfile")
    for line in re.findall(r"^COPY (?!--from)(.+)$", container, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
    user = re.search(r"useradd --uid (\d+)", container)
    assert user and f"chown {user[1]} " in text("make-secrets.sh")
    assert '"backend:create_app()"' in container


def test_secrets_are_made_once_and_can_be_used(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "make-secrets.sh", tmp_path)
    script = ["sh", tmp_path / "make-secrets.sh"]
    assert subprocess.run(script, capture_output=True, check=False).returncode == 0
    secrets = tmp_path / "secrets"
    made = {path.name: path.read_text(encoding="ascii") for path in secrets.iterdir()}
    assert set(made) == set(yaml.safe_load(text("compose.yaml"))["secrets"])
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert (secrets / "glassine.toml").stat().st_mode & 0o777 == 0o600
    config = Config.from_environment({}, file=secrets / "glassine.toml")
    assert config.mongodb is not None and f":{made['mongo-password']}@mongo/" in config.mongodb
    assert config.secret_key is not None and len(config.secret_key) == 64
    assert len(set(made.values()) | {config.secret_key}) == 5
    assert re.fullmatch("[0-9a-f]{1000}", made["mongo-keyfile"])  # of 6 to 1024 characters
    again = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (1, "secrets is there already\n")
    assert {path.name: path.read_text(encoding="ascii") for path in secrets.iterdir()} == made


def test_the_proxy_says_what_the_server_believes() -> None:
    nginx = text("nginx.conf")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in nginx
    assert nginx.count("{") == nginx.count("}")
