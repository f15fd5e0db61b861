"""Which saves of pages that were being left have been handled.

Revision: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "left_save",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("user_account.id"), nullable=False),
        sa.Column("participation_ref", sa.Integer(), sa.ForeignKey("participation.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_left_save_at", "left_save", ["at"])


def downgrade() -> None:
    op.drop_table("left_save")
