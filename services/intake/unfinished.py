"""Unfinished registrations («Påbegynte»): page 1 as typed before the participant exists. Each belongs to one user, and
is not part of the list, its count and the downloads.

Folkeregisteret's response is stored with it, so that further typing, or coming back, needs no second look-up; but never
for a person whom the user may not see in any municipality, and it is not shown longer than a grade of protection is
valid. A protected person is shown only if a municipality is chosen in which the user has the right to them.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.access.viewer import Viewer, visible_to
from services.core.db import now, session, writing
from services.core.national_id import LENGTH, normalise
from services.intake.look_up import RETRIED, LookUp, Outcome, outcome_of
from services.participation.protection import HOLDS_FOR
from services.registers.folkeregisteret import PersonRecord
from services.tables.participants import Beginning, Participation

KEPT_FOR = timedelta(days=30)  # since the last change
MOST_BEGUN = 100  # of one user
MOST_TYPED = 64_000  # bytes of one form
TypedForm = Mapping[str, list[str]]
# How long a response of Folkeregisteret is used again: a name while the user fills in the rest, a refusal while the
# user goes on typing.
_FRESH_FOR = {Outcome.FOUND: timedelta(minutes=10)}
_FRESH_AT_ALL = timedelta(minutes=1)
_NOT_KEPT = frozenset({Outcome.TOO_MANY})
_WAITS = (Beginning.waits_since.is_not(None), Beginning.outcome.in_([outcome.value for outcome in RETRIED]))
_DAYS = {field.name for field in fields(PersonRecord) if "date" in str(field.type)}


class TooManyBegun(Exception):
    """The user has reached the limit on unfinished registrations; existing ones can be continued."""


class TooMuchBegun(Exception):
    """The form is larger than the limit."""


class NoSuchBeginning(LookupError):
    """The user has no unfinished registration with that id."""


@dataclass(frozen=True)
class UnfinishedRegistration:
    """An unfinished registration: the form as typed, and the result of the last look-up, as far as the user may see it
    now."""

    id: str
    creation_key: str
    form: TypedForm
    has_waited: bool
    found: LookUp | None
    begun_at: datetime
    changed_at: datetime
    left_key: str

    @property
    def waits(self) -> bool:
        """True while it waits for a register that did not respond."""
        return self.has_waited and self.found is not None and self.found.may_retry

    @property
    def is_ready(self) -> bool:
        """True if it has waited, and the name is known now."""
        return self.has_waited and self.name != ""

    @property
    def name(self) -> str:
        """The name that was found, '' if none."""
        return self.found.record.full_name if self.found and self.found.record else ""

    @property
    def number(self) -> str:
        """The number as typed."""
        return _number(self.form)


def created_key(creation_key: str, number: str) -> str:
    """The creation key of a form and a number: a form that is sent again with another number creates another
    participant."""
    return sha256(f"{creation_key} {normalise(number)}".encode()).hexdigest()[:32]


def keep(
    viewer: Viewer,
    creation_key: str,
    form: TypedForm,
    found: LookUp | None = None,
    *,
    waits: bool = False,
    is_blank: bool = False,
    left_key: str | None = None,
) -> tuple[str, bool]:
    """Store a form of page 1 as typed, with the result of a look-up in `found`; returns its id, and whether it is new.

    `waits`: only Folkeregisteret's response is missing. `left_key`: the key of a request sent while the browser leaves
    the page. A form that is sent twice is stored once. Registrations unchanged for 30 days are deleted. A blank form,
    and one whose participant has been created meanwhile, is not stored: the id is '' then. Raises `NoSuchBeginning` for
    a key that is not the user's, `TooManyBegun`, `TooMuchBegun`.
    """
    _refuse_too_much(form)
    try:
        return _keep(viewer, creation_key, form, found, waits, is_blank, left_key)
    except IntegrityError:  # a parallel request stored the same form
        return _keep(viewer, creation_key, form, found, waits, is_blank, left_key)


def _refuse_too_much(form: TypedForm) -> None:
    if sum(len(text.encode()) for name, texts in form.items() for text in (name, *texts)) > MOST_TYPED:
        raise TooMuchBegun


def _keep(
    viewer: Viewer,
    creation_key: str,
    form: TypedForm,
    found: LookUp | None,
    waits: bool,
    is_blank: bool,
    left_key: str | None,
) -> tuple[str, bool]:
    with writing() as work:
        work.execute(delete(Beginning).where(Beginning.changed_at < now() - KEPT_FOR))
        row = work.scalar(select(Beginning).where(Beginning.creation_key == creation_key).with_for_update())
        if row and row.user_id != viewer.user_id:
            raise NoSuchBeginning(creation_key)
        is_new = row is None
        if row is None:
            if is_blank or _created(work, [(creation_key, _number(form))]):
                return "", False
            mine = select(func.count()).select_from(Beginning).where(Beginning.user_id == viewer.user_id)
            if (work.scalar(mine) or 0) >= MOST_BEGUN:
                raise TooManyBegun
            row = Beginning(id=secrets.token_urlsafe(12), user_id=viewer.user_id, creation_key=creation_key)
            row.begun_at, row.form = now(), {}
            work.add(row)
        _take_form(row, form, is_new=is_new)
        row.left_key = left_key or row.left_key
        if found:
            _take_over(row, found)
        if waits:
            row.waits_since = row.waits_since or now()
        return row.id, is_new


def _take_form(kept: Beginning, form: TypedForm, *, is_new: bool) -> None:
    if _number(form) != _number(kept.form):
        kept.waits_since = kept.outcome = kept.message = kept.record = kept.looked_up_at = None
    if dict(form) != kept.form or is_new:
        kept.form, kept.changed_at = dict(form), now()


def _take_over(kept: Beginning, found: LookUp) -> None:
    if found.outcome not in _NOT_KEPT:
        kept.outcome, kept.message, kept.looked_up_at = found.outcome.value, found.message or None, now()
        told = found.told or found.withheld
        kept.record = _to_json(told) if told else None


def _created(work: Session, forms: Iterable[tuple[str, str]]) -> set[str]:
    """The keys of those forms, given as key and number, whose participants have been created."""
    keys = {created_key(key, number): key for key, number in forms}
    if not keys:
        return set()
    rows = work.scalars(select(Participation.creation_key).where(Participation.creation_key.in_(keys)))
    return {keys[row] for row in rows}


def _number(form: TypedForm) -> str:
    return normalise((form.get("national_id") or [""])[0])


def known(viewer: Viewer, creation_key: str, number: str, place: str) -> LookUp | None:
    """The stored result of a recent look-up of the number for this form, as far as the user may see it with the
    municipality `place`; or None."""
    mine = (Beginning.creation_key == creation_key, Beginning.user_id == viewer.user_id)
    row = session().scalar(select(Beginning).where(*mine))
    found = _found(row, viewer, place) if row and _number(row.form) == normalise(number) else None
    if not row or not found or found.may_retry or row.looked_up_at is None:
        return None
    fresh_for = _FRESH_FOR.get(Outcome.FOUND if found.withheld else found.outcome, _FRESH_AT_ALL)
    return found if row.looked_up_at > now() - fresh_for else None


def all_of(viewer: Viewer) -> list[UnfinishedRegistration]:
    """A user's unfinished registrations, the last changed first; without those whose number has been registered
    since."""
    return [_registration_from(row, viewer) for row in _rows(viewer)]


def _rows(viewer: Viewer, *wanted: ColumnElement[bool]) -> list[Beginning]:
    found = select(Beginning).where(*_owned_by(viewer), *wanted).order_by(Beginning.changed_at.desc(), Beginning.id)
    rows = session().scalars(found).all()
    created = _created(session(), [(row.creation_key, _number(row.form)) for row in rows])
    registered = _registered(viewer, {_number(row.form) for row in rows})
    return [
        row
        for row in rows
        if row.creation_key not in created and not registered.get(_number(row.form), row.begun_at) > row.begun_at
    ]


def _registered(viewer: Viewer, numbers: set[str]) -> dict[str, datetime]:
    """When the persons with these numbers were last registered in a municipality of the user, by any user, as far as
    the user may see them."""
    seen = visible_to(viewer, [place.number for place in viewer.places])
    statement = select(Participation.national_id, func.max(Participation.created_at)).group_by(
        Participation.national_id
    )
    whole = {number for number in numbers if len(number) == LENGTH}
    if not whole:
        return {}
    rows = session().execute(statement.where(Participation.national_id.in_(whole), seen))
    return {number: at for number, at in rows}  # noqa: C416 - rows are no tuples for the type checker


def same_number(viewer: Viewer, creation_key: str, number: str) -> str:
    """The id of another unfinished registration of the user with the same number, '' if there is none."""
    if len(normalise(number)) != LENGTH:
        return ""
    others = _rows(viewer, Beginning.creation_key != creation_key)
    return next((row.id for row in others if _number(row.form) == normalise(number)), "")


def join(viewer: Viewer, creation_key: str, identity: str, answers: TypedForm) -> None:
    """Continue an earlier unfinished registration instead of a form with the same number, whose answers are taken over.
    Raises `NoSuchBeginning`."""
    with writing() as work:
        mine = (Beginning.id == identity, Beginning.user_id == viewer.user_id)
        row = work.scalar(select(Beginning).where(*mine).with_for_update())
        if row is None or row.creation_key == creation_key:
            raise NoSuchBeginning(identity)
        _refuse_too_much({**row.form, **answers})
        _take_form(row, {**row.form, **answers}, is_new=False)
        mine = (Beginning.creation_key == creation_key, Beginning.user_id == viewer.user_id)
        work.execute(delete(Beginning).where(*mine))


def find(viewer: Viewer, identity: str) -> UnfinishedRegistration:
    """Find an unfinished registration of the user; raises `NoSuchBeginning`."""
    for row in _rows(viewer, Beginning.id == identity):
        return _registration_from(row, viewer)
    raise NoSuchBeginning(identity)


def left_as(viewer: Viewer, left_key: str) -> str:
    """The id of what the user's page stored when it was left, '' while that has not arrived."""
    for row in _rows(viewer, Beginning.left_key == left_key):
        return row.id
    return ""


