"""The overview in full: an index for each order and filter, counts, parts of names, searches, saved views.

Revision: 0002
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.core.name_folding import name_words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SEEN_BY = ("status", "protected", "deleted_at")
ORDERS = {
    "national_id": "national_id",
    "name": "name_key",
    "municipality": "municipality_key",
    "district": "district_key",
    "start": "start_date",
    "end": "end_date",
    "status": "status",
    "changed": "changed_at",
    "changed_by": "changed_by",
}
MAY_BE_EMPTY = ("name", "district", "end")
MISSING = ("background_missing", "programme_missing", "termination_missing")
FACETS = ("funding", "start_date", "end_date", "duration_start", "changed_at", *MISSING)
ALWAYS_ASKED = ("end_reason", "absence_valid", "absence_invalid", "livelihood_end", "oral_end", "written_end")
BATCH = 1000


def on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def sort_text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    add_columns()
    fill_columns()
    create_tables()
    create_indexes()
    keep_counts()
    find_names()


def downgrade() -> None:
    forget_names()
    forget_counts()
    drop_indexes()
    op.drop_index("uq_saved_view_start", table_name="saved_view")
    op.drop_table("saved_view")
    op.drop_index("ix_search_used_on", table_name="search")
    op.drop_index("ix_search_user_id", table_name="search")
    op.drop_table("search")
    op.drop_table("participation_count")
    for column in ("discharged", "duration_start", "termination_missing"):
        op.drop_column("participation", column)
    drop_name_words()


# ---- Columns ----


def add_columns() -> None:
    unfindable = sa.CheckConstraint(
        "status <> 4 OR name_words = ''", name=op.f("ck_participation_discharged_unfindable")
    )
    if on_sqlite():  # it takes a constraint only together with its column
        op.execute(
            "ALTER TABLE participation ADD COLUMN name_words VARCHAR(1900) DEFAULT '' NOT NULL "
            "CONSTRAINT ck_participation_discharged_unfindable CHECK (status <> 4 OR name_words = '')"
        )
    else:
        op.add_column(
            "participation",
            sa.Column("name_words", sa.String(length=1900), server_default=sa.text("''"), nullable=False),
        )
        op.create_check_constraint(op.f("ck_participation_discharged_unfindable"), "participation", unfindable.sqltext)
    op.add_column(
        "participation", sa.Column("termination_missing", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("participation", sa.Column("duration_start", sa.Date(), server_default="1900-01-01", nullable=False))
    # SQLite adds no stored column to a table; an index stores it all the same.
    discharged = sa.Computed("status = 4", persisted=not on_sqlite())
    op.add_column("participation", sa.Column("discharged", sa.Boolean(), discharged, nullable=False))


def drop_name_words() -> None:
    if not on_sqlite():
        op.drop_column("participation", "name_words")
        return
    op.execute("ALTER TABLE participation DROP COLUMN name_words")


def fill_columns() -> None:
    """For what is registered already: folded names, oppstart moved by the days of permisjon, and how many of the
    questions that page 4 always asks are open (the program counts anew at each change)."""
    lacks = " + ".join(f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END" for column in ALWAYS_ASKED)
    op.execute(f"UPDATE participation SET termination_missing = {lacks} WHERE status = 1")  # noqa: S608 - our own names
    table = sa.table(
        "participation",
        *map(sa.column, ("id", "name", "status", "name_words", "duration_start")),
        sa.column("start_date", sa.Date()),
    )
    table.c.duration_start.type = sa.Date()
    bind = op.get_bind()
    away = days_away(bind)
    rows = bind.execute(sa.select(table.c.id, table.c.name, table.c.start_date)).all()
    fill = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row"))
        .values(name_words=sa.bindparam("words"), duration_start=sa.bindparam("start"))
    )
    for first in range(0, len(rows), BATCH):
        bind.execute(
            fill,
            [
                {
                    "row": row.id,
                    "words": name_words(row.name),
                    "start": row.start_date + timedelta(days=away.get(row.id, 0)),
                }
                for row in rows[first : first + BATCH]
            ],
        )


def days_away(bind: Any) -> dict[int, int]:
    """The days of permisjon by participation, each day once, from oppstart on."""
    leaves = sa.text(
        "SELECT l.participation_ref, l.from_date, l.to_date, p.start_date FROM leave l "
        "JOIN participation p ON p.id = l.participation_ref"
    ).columns(from_date=sa.Date(), to_date=sa.Date(), start_date=sa.Date())
    days: dict[int, set[int]] = {}
    for row in bind.execute(leaves):
        first = max(row.from_date, row.start_date)
        days.setdefault(row.participation_ref, set()).update(range(first.toordinal(), row.to_date.toordinal() + 1))
    return {ref: len(found) for ref, found in days.items()}


# ---- Tables ----


def create_tables() -> None:
    op.create_table(
        "participation_count",
        sa.Column("municipality_number", sa.String(length=4), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("municipality_number", "status", "protected", "deleted", name="pk_participation_count"),
    )
    op.create_table(
        "search",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("words", JSON, nullable=False),
        sa.Column("changed_by", JSON, nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_search_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_search"),
    )
    op.create_index("ix_search_user_id", "search", ["user_id"])
    op.create_index("ix_search_used_on", "search", ["used_on"])
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sort_text(480), nullable=False),
        sa.Column("query", sa.String(length=8000), nullable=False),
        sa.Column("is_start", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name="fk_saved_view_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("user_id", "name", name="uq_saved_view_user_id_name"),
    )
    op.create_index(
        "uq_saved_view_start",
        "saved_view",
        ["user_id"],
        unique=True,
        sqlite_where=sa.text("is_start"),
        postgresql_where=sa.text("is_start"),
    )


# ---- Indexes ----


def indexes() -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Name, columns and options of each index on `participation`, but the one for parts of names."""
    for scope, lead in (("national", []), ("municipal", ["municipality_number"])):
        for word, column in ORDERS.items():
            extra = ["end_date"] if word == "start" else []
            name = f"ix_participation_{scope}_{word}"
            yield name, ["discharged", *lead, column, "id", *without(column, SEEN_BY), *extra], {}
            if word in MAY_BE_EMPTY and not on_sqlite():
                falling = [sa.text(f"{column} DESC NULLS LAST"), sa.text("id DESC")]
                yield f"{name}_down", ["discharged", *lead, *falling, *SEEN_BY], {}
    yield "ix_participation_facets", ["discharged", "municipality_number", *SEEN_BY, *FACETS], {}
    yield "ix_participation_funding", ["discharged", "funding", *SEEN_BY], {}
    yield "ix_participation_duration", ["discharged", "duration_start", "end_date", *SEEN_BY], {}
    for column in MISSING:
        some = sa.text(f"{column} > 0")
        yield f"ix_participation_{column}", ["discharged", *SEEN_BY], {"sqlite_where": some, "postgresql_where": some}


