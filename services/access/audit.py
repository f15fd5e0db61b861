"""The access log: who signed in, looked up, opened, searched, changed, downloaded or was refused. Ids only."""

import logging
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from services.access.viewer import Viewer
from services.core.db import now, session, when_free, writing
from services.tables.participants import AccessEntry

MOST_ANONYMOUS = 200  # failures an hour of which nobody knows whose they are
logger = logging.getLogger(__name__)


class Action(StrEnum):
    """What can stand in the log."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    LOOK_UP = "look_up"
    LOOK_UP_ANSWER = "look_up_answer"
    OPEN = "open"
    CREATE = "create"
    CHANGE = "change"
    DISCHARGE = "discharge"
    DELETE = "delete"
    RESTORE = "restore"
    REOPEN = "reopen"
    DOWNLOAD = "download"
    SEARCH = "search"
    VIEW = "view"  # a page that shows participants by name, such as the list; written by `services.access.page_views`
    MANY_VIEWS = "many_views"  # more of these pages in an hour than anybody needs
    REFUSED = "refused"
    READ_LOG = "read_log"  # this one
    # About a user: her id stands in the detail as «user».
    INVITE = "invite"
    RESEND = "resend"
    ACCEPT = "accept"  # the invited has made her user
    CHANGE_USER = "change_user"
    BLOCK = "block"
    UNBLOCK = "unblock"
    END_SESSIONS = "end_sessions"
    PASSWORD_ASKED = "password_asked"  # noqa: S105 - a link to a new one has been sent
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, no password
    FACTOR_SET = "factor_set"
    FACTOR_RESET = "factor_reset"
    IDENTITY_TIED = "identity_tied"  # she signs in with an identity provider from now on
    IDENTITY_REMOVED = "identity_removed"
    RECOVERY_CODES = "recovery_codes"  # new ones have been made
    RECOVERY_CODE_USED = "recovery_code_used"
    # About the register as a whole, by whoever runs it.
    BACKUP = "backup"
    RESTORE_BACKUP = "restore_backup"


_LINE = insert(AccessEntry.__table__)  # type: ignore[arg-type]


def note(
    action: Action,
    *,
    user_id: int | None,
    participation: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a line to the log within the caller's transaction. `detail` holds ids and codes only."""
    session().connection().execute(
        _LINE,
        {
            "at": now(),
            "user_id": user_id,
            "action": action.value,
            "participation_ref": participation,
            "detail": detail,
        },
    )


def may_note_anonymous(work: Session) -> bool:
    """Whether one more failure of nobody in particular may be logged: so many an hour in all, since nothing can be
    taken out of the log, and anybody can fail as often as they like."""
    recent = (AccessEntry.action == Action.SIGN_IN_FAILED.value, AccessEntry.at > now() - timedelta(hours=1))
    found = select(AccessEntry.id).where(AccessEntry.user_id.is_(None), *recent).limit(MOST_ANONYMOUS)
    if len(work.scalars(found).all()) < MOST_ANONYMOUS:
        return True
    logger.warning("a failed sign-in of nobody in particular is not in the access log: there are too many")
    return False


def record(
    action: Action,
    *,
    viewer: Viewer | None,
    participation: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a line to the log in a transaction of its own, after the one that it may be called in."""

    def write() -> None:
        with writing():
            note(action, user_id=viewer.user_id if viewer else None, participation=participation, detail=detail)

    when_free(write)
