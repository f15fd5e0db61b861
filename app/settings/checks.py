"""Validation of settings; an invalid one is refused with its name."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from services.access.seal_keys import BadKeys, read_keys
from services.mail.smtp import Server, is_address
from services.registers.clients import Accepts


class BadSetting(Exception):
    """The program cannot start with a setting; the text says which, and what to do."""


def is_local(url: str) -> bool:
    """True for an address on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, not an IP address
        return host == "localhost" or host.endswith(".localhost")


_DIGITS = 18  # more are no valid number for a setting, and Python does not parse them all


def whole_number(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """Parse a whole number within these limits."""
    given = environ.get(name, "").strip() or str(default)
    if not given.isdecimal() or len(given) > _DIGITS or not least <= int(given) <= most:
        raise BadSetting(f"{name} must be a whole number from {least} to {most}, not {given[:40]!r}")
    return int(given)


def trusted_proxies(given: str) -> int:
    """The number of trusted proxies in front of the program."""
    return whole_number({"TRUSTED_PROXIES": given}, "TRUSTED_PROXIES", 0, 0, 10)


def address(name: str, given: str) -> str:
    """Validate an http(s) address; returned without a slash at its end."""
    try:
        parts = urlsplit(given)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # unbalanced brackets, or an invalid port
        is_web = False
    if not is_web:
        raise BadSetting(f"{name} must be an http(s) address, not {given!r}")
    return given.rstrip("/")


def mail_url(given: str) -> str:
    """Validate the address of a mail server, or nothing."""
    try:
        if given:
            Server.at(given)
    except ValueError:
        raise BadSetting(
            "MAIL_URL must be smtp://host:port or smtps://…, with name:password@ before the host if need be"
        ) from None
    return given


def mail_from(given: str) -> str:
    """Validate an e-mail address."""
    if not is_address(given):
        raise BadSetting(f"MAIL_FROM must be an e-mail address, not {given!r}")
    return given


def mail_to(name: str, given: str) -> str:
    """Validate an e-mail address, or nothing."""
    if given and not is_address(given):
        raise BadSetting(f"{name} must be an e-mail address, not {given!r}")
    return given


def audit_keys(path: Path) -> None:
    """Validate a key file, which only its owner and its group may read."""
    try:
        is_open = path.stat().st_mode & 0o007
        read_keys(path)
    except (OSError, BadKeys):
        raise BadSetting(
            "AUDIT_KEY_FILE must name a readable file of keys, each line an id and 64 hexadecimal digits: "
            "(printf '1 '; openssl rand -hex 32) > FILE"
        ) from None
    if is_open:
        raise BadSetting("AUDIT_KEY_FILE must not be readable for everybody: chmod 600 FILE")


def second_factor(given: str) -> bool:
    """True if a second factor is required."""
    if given not in {"required", "off"}:
        raise BadSetting(f"SECOND_FACTOR must be required or off, not {given!r}")
    return given == "required"


def accepts(given: str) -> Accepts:
    """The kind of national identity numbers that are accepted."""
    if given not in {"real", "synthetic"}:
        raise BadSetting(f"NATIONAL_IDS must be real or synthetic, not {given!r}")
    return given  # type: ignore[return-value]


def database_url(given: str) -> str:
    """The address of a database in SQLAlchemy's form."""
    scheme, _, rest = given.partition("://")
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    if scheme in {"postgresql+psycopg", "sqlite"}:
        return given
    raise BadSetting("DATABASE_URL must begin with sqlite:// or postgresql://")
