"""Downloads are logged, and there are only so many in an hour: whoever takes over a visit shall not carry off the
register in small pieces."""

from datetime import timedelta

from sqlalchemy import select

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.db import now, writing
from services.tables.accounts import User
from services.tables.participants import AccessEntry

_HOUR = timedelta(hours=1)


class TooManyDownloads(Exception):
    """The user has downloaded as many files in the last hour as she may; `seconds`: until she may again."""

    def __init__(self, most: int, seconds: int) -> None:
        super().__init__(f"{most} in an hour")
        self.most = most
        self.seconds = seconds


def log_download(viewer: Viewer, what: str, kind: str, *, order: str, most: int) -> None:
    """Log that a user downloads a file: what of (overview or full), as what kind of file, of which list. Raises
    `TooManyDownloads`, and logs nothing, if she has had `most` in the last hour."""
    with writing() as work:
        work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())  # one by one
        mine = (AccessEntry.user_id == viewer.user_id, AccessEntry.action == Action.DOWNLOAD.value)
        late = select(AccessEntry.at).where(*mine, AccessEntry.at > now() - _HOUR).order_by(AccessEntry.at.desc())
        if first := work.scalar(late.offset(most - 1).limit(1)):
            raise TooManyDownloads(most, max(1, round((first + _HOUR - now()).total_seconds())))
        note(Action.DOWNLOAD, user_id=viewer.user_id, detail={"what": what, "order": order, "format": kind})
