"""Stored searches: users' search texts under random ids, so that no personal data are in an address."""

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
KEPT_FOR = timedelta(days=30)  # since the last use


@dataclass(frozen=True)
class StoredSearch:
    """A search: the values of the search field, the user names of «Sist endret av», and the municipalities if there are
    too many for an address."""

    words: tuple[str, ...] = ()
    changed_by: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.changed_by or self.municipalities)


def keep(viewer: Viewer, search: StoredSearch) -> str:
    """Store a user's search, log its number of values, and return its id. Expired searches of all users are deleted."""
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
    """The condition that a search has not been used for 30 days. A search without names and numbers (only user names
    and municipalities) does not expire while a saved view uses it."""
    views = exists().where(SavedView.user_id == Search.user_id, SavedView.query.contains(Search.id))
    return and_(Search.used_on < day - KEPT_FOR, or_(Search.words != [], ~views))


_TABLE = Search.__table__.c
_KEPT = select(_TABLE.words, _TABLE.changed_by, _TABLE.municipalities, _TABLE.used_on).where(
    _TABLE.id == bindparam("identity"), _TABLE.user_id == bindparam("user_id")
)


def recall(viewer: Viewer, identity: str) -> StoredSearch | None:
    """The user's search with that id; `None` if it does not exist, belongs to another user, or has expired."""
    if not _ID.fullmatch(identity):  # saves a statement, and not every database accepts every character
        return None
    try:
        return recalled_on(today(), identity, viewer.user_id)
    except Over:
        return None


class Over(LookupError):
    """The user has no such search, or it has expired."""


@lru_cache(maxsize=200)
def recalled_on(day: date, identity: str, user_id: int) -> StoredSearch:
    """A user's search, marked as used on that day. Cached, except for `Over`: a search never changes, and is kept for a
    month after its last use."""
    found = read(_KEPT, {"identity": identity, "user_id": user_id}).one_or_none()
    if found is None:
        raise Over
    if found.used_on < day - KEPT_FOR and session().scalar(select(_is_over(day)).where(Search.id == identity)):
        raise Over
    if found.used_on < day:
        with writing() as work:
            work.execute(update(Search).where(Search.id == identity).values(used_on=day))
    return StoredSearch(tuple(found.words), tuple(found.changed_by), tuple(found.municipalities))
