"""Why a participant was deleted, and what IMDi tells a municipality.

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

from services.core.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a length: SQLAlchemy reads SQLite's computed column wrongly when a bracket follows it.
    op.add_column("participation", sa.Column("deleted_reason", sa.Text()))
    op.add_column("participation", sa.Column("deleted_reason_text", sa.Text()))
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("municipality_number", sa.String(4), nullable=False),
        sa.Column("participation_ref", sa.Integer(), sa.ForeignKey("participation.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("username", sa.String(60), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime()),
        sa.Column("read_by", sa.String(60)),
    )
    op.create_index("ix_notice_participation_ref", "notice", ["participation_ref"])


def downgrade() -> None:
    op.drop_table("notice")
    op.drop_column("participation", "deleted_reason_text")
    op.drop_column("participation", "deleted_reason")
