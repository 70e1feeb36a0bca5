"""Settings: declared once, read once, refused with words that help."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from backend import create_app
from backend.config import Config, ConfigError, variable


def test_defaults() -> None:
    config = Config.from_environment({})
    assert config == Config()
    assert (config.host, config.port, config.data) == ("127.0.0.1", 5000, None)
    assert (config.max_upload_bytes, config.token_seconds) == (1 << 30, 12 * 3600)


def test_every_setting_is_read_from_the_environment() -> None:
    given = {
        "GLASSINE_DATA": "/srv/pictures", "GLASSINE_HOST": "::", "GLASSINE_PORT": " 80 ",
        "GLASSINE_MAX_UPLOAD_BYTES": "70000",
        "GLASSINE_TOKEN_SECONDS": "60", "GLASSINE_REGISTRATION": "No", "GLASSINE_ARGON2_MEMORY_KIB": "9000",
        "GLASSINE_ARGON2_PASSES": "2", "GLASSINE_THREADS": "3", "GLASSINE_CONNECTIONS": "9",
        "GLASSINE_IDLE_SECONDS": "5", "GLASSINE_DRAIN_SECONDS": "0",
    }  # fmt: skip
    assert set(given) == {variable(knob.name) for knob in fields(Config)}
    config = Config.from_environment(given)
    assert config == Config(Path("/srv/pictures"), "::", 80, 70000, 60, False, 9000, 2, 3, 9, 5, 0)
    assert all(getattr(config, knob.name) != knob.default for knob in fields(Config))


def test_what_is_given_wins() -> None:
    assert Config.from_environment({"GLASSINE_PORT": "nonsense"}, port=7).port == 7
    assert Config.from_environment({"GLASSINE_PORT": ""}).port == 5000


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("GLASSINE_PORT", "http", "GLASSINE_PORT must be a whole number, not 'http'"),
        ("GLASSINE_PORT", "65536", "GLASSINE_PORT must be from 0 to 65535, not 65536"),
        ("GLASSINE_PORT", "-1", "GLASSINE_PORT must be from 0 to 65535, not -1"),
        ("GLASSINE_REGISTRATION", "maybe", "GLASSINE_REGISTRATION must be true or false, not 'maybe'"),
        ("GLASSINE_MAX_UPLOAD_BYTES", "1", f"GLASSINE_MAX_UPLOAD_BYTES must be from 65536 to {1 << 40}, not 1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Config.from_environment({name: text})
    assert str(refused.value) == message


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().port = 1  # type: ignore[misc]


def test_no_setting_is_a_secret() -> None:
    names = " ".join(knob.name for knob in fields(Config))
    assert not [word for word in ("secret", "password", "key") if word in names]


def test_every_setting_has_help() -> None:
    assert all(knob.metadata["help"].endswith(".") for knob in fields(Config))


def test_an_application_is_built_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSINE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GLASSINE_REGISTRATION", "false")
    app = create_app()
    try:
        with app.test_client() as client:
            assert client.get("/api/v1/server").json["registration"] is False
            form = {"username": "a", "password": "b", "publicKey": "7 5"}
            answer = client.post("/api/v1/auth/register", data=form)
            assert (answer.status_code, answer.json) == (403, {"message": "Registration is closed"})
    finally:
        app.extensions["glassine"].close()


def test_without_a_folder_there_is_no_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLASSINE_DATA", raising=False)
    with pytest.raises(ConfigError, match="GLASSINE_DATA"):
        create_app()
