"""Seals on the history and the access log.

Revision: 0008
"""

import sqlalchemy as sa
from alembic import op

from services.core.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LONG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TABLES = ("sealed_line", "seal")


def upgrade() -> None:
    op.create_table(
        "sealed_line",
        sa.Column("log", sa.String(20), primary_key=True),
        sa.Column("line", LONG_ID, primary_key=True, autoincrement=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_table(
        "seal",
        sa.Column("log", sa.String(20), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("first_id", LONG_ID, nullable=False),
        sa.Column("last_id", LONG_ID, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    for table in TABLES:
        _forbid_changes(table)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)  # its triggers go with it
        if op.get_bind().dialect.name != "sqlite":
            op.execute(f"DROP FUNCTION {table}_append_only")


def _forbid_changes(table: str) -> None:
    """As the lines themselves, seals can be added to, never changed or removed."""
    refusal = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
