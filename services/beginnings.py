"""«Påbegynte»: page 1 as it was typed before the participant exists. Each is its user's alone, and stands outside
the list, its count and the downloads.

What Folkeregisteret has answered is kept with it, so that typing on, or coming back, asks no second time; but never
of a person whom the user may not register.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.db import now, session, writing
from services.folkeregisteret import PersonRecord
from services.models import Beginning
from services.national_id import normalise
from services.registers import RETRIED, LookUp, Outcome
from services.viewer import Viewer

KEPT_FOR = timedelta(days=30)  # since it was changed last
FRESH_FOR = timedelta(minutes=10)  # so long an answer of Folkeregisteret is not asked for again
TypedForm = Mapping[str, list[str]]
_WAITS = (Beginning.waits_since.is_not(None), Beginning.outcome.in_([outcome.value for outcome in RETRIED]))
_DAYS = {field.name for field in fields(PersonRecord) if "date" in str(field.type)}


class NoSuchBeginning(LookupError):  # noqa: N818 - says what is the case
    """The user has begun none with that id."""


@dataclass(frozen=True)
class Begun:
    """A registration that was begun: the form as typed, and what became of the last look-up of its number."""

    id: str
    creation_key: str
    form: TypedForm
    has_waited: bool
    outcome: Outcome | None
    message: str | None
    record: PersonRecord | None
    begun_at: datetime
    changed_at: datetime

    @property
    def waits(self) -> bool:
        """True while it waits for a register that did not answer."""
        return self.has_waited and self.outcome in RETRIED

    @property
    def is_ready(self) -> bool:
        """True when it has waited, and the name is known now."""
        return self.has_waited and self.outcome is Outcome.FOUND

    @property
    def number(self) -> str:
        """The number as typed."""
        return (self.form.get("national_id") or [""])[0]


def keep(viewer: Viewer, creation_key: str, form: TypedForm, found: LookUp | None = None) -> tuple[str, bool]:
    """Keep a form of page 1 as it was typed, with what a look-up of its number has just `found`; gives its id, and
    whether it is new. Sent twice, it is kept once. Those that were not changed for 30 days are cleared away.

    Raises `NoSuchBeginning` for a key that is not the user's.
    """
    try:
        with writing() as work:
            return _keep(work, viewer, creation_key, form, found)
    except IntegrityError:  # the same form came at the same moment
        with writing() as work:
            return _keep(work, viewer, creation_key, form, found)


def _keep(work: Session, viewer: Viewer, creation_key: str, form: TypedForm, found: LookUp | None) -> tuple[str, bool]:
    work.execute(delete(Beginning).where(Beginning.changed_at < now() - KEPT_FOR))
    kept = work.scalar(select(Beginning).where(Beginning.creation_key == creation_key).with_for_update())
    if kept and kept.user_id != viewer.user_id:
        raise NoSuchBeginning(creation_key)
    is_new = kept is None
    if kept is None:
        kept = Beginning(id=secrets.token_urlsafe(12), user_id=viewer.user_id, creation_key=creation_key)
        kept.begun_at, kept.form = now(), {}
        work.add(kept)
    number = _number(form)
    if number != _number(kept.form):
        kept.waits_since = kept.outcome = kept.message = kept.record = kept.looked_up_at = None
    if dict(form) != kept.form or is_new:
        kept.form, kept.changed_at = dict(form), now()
    if found:
        _take_over(kept, found)
    return kept.id, is_new


def _take_over(kept: Beginning, found: LookUp) -> None:
    kept.outcome, kept.message, kept.looked_up_at = found.outcome.value, found.message or None, now()
    kept.record = _to_json(found.record) if found.outcome is Outcome.FOUND and found.record else None


def _number(form: TypedForm) -> str:
    return normalise((form.get("national_id") or [""])[0])


def wait(viewer: Viewer, creation_key: str) -> None:
    """Let a registration wait until its number can be looked up."""
    with writing() as work:
        kept = _own(work, viewer, Beginning.creation_key == creation_key)
        kept.waits_since = kept.waits_since or now()


def known(viewer: Viewer, creation_key: str, number: str) -> PersonRecord | None:
    """Who bears the number, if Folkeregisteret has told within the last minutes, for this very form."""
    kept = session().scalar(
        select(Beginning).where(Beginning.creation_key == creation_key, Beginning.user_id == viewer.user_id)
    )
    is_fresh = kept and kept.looked_up_at and kept.looked_up_at > now() - FRESH_FOR
    if not kept or not is_fresh or _number(kept.form) != normalise(number):
        return None
    return _record(kept.record)


def all_of(viewer: Viewer) -> list[Begun]:
    """What a user has begun, the last one first."""
    rows = session().scalars(
        select(Beginning)
        .where(Beginning.user_id == viewer.user_id, Beginning.changed_at >= now() - KEPT_FOR)
        .order_by(Beginning.changed_at.desc(), Beginning.id)
    )
    return [_begun(row) for row in rows]


def find(viewer: Viewer, identity: str) -> Begun:
    """One of those that the user has begun; raises `NoSuchBeginning`."""
    return _begun(_own(session(), viewer, Beginning.id == identity))


def discard(viewer: Viewer, identity: str) -> None:
    """Throw away what was begun; that it is gone already does no harm."""
    with writing() as work:
        work.execute(delete(Beginning).where(Beginning.id == identity, Beginning.user_id == viewer.user_id))


def waiting() -> list[tuple[str, int, str]]:
    """All that wait for a look-up, the longest first: id, user, number."""
    rows = session().scalars(select(Beginning).where(*_WAITS).order_by(Beginning.waits_since))
    return [(row.id, row.user_id, _number(row.form)) for row in rows]


def answered(identity: str, number: str, found: LookUp) -> None:
    """Keep what became of a look-up for one that waits, unless its number is another by now."""
    with writing() as work:
        kept = work.scalar(select(Beginning).where(Beginning.id == identity).with_for_update())
        if kept and kept.waits_since and _number(kept.form) == number:
            _take_over(kept, found)


def ready(viewer: Viewer) -> int:
    """How many of the user's have waited and found their name meanwhile."""
    return sum(begun.is_ready for begun in all_of(viewer))


def _own(work: Session, viewer: Viewer, wanted: Any) -> Beginning:
    found = work.scalar(select(Beginning).where(wanted, Beginning.user_id == viewer.user_id))
    if found is None or found.changed_at < now() - KEPT_FOR:
        raise NoSuchBeginning
    return found


def _begun(row: Beginning) -> Begun:
    return Begun(
        id=row.id,
        creation_key=row.creation_key,
        form=row.form,
        has_waited=row.waits_since is not None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        message=row.message,
        record=_record(row.record),
        begun_at=row.begun_at,
        changed_at=row.changed_at,
    )


def _to_json(record: PersonRecord) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(record).items()}


def _record(kept: dict[str, Any] | None) -> PersonRecord | None:
    if kept is None:
        return None
    values: dict[str, Any] = {k: date.fromisoformat(v) if k in _DAYS and v else v for k, v in kept.items()}
    return PersonRecord(**values)
