"""What users have searched for, kept under random ids, so that no personal data stand in an address."""

import re
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, or_, select, update

from services.access.audit import Action, note
from services.access.viewer import Viewer
from services.core.clock import today
from services.core.db import read, session, writing
from services.listing.search_terms import term
from services.tables.participants import SavedView, Search

_ID = re.compile(r"[A-Za-z0-9_-]{16}")
KEPT_FOR = timedelta(days=30)  # since it was used last


@dataclass(frozen=True)
class StoredSearch:
    """A search: the values of the search field, the user names of «Sist endret av», and the municipalities if an
    address cannot hold them."""

    words: tuple[str, ...] = ()
    changed_by: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.changed_by or self.municipalities)


def keep(viewer: Viewer, search: StoredSearch) -> str:
    """Keep a search for its user, log it by its number of values, and give its id. Searches that are over are
    cleared away, whosever they are."""
    identity = secrets.token_urlsafe(12)
    kinds = [term(word).kind.value for word in search.words]
    with writing() as work:
        work.execute(delete(Search).where(_is_over(today())))
        work.add(
            Search(
                id=identity,
                user_id=viewer.user_id,
                words=list(search.words),
                changed_by=list(search.changed_by),
                municipalities=list(search.municipalities),
                used_on=today(),
            )
        )
        detail = {"search": identity, **{kind: kinds.count(kind) for kind in sorted(set(kinds))}}
        note(Action.SEARCH, user_id=viewer.user_id, detail=detail)
    return identity


def _is_over(day: date) -> ColumnElement[bool]:
    """Whether a search has not been used for 30 days on that day. What looks for user names and municipalities only
    lives as long as a saved view that it stands in: «Mine» is still there after the holidays."""
    views = exists().where(SavedView.user_id == Search.user_id, SavedView.query.contains(Search.id))
    return and_(Search.used_on < day - KEPT_FOR, or_(Search.words != [], ~views))


_TABLE = Search.__table__.c
_KEPT = select(_TABLE.words, _TABLE.changed_by, _TABLE.municipalities, _TABLE.used_on).where(
    _TABLE.id == bindparam("identity"), _TABLE.user_id == bindparam("user_id")
)


def recall(viewer: Viewer, identity: str) -> StoredSearch | None:
    """The user's search with that id; `None` if there is none, or none of hers, or it is over."""
    if not _ID.fullmatch(identity):  # no database has to be asked, and not every one takes every character
        return None
    try:
        return recalled_on(today(), identity, viewer.user_id)
    except Over:
        return None


class Over(LookupError):
    """There is no such search of that user's, or not any more."""


@lru_cache(maxsize=200)
def recalled_on(day: date, identity: str, user_id: int) -> StoredSearch:
    """A user's search, which is used on that day. Raises `Over`, which is not remembered; all else is: a search never
    changes, and what has been used today is kept for a month."""
    found = read(_KEPT, {"identity": identity, "user_id": user_id}).one_or_none()
    if found is None:
        raise Over
    if found.used_on < day - KEPT_FOR and session().scalar(select(_is_over(day)).where(Search.id == identity)):
        raise Over
    if found.used_on < day:
        with writing() as work:
            work.execute(update(Search).where(Search.id == identity).values(used_on=day))
    return StoredSearch(tuple(found.words), tuple(found.changed_by), tuple(found.municipalities))