def without(column: str, columns: tuple[str, ...]) -> list[str]:
    return [other for other in columns if other != column]


def create_indexes() -> None:
    op.drop_index("ix_participation_municipal_order", table_name="participation")
    op.drop_index("ix_participation_order", table_name="participation")
    op.drop_index("ix_participation_national_id", table_name="participation")
    for name, columns, options in indexes():
        op.create_index(name, "participation", columns, **options)
    op.create_index("ix_access_entry_user", "access_entry", ["user_id", "action", "at"])


def drop_indexes() -> None:
    op.drop_index("ix_access_entry_user", table_name="access_entry")
    for name, _columns, _options in indexes():
        op.drop_index(name, table_name="participation")
    op.create_index("ix_participation_national_id", "participation", ["national_id"])
    op.create_index("ix_participation_order", "participation", ["changed_at", "id"])
    op.create_index("ix_participation_municipal_order", "participation", ["municipality_number", "changed_at", "id"])


# ---- Counts ----

KIND = "municipality_number, status, protected, deleted"


def kind_of(row: str) -> str:
    return f"{row}.municipality_number, {row}.status, {row}.protected, {row}.deleted_at IS NOT NULL"


def keep_counts() -> None:
    """Fill the table of counts, and create the triggers that update it in the writing transaction."""
    op.execute(
        f"INSERT INTO participation_count ({KIND}, number) "  # noqa: S608 - our own names
        f"SELECT {kind_of('p')}, count(*) FROM participation p GROUP BY 1, 2, 3, 4"
    )
    if on_sqlite():
        keep_counts_on_sqlite()
    else:
        keep_counts_on_postgresql()


def keep_counts_on_sqlite() -> None:
    def count(row: str, change: int) -> str:
        return (
            f"INSERT INTO participation_count ({KIND}, number) VALUES ({kind_of(row)}, {change}) "  # noqa: S608
            f"ON CONFLICT ({KIND}) DO UPDATE SET number = number + excluded.number; "
        )

    on = "ON participation BEGIN"
    op.execute(f"CREATE TRIGGER participation_counted_in AFTER INSERT {on} {count('NEW', 1)} END")
    op.execute(f"CREATE TRIGGER participation_counted_out AFTER DELETE {on} {count('OLD', -1)} END")
    op.execute(
        "CREATE TRIGGER participation_counted_anew "
        "AFTER UPDATE OF municipality_number, status, protected, deleted_at ON participation "
        "WHEN OLD.municipality_number <> NEW.municipality_number OR OLD.status <> NEW.status "
        "OR OLD.protected <> NEW.protected OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) "
        f"BEGIN {count('OLD', -1)} {count('NEW', 1)} END"
    )


