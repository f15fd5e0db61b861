"""Leases for refreshing, and the index of persons to refresh.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

from services.core.db import UtcDateTime

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_person_freg_fetched_at", "person", ["freg_fetched_at"])


def downgrade() -> None:
    op.drop_index("ix_person_freg_fetched_at", "person")
    op.drop_table("lease")
