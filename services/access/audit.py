"""Writing the access log: sign-ins, look-ups, views, searches, changes, downloads and refusals. Ids only."""

import logging
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from services.access.viewer import Viewer
from services.core.db import now, session, when_free, writing
from services.tables.participants import AccessEntry

MOST_ANONYMOUS = 200  # failures in an hour that belong to no known user
logger = logging.getLogger(__name__)


class Action(StrEnum):
    """The kinds of lines in the access log."""

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
    VIEW = "view"  # a page that lists participants by name; written by `services.access.page_views`
    MANY_VIEWS = "many_views"  # an unusual number of such pages in an hour
    REFUSED = "refused"
    READ_LOG = "read_log"  # the access log itself was read
    # About a user, whose id stands in the detail as «user».
    INVITE = "invite"
    RESEND = "resend"
    ACCEPT = "accept"  # an invited user activated the account
    CHANGE_USER = "change_user"
    BLOCK = "block"
    UNBLOCK = "unblock"
    END_SESSIONS = "end_sessions"
    PASSWORD_ASKED = "password_asked"  # noqa: S105 - a link to a new one has been sent
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, no password
    FACTOR_SET = "factor_set"
    FACTOR_RESET = "factor_reset"
    IDENTITY_TIED = "identity_tied"  # an external identity was connected to the user
    IDENTITY_REMOVED = "identity_removed"
    RECOVERY_CODES = "recovery_codes"  # a new set was made
    RECOVERY_CODE_USED = "recovery_code_used"
    # About the register as a whole, by its operators.
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
    """True if another failed sign-in of an unknown user may be logged. Their number per hour is limited, since lines
    cannot be deleted and anybody can cause failures."""
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
    """Add a line to the log in a transaction of its own, after the one it may be called in."""

    def write() -> None:
        with writing():
            note(action, user_id=viewer.user_id if viewer else None, participation=participation, detail=detail)

    when_free(write)
