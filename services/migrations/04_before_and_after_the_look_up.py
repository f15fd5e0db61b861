"""Registrations that were begun, and when a person was last asked about.

Revision: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.core.db import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "beginning",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user_account.id"), nullable=False),
        sa.Column("creation_key", sa.String(32), nullable=False, unique=True),
        sa.Column("form", JSON, nullable=False),
        sa.Column("outcome", sa.String(20)),
        sa.Column("message", sa.String(400)),
        sa.Column("record", JSON),
        sa.Column("looked_up_at", UtcDateTime()),
        sa.Column("waits_since", UtcDateTime()),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
    )
    for column in ("user_id", "waits_since", "changed_at"):
        op.create_index(f"ix_beginning_{column}", "beginning", [column])
    op.add_column("person", sa.Column("refresh_tried_at", UtcDateTime()))
    op.create_index("ix_person_refresh_tried_at", "person", ["refresh_tried_at"])


def downgrade() -> None:
    op.drop_index("ix_person_refresh_tried_at", "person")
    op.drop_column("person", "refresh_tried_at")
    op.drop_table("beginning")
