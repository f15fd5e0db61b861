"""Closing participants whose protection nobody can tell (domain, section 7).

`Participation.protected` says that a participant is closed to those without the right to protected addresses, and
every query of participants reads it. She is closed when Folkeregisteret has graded her address (`Person.protection`),
and also, without any grade, when the grade was last read more than 72 hours ago and asking again has failed.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import case, func, select, update

from services.access.audit import Action, note
from services.core.db import now, session, writing
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.tables.participants import Participation, Person, Status

HOLDS_FOR = timedelta(hours=72)  # so long a grade holds that cannot be read anew
GRADES = {"fortrolig": N_("fortrolig"), "strengtFortrolig": N_("strengt fortrolig")}
_GRADE = select(Person.protection).where(Person.id == Participation.person_ref).scalar_subquery()
# The grade beside a row of the list: read of the few who are protected, '' where nobody can tell it, none for others.
GRADE_OF_ROW = case((Participation.protected, func.coalesce(_GRADE, "")), else_=None).label("protection")


def grade_text(grade: str | None) -> str:
    """«Adressebeskyttelse: fortrolig» for a grade as in `GRADE_OF_ROW`; '' for those without protection."""
    if grade is None:
        return ""
    return _("Adressebeskyttelse: %(grade)s") % {"grade": _(GRADES[grade]) if grade in GRADES else _("ukjent grad")}


def protection_text(participation: Participation) -> str:
    """`grade_text` of a participation that the viewer may see; only those with the right see one that is protected."""
    if not participation.protected:
        return ""
    grade = session().scalar(select(Person.protection).where(Person.id == participation.person_ref))
    return grade_text(grade or "")


def close_old(persons: Collection[int] | None = None) -> int:
    """Close the running participants whose grade is too old to hold, or only those of some persons; gives how many.
    To be called when Folkeregisteret has been asked in vain. They open again when it tells their grade."""
    old = select(Person.id).where(Person.freg_fetched_at < now() - HOLDS_FOR)
    if persons is not None:
        old = old.where(Person.id.in_(persons))
    wanted = (
        Participation.protected.is_(False),
        Participation.status != Status.DISCHARGED,
        Participation.deleted_at.is_(None),
        Participation.person_ref.in_(old),
    )
    with writing() as work:
        closed = work.connection().execute(update(Participation).where(*wanted).values(protected=True)).rowcount
        if closed:
            note(Action.LOOK_UP, user_id=None, detail={"purpose": "refresh", "outcome": "closed", "number": closed})
    return closed
