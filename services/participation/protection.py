"""Hiding participants whose grade of protection is unknown (domain, section 7).

`Participation.protected` hides a participant from viewers without the right to protected addresses; every statement
about participants reads it. It is set if Folkeregisteret has graded the address (`Person.protection`), and also without
a grade if the grade was last read more than 72 hours ago and reading it again has failed.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select, update

from services.access.audit import Action, note
from services.core.db import now, writing
from services.core.status import Status
from services.tables.participants import Participation, Person

HOLDS_FOR = timedelta(hours=72)  # validity of a grade that cannot be read again


def close_old(persons: Collection[int] | None = None) -> int:
    """Set `protected` for running participations whose grade is too old, of all persons or of some; returns how many.
    To be called when Folkeregisteret could not be read. A later reading resets it."""
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
