"""National ids that Folkeregisteret has replaced, stored with the person who has another one now."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from services.core.db import on_sqlite
from services.tables.participants import EarlierNumber, Person

_LENGTH = 11


def keep_earlier(work: Session, person: Person, *numbers: str) -> None:
    """Store earlier national ids of a stored person, within the caller's transaction. Numbers that are stored already,
    for anybody, stay unchanged."""
    earlier = {number for number in numbers if len(number) == _LENGTH and number != person.national_id}
    if earlier:
        insert = sqlite.insert if on_sqlite() else postgresql.insert
        rows = [{"national_id": number, "person_ref": person.id} for number in sorted(earlier)]
        work.execute(insert(EarlierNumber).on_conflict_do_nothing(), rows)
