"""Changing passwords: by a link if the old one is forgotten, or by the signed-in user. The user's other sessions
end."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.accounts import throttle
from services.accounts.administration import LetterFor, forget_identities
from services.accounts.invitations import LetterWithLink
from services.accounts.one_time_links import LinkPurpose, new_link, use_link
from services.accounts.passwords import hash_password
from services.accounts.sign_in import end_sessions
from services.core.db import writing
from services.core.text import username
from services.mail.outbox import Outbox
from services.tables.accounts import User


def ask(whom: str, *, address: str, outbox: Outbox, invitation: LetterWithLink, reset: LetterWithLink) -> None:
    """Send a password link to the user with this e-mail address or user name; a user who is not active yet gets a new
    invitation. The caller does not learn whether the user exists.

    `address`: the IP address of the request. Raises `TooFast`.
    """
    typed = username(whom)[:254]
    throttle.count(
        outbox.vault, (throttle.RESET, f"{typed} {address}"), (throttle.ADDRESS, throttle.network_of(address))
    )
    with writing() as work:
        known = select(User).where((User.email == typed) | (User.username == typed))
        user = work.scalars(known.with_for_update()).first()
        note(Action.PASSWORD_ASKED, user_id=None, detail={"user": user.id} if user else None)
        if user is None or user.blocked_at:
            return
        purpose, letter = (LinkPurpose.RESET, reset) if user.activated_at else (LinkPurpose.INVITE, invitation)
        token = new_link(work, user, purpose, by=None)
        outbox.put(work, user_id=user.id, recipient=user.email, letter=letter(user, token))


def by_link(token: str, password: str) -> int:
    """Set a new password for the link's user and end all the user's sessions; returns the user's id. Raises
    `DeadLink`."""
    hashed = hash_password(password)  # slow by design, so before the transaction
    with writing() as work:
        user = use_link(work, token, LinkPurpose.RESET)
        _set(work, user, hashed)
    return user.id


def by_herself(viewer: Viewer, password: str, *, this_session: str | None, outbox: Outbox, letter: LetterFor) -> None:
    """Set a new password for the viewer, end the viewer's other sessions, and inform the viewer by e-mail."""
    hashed = hash_password(password)
    with writing() as work:
        user = work.get_one(User, viewer.user_id, with_for_update=True, populate_existing=True)
        _set(work, user, hashed, but=this_session)
        outbox.put(work, user_id=user.id, recipient=user.email, letter=letter(user))


def _set(work: Session, user: User, hashed: str, *, but: str | None = None) -> None:
    user.password_hash = hashed
    forget_identities(work, user.id, by=user.id)
    end_sessions(work, user.id, but=but)
    note(Action.PASSWORD_CHANGED, user_id=user.id, detail={"user": user.id})
