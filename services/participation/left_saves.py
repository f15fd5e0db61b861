"""Requests that save a page while the browser leaves it: nobody reads the response, so their keys are kept for a day.

The next page of the same tab asks for the key of that request before it says that all is saved.
"""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from services.core.db import now, session
from services.tables.participants import LeftSave

KEPT_FOR = timedelta(days=1)


def note_handled(work: Session, key: str, user_id: int, participation_ref: int) -> None:
    """Record a request as handled, in the transaction that saves it."""
    work.execute(delete(LeftSave).where(LeftSave.at < now() - KEPT_FOR))
    if work.get(LeftSave, key) is None:
        work.add(LeftSave(key=key, user_id=user_id, participation_ref=participation_ref, at=now()))


def is_handled(key: str, user_id: int, participation_ref: int) -> bool:
    """True if the user's request with that key has been handled."""
    found = session().get(LeftSave, key)
    return found is not None and (found.user_id, found.participation_ref) == (user_id, participation_ref)
