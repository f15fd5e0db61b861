"""The history of a participation: a line for each change of a field, by a user or a register. Append-only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from services.access.viewer import Viewer
from services.core.db import now, session
from services.core.status import Status
from services.tables.participants import Change, Participation

PAGE = 100  # lines
CREATED = "created"  # has no row in the table: it comes from the participation
_CHANGES = insert(Change.__table__)  # type: ignore[arg-type]


def note_changes(
    participation: Participation,
    username: str,
    changes: Iterable[tuple[str, Any, Any]],
    *,
    source: str = "user",
    form_key: str | None = None,
) -> None:
    """Add changes (field, old, new) to the history, as the present version, within the caller's transaction.

    `source`: a user or a register; `form_key`: the key of the form that sent them, if it has one.
    """
    common = {
        "participation_ref": participation.id,
        "municipality_number": participation.municipality_number,
        "version": participation.version,
        "at": now(),
        "username": username,
        "source": source,
        "form_key": form_key,
    }
    rows = [{**common, "field": field, "old": old, "new": new} for field, old, new in changes]
    session().connection().execute(_CHANGES, rows)


@dataclass(frozen=True)
class Changed:
    """One line of the history. `source`: «user», «folkeregisteret» or «pad»."""

    at: datetime
    username: str
    source: str
    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Lines:
    """A page of the history, newest first: its lines, its number, the number of pages, and the fields that have
    changes."""

    lines: list[Changed]
    page: int
    pages: int
    fields: list[str]


def history(viewer: Viewer, participation: Participation, *, field: str | None = None, page: int = 1) -> Lines:
    """A page of the history, of all fields or of one. A page beyond the last one is the last one. The history of all
    fields ends, on the last page, with the creation.

    After discharge, names are shown to nobody (guide 3.1); grades of protection only to viewers who may see them.
    """
    shown = [Change.participation_ref == participation.id, Change.field.not_in(_hidden_fields(viewer, participation))]
    fields = [*session().scalars(select(Change.field).where(*shown).distinct()), CREATED]
    created = Changed(participation.created_at, participation.created_by, "user", CREATED, None, None)
    if field == CREATED:
        return Lines([created], 1, 1, fields)
    wanted = [*shown, *([Change.field == field] if field else [])]
    number = session().scalar(select(func.count()).select_from(Change).where(*wanted)) or 0
    pages = max(1, -(-number // PAGE))
    page = min(page, pages)
    newest = select(Change).where(*wanted).order_by(Change.at.desc(), Change.id.desc())
    rows = session().scalars(newest.offset((page - 1) * PAGE).limit(PAGE))
    lines = [Changed(row.at, row.username, row.source, row.field, row.old, row.new) for row in rows]
    return Lines([*lines, created] if page == pages and not field else lines, page, pages, fields)


def _hidden_fields(viewer: Viewer, participation: Participation) -> list[str]:
    names = ["name"] if participation.status == Status.DISCHARGED else []
    return names + ([] if viewer.sees_protected_in(participation.municipality_number) else ["protection"])


def last_sources(participation: Participation) -> dict[str, Changed]:
    """The last change of each field, with its user or register and its time."""
    latest = func.max(Change.id)
    ids = select(latest).where(Change.participation_ref == participation.id).group_by(Change.field)
    rows = session().scalars(select(Change).where(Change.id.in_(ids)))
    return {row.field: Changed(row.at, row.username, row.source, row.field, row.old, row.new) for row in rows}
