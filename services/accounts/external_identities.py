"""Users at identity providers: an account is tied to (issuer, subject) at the first sign-in of an invited user, or
later by herself. Source: OpenID Connect Core 1.0, section 5.7: nothing else of what a provider says names a person
for good.
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
    """Another user signs in with that identity."""


class Outdated(RuntimeError):
    """What was shown for tying an identity does not hold any more."""


class OnlyWayIn(ValueError):
    """The user has no password, so she would be shut out without it."""


@dataclass(frozen=True)
class ProviderUser:
    """Whom a provider says that it has recognised. `sid`: its name for her visit there, '' if it has none.
    `id_token`: what it has signed; it wants it back when she signs out."""

    provider: str
    issuer: str
    subject: str
    sid: str
    id_token: str = field(repr=False)

    def mark(self, vault: Vault) -> str | None:
        """What the visits that begin with this one bear."""
        return mark_of(vault, self.issuer, self.sid) if self.sid else None


def mark_of(vault: Vault, issuer: str, sid: str) -> str:
    """The digest of a visit at a provider."""
    return vault.digest("provider visit", issuer, sid)


def user_of(person: ProviderUser) -> int | None:
    """The id of the user who signs in with this identity, also when she is blocked; `None` if nobody does."""
    known = (Identity.issuer == person.issuer) & (Identity.subject == person.subject)
    return session().scalar(select(Identity.user_id).where(known))


def accept(token: str, person: ProviderUser) -> int:
    """Make the user that an invitation's link invites, with a user name made of her name and no password; gives her id.
    Raises `DeadLink`, `IdentityTaken`; the link then still works."""
    try:
        with writing() as work:
            user = use_link(work, token, LinkPurpose.INVITE)
            take_free_username(work, user)
            user.activated_at = now()
            user.version += 1
            note(Action.ACCEPT, user_id=user.id, detail={"user": user.id, "provider": person.provider})
            _tie(work, user.id, person)
    except IntegrityError:
        raise IdentityTaken from None
    return user.id


def tie(user_id: int, person: ProviderUser, *, mark: str, outbox: Outbox, letter: LetterFor) -> None:
    """Let the user sign in with this identity, in place of the one that she had at that provider, and tell her so by
    e-mail. `mark`: of the password that was shown for it (`accounts.password_mark`). Raises `IdentityTaken`, and
    `Outdated` if the user was blocked, or the password changed, meanwhile."""
    try:
        with writing() as work:
            user = work.get_one(User, user_id, with_for_update=True, populate_existing=True)
            if user.blocked_at or mark != outbox.vault.digest("password", user.password_hash):
                raise Outdated
            work.execute(delete(Identity).where(Identity.user_id == user_id, Identity.issuer == person.issuer))
            _tie(work, user_id, person)
            outbox.put(work, user_id=user_id, recipient=user.email, letter=letter(user))
    except IntegrityError:
        raise IdentityTaken from None


def _tie(work: Session, user_id: int, person: ProviderUser) -> None:
    hold(work, f"{person.issuer} {person.subject}")
    if work.scalar(select(Identity.id).where(Identity.issuer == person.issuer, Identity.subject == person.subject)):
        raise IdentityTaken
    work.add(Identity(user_id=user_id, issuer=person.issuer, subject=person.subject, created_at=now()))
    note(Action.IDENTITY_TIED, user_id=user_id, detail={"user": user_id, "provider": person.provider})
    work.flush()


def issuers_of(user_id: int) -> set[str]:
    """The providers that know the user."""
    return set(session().scalars(select(Identity.issuer).where(Identity.user_id == user_id)))


def has_password(user_id: int) -> bool:
    """True if she can also sign in with a password."""
    return session().scalar(select(User.password_hash).where(User.id == user_id)) is not None


def of_user(user_id: int) -> Sequence[Identity]:
    """The identities with which a user signs in, the oldest first."""
    return session().scalars(select(Identity).where(Identity.user_id == user_id).order_by(Identity.id)).all()


def remove_for(
    viewer: Viewer, user_id: int, identity_id: int, *, names: Mapping[str, str], outbox: Outbox, letter: LetterFor
) -> None:
    """Let a user whom the viewer administers sign in without an identity, end the user's visits, and tell it by e-mail.
    One that is gone already does no harm. `names`: of the providers, by issuer. Raises `NoSuchUser`, `NotYours`."""
    with users.acting_on(viewer, user_id, None) as (work, user):
        chosen = (Identity.id == identity_id) & (Identity.user_id == user_id)
        for issuer in work.scalars(delete(Identity).where(chosen).returning(Identity.issuer)).all():
            detail = {"user": user_id, "provider": names.get(issuer, issuer)}
            note(Action.IDENTITY_REMOVED, user_id=viewer.user_id, detail=detail)
            end_sessions(work, user_id)
            outbox.put(work, user_id=user_id, recipient=user.email, letter=letter(user))


def remove(user_id: int, issuer: str, *, provider: str) -> None:
    """Let the user sign in without this provider only. Raises `OnlyWayIn`."""
    with writing() as work:
        if work.get_one(User, user_id).password_hash is None:
            raise OnlyWayIn
        gone = delete(Identity).where(Identity.user_id == user_id, Identity.issuer == issuer)
        if work.execute(gone.returning(Identity.id)).all():
            note(Action.IDENTITY_REMOVED, user_id=user_id, detail={"user": user_id, "provider": provider})
