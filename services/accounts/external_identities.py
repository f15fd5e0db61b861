"""External identities: users at identity providers, identified by (issuer, subject).

An identity is connected at the first sign-in of an invited user, or later by the user. Source: OpenID Connect Core 1.0,
section 5.7: no other claim identifies a person permanently.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.accounts import administration as users
from services.accounts.administration import LetterFor
from services.accounts.invitations import take_free_username
from services.accounts.one_time_links import LinkPurpose, use_link
from services.accounts.sign_in import end_sessions
from services.core.db import hold, now, session, writing
from services.core.encryption import Vault
from services.mail.outbox import Outbox
from services.tables.accounts import Identity, User


class IdentityTaken(ValueError):
    """The identity belongs to another user."""


class Outdated(RuntimeError):
    """The user was blocked or the password changed since the confirmation."""


class OnlyWayIn(ValueError):
    """The user has no password, and could not sign in without this identity."""


@dataclass(frozen=True)
class ProviderUser:
    """A person that a provider has authenticated. `sid`: the provider's session id, '' if it has none. `id_token`: its
    signed token, which it expects back at sign-out."""

    provider: str
    issuer: str
    subject: str
    sid: str
    id_token: str = field(repr=False)

    def mark(self, vault: Vault) -> str | None:
        """The mark of the sessions that begin with this sign-in; None without `sid`."""
        return mark_of(vault, self.issuer, self.sid) if self.sid else None


def mark_of(vault: Vault, issuer: str, sid: str) -> str:
    """The digest of a session at a provider."""
    return vault.digest("provider visit", issuer, sid)


def user_of(person: ProviderUser) -> int | None:
    """The id of the user with this identity, also if blocked; `None` if there is none."""
    known = (Identity.issuer == person.issuer) & (Identity.subject == person.subject)
    return session().scalar(select(Identity.user_id).where(known))


def accept(token: str, person: ProviderUser) -> int:
    """Activate an invited user with this identity, a generated user name and no password; returns the user's id. Raises
    `DeadLink`, `IdentityTaken`; the link then still works."""
    try:
        with writing() as work:
            user = use_link(work, token, LinkPurpose.INVITE)
            take_free_username(work, user)
            user.activated_at = now()
            user.version += 1
            note(Action.ACCEPT, user_id=user.id, detail={"user": user.id, "provider": person.provider})
            _connect(work, user.id, person)
    except IntegrityError:
        raise IdentityTaken from None
    return user.id


def tie(user_id: int, person: ProviderUser, *, mark: str, outbox: Outbox, letter: LetterFor) -> None:
    """Connect an identity to the user, replacing an earlier one at the same provider, and inform the user by e-mail.
    `mark`: of the password that the user confirmed it with (`accounts.password_mark`). Raises `IdentityTaken`, and
    `Outdated` if the user was blocked or the password changed meanwhile."""
    try:
        with writing() as work:
            user = work.get_one(User, user_id, with_for_update=True, populate_existing=True)
            if user.blocked_at or mark != outbox.vault.digest("password", user.password_hash):
                raise Outdated
            work.execute(delete(Identity).where(Identity.user_id == user_id, Identity.issuer == person.issuer))
            _connect(work, user_id, person)
            outbox.put(work, user_id=user_id, recipient=user.email, letter=letter(user))
    except IntegrityError:
        raise IdentityTaken from None


def _connect(work: Session, user_id: int, person: ProviderUser) -> None:
    hold(work, f"{person.issuer} {person.subject}")
    if work.scalar(select(Identity.id).where(Identity.issuer == person.issuer, Identity.subject == person.subject)):
        raise IdentityTaken
    work.add(Identity(user_id=user_id, issuer=person.issuer, subject=person.subject, created_at=now()))
    note(Action.IDENTITY_TIED, user_id=user_id, detail={"user": user_id, "provider": person.provider})
    work.flush()


def issuers_of(user_id: int) -> set[str]:
    """The issuers that the user has an identity at."""
    return set(session().scalars(select(Identity.issuer).where(Identity.user_id == user_id)))


def has_password(user_id: int) -> bool:
    """True if the user can also sign in with a password."""
    return session().scalar(select(User.password_hash).where(User.id == user_id)) is not None


def of_user(user_id: int) -> Sequence[Identity]:
    """The user's identities, the oldest first."""
    return session().scalars(select(Identity).where(Identity.user_id == user_id).order_by(Identity.id)).all()


def remove_for(
    viewer: Viewer, user_id: int, identity_id: int, *, names: Mapping[str, str], outbox: Outbox, letter: LetterFor
) -> None:
    """Remove an identity of a user whom the viewer administers, end the user's sessions, and inform the user by
    e-mail. Does nothing if the identity does not exist. `names`: of the providers, by issuer. Raises `NoSuchUser`,
    `NotYours`."""
    with users.acting_on(viewer, user_id, None) as (work, user):
        chosen = (Identity.id == identity_id) & (Identity.user_id == user_id)
        for issuer in work.scalars(delete(Identity).where(chosen).returning(Identity.issuer)).all():
            detail = {"user": user_id, "provider": names.get(issuer, issuer)}
            note(Action.IDENTITY_REMOVED, user_id=viewer.user_id, detail=detail)
            end_sessions(work, user_id)
            outbox.put(work, user_id=user_id, recipient=user.email, letter=letter(user))


def remove(user_id: int, issuer: str, *, provider: str) -> None:
    """Remove the user's own identity at a provider. Raises `OnlyWayIn`."""
    with writing() as work:
        if work.get_one(User, user_id).password_hash is None:
            raise OnlyWayIn
        gone = delete(Identity).where(Identity.user_id == user_id, Identity.issuer == issuer)
        if work.execute(gone.returning(Identity.id)).all():
            note(Action.IDENTITY_REMOVED, user_id=user_id, detail={"user": user_id, "provider": provider})
