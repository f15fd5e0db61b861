"""Numbers that persons have borne before, and searches that keep the municipalities an address has no room for.

Revision: 0012
"""

import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOST_IN_ADDRESS = 40  # municipalities

CHANGE = sa.table("change", sa.column("id"), sa.column("participation_ref"), sa.column("field"), sa.column("old", JSON))
PARTICIPATION = sa.table("participation", sa.column("id"), sa.column("person_ref"))
PERSON = sa.table("person", sa.column("id"), sa.column("national_id"))
EARLIER = sa.table("earlier_number", sa.column("national_id"), sa.column("person_ref"))
VIEW = sa.table("saved_view", sa.column("id"), sa.column("user_id"), sa.column("query"))
SEARCH = sa.table(
    "search",
    sa.column("id"),
    sa.column("user_id"),
    sa.column("words", JSON),
    sa.column("changed_by", JSON),
    sa.column("municipalities", JSON),
    sa.column("used_on", sa.Date()),
)


def upgrade() -> None:
    op.create_table(
        "earlier_number",
        sa.Column("national_id", sa.String(11), primary_key=True),
        sa.Column("person_ref", sa.Integer(), sa.ForeignKey("person.id"), nullable=False),
    )
    op.create_index("ix_earlier_number_person_ref", "earlier_number", ["person_ref"])
    remember_earlier_numbers()
    op.add_column("search", sa.Column("municipalities", JSON, nullable=False, server_default=sa.text("'[]'")))
    shorten_views()


def downgrade() -> None:
    lengthen_views()
    op.drop_column("search", "municipalities")
    op.drop_index("ix_earlier_number_person_ref", table_name="earlier_number")
    op.drop_table("earlier_number")


def remember_earlier_numbers() -> None:
    """By the history: what stood there before each change, unless it is the number in force again."""
    work = op.get_bind()
    changed = (
        sa.select(CHANGE.c.old, PARTICIPATION.c.person_ref, PERSON.c.national_id)
        .join(PARTICIPATION, PARTICIPATION.c.id == CHANGE.c.participation_ref)
        .join(PERSON, PERSON.c.id == PARTICIPATION.c.person_ref)
        .where(CHANGE.c.field == "national_id")
        .order_by(CHANGE.c.id)
    )
    found = {old: person for old, person, present in work.execute(changed) if old and old != present}
    if found:
        work.execute(sa.insert(EARLIER), [{"national_id": n, "person_ref": ref} for n, ref in found.items()])


def shorten_views() -> None:
    """Saved views with so many municipalities that their address is too long: a search keeps these from now on."""
    work = op.get_bind()
    for view in work.execute(sa.select(VIEW)).all():
        pairs = parse_qsl(view.query, keep_blank_values=True)
        municipalities = [value for name, value in pairs if name == "kommune"]
        if len(municipalities) <= MOST_IN_ADDRESS:
            continue
        search = _search_of(work, view.user_id, dict(pairs).get("sok", ""))
        search |= {"id": secrets.token_urlsafe(12), "user_id": view.user_id, "municipalities": municipalities}
        work.execute(sa.insert(SEARCH), [search])
        rest = [(name, value) for name, value in pairs if name not in {"kommune", "sok"}]
        _rewrite(work, view.id, [("sok", search["id"]), *rest])


def _search_of(work: sa.Connection, user_id: int, identity: str) -> dict[str, Any]:
    kept = (SEARCH.c.words, SEARCH.c.changed_by, SEARCH.c.used_on)
    found = work.execute(sa.select(*kept).where(SEARCH.c.id == identity, SEARCH.c.user_id == user_id)).first()
    return dict(found._mapping) if found else {"words": [], "changed_by": [], "used_on": datetime.now(UTC).date()}


def _rewrite(work: sa.Connection, identity: str, pairs: list[tuple[str, str]]) -> None:
    work.execute(sa.update(VIEW).where(VIEW.c.id == identity).values(query=urlencode(pairs)))


def lengthen_views() -> None:
    """Back into the addresses; searches with nothing else in them are none any more."""
    work = op.get_bind()
    kept = {search.id: search for search in work.execute(sa.select(SEARCH)) if search.municipalities}
    for view in work.execute(sa.select(VIEW)).all():
        pairs = parse_qsl(view.query, keep_blank_values=True)
        search = kept.get(dict(pairs).get("sok", ""))
        if search is None:
            continue
        has_more = search.words or search.changed_by
        rest = [(name, value) for name, value in pairs if name != "sok" or has_more]
        _rewrite(work, view.id, [*rest, *(("kommune", number) for number in search.municipalities)])
    bare = [search.id for search in kept.values() if not (search.words or search.changed_by)]
    if bare:
        work.execute(sa.delete(SEARCH).where(SEARCH.c.id.in_(bare)))
