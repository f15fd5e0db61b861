"""A person's other stays in the programme, as far as the viewer may see them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, true

from services.access.viewer import Viewer, visible_to
from services.core.db import session
from services.questions.programme_time import Stay
from services.tables.participants import Participation, Person

_P = Participation


@dataclass(frozen=True)
class OtherStays:
    """The filter for the other stays in a participation's municipality. Viewers of the participation may see these
    stays; a protected one is shown only beside a protected one."""

    participation: int
    person_id: str
    municipality_number: str
    protected: bool

    def __call__(self) -> Sequence[Stay]:
        here = (_P.person_id == self.person_id, _P.municipality_number == self.municipality_number)
        seen = true() if self.protected else _P.protected.is_(False)
        return _stays(*here, seen, _P.id != self.participation, _P.deleted_at.is_(None))


def other_stays(participation: Participation) -> OtherStays:
    """The filter for the other stays of a participation."""
    one = participation
    return OtherStays(one.id, one.person_id, one.municipality_number, one.protected)


def earlier_stays(viewer: Viewer, numbers: Collection[str]) -> Sequence[Stay]:
    """Stays of the person with one of these national ids in the viewer's municipalities, as far as the viewer may see
    them."""
    person_id = session().scalar(select(Person.person_id).where(Person.national_id.in_(numbers)))
    if person_id is None:
        return ()
    own = visible_to(viewer, [place.number for place in viewer.places])
    return _stays(_P.person_id == person_id, own, _P.deleted_at.is_(None))


def _stays(*wanted: ColumnElement[bool]) -> Sequence[Stay]:
    found = select(_P.municipality_number, _P.start_date, _P.end_date).where(*wanted).order_by(_P.start_date, _P.id)
    return [Stay(*row) for row in session().execute(found)]
