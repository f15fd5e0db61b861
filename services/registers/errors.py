"""Errors of requests to a register about a person.

The texts are for logs and never contain a number, a name or a web address: messages to a caseworker are written where
they are shown, from the kind of error.
"""

from __future__ import annotations

from enum import StrEnum


class RegisterFault(StrEnum):
    """The causes of an unusable response, for messages to a caseworker."""

    UNKNOWN_CALLER = "401"  # the register does not know the client
    NOT_ALLOWED = "403"  # it knows the client, and refuses
    NO_TOKEN = "no_token"  # noqa: S105 - Maskinporten refuses
    INTERNAL = "500"  # the register reports an internal error
    HTML = "html"  # a firewall or proxy has responded instead
    UNREADABLE = "unreadable"
    SLOW = "slow"
    NO_CONTACT = "no_contact"
    NO_TLS = "no_tls"
    RESTING = "resting"  # no request made, after several failures in a row


class RegisterError(Exception):
    """A register gave no usable response. `register`: the name of the system."""

    def __init__(self, register: str, reason: str, fault: RegisterFault | None = None) -> None:
        super().__init__(f"{register}: {reason}")
        self.register = register
        self.reason = reason
        self.fault = fault


class WrongNumber(RegisterError):
    """The number is not well formed, according to the register (400) or before sending."""


class NotFound(RegisterError):
    """The register knows nobody with the number (404 with the register's own error body)."""


class AccessDenied(RegisterError):
    """Access was refused (401, 403, or by Maskinporten): a matter for the operators."""


class Busy(RegisterError):
    """Too many requests in a short time (429). `retry_after`: seconds to wait, or None if not given."""

    def __init__(self, register: str, retry_after: float | None) -> None:
        super().__init__(register, "too many requests")
        self.retry_after = retry_after


class Unavailable(RegisterError):
    """The register is down, slow or unreachable, or its response cannot be read."""
