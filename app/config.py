"""Settings: all from the environment, checked at start; a bad one is refused with its name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from services.mail import Server, is_address
from services.registers import Accepts

Environment = Literal["development", "test", "production"]
PROJECT = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET = "bare-for-utvikling-og-test"  # noqa: S105 - refused in production


class NoPublicUrl(RuntimeError):  # noqa: N818 - says what is the case
    """An e-mail with a link cannot be written: PUBLIC_URL is not set, and what a request says of its host is not
    believed."""

    def __init__(self) -> None:
        super().__init__("PUBLIC_URL must be set: the https address that users know the register by")


class BadSetting(Exception):  # noqa: N818 - says what is the case
    """A setting that the program cannot start with; the text says which, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the program runs with. Addresses are bases without a trailing slash."""

    environment: Environment
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)  # may hold a password
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
    public_url: str
    mail_url: str = field(repr=False)  # may hold a password
    mail_from: str
    second_factor: bool
    lookups_per_hour: int

    @property
    def in_production(self) -> bool:
        """True where real people are registered."""
        return self.environment == "production"

    @property
    def uses_standins(self) -> bool:
        """True when a register's address is on this machine: the stand-ins answer there."""
        return any(is_local(url) for url in (self.freg_url, self.maskinporten_url, self.pad_url))


def is_local(url: str) -> bool:
    """True for an address on this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def settings_from(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in an environment; raises `BadSetting`."""
    environment = environ.get("APP_ENV", "development")
    if environment not in {"development", "test", "production"}:
        raise BadSetting(f"APP_ENV must be development, test or production, not {environment!r}")
    production = environment == "production"
    instance = PROJECT / "instance"
    port = _whole_number(environ, "PORT", 5000, 1, 65535)
    freg_port, pad_port = standin_ports(port)

    def value(name: str, default: str) -> str:
        given = environ.get(name, "").strip()
        if not given and production:
            raise BadSetting(f"{name} must be set in production")
        return given or default

    second_factor = environ.get("SECOND_FACTOR", "").strip() or ("required" if production else "off")
    settings = Settings(
        environment=environment,  # type: ignore[arg-type]
        secret_key=value("SECRET_KEY", DEVELOPMENT_SECRET),
        database_url=_database_url(value("DATABASE_URL", f"sqlite:///{instance / 'register.sqlite'}")),
        port=port,
        freg_url=_address("FREG_URL", value("FREG_URL", f"http://127.0.0.1:{freg_port}")),
        maskinporten_url=_address("MASKINPORTEN_URL", value("MASKINPORTEN_URL", f"http://127.0.0.1:{freg_port}")),
        maskinporten_client_id=value("MASKINPORTEN_CLIENT_ID", "jobbsjanseregisteret-utvikling"),
        maskinporten_key_file=Path(value("MASKINPORTEN_KEY_FILE", str(instance / "maskinporten-utvikling.pem"))),
        maskinporten_key_id=value("MASKINPORTEN_KEY_ID", "utvikling-1"),
        pad_url=_address("PAD_URL", value("PAD_URL", f"http://127.0.0.1:{pad_port}")),
        accepts=_accepts(environ.get("NATIONAL_IDS", "real" if production else "synthetic")),
        trusted_proxies=_whole_number(environ, "TRUSTED_PROXIES", 0, 0, 10),
        downloads_per_hour=_whole_number(environ, "DOWNLOADS_PER_HOUR", 30, 1, 100_000),
        public_url=_public_url(environ.get("PUBLIC_URL", "").strip(), "" if production else f"http://127.0.0.1:{port}"),
        mail_url=_mail_url(environ.get("MAIL_URL", "").strip()),
        mail_from=_mail_from(environ.get("MAIL_FROM", "").strip() or "jobbsjansen.palogging@imdi.no"),
        second_factor=_second_factor(second_factor),
        lookups_per_hour=_whole_number(environ, "LOOKUPS_PER_HOUR", 60, 1, 100_000),
        faq_url=environ.get("FAQ_URL", "https://www.imdi.no/tilskudd/digitalisering-av-tilskuddsordninger/"),
    )
    if production:
        if environ.get("FLASK_DEBUG", "0").lower() not in {"", "0", "false", "no"}:
            raise BadSetting("FLASK_DEBUG must not be set in production")
        _refuse_in_production(settings)
        _need_mail_and_factor(settings, environ)
    return settings


def _refuse_in_production(settings: Settings) -> None:
    if settings.secret_key == DEVELOPMENT_SECRET or len(settings.secret_key) < 32:
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


def _need_mail_and_factor(settings: Settings, environ: Mapping[str, str]) -> None:
    if not settings.second_factor:
        raise BadSetting("SECOND_FACTOR must be required in production")
    if not settings.mail_url:
        raise BadSetting("MAIL_URL must be set in production: invitations go out by e-mail (smtp://…)")
    public_url = settings.public_url
    if public_url and (is_local(public_url) or not public_url.startswith("https://")):
        raise BadSetting("PUBLIC_URL must be the https address that users know the register by in production")


def _public_url(given: str, default: str) -> str:
    """Where users find the register. Production starts without it, but writes no e-mails with links (`NoPublicUrl`)."""
    return _address("PUBLIC_URL", given) if given else default


def standin_ports(port: int) -> tuple[int, int]:
    """Where Folkeregisteret's and PAD's stand-ins listen when the program serves on `port`."""
    base = port + 10_000 if port <= 55_000 else port - 10_000
    return base + 1, base + 2


def _whole_number(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    given = environ.get(name, "").strip() or str(default)
    if not given.isdecimal() or not least <= int(given) <= most:
        raise BadSetting(f"{name} must be a whole number from {least} to {most}, not {given!r}")
    return int(given)


def _address(name: str, given: str) -> str:
    try:
        parts = urlsplit(given)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that mean nothing
        is_address = False
    if not is_address:
        raise BadSetting(f"{name} must be an http(s) address, not {given!r}")
    return given.rstrip("/")


def _mail_url(given: str) -> str:
    try:
        if given:
            Server.at(given)
    except ValueError:
        raise BadSetting(
            "MAIL_URL must be smtp://host:port or smtps://…, with name:password@ before the host if need be"
        ) from None
    return given


def _mail_from(given: str) -> str:
    if not is_address(given):
        raise BadSetting(f"MAIL_FROM must be an e-mail address, not {given!r}")
    return given


def _second_factor(given: str) -> bool:
    if given not in {"required", "off"}:
        raise BadSetting(f"SECOND_FACTOR must be required or off, not {given!r}")
    return given == "required"


def _accepts(given: str) -> Accepts:
    if given not in {"real", "synthetic"}:
        raise BadSetting(f"NATIONAL_IDS must be real or synthetic, not {given!r}")
    return given  # type: ignore[return-value]


def _database_url(given: str) -> str:
    scheme, _, rest = given.partition("://")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    if scheme in {"postgresql+psycopg", "sqlite"}:
        return given
    raise BadSetting("DATABASE_URL must begin with sqlite:// or postgresql://")
