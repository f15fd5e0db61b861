"""Saving as one types: which form made a change, and answers that two people have given.

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change", sa.Column("form_key", sa.String(32)))
    op.add_column(
        "draft_value", sa.Column("is_undecided", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )


def downgrade() -> None:
    op.drop_column("draft_value", "is_undecided")
    op.drop_column("change", "form_key")
