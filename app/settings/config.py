"""Settings: all from the environment, validated at start; an invalid one is refused with its name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.settings import checks
from app.settings.checks import BadSetting, is_local
from app.settings.providers import ProviderSettings, providers_from
from services.registers.clients import Accepts

Environment = Literal["development", "test", "production"]
PROJECT = Path(__file__).resolve().parents[2]
DEVELOPMENT_SECRET = "bare-for-utvikling-og-test"  # noqa: S105 - refused in production


class NoPublicUrl(RuntimeError):
    """An e-mail with a link cannot be written: PUBLIC_URL is not set, and the host in a request is not trusted."""

    def __init__(self) -> None:
        super().__init__("PUBLIC_URL must be set: the https address that users know the register by")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of the program. Addresses are bases without a trailing slash."""

    environment: Environment
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)  # may contain a password
    port: int
    freg_url: str
    maskinporten_url: str
    maskinporten_client_id: str
    maskinporten_key_file: Path
    maskinporten_key_id: str
    pad_url: str
    accepts: Accepts
    trusted_proxies: int
    faq_url: str
    downloads_per_hour: int
    list_pages_per_hour: int
    threads: int  # requests that one process works on at once
    public_url: str
    mail_url: str = field(repr=False)  # may contain a password
    mail_from: str
    second_factor: bool
    lookups_per_hour: int
    providers: tuple[ProviderSettings, ...]
    audit_key_file: Path
    audit_anchor_file: Path
    audit_mail_to: str

    @property
    def in_production(self) -> bool:
        """True in an installation for real people."""
        return self.environment == "production"

    @property
    def uses_standins(self) -> bool:
        """True if a register's address is on this machine: the stand-ins respond there."""
        return any(is_local(url) for url in (self.freg_url, self.maskinporten_url, self.pad_url))


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """Parse the settings of an environment; raises `BadSetting`."""
    environment = environ.get("APP_ENV", "development")
    if environment not in {"development", "test", "production"}:
        raise BadSetting(f"APP_ENV must be development, test or production, not {environment!r}")
    production = environment == "production"
    instance = PROJECT / "instance"
    port = checks.whole_number(environ, "PORT", 5000, 1, 65535)
    freg_port, pad_port = standin_ports(port)

    def value(name: str, default: str) -> str:
        given = environ.get(name, "").strip()
        if not given and production:
            raise BadSetting(f"{name} must be set in production")
        return given or default

    second_factor = environ.get("SECOND_FACTOR", "").strip() or ("required" if production else "off")
    audit_key_file = Path(value("AUDIT_KEY_FILE", str(instance / "audit.key")))
    settings = Settings(
        environment=environment,  # type: ignore[arg-type]
        secret_key=value("SECRET_KEY", DEVELOPMENT_SECRET),
        database_url=checks.database_url(value("DATABASE_URL", f"sqlite:///{instance / 'register.sqlite'}")),
        port=port,
        freg_url=checks.address("FREG_URL", value("FREG_URL", f"http://127.0.0.1:{freg_port}")),
        maskinporten_url=checks.address("MASKINPORTEN_URL", value("MASKINPORTEN_URL", f"http://127.0.0.1:{freg_port}")),
        maskinporten_client_id=value("MASKINPORTEN_CLIENT_ID", "jobbsjanseregisteret-utvikling"),
        maskinporten_key_file=Path(value("MASKINPORTEN_KEY_FILE", str(instance / "maskinporten-utvikling.pem"))),
        maskinporten_key_id=value("MASKINPORTEN_KEY_ID", "utvikling-1"),
        pad_url=checks.address("PAD_URL", value("PAD_URL", f"http://127.0.0.1:{pad_port}")),
        accepts=checks.accepts(environ.get("NATIONAL_IDS", "real" if production else "synthetic")),
        trusted_proxies=checks.trusted_proxies(value("TRUSTED_PROXIES", "0")),
        downloads_per_hour=checks.whole_number(environ, "DOWNLOADS_PER_HOUR", 30, 1, 100_000),
        list_pages_per_hour=checks.whole_number(environ, "LIST_PAGES_PER_HOUR", 300, 1, 1_000_000),
        threads=checks.whole_number(environ, "THREADS", 8, 1, 256),
        public_url=_public_url(environ.get("PUBLIC_URL", "").strip(), "" if production else f"http://127.0.0.1:{port}"),
        mail_url=checks.mail_url(environ.get("MAIL_URL", "").strip()),
        mail_from=checks.mail_from(environ.get("MAIL_FROM", "").strip() or "jobbsjansen.palogging@imdi.no"),
        second_factor=checks.second_factor(second_factor),
        providers=providers_from(environ, only_https=production),
        lookups_per_hour=checks.whole_number(environ, "LOOKUPS_PER_HOUR", 60, 1, 100_000),
        audit_key_file=audit_key_file,
        audit_anchor_file=Path(environ.get("AUDIT_ANCHOR_FILE", "").strip() or f"{audit_key_file}.anchors"),
        audit_mail_to=checks.mail_to("AUDIT_MAIL_TO", environ.get("AUDIT_MAIL_TO", "").strip()),
        faq_url=environ.get("FAQ_URL", "https://www.imdi.no/tilskudd/digitalisering-av-tilskuddsordninger/"),
    )
    if production:
        _check_in_production(settings, environ)
    return settings


def _check_in_production(settings: Settings, environ: Mapping[str, str]) -> None:
    if environ.get("FLASK_DEBUG", "0").lower() not in {"", "0", "false", "no"}:
        raise BadSetting("FLASK_DEBUG must not be set in production")
    _refuse_in_production(settings)
    _need_mail_and_factor(settings)
    checks.audit_keys(settings.audit_key_file)


def _refuse_in_production(settings: Settings) -> None:
    secret = settings.secret_key
    is_guessable = secret == DEVELOPMENT_SECRET or len(set(secret)) < 8  # a letter or a word over and over
    if is_guessable or len(secret) < 32:
        raise BadSetting("SECRET_KEY must be random and at least 32 characters long in production")
    if settings.accepts != "real":
        raise BadSetting("NATIONAL_IDS must be real in production")
    for name, url in (
        ("FREG_URL", settings.freg_url),
        ("MASKINPORTEN_URL", settings.maskinporten_url),
        ("PAD_URL", settings.pad_url),
    ):
        if is_local(url) or not url.startswith("https://"):
            raise BadSetting(f"{name} must be an https address of the real register in production")
    if not settings.maskinporten_key_file.is_file():
        raise BadSetting("MASKINPORTEN_KEY_FILE must name a readable PEM file")


def _need_mail_and_factor(settings: Settings) -> None:
    if not settings.second_factor:
        raise BadSetting("SECOND_FACTOR must be required in production")
    if not settings.mail_url:
        raise BadSetting("MAIL_URL must be set in production: invitations go out by e-mail (smtp://…)")
    public_url = settings.public_url
    if settings.providers and not public_url:
        raise BadSetting("PUBLIC_URL must be set: the providers of OIDC_PROVIDERS send users back there")
    if public_url and (is_local(public_url) or not public_url.startswith("https://")):
        raise BadSetting("PUBLIC_URL must be the https address that users know the register by in production")


def _public_url(given: str, default: str) -> str:
    """The public address of the register. Production starts without it, but writes no e-mails with links
    (`NoPublicUrl`)."""
    return checks.address("PUBLIC_URL", given) if given else default


def standin_ports(port: int) -> tuple[int, int]:
    """The ports of Folkeregisteret's and PAD's stand-ins when the program serves on `port`."""
    base = port + 10_000 if port <= 55_000 else port - 10_000
    return base + 1, base + 2
