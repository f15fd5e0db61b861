"""Hourly limits on look-ups and downloads, each of which is logged.

Nobody must find national ids by trial, and a stolen session must not be enough to copy the register in small pieces
(domain, section 7).
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.clock import OSLO_TIME
from services.core.db import now, writing
from services.core.i18n import gettext as _
from services.tables.accounts import User
from services.tables.participants import AccessEntry

_HOUR = timedelta(hours=1)


def _free_again(work: Session, viewer: Viewer, action: Action, most: int) -> datetime | None:
    """When the user may do it again, if the log has `most` such lines of the last hour; else `None`.

    Locks the user's row until the end of the transaction, so that parallel requests are counted one by one.
    """
    work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())
    mine = (AccessEntry.user_id == viewer.user_id, AccessEntry.action == action.value)
    late = select(AccessEntry.at).where(*mine, AccessEntry.at > now() - _HOUR).order_by(AccessEntry.at.desc())
    first = work.scalar(late.offset(most - 1).limit(1))
    return first + _HOUR if first else None


class LookUpPurpose(StrEnum):
    """Why a register is queried; the last two are automatic and do not count towards the limit."""

    REGISTRATION = "registration"
    RESULTS = "results"
    WAITING = "waiting registration"
    REFRESH = "refresh"


class TooManyLookUps(Exception):
    """The user has reached the hourly limit on look-ups; `until`: when the next one is allowed."""

    def __init__(self, most: int, until: datetime) -> None:
        super().__init__(f"{most} in an hour")
        self.most = most
        self.until = until

    @property
    def words(self) -> str:
        """The message to the user."""
        said = _("Du har gjort %(most)s oppslag den siste timen. Vent til kl. %(at)s. Det du har fylt ut, er beholdt.")
        at = self.until.astimezone(OSLO_TIME) + timedelta(minutes=1)  # rounded up to the next minute
        return said % {"most": self.most, "at": f"{at:%H.%M}"}


def log_look_up(viewer: Viewer, purpose: LookUpPurpose, *, most: int, participation: int | None = None) -> None:
    """Log a look-up and enforce the hourly limit, before the register is queried.

    Raises `TooManyLookUps`, and logs the refusal, after `most` look-ups in the last hour.
    """
    with writing() as work:
        until = _free_again(work, viewer, Action.LOOK_UP, most)
        action = Action.REFUSED if until else Action.LOOK_UP
        detail = {"purpose": purpose.value}
        note(action, user_id=viewer.user_id, participation=participation, detail=detail)
    if until:
        raise TooManyLookUps(most, until)


class TooManyDownloads(Exception):
    """The user has reached the hourly limit on downloads; `seconds`: the time until the next one is allowed."""

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(f"{most} in an hour")
        self.most = most
        self.seconds = seconds


def log_download(viewer: Viewer, what: str, kind: str, *, order: str, most: int) -> None:
    """Log a download and enforce the hourly limit. `what`: overview, full or rows; `kind`: the file format; `order`: of
    which list.

    Raises `TooManyDownloads`, and logs nothing, after `most` downloads in the last hour.
    """
    with writing() as work:
        if until := _free_again(work, viewer, Action.DOWNLOAD, most):
            raise TooManyDownloads(most, max(1, round((until - now()).total_seconds())))
        note(Action.DOWNLOAD, user_id=viewer.user_id, detail={"what": what, "order": order, "format": kind})
