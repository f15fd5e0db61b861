"""Look-ups that users ask for are logged with their purpose, and there are only so many in an hour: numbers must not
be guessed by trying them (domain, section 7)."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.clock import OSLO_TIME
from services.core.db import now, writing
from services.core.i18n import gettext as _
from services.tables.accounts import User
from services.tables.participants import AccessEntry

_HOUR = timedelta(hours=1)


class LookUpPurpose(StrEnum):
    """Why a register is asked; the last two are the program's own doing, and do not count."""

    REGISTRATION = "registration"
    RESULTS = "results"
    WAITING = "waiting registration"
    REFRESH = "refresh"


class TooManyLookUps(Exception):
    """The user has asked for as many look-ups in the last hour as she may; `until`: when she may again."""

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
    """Log that a user looks somebody up, before a register is asked: so that many at once are counted one by one.

    Raises `TooManyLookUps`, and logs the refusal, if she has had `most` in the last hour.
    """
    with writing() as work:
        work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())
        mine = (AccessEntry.user_id == viewer.user_id, AccessEntry.action == Action.LOOK_UP.value)
        late = select(AccessEntry.at).where(*mine, AccessEntry.at > now() - _HOUR).order_by(AccessEntry.at.desc())
        first = work.scalar(late.offset(most - 1).limit(1))
        action = Action.REFUSED if first else Action.LOOK_UP
        detail = {"purpose": purpose.value}
        note(action, user_id=viewer.user_id, participation=participation, detail=detail)
    if first:
        raise TooManyLookUps(most, first + _HOUR)
