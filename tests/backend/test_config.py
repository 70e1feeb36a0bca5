"""Settings: declared once, read once, refused with words that help."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from backend import create_app
from backend.config import Config, ConfigError, variable
from backend.config_sources import SECRETS, has_password, unknown_variables, without_credentials


def test_defaults() -> None:
    config = Config.from_environment({})
    assert config == Config()
    assert (config.host, config.port, config.data) == ("127.0.0.1", 5000, None)
    assert (config.max_upload_bytes, config.token_seconds) == (1 << 30, 12 * 3600)


GIVEN: dict[str, tuple[str, object]] = {
    "data": ("/srv/pictures", Path("/srv/pictures")), "secret_key": ("k" * 32, "k" * 32),
    "host": ("::", "::"), "port": (" 80 ", 80), "max_upload_bytes": ("70000", 70000),
    "token_seconds": ("60", 60), "refresh_seconds": ("61", 61), "session_seconds": ("62", 62),
    "session_cookie": ("sid", "sid"), "auth_schemes": ("bearer,basic", "bearer,basic"),
    "api_dialect": ("2022-01", "2022-01"), "registration": ("No", False), "login_attempts": ("1", 1),
    "login_attempts_address": ("2", 2), "registrations": ("3", 3), "bin_days": ("4", 4), "quota_bytes": ("5", 5),
    "trusted_proxies": ("1", 1), "tls_certificate": ("/c.pem", Path("/c.pem")), "tls_key": ("/k.pem", Path("/k.pem")),
    "cors_origins": ("https://a.example", "https://a.example"), "metrics_token": ("m" * 16, "m" * 16),
    "log_format": ("json", "json"), "argon2_memory_kib": ("9000", 9000), "argon2_passes": ("2", 2),
    "threads": ("3", 3), "connections": ("9", 9), "idle_seconds": ("5", 5), "drain_seconds": ("0", 0),
}  # fmt: skip
"""Every setting but ``mongodb``, which excludes ``data``: as text, and what becomes of it."""

MONGODB = "mongodb://glassine:opensesame@db.example/pictures"


def test_every_setting_is_read_from_the_environment() -> None:
    assert set(GIVEN) == {knob.name for knob in fields(Config)} - {"mongodb"}
    config = Config.from_environment({variable(name): text for name, (text, _) in GIVEN.items()})
    assert {name: getattr(config, name) for name in GIVEN} == {name: value for name, (_, value) in GIVEN.items()}
    assert all(getattr(config, knob.name) != knob.default for knob in fields(Config) if knob.name != "mongodb")
    assert Config.from_environment({"GLASSINE_MONGODB": MONGODB, "GLASSINE_SECRET_KEY": "k" * 32}).mongodb == MONGODB


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


SECRET_VALUES = {"mongodb": MONGODB, "secret_key": "k3y" * 11, "metrics_token": "t0ken" * 4}


def test_secrets_have_no_default_and_are_never_shown() -> None:
    names = [knob.name for knob in fields(Config) if re.search("secret|password|token$|mongodb", knob.name)]
    assert names == ["mongodb", "secret_key", "metrics_token"] and set(names) == set(SECRET_VALUES) == set(SECRETS)
    assert all(getattr(Config(), name) is None for name in names)
    shown = repr(Config(**SECRET_VALUES))
    assert "opensesame" not in shown and "k3y" not in shown and "t0ken" not in shown


@pytest.mark.parametrize(
    "settings",
    [
        {"secret_key": "opensesame"},
        {"metrics_token": "opensesame"},
        {"mongodb": "mysql://u:opensesame@x", "secret_key": "k" * 32},
        {"mongodb": MONGODB},
        {"mongodb": MONGODB, "secret_key": "opensesame" * 4, "data": Path("x")},
    ],
)
def test_a_refused_secret_is_not_repeated(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as refused:
        Config(**settings)  # type: ignore[arg-type]
    assert "opensesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": Path("x"), "mongodb": MONGODB}, "set either GLASSINE_DATA or GLASSINE_MONGODB, not both"),
        ({"mongodb": MONGODB}, "GLASSINE_SECRET_KEY is required with GLASSINE_MONGODB, the same for every worker"),
        ({"secret_key": "k" * 31}, "GLASSINE_SECRET_KEY must have at least 32 characters"),
        ({"metrics_token": "short"}, "GLASSINE_METRICS_TOKEN must have at least 16 characters"),
        ({"tls_key": Path("k")}, "set both GLASSINE_TLS_CERTIFICATE and GLASSINE_TLS_KEY, or neither"),
        ({"tls_certificate": Path("c")}, "set both GLASSINE_TLS_CERTIFICATE and GLASSINE_TLS_KEY, or neither"),
        ({"log_format": "xml"}, "GLASSINE_LOG_FORMAT must be text or json, not 'xml'"),
        ({"api_dialect": "2023"}, "GLASSINE_API_DIALECT must be empty or 2022-01, not '2023'"),
        (
            {"auth_schemes": "bearer,digest"},
            "GLASSINE_AUTH_SCHEMES must be one or several of bearer, basic, session, not 'bearer,digest'",
        ),
        ({"auth_schemes": " , "}, "GLASSINE_AUTH_SCHEMES must be one or several of bearer, basic, session, not ' , '"),
        (
            {"auth_schemes": "basic,basic"},
            "GLASSINE_AUTH_SCHEMES must be one or several of bearer, basic, session, not 'basic,basic'",
        ),
        (
            {"cors_origins": "https://a.example/"},
            "GLASSINE_CORS_ORIGINS must hold origins such as https://pictures.example, not 'https://a.example/'",
        ),
        ({"session_cookie": "a b"}, "GLASSINE_SESSION_COOKIE must be a cookie's name: letters, digits, - and _"),
        ({"host": ""}, "GLASSINE_HOST must be an address"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Config(**settings)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_settings_that_go_together() -> None:
    Config(mongodb=MONGODB, secret_key="k" * 32)
    Config(data=Path("x"), secret_key="k" * 32)
    Config(tls_certificate=Path("c"), tls_key=Path("k"))
    Config(cors_origins="https://a.example, http://localhost:8080,http://[::1]:1")


def settings_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "glassine.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_every_setting_is_read_from_a_file(tmp_path: Path) -> None:
    lines = []
    for name, (text, value) in GIVEN.items():
        literal = str(value).lower() if isinstance(value, bool | int) else f'"{text}"'
        lines.append(f"{name} = {literal}\n")
    path = settings_file(tmp_path, "".join(lines))
    read = Config.from_environment({"GLASSINE_CONFIG": str(path)})
    assert read == Config(**{name: value for name, (_, value) in GIVEN.items()})  # type: ignore[arg-type]
    assert Config.from_environment({}, file=path) == read


def test_lists_may_be_lists_in_a_file(tmp_path: Path) -> None:
    path = settings_file(tmp_path, 'auth_schemes = ["bearer", "session"]\ncors_origins = []\n')
    config = Config.from_environment({}, file=path)
    assert (config.auth_schemes, config.cors_origins) == ("bearer,session", "")


def test_options_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "port = 1\nthreads = 1\nconnections = 11\n")
    environment = {"GLASSINE_CONFIG": str(path), "GLASSINE_PORT": "2", "GLASSINE_THREADS": "2"}
    config = Config.from_environment(environment, port=3)
    assert (config.port, config.threads, config.connections) == (3, 2, 11)
    other = settings_file(tmp_path / "..", "port = 9\n")
    assert Config.from_environment({"GLASSINE_CONFIG": str(path)}, file=other).port == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1\nsecretkey = 'opensesame'\n", "{path} has settings that do not exist: prot, secretkey"),
        ("[server]\nport = 1\n", "{path} has settings that do not exist: server"),
        ("port = '80'\n", "port in {path} must be a whole number"),
        ("port = true\n", "port in {path} must be a whole number"),
        ("registration = 'no'\n", "registration in {path} must be true or false"),
        ("registration = 1\n", "registration in {path} must be true or false"),
        ("host = 1\n", "host in {path} must be a text in quotation marks"),
        ("host = ['a']\n", "host in {path} must be a text in quotation marks"),
        ("secret_key = ['opensesame']\n", "secret_key in {path} must be a text in quotation marks"),
        ("auth_schemes = [1]\n", "auth_schemes in {path} must be a text in quotation marks"),
        ("port = 70000\n", "GLASSINE_PORT must be from 0 to 65535, not 70000"),
        ("secret_key = opensesame\n", "cannot read the settings in {path}: Invalid value (at line 1, column 14)"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    path = settings_file(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        Config.from_environment({}, file=path)
    assert str(refused.value) == message.format(path=path)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        Config.from_environment({}, file=tmp_path / "none.toml")
    assert str(refused.value) == f"cannot read the settings in {tmp_path / 'none.toml'}: No such file or directory"
    path = tmp_path / "latin"
    path.write_bytes(b"host = '\xe4'")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        Config.from_environment({}, file=path)


@pytest.mark.parametrize("name", list(SECRET_VALUES))
def test_a_file_with_secrets_that_others_can_read(tmp_path: Path, name: str) -> None:
    text = f'{name} = "{SECRET_VALUES[name]}"\n' + ('secret_key = "' + "k" * 32 + '"\n' if name == "mongodb" else "")
    path = settings_file(tmp_path, text, 0o644)
    with pytest.raises(ConfigError) as refused:
        Config.from_environment({}, file=path)
    assert f"run: chmod o-rwx {path}" in str(refused.value)
    assert name in str(refused.value) and SECRET_VALUES[name] not in str(refused.value)
    for mode in (0o640, 0o600):
        path.chmod(mode)
        assert getattr(Config.from_environment({}, file=path), name) == SECRET_VALUES[name]


def test_a_file_without_secrets_may_be_read_by_everybody(tmp_path: Path) -> None:
    path = settings_file(tmp_path, 'port = 1\nmongodb = "mongodb://db.example/pictures"\n', 0o644)
    config = Config.from_environment({"GLASSINE_SECRET_KEY": "k" * 32}, file=path)
    assert (config.port, config.mongodb) == (1, "mongodb://db.example/pictures")


def test_variables_that_are_no_settings_are_named() -> None:
    environment = {"GLASSINE_REGISTRATON": "false", "GLASSINE_PORT": "1", "GLASSINE_CONFIG": "", "OTHER": "",
                   "GLASSINE_TEST_MONGODB_URI": "", "GLASSINE_DEBUG": "1"}  # fmt: skip
    assert unknown_variables(environment) == ["GLASSINE_REGISTRATON"]


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    uri = "mongodb://anna:open%40sesame@a.example:27017,b.example/pictures?authSource=admin&x=opensesame"
    assert without_credentials(uri) == "mongodb://a.example:27017,b.example/pictures"
    assert without_credentials("mongodb+srv://db.example/p") == "mongodb+srv://db.example/p"
    assert has_password(uri) and not has_password("mongodb://anna@a.example/p")


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
    for name in ("GLASSINE_DATA", "GLASSINE_MONGODB", "GLASSINE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="GLASSINE_DATA"):
        create_app()


@pytest.mark.parametrize(
    "password", ["open#sesame", "open?sesame", "open/sesame", "o/pen?sesame", "open@sesame", "[sesame", "1#:sesame"]
)
@pytest.mark.parametrize("rest", ["db.example", "db.example/pictures?authSource=admin", "[::1]:27017/p"])
def test_no_sign_in_a_password_lets_it_be_shown(password: str, rest: str) -> None:
    uri = f"mongodb://anna:{password}@{rest}"
    assert has_password(uri)
    assert without_credentials(uri) == "mongodb://" + rest.partition("?")[0]
    assert not any(part in without_credentials(uri) for part in ("open", "sesame", "anna"))