def discard(viewer: Viewer, identity: str) -> None:
    """Delete an unfinished registration, if it exists."""
    with writing() as work:
        work.execute(delete(Beginning).where(Beginning.id == identity, Beginning.user_id == viewer.user_id))


def waiting() -> list[tuple[str, int, str]]:
    """Unfinished registrations of all users that wait for a look-up, the longest first: id, user, number."""
    alive = Beginning.changed_at >= now() - KEPT_FOR
    rows = session().scalars(select(Beginning).where(*_WAITS, alive).order_by(Beginning.waits_since))
    return [(row.id, row.user_id, _number(row.form)) for row in rows]


def answered(identity: str, number: str, found: LookUp) -> None:
    """Store the result of a look-up for a waiting registration, unless its number has changed."""
    with writing() as work:
        row = work.scalar(select(Beginning).where(Beginning.id == identity).with_for_update())
        if row and row.waits_since and _number(row.form) == number:
            _take_over(row, found)


def ready(viewer: Viewer) -> int:
    """The number of the user's waiting registrations whose name has been found."""
    return sum(begun.is_ready for begun in all_of(viewer))


def _owned_by(viewer: Viewer) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Beginning.user_id == viewer.user_id, Beginning.changed_at >= now() - KEPT_FOR


def _registration_from(row: Beginning, viewer: Viewer) -> UnfinishedRegistration:
    return UnfinishedRegistration(
        id=row.id,
        creation_key=row.creation_key,
        form=row.form,
        has_waited=row.waits_since is not None,
        found=_found(row, viewer, _place(row.form, viewer)),
        begun_at=row.begun_at,
        changed_at=row.changed_at,
        left_key=row.left_key or "",
    )


def _found(row: Beginning, viewer: Viewer, place: str) -> LookUp | None:
    """The result of the last look-up, as far as the user may see it now: the right to protected addresses may be lost,
    or may not be valid in the chosen municipality; and after some days the person may have got such an address."""
    if row.outcome is None or row.looked_up_at is None:
        return None
    told = _record(row.record)
    if told and row.looked_up_at < now() - HOLDS_FOR:
        return None
    if told and told.protection:
        return outcome_of(_number(row.form), told, viewer, place)
    return LookUp(outcome=Outcome(row.outcome), message=row.message or "", told=told)


def _place(form: TypedForm, viewer: Viewer) -> str:
    """The chosen municipality, '' for none and for one that the user no longer has."""
    chosen = "".join(form.get("municipality", [])[:1])
    return chosen if viewer.registers_in(chosen) else ""


def _to_json(record: PersonRecord) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(record).items()}


def _record(kept: dict[str, Any] | None) -> PersonRecord | None:
    if kept is None:
        return None
    values: dict[str, Any] = {k: date.fromisoformat(v) if k in _DAYS and v else v for k, v in kept.items()}
    return PersonRecord(**{**values, "earlier_ids": tuple(values.get("earlier_ids", ()))})
