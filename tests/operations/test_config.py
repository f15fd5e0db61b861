"""Settings: each invalid one is refused at start, with its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import create_app
from app.settings.checks import BadSetting
from app.settings.config import DEVELOPMENT_SECRET, PROJECT, settings_from, standin_ports
from app.settings.providers import ProviderSettings
from services.access.seal_keys import read_or_make_keys
from services.standins.keys import load_or_create_key

REGISTER = "https://register.example.org"


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """All settings that production needs."""
    key = tmp_path / "maskinporten.pem"
    load_or_create_key(key)
    read_or_make_keys(tmp_path / "audit.key")
    return {
        "AUDIT_KEY_FILE": str(tmp_path / "audit.key"),
        "APP_ENV": "production",
        "TRUSTED_PROXIES": "0",
        "SECRET_KEY": "a-long-and-random-text-of-at-least-32-characters",
        "DATABASE_URL": "postgresql://register@db.example.org/register",
        "FREG_URL": REGISTER,
        "MASKINPORTEN_URL": REGISTER,
        "MASKINPORTEN_CLIENT_ID": "client",
        "MASKINPORTEN_KEY_FILE": str(key),
        "MASKINPORTEN_KEY_ID": "key-1",
        "PAD_URL": REGISTER,
        "MAIL_URL": "smtp://register:secret@mail.example.org:587",
        "PUBLIC_URL": REGISTER,
    }


def test_production_with_all_that_it_needs(production: dict[str, str]) -> None:
    settings = settings_from(production)
    assert settings.in_production
    assert settings.accepts == "real"
    assert not settings.uses_standins
    assert settings.second_factor
    assert settings.mail_from == "jobbsjansen.palogging@imdi.no"
    assert "secret" not in repr(settings)
    assert settings.database_url == "postgresql+psycopg://register@db.example.org/register"


NEEDED = (
    "SECRET_KEY",
    "DATABASE_URL",
    "FREG_URL",
    "MASKINPORTEN_URL",
    "MASKINPORTEN_CLIENT_ID",
    "MASKINPORTEN_KEY_FILE",
    "MASKINPORTEN_KEY_ID",
    "PAD_URL",
    "MAIL_URL",
    "AUDIT_KEY_FILE",
    "TRUSTED_PROXIES",
)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_production_misses_a_setting(production: dict[str, str], name: str, value: str | None) -> None:
    del production[name]
    with pytest.raises(BadSetting, match=rf"\b{name}\b"):
        settings_from(production if value is None else production | {name: value})


REFUSED = [
    ("SECRET_KEY", DEVELOPMENT_SECRET),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "x" * 31),
    ("SECRET_KEY", "x" * 64),
    ("SECRET_KEY", "changeme" * 8),
    ("NATIONAL_IDS", "synthetic"),
    ("NATIONAL_IDS", "both"),
    ("MASKINPORTEN_KEY_FILE", "/no/such/file.pem"),
    ("AUDIT_KEY_FILE", "/no/such/file"),
    ("AUDIT_KEY_FILE", "/etc/hostname"),
    ("SECOND_FACTOR", "off"),
    ("PUBLIC_URL", "http://register.example.org"),
    ("PUBLIC_URL", "https://127.0.0.1"),
    ("FLASK_DEBUG", "1"),
    ("FLASK_DEBUG", "true"),
    *(
        (name, url)
        for name in ("FREG_URL", "MASKINPORTEN_URL", "PAD_URL")
        for url in (
            "http://127.0.0.1:15001",
            "https://localhost",
            "https://[::1]/",
            "https://127.0.0.2",
            "http://register.example.org",
        )
    ),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_production_refuses(production: dict[str, str], name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=rf"\b{name}\b"):
        settings_from(production | {name: value})
    with pytest.raises(BadSetting):
        create_app(production | {name: value})


BAD = [
    ("APP_ENV", "Production"),
    ("APP_ENV", "prod"),
    ("PORT", "http"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "²"),
    ("TRUSTED_PROXIES", "yes"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "11"),
    ("DATABASE_URL", "mysql://db/register"),
    ("DATABASE_URL", "register.sqlite"),
    ("FREG_URL", "register.example.org"),
    ("FREG_URL", "ftp://register.example.org"),
    ("PAD_URL", "https://"),
    ("PAD_URL", "https://[bad"),
    ("MASKINPORTEN_URL", "https://register.example.org:port/"),
    ("NATIONAL_IDS", "Real"),
    ("SECOND_FACTOR", "on"),
    ("MAIL_URL", "mail.example.org"),
    ("MAIL_URL", "http://mail.example.org"),
    ("MAIL_URL", "smtp://"),
    ("MAIL_URL", "smtp://mail:port"),
    ("MAIL_FROM", "Registeret"),
    ("AUDIT_MAIL_TO", "Registeret"),
    ("PUBLIC_URL", "register.example.org"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_setting_is_refused_everywhere(production: dict[str, str], name: str, value: str) -> None:
    for environ in (production, {"APP_ENV": "test"}, {}):
        with pytest.raises(BadSetting, match=rf"\b{name}\b"):
            settings_from(environ | {name: value})


def test_a_secret_is_not_told(production: dict[str, str]) -> None:
    secret = "short-but-secret"
    with pytest.raises(BadSetting) as refused:
        settings_from(production | {"SECRET_KEY": secret})
    assert secret not in str(refused.value)
    with pytest.raises(BadSetting) as refused:
        settings_from(production | {"DATABASE_URL": "mysql://register:hemmelig@db/register"})
    assert "hemmelig" not in str(refused.value)
    assert secret not in repr(settings_from({"SECRET_KEY": secret}))


def test_development_needs_nothing() -> None:
    settings = settings_from({})
    assert (settings.environment, settings.port, settings.accepts) == ("development", 5000, "synthetic")
    assert settings.database_url.startswith("sqlite:///")
    assert settings.uses_standins
    assert str(standin_ports(5000)[0]) in settings.freg_url


@pytest.mark.parametrize("port", [1, 5000, 55_000, 55_001, 65_535])
def test_standins_have_ports_of_their_own(port: int) -> None:
    freg, pad = standin_ports(port)
    assert len({port, freg, pad}) == 3
    assert all(1 <= one <= 65_535 for one in (freg, pad))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgres://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgresql://h/db?sslmode=require", "postgresql+psycopg://h/db?sslmode=require"),
        ("postgresql+psycopg://h/db", "postgresql+psycopg://h/db"),
        ("sqlite:////var/register.sqlite", "sqlite:////var/register.sqlite"),
    ],
)
def test_addresses_of_databases(given: str, meant: str) -> None:
    assert settings_from({"DATABASE_URL": given}).database_url == meant


def test_addresses_lose_the_slash_at_their_end() -> None:
    assert settings_from({"FREG_URL": f"{REGISTER}/"}).freg_url == REGISTER


def test_production_refuses_a_database_with_demo_users(production: dict[str, str], database_url: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL names a database with demo users"):
        create_app(production | {"DATABASE_URL": database_url})


def test_production_starts_with_an_empty_database(production: dict[str, str], empty_database_url: str) -> None:
    assert create_app(production | {"DATABASE_URL": empty_database_url}).config["SETTINGS"].in_production


def test_the_server_does_not_start_and_says_what_to_set(production: dict[str, str]) -> None:
    """As production starts it: the entry that the server imports, in a process of its own."""
    command = [sys.executable, "-c", "import wsgi"]
    environ = {"PATH": os.environ["PATH"], **production, "SECRET_KEY": "short"}
    ended = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert "SECRET_KEY must be random and at least 32 characters long in production" in ended.stderr


def test_production_starts_without_the_address_that_links_begin_with(production: dict[str, str]) -> None:
    """It is refused where a link would be written: an invitation says what to set."""
    del production["PUBLIC_URL"]
    assert settings_from(production).public_url == ""


ENTRA = {
    "OIDC_PROVIDERS": "idporten,entra",
    "OIDC_ENTRA_ISSUER": "https://login.microsoftonline.com/0a1b/v2.0",
    "OIDC_ENTRA_CLIENT_ID": "register",
    "OIDC_ENTRA_CLIENT_SECRET": "hemmelig",
    "OIDC_IDPORTEN_ISSUER": "https://idporten.no",
    "OIDC_IDPORTEN_CLIENT_ID": "register",
    "OIDC_IDPORTEN_ACR": "idporten-loa-substantial",
    "OIDC_IDPORTEN_KEY_ID": "nokkel",
}


@pytest.fixture
def joined(production: dict[str, str]) -> dict[str, str]:
    """Production with two identity providers."""
    return {**production, **ENTRA, "OIDC_IDPORTEN_KEY_FILE": production["MASKINPORTEN_KEY_FILE"]}


def test_identity_providers(joined: dict[str, str]) -> None:
    idporten, entra = settings_from(joined).providers
    assert (idporten.name, idporten.label, idporten.issuer) == ("idporten", "ID-porten", "https://idporten.no")
    assert idporten.accepted_acr == ["idporten-loa-high", "idporten-loa-substantial"]
    assert (entra.label, entra.acr, entra.accepted_acr) == ("Entra ID", (), [])
    assert "hemmelig" not in repr(entra)
    named = settings_from({**joined, "OIDC_ENTRA_LABEL": "Bergen kommune"}).providers[1]
    assert named.label == "Bergen kommune"


@pytest.mark.parametrize(
    ("acr", "accepted"),
    [
        ("substantial", {"substantial", "high"}),
        ("high", {"high"}),
        ("entraid", {"entraid"}),
        ("entraid high", {"entraid", "high"}),
        ("idporten-loa-high", {"idporten-loa-high"}),
    ],
)
def test_higher_levels_are_good_enough(joined: dict[str, str], acr: str, accepted: set[str]) -> None:
    found: ProviderSettings = settings_from({**joined, "OIDC_IDPORTEN_ACR": acr}).providers[0]
    assert set(found.accepted_acr) == accepted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_PROVIDERS", "id porten!"),
        ("OIDC_PROVIDERS", "entra,entra"),
        ("OIDC_PROVIDERS", "ukjent"),
        ("OIDC_ENTRA_ISSUER", ""),
        ("OIDC_ENTRA_ISSUER", "http://login.example.org"),
        ("OIDC_ENTRA_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_ENTRA_ISSUER", "https://idporten.no"),
        ("OIDC_ENTRA_ISSUER", "nonsense"),
        ("OIDC_ENTRA_CLIENT_ID", ""),
        ("OIDC_ENTRA_CLIENT_SECRET", ""),
        ("OIDC_ENTRA_KEY_FILE", "/nowhere.pem"),
        ("OIDC_IDPORTEN_KEY_FILE", "/nowhere.pem"),
        ("PUBLIC_URL", ""),
    ],
)
def test_a_bad_provider_is_refused(joined: dict[str, str], name: str, value: str) -> None:
    told_of = {"ukjent": "OIDC_UKJENT_ISSUER"}.get(value, name)
    with pytest.raises(BadSetting, match=told_of) as told:
        settings_from({**joined, name: value})
    assert "hemmelig" not in str(told.value)
