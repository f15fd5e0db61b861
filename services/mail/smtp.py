"""Sending e-mail by SMTP."""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Self
from urllib.parse import unquote, urlsplit

from services.core.db import now

_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}")
LONGEST_ADDRESS = 254
_TIMEOUT_SECONDS = 10
# The server requires authentication (RFC 4954): a fault of the configuration, so the letter waits for its correction.
_UNKNOWN_SENDER = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, kw_only=True)
class Letter:
    """The content of an e-mail, as `text` and as `html`."""

    subject: str
    text: str
    html: str


class NotDelivered(Exception):
    """The server did not accept the letter. `for_good`: further attempts are useless. The text contains no address."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


def is_address(text: str) -> bool:
    """True for an e-mail address of the common form."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None and ".." not in text


@dataclass(frozen=True, kw_only=True)
class Server:
    """An SMTP server. `implicit_tls`: TLS from the first byte (`smtps://`), otherwise STARTTLS if offered. A password
    is sent over TLS only, or to this machine."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    implicit_tls: bool = False

    @classmethod
    def at(cls, url: str) -> Self:
        """Parse an address `smtp://name:password@host:port`; raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.port == 0:
            raise ValueError("not an SMTP address")
        implicit = parts.scheme == "smtps"
        return cls(
            host=parts.hostname,
            port=parts.port or (465 if implicit else 25),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            implicit_tls=implicit,
        )

    def send(self, letter: Letter, *, sender: str, recipient: str, message_id: str) -> None:
        """Send a letter; raises `NotDelivered`. The same message id identifies a second attempt as the same message."""
        message = _message(letter, sender, recipient, message_id)
        try:
            connection = self._connect()
            try:
                connection.send_message(message)
            finally:
                _hang_up(connection)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise NotDelivered(f"the recipient was refused ({code})", for_good=_is_final(code)) from error
        except smtplib.SMTPAuthenticationError as error:
            raise NotDelivered(f"{type(error).__name__} ({error.smtp_code})") from error
        except smtplib.SMTPResponseException as error:
            for_good = _is_final(error.smtp_code)
            raise NotDelivered(f"{type(error).__name__} ({error.smtp_code})", for_good=for_good) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(type(error).__name__) from error

    def _connect(self) -> smtplib.SMTP:
        tls = ssl.create_default_context()
        if self.implicit_tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=tls)
        else:
            connection = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        try:
            self._prepare(connection, tls)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: smtplib.SMTP, tls: ssl.SSLContext) -> None:
        connection.ehlo_or_helo_if_needed()
        is_safe = self.implicit_tls or self.host in {"localhost", "127.0.0.1", "::1"}
        if not self.implicit_tls and connection.has_extn("starttls"):
            try:
                connection.starttls(context=tls)
            except smtplib.SMTPResponseException as error:  # the error does not concern the letter yet
                raise NotDelivered(f"the server has refused TLS ({error.smtp_code})") from error
            is_safe = True
        if self.username:
            if not is_safe:
                raise NotDelivered("the server offers no TLS, so it is not told the password")
            connection.login(self.username, self.password)


def _is_final(code: int) -> bool:
    """True if further attempts to send the letter are useless."""
    return 500 <= code < 600 and code not in _UNKNOWN_SENDER


def _hang_up(connection: smtplib.SMTP) -> None:
    """Close the connection. The server's response to that does not matter: the letter was accepted or refused
    before."""
    with suppress(smtplib.SMTPException, OSError):
        connection.quit()
    connection.close()


def _message(letter: Letter, sender: str, recipient: str, message_id: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = f"Jobbsjanseregisteret <{sender}>"
    message["To"] = recipient
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{message_id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message