def keep_counts_on_postgresql() -> None:
    """Once for each statement, however many rows; the counts are locked in one order, so that two writers do
    not wait for each other."""
    op.execute(
        f"""
        CREATE FUNCTION participation_counted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO participation_count AS c ({KIND}, number)
                SELECT {kind_of("n")}, count(*) FROM new_rows n GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
                ON CONFLICT ({KIND}) DO UPDATE SET number = c.number + excluded.number;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO participation_count AS c ({KIND}, number)
                SELECT {kind_of("o")}, -count(*) FROM old_rows o GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
                ON CONFLICT ({KIND}) DO UPDATE SET number = c.number + excluded.number;
            ELSE
                INSERT INTO participation_count AS c ({KIND}, number)
                SELECT municipality_number, status, protected, deleted, sum(change) FROM (
                    SELECT {kind_of("n")} AS deleted, 1 AS change FROM new_rows n
                    UNION ALL SELECT {kind_of("o")}, -1 FROM old_rows o
                ) changes GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0 ORDER BY 1, 2, 3, 4
                ON CONFLICT ({KIND}) DO UPDATE SET number = c.number + excluded.number;
            END IF;
            RETURN NULL;
        END $$
        """  # noqa: S608 - our own names
    )
    for verb, rows in (
        ("INSERT", "NEW TABLE AS new_rows"),
        ("DELETE", "OLD TABLE AS old_rows"),
        ("UPDATE", "NEW TABLE AS new_rows OLD TABLE AS old_rows"),
    ):
        op.execute(
            f"CREATE TRIGGER participation_counted_{verb.lower()} AFTER {verb} ON participation "
            f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION participation_counted()"
        )
    op.execute(
        """
        CREATE FUNCTION participation_not_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN DELETE FROM participation_count; RETURN NULL; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER participation_counted_truncate AFTER TRUNCATE ON participation "
        "FOR EACH STATEMENT EXECUTE FUNCTION participation_not_truncated()"
    )


def forget_counts() -> None:
    if on_sqlite():
        for when in ("in", "out", "anew"):
            op.execute(f"DROP TRIGGER participation_counted_{when}")
        return
    for verb in ("insert", "delete", "update", "truncate"):
        op.execute(f"DROP TRIGGER participation_counted_{verb} ON participation")
    op.execute("DROP FUNCTION participation_counted")
    op.execute("DROP FUNCTION participation_not_truncated")


# ---- Parts of names ----


def find_names() -> None:
    """Trigrams of the folded names, beside the kommunenummer, so that a municipality searches its own only."""
    if not on_sqlite():
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
        op.create_index(
            "ix_participation_name_words",
            "participation",
            ["municipality_number", "name_words"],
            postgresql_using="gin",
            postgresql_ops={"name_words": "gin_trgm_ops"},
        )
        return
    columns = "name_words, municipality_number"
    op.execute(
        f"CREATE VIRTUAL TABLE name_index USING fts5({columns}, content='participation', content_rowid='id', "
        "tokenize='trigram', columnsize=0)"
    )
    op.execute("INSERT INTO name_index(name_index) VALUES ('rebuild')")
    add = f"INSERT INTO name_index(rowid, {columns}) VALUES (NEW.id, NEW.name_words, NEW.municipality_number);"  # noqa: S608
    remove = (
        f"INSERT INTO name_index(name_index, rowid, {columns}) "  # noqa: S608
        "VALUES ('delete', OLD.id, OLD.name_words, OLD.municipality_number);"
    )
    op.execute(f"CREATE TRIGGER name_index_in AFTER INSERT ON participation BEGIN {add} END")
    op.execute(f"CREATE TRIGGER name_index_out AFTER DELETE ON participation BEGIN {remove} END")
    op.execute(
        f"CREATE TRIGGER name_index_anew AFTER UPDATE OF {columns} ON participation "
        f"WHEN OLD.name_words <> NEW.name_words OR OLD.municipality_number <> NEW.municipality_number "
        f"BEGIN {remove} {add} END"
    )


def forget_names() -> None:
    """The extensions stay: they may have been there before, and harm nobody."""
    if not on_sqlite():
        op.drop_index("ix_participation_name_words", table_name="participation")
        return
    for when in ("in", "out", "anew"):
        op.execute(f"DROP TRIGGER name_index_{when}")
    op.execute("DROP TABLE name_index")
