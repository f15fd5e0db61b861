"""A database's contents for a viewer, to choose addresses that are comparable at every size."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine, select, text, update

from services.core.db import now
from services.tables.participants import Participation, Person
from tests.bench.data import NATIONAL, SEVERAL, SMALL
from tests.bench.rows import TRONDHEIM, five

MUNICIPALITIES: dict[str, tuple[str, ...]] = {NATIONAL: (), SMALL: (TRONDHEIM,), SEVERAL: five()}
HITS = 50  # of a filter, approximately, at every size


@dataclass(frozen=True)
class Facts:
    """`listed`: the number of participants in the viewer's list. `forms`: public ids of participants that the viewer
    may change, with a complete page 2. `days`: first and last day of a range of oppstart with about `HITS`
    participants."""

    viewer: str
    listed: int
    forms: list[str]
    numbers: list[str]
    person_ids: list[str]
    days: tuple[date, date]
    hits: int


def gather(engine: Engine, viewer: str) -> Facts:
    """Read the facts from the database, without the program."""
    numbers = MUNICIPALITIES[viewer]
    where = "FROM participation WHERE NOT protected AND status <> 4"
    if numbers:
        among = ", ".join(f"'{number}'" for number in numbers)
        where += f" AND deleted_at IS NULL AND municipality_number IN ({among})"
    with engine.connect() as connection:

        def column(statement: str) -> list[Any]:
            return [row[0] for row in connection.execute(text(statement))]

        listed = column(f"SELECT count(*) {where}")[0]
        some = connection.execute(text(f"SELECT national_id, person_id {where} ORDER BY public_id LIMIT 40")).all()
        forms = column(
            f"SELECT public_id {where} AND status = 2 AND background_missing = 0 AND deleted_at IS NULL "
            "AND recruitment IS NOT NULL ORDER BY public_id LIMIT 40"
        )
        per_day = connection.execute(text(f"SELECT start_date, count(*) {where} GROUP BY 1 ORDER BY 1")).all()
    _let_be_fresh(engine, forms)
    days, hits = _span([(_date(day), number) for day, number in per_day], HITS)
    return Facts(viewer, listed, forms, [row[0] for row in some], [row[1] for row in some], days, hits)


def _let_be_fresh(engine: Engine, forms: list[str]) -> None:
    """Mark these people's data as fresh, as after the daily refresh: otherwise the registers would be called when they
    are opened, and here none responds."""
    these = select(Participation.person_ref).where(Participation.public_id.in_(forms))
    fresh = {"freg_fetched_at": now(), "pad_fetched_at": now(), "refresh_tried_at": None}
    with engine.begin() as connection:
        connection.execute(update(Person).where(Person.id.in_(these)).values(fresh))


def _date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _span(per_day: list[tuple[date, int]], wanted: int) -> tuple[tuple[date, date], int]:
    """The consecutive days whose sum is nearest to the wanted number."""
    best, first, total = ((per_day[0][0], per_day[0][0]), 10**9), 0, 0
    for day, number in per_day:
        total += number
        while total - per_day[first][1] >= wanted:
            total -= per_day[first][1]
            first += 1
        if abs(total - wanted) < abs(best[1] - wanted):
            best = ((per_day[first][0], day), total)
    return best
