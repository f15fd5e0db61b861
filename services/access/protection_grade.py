"""The grade of a participant's protected address, for viewers who may see the participant."""

from sqlalchemy import case, func, select

from services.core.db import session
from services.core.i18n import N_
from services.core.i18n import gettext as _
from services.tables.participants import Participation, Person

GRADES = {"fortrolig": N_("fortrolig"), "strengtFortrolig": N_("strengt fortrolig")}
_GRADE = select(Person.protection).where(Person.id == Participation.person_ref).scalar_subquery()
# The grade as a column beside a row: '' for a protected participant whose grade is unknown, None for others. Only the
# few protected rows read it.
GRADE_OF_ROW = case((Participation.protected, func.coalesce(_GRADE, "")), else_=None).label("protection")


def grade_text(grade: str | None) -> str:
    """«Adressebeskyttelse: fortrolig» for a grade as in `GRADE_OF_ROW`; '' without protection."""
    if grade is None:
        return ""
    return _("Adressebeskyttelse: %(grade)s") % {"grade": _(GRADES[grade]) if grade in GRADES else _("ukjent grad")}


def protection_text(participation: Participation) -> str:
    """`grade_text` of a participation that the viewer may see."""
    if not participation.protected:
        return ""
    grade = session().scalar(select(Person.protection).where(Person.id == participation.person_ref))
    return grade_text(grade or "")
