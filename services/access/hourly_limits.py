"""Hourly limits: look-ups and downloads are logged, and a user has only so many of them in an hour.

Numbers must not be guessed by trying them, and a stolen visit must not carry off the register in small pieces (domain,
section 7).
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
    """When the user may do it again, if the log has `most` of it from the last hour; else `None`.

    The user's row is held until the end of the transaction, so that requests at the same moment are counted one by one.
    """
    work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())
    mine = (AccessEntry.user_id == viewer.user_id, AccessEntry.action == action.value)
    late = select(AccessEntry.at).where(*mine, AccessEntry.at > now() - _HOUR).order_by(AccessEntry.at.desc())
    first = work.scalar(late.offset(most - 1).limit(1))
    return first + _HOUR if first else None


class LookUpPurpose(StrEnum):
    """Why a register is asked; the last two are the program's own doing, and do not count."""

    REGISTRATION = "registration"
    RESULTS = "results"
    WAITING = "waiting registration"
    REFRESH = "refresh"


class TooManyLookUps(Exception):
    """The user has asked for as many look-ups in the last hour as the user may; `until`: when the user may again."""

    def __init__(self, most: int, until: datetime) -> None:
        super().__init__(f"{most} in an hour")
        self.most = most
        self.until = until

    @property
    def words(self) -> str:
        """For the user."""
        said = _("Du har gjort %(most)s oppslag den siste timen. Vent til kl. %(at)s. Det du har fylt ut, er beholdt.")
        at = self.until.astimezone(OSLO_TIME) + timedelta(minutes=1)  # what is said in minutes shall be late enough
        return said % {"most": self.most, "at": f"{at:%H.%M}"}


def log_look_up(viewer: Viewer, purpose: LookUpPurpose, *, most: int, participation: int | None = None) -> None:
    """Log that a user looks somebody up, before a register is asked.

    Raises `TooManyLookUps`, and logs the refusal, if the user has had `most` in the last hour.
    """
    with writing() as work:
        until = _free_again(work, viewer, Action.LOOK_UP, most)
        action = Action.REFUSED if until else Action.LOOK_UP
        detail = {"purpose": purpose.value}
        note(action, user_id=viewer.user_id, participation=participation, detail=detail)
    if until:
        raise TooManyLookUps(most, until)


class TooManyDownloads(Exception):
    """The user has downloaded as many files in the last hour as the user may; `seconds`: until the user may again."""

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(f"{most} in an hour")
        self.most = most
        self.seconds = seconds


def log_download(viewer: Viewer, what: str, kind: str, *, order: str, most: int) -> None:
    """Log that a user downloads a file: what of (overview, full or rows), as what kind of file, of which list.

    Raises `TooManyDownloads`, and logs nothing, if the user has had `most` in the last hour.
    """
    with writing() as work:
        if until := _free_again(work, viewer, Action.DOWNLOAD, most):
            raise TooManyDownloads(most, max(1, round((until - now()).total_seconds())))
        note(Action.DOWNLOAD, user_id=viewer.user_id, detail={"what": what, "order": order, "format": kind})
