"""The tables of accounts: users, roles, sessions, links, second factor, e-mails and sign-in failures."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.core.collation import sort_key
from services.core.db import Base, UtcDateTime, json_type, long_id, sort_text
from services.core.name_folding import folded_words
from services.tables.participants import Municipality

_KEY_LENGTH = 1000


class User(Base):
    """A user account. Its rights come from its role grants.

    An invited user has no user name until the invitation is accepted (`activated_at`). `email` is in lower case.
    `totp_secret` is encrypted (see `services.core.encryption`); `totp_counter`: the last time step whose code was used.
    The sort keys and `search_text` are derived whenever a user is stored; users stored by an older version have none.
    """

    __tablename__ = "user_account"
    __table_args__ = (Index("uq_user_account_email", "email", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str | None] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(30))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    # For older versions during an upgrade: true if all grants with which the user sees participants have it.
    sees_protected: Mapped[bool] = mapped_column(server_default=text("false"))
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    blocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    blocked_by: Mapped[int | None]
    blocked_by_imdi: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(server_default="1")
    totp_secret: Mapped[str | None] = mapped_column(String(300))
    totp_counter: Mapped[int | None] = mapped_column(BigInteger)
    name_key: Mapped[str | None] = mapped_column(sort_text(_KEY_LENGTH))
    username_key: Mapped[str | None] = mapped_column(sort_text(_KEY_LENGTH))
    email_key: Mapped[str | None] = mapped_column(sort_text(_KEY_LENGTH))
    search_text: Mapped[str | None] = mapped_column(Text)
    grants: Mapped[list["RoleGrant"]] = relationship(back_populates="user", lazy="raise")

    @property
    def sees_some_protected(self) -> bool:
        """True if one of the roles includes the right to protected addresses."""
        return any(grant.sees_protected for grant in self.grants)


def keys_of(name: str, username: str | None, email: str, phone: str) -> dict[str, str | None]:
    """The derived columns of `User` that the list of users is sorted by and searched in."""
    searched = (name, username or "", email, phone, phone.replace(" ", ""))
    return {
        "name_key": sort_key(name)[:_KEY_LENGTH],
        "username_key": sort_key(username)[:_KEY_LENGTH] if username else None,
        "email_key": sort_key(email)[:_KEY_LENGTH],
        "search_text": "\n".join(folded(text) for text in searched),
    }


def folded(text: str) -> str:
    """A text in the form of `User.search_text`."""
    return " ".join(folded_words(text))


@event.listens_for(User, "before_insert")
@event.listens_for(User, "before_update")
def _write_keys(_mapper: Any, _connection: Any, user: User) -> None:
    for column, key in keys_of(user.name, user.username, user.email, user.phone).items():
        setattr(user, column, key)


class RoleGrant(Base):
    """One role of a user; municipal roles are for one municipality each, IMDi's for all. `sees_protected`: the role
    includes protected participants."""

    __tablename__ = "role_grant"
    __table_args__ = (
        UniqueConstraint("user_id", "role", "municipality_number"),
        CheckConstraint(
            "(role IN ('imdi_reader', 'imdi_admin')) = (municipality_number IS NULL)", name="municipal_role"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    role: Mapped[str] = mapped_column(String(20))
    municipality_number: Mapped[str | None] = mapped_column(ForeignKey("municipality.number"), index=True)
    sees_protected: Mapped[bool] = mapped_column(server_default=text("false"))
    user: Mapped[User] = relationship(back_populates="grants")
    municipality: Mapped[Municipality | None] = relationship(lazy="raise")


class UserSession(Base):
    """A session of a user. The browser has a random key; only its SHA-256 is stored. `provider_mark`: a digest of the
    session at the identity provider that it began with (see `services.accounts.external_identities`), so that the end
    of that one ends it."""

    __tablename__ = "user_session"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(json_type)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    provider_mark: Mapped[str | None] = mapped_column(String(64), index=True)


class Identity(Base):
    """An external identity of a user, to sign in with: `subject` at an identity provider (`issuer`)."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("user_id", "issuer"))

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountLink(Base):
    """A link that was sent by e-mail, for an invitation or a new password. Works once; only the SHA-256 of its token is
    stored. `replaced_at`: when a newer one was sent."""

    __tablename__ = "account_link"
    __table_args__ = (CheckConstraint("purpose IN ('invite', 'reset')", name="purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(10))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")


class RecoveryCode(Base):
    """A recovery code for a lost telephone, which works once; only its digest is stored."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutboxMessage(Base):
    """An e-mail, written in the transaction of its cause and sent afterwards. `body` is encrypted, and emptied when the
    message is sent. `next_try_at`: not before then; None if it was sent, or given up (`failed_at`)."""

    __tablename__ = "outbox_message"

    id: Mapped[int] = mapped_column(long_id, primary_key=True)
    message_id: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(200), server_default=text("''"))


class SignInFailure(Base):
    """A counter of sign-in failures, by a digest of user and origin (see `services.accounts.throttle`)."""

    __tablename__ = "sign_in_failure"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
