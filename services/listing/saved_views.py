"""Saved views: named criteria and orders of the participant list, such as «Mine, mangler Bakgrunn»."""

import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.access.viewer import Viewer
from services.core.collation import sort_key
from services.core.db import session, writing
from services.tables.accounts import User
from services.tables.participants import SavedView

MOST_VIEWS = 50
LONGEST_NAME = 80


class NoSuchView(LookupError):
    """The user has no view with that id."""


class NameTaken(ValueError):
    """The user already has a view with that name."""


class TooMany(ValueError):
    """The user has reached the limit on views."""


def views_of(viewer: Viewer) -> list[SavedView]:
    """The user's views, by name."""
    own = select(SavedView).where(SavedView.user_id == viewer.user_id)
    return list(session().scalars(own.order_by(SavedView.name_key, SavedView.id)))


def start_view(viewer: Viewer) -> SavedView | None:
    """The user's start view, if one is chosen."""
    return session().scalar(select(SavedView).where(SavedView.user_id == viewer.user_id, SavedView.is_start))


def find_view(viewer: Viewer, identity: str) -> SavedView:
    """One of the user's views; raises `NoSuchView`."""
    return _own(session(), viewer, identity)


def save_view(viewer: Viewer, name: str, query: str) -> None:
    """Save a view with that query under a name; raises `NameTaken`, `TooMany`."""
    try:
        with writing() as work:
            work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())
            own = select(func.count()).select_from(SavedView).where(SavedView.user_id == viewer.user_id)
            if (work.scalar(own) or 0) >= MOST_VIEWS:
                raise TooMany
            _require_free_name(work, viewer, name)
            work.add(
                SavedView(
                    id=secrets.token_urlsafe(12),
                    user_id=viewer.user_id,
                    name=name,
                    name_key=sort_key(name)[:480],
                    query=query,
                    is_start=False,
                )
            )
    except IntegrityError:
        raise NameTaken(name) from None


def rename_view(viewer: Viewer, identity: str, name: str) -> None:
    """Rename one of the user's views; raises `NoSuchView`, `NameTaken`."""
    try:
        with writing() as work:
            work.execute(select(User.id).where(User.id == viewer.user_id).with_for_update())
            view = _own(work, viewer, identity)
            _require_free_name(work, viewer, name, but=identity)
            view.name, view.name_key = name, sort_key(name)[:480]
    except IntegrityError:
        raise NameTaken(name) from None


def delete_view(viewer: Viewer, identity: str) -> None:
    """Delete one of the user's views, if it exists."""
    with writing() as work:
        work.execute(delete(SavedView).where(SavedView.id == identity, SavedView.user_id == viewer.user_id))


def start_with(viewer: Viewer, identity: str | None) -> None:
    """Set the start view, or none for `None`; raises `NoSuchView`."""
    with writing() as work:
        work.execute(update(SavedView).where(SavedView.user_id == viewer.user_id).values(is_start=False))
        if identity is not None:
            _own(work, viewer, identity).is_start = True


def _require_free_name(work: Session, viewer: Viewer, name: str, but: str = "") -> None:
    """Raise `NameTaken` if the name is in use. The database would refuse it too, but write the name into its own
    log."""
    same = (SavedView.user_id == viewer.user_id, SavedView.name == name, SavedView.id != but)
    if work.scalar(select(SavedView.id).where(*same)) is not None:
        raise NameTaken(name)


def _own(work: Session, viewer: Viewer, identity: str) -> SavedView:
    found = work.scalar(select(SavedView).where(SavedView.id == identity, SavedView.user_id == viewer.user_id))
    if found is None:
        raise NoSuchView(identity)
    return found
