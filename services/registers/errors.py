"""What can go wrong when a register is asked about a person.

The texts are for logs and never hold a number, a name or an address of the web: what a caseworker reads is
written where it is shown, from the kind of error.
"""

from __future__ import annotations

from enum import StrEnum


class RegisterFault(StrEnum):
    """In which way there was no usable answer, for the words that a caseworker reads."""

    UNKNOWN_CALLER = "401"  # the register does not know who asks
    NOT_ALLOWED = "403"  # it knows, and refuses
    NO_TOKEN = "no_token"  # noqa: S105 - Maskinporten refuses
    INTERNAL = "500"  # it says itself that it fails
    HTML = "html"  # a firewall or proxy has answered in its place
    UNREADABLE = "unreadable"
    SLOW = "slow"
    NO_CONTACT = "no_contact"
    NO_TLS = "no_tls"
    RESTING = "resting"  # not asked, since it has failed several times in a row


class RegisterError(Exception):
    """A register gave no usable answer. `register` is the name of the system that was asked."""

    def __init__(self, register: str, reason: str, fault: RegisterFault | None = None) -> None:
        super().__init__(f"{register}: {reason}")
        self.register = register
        self.reason = reason
        self.fault = fault


class WrongNumber(RegisterError):
    """The register says that the number is not well formed (400), or it was not sent, since it was not."""


class NotFound(RegisterError):
    """The register knows nobody with the number (404 in the register's own words)."""


class AccessDenied(RegisterError):
    """We are not let in (401, 403, or a refusal of Maskinporten): a matter for those who run the system."""


class Busy(RegisterError):
    """Too many questions in a short time (429). `retry_after`: seconds to wait, or None if not said."""

    def __init__(self, register: str, retry_after: float | None) -> None:
        super().__init__(register, "too many requests")
        self.retry_after = retry_after


class Unavailable(RegisterError):
    """The register is down, slow, unreachable, or answers something that cannot be read."""
