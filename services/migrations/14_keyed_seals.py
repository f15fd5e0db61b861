"""Seals with a key and epochs; which kind of installation the database belongs to.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.core.db import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
IDENTITY = {"seal": "log = NEW.log AND number = NEW.number", "sealed_line": "log = NEW.log AND line = NEW.line"}


def upgrade() -> None:
    op.add_column("seal", sa.Column("epoch", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("seal", sa.Column("key_id", sa.String(20)))
    op.add_column("seal", sa.Column("replaced", JSON))
    op.create_table(
        "installation",
        sa.Column("environment", sa.String(20), primary_key=True),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table, same in IDENTITY.items():  # INSERT OR REPLACE removes a row without asking the trigger for DELETE
            op.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - our own names
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in IDENTITY:
            op.execute(f"DROP TRIGGER {table}_no_replace")
    op.drop_table("installation")
    for column in ("replaced", "key_id", "epoch"):
        op.drop_column("seal", column)
