"""Closing participants whose protection nobody can tell (domain, section 7).

`Participation.protected` says that a participant is closed to those without the right to protected addresses, and
every query of participants reads it. She is closed when Folkeregisteret has graded her address (`Person.protection`),
and also, without any grade, when the grade was last read more than 72 hours ago and asking again has failed.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select, update

from services.access.audit import Action, note
from services.core.db import now, writing
from services.core.status import Status
from services.tables.participants import Participation, Person

HOLDS_FOR = timedelta(hours=72)  # so long a grade holds that cannot be read anew


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
